/**
 * Trees of files as values and as streams: what a diff produces, what an archive holds, what is
 * written into a layer. A {@link dev.ovl.engine.tree.Node} is a file without its data; a {@link
 * dev.ovl.engine.tree.TreeSink} takes nodes, deletions and opaque directories, in an order in which
 * each parent that is given at all comes before what is in it.
 *
 * <p>{@link dev.ovl.engine.tree.TreeReader} streams a directory, {@link
 * dev.ovl.engine.tree.TreeWriter} writes a stream into one, whoever made it, in one of the {@link
 * dev.ovl.engine.tree.LayerForm}s; {@link dev.ovl.engine.tree.TreeWalk} looks at what is there.
 *
 * <p>Knows nothing of archives, mounts or which layers there are. May import {@code dev.ovl.sys},
 * {@code dev.ovl.engine.file} and {@link dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.tree;
