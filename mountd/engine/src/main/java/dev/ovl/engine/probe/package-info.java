/**
 * What this kernel and the root's file system can do, found out by doing it.
 *
 * <ul>
 *   <li>{@link dev.ovl.engine.probe.Probe} asks all questions; {@link
 *       dev.ovl.engine.probe.ProbeReport} holds the answers: a {@link dev.ovl.engine.probe.Feature}
 *       for each, with its three-valued {@link dev.ovl.engine.probe.ProbeResult}, what is known of
 *       the {@link dev.ovl.engine.probe.RootFileSystem}, and the {@link
 *       dev.ovl.engine.probe.DriverChoice}.
 *   <li>{@link dev.ovl.engine.probe.AbandonedProbes} finds and removes what a killed probe left.
 *   <li>Not public: {@code OverlayProbe} and {@code AufsProbe} mount in a {@link
 *       dev.ovl.engine.mount.PrivateMountNamespace}, {@code FileSystemProbe} asks for file system
 *       types, {@code RootProbe} works in a temporary directory in the root.
 * </ul>
 *
 * <p>Nothing here decides how ovl mounts: a version number is never compared, and an answer is for
 * people and for the choice of the driver. Imports dev.ovl.sys and the engine's packages {@code
 * file}, {@code mount}, {@code aufs} and {@code usage}, nothing else of ovl.
 */
package dev.ovl.engine.probe;
