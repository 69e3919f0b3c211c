/**
 * Stacks: named, persistent descriptions of union mounts.
 *
 * <p>{@link dev.ovl.engine.stack.Stacks} is the entry. Beneath it {@code DefinitionEditor} writes
 * definitions ({@code StackStore}, {@code Journal}), {@code StackLifecycle} mounts and unmounts,
 * {@code StackRuns} has commands run in them, {@code StackAttachments} mounts them in namespaces of
 * other processes, and {@code StackMounts} relates a definition to what the kernel has ({@code
 * MountRecords}). {@code Leftovers} finds what none of them will clear away. What differs by the
 * file system that unites a stack's directories is a {@code UnionKind}: {@code OverlayKind} or
 * {@code AufsKind}. Definitions outlive the boot; whether a stack is up, only the kernel says.
 *
 * <p>May import {@code dev.ovl.sys}, {@code dev.ovl.json}, {@code dev.ovl.jni} and all the engine's
 * packages.
 */
package dev.ovl.engine.stack;
