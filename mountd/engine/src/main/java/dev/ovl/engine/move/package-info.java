/**
 * Renames that survive EXDEV: {@link dev.ovl.engine.move.CrossDeviceMove} renames where rename(2)
 * can, and else copies and unlinks, so that at any moment, whatever fails, the source or the
 * destination is whole.
 *
 * <p>Knows no overlay, no stack and no layer: paths only. May import {@code dev.ovl.sys}, {@code
 * dev.ovl.engine.file}, {@code dev.ovl.engine.tree}, dev.ovl.json for the journal, and {@link
 * dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.move;
