/**
 * Stacks: named, persistent descriptions of union mounts.
 *
 * <p>{@link dev.ovl.engine.stack.Stacks} is the entry. Beneath it {@code DefinitionEditor} writes
 * definitions ({@code StackStore}, {@code Journal}), {@code StackLifecycle} mounts and unmounts,
 * and {@code StackMounts} relates a definition to what the kernel has ({@code MountRecords}).
 * Definitions outlive the boot; whether a stack is up, only the kernel says.
 *
 * <p>May import {@code dev.ovl.sys} and the engine's packages {@code file}, {@code json}, {@code
 * mount} and {@code driver}.
 */
package dev.ovl.engine.stack;
