/**
 * Mounts of aufs, the union file system outside the mainline kernel (aufs(5)). A mount is first a
 * value ({@link dev.ovl.engine.aufs.AufsMount}: {@link dev.ovl.engine.aufs.AufsBranch}es and {@link
 * dev.ovl.engine.aufs.AufsOptions}); {@link dev.ovl.engine.aufs.AufsMounter} makes, changes and
 * ends it; {@link dev.ovl.engine.aufs.AufsTable} says what the kernel has, as {@link
 * dev.ovl.engine.aufs.AufsState}, and {@link dev.ovl.engine.aufs.AufsChecks} why it would refuse.
 * Knows nothing of stacks and drivers. May import {@code dev.ovl.sys}, {@code dev.ovl.engine.file}
 * and {@code dev.ovl.engine.mount}.
 */
package dev.ovl.engine.aufs;
