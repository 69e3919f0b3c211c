/**
 * Overlay mounts. A mount is first a value ({@link dev.ovl.engine.mount.OverlayMount}); {@link
 * dev.ovl.engine.mount.OverlayMounter} makes it by one of four ways; {@link
 * dev.ovl.engine.mount.MountTable} and {@link dev.ovl.engine.mount.OverlayCensus} say what the
 * kernel has, {@link dev.ovl.engine.mount.MountHolders} who uses it, and {@link
 * dev.ovl.engine.mount.OverlayChecks} why it refused. {@link
 * dev.ovl.engine.mount.PrivateMountNamespace} is where mounts are made that nobody shall see,
 * {@link dev.ovl.engine.mount.ProcessMounts} are those of another process, {@link
 * dev.ovl.engine.mount.IdMap} is how owners in lowers are shown. Knows nothing of stacks. May
 * import {@code dev.ovl.sys}, {@code dev.ovl.jni} and {@code dev.ovl.engine.file}.
 */
package dev.ovl.engine.mount;
