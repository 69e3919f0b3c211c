/**
 * Folds the topmost layer of an overlay into the one below it. {@link
 * dev.ovl.engine.merge.LayerMerge} is the entry: it says in which order what is done and why a
 * crash at any point leaves what the overlay shows as it was.
 *
 * <p>May import {@code dev.ovl.sys}, {@code dev.ovl.json}, {@code dev.ovl.engine.file}, {@code
 * dev.ovl.engine.tree}, {@code dev.ovl.engine.diff} and {@link dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.merge;
