/**
 * Looks an overlay over on its directories, and mends what can be mended without losing anything:
 * {@link dev.ovl.engine.fsck.OverlayCheck} finds, {@link dev.ovl.engine.fsck.OverlayRepair} mends.
 *
 * <p>Knows lowers, an upper and a work directory, no stacks and no definitions. May import {@code
 * dev.ovl.sys}, {@code dev.ovl.engine.file}, {@code dev.ovl.engine.tree}, {@code
 * dev.ovl.engine.diff}, {@code dev.ovl.engine.move}, {@code dev.ovl.engine.mount} for values, and
 * {@link dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.fsck;
