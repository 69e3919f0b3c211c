/**
 * What changed between two trees, each of which is what a mount of layers would show, without
 * mounting anything. {@link dev.ovl.engine.diff.TreeDiff} compares two {@link
 * dev.ovl.engine.diff.View}s and gives the answer as a list, as a stream and as a size.
 *
 * <p>{@code MergedTree} looks names up as overlayfs does: whiteouts, opaque directories, redirects
 * and metadata-only copies. {@code Comparison} walks two of these side by side, and only where
 * their directories are not made of the same real ones, so its cost grows with what changed. {@code
 * HardLinks} settles what can be told only when every name was looked at. {@link
 * dev.ovl.engine.diff.LowerDirectories} tells who writes a layer what it is put on.
 *
 * <p>May import {@code dev.ovl.sys}, {@code dev.ovl.engine.file}, {@code dev.ovl.engine.tree} and
 * {@link dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.diff;
