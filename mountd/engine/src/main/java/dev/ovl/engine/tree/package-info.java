/**
 * Trees of files as values and as streams: what a diff produces, what an archive holds, what is
 * written into a layer. A {@link dev.ovl.engine.tree.Node} is a file without its data; a {@link
 * dev.ovl.engine.tree.TreeSink} takes nodes, deletions and opaque directories, in an order in which
 * each parent that is given at all comes before what is in it.
 *
 * <p>Knows nothing of archives, overlays or layers. May import {@code dev.ovl.sys}, {@code
 * dev.ovl.engine.file} and {@link dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.tree;
