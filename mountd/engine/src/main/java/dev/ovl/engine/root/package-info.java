/**
 * What the root and run directories are by themselves, whatever is kept in them: by which rules a
 * root is laid out, and where facts about it are kept that end with the boot.
 *
 * <p>May import {@code dev.ovl.sys}, {@code dev.ovl.json}, {@code dev.ovl.engine.file} and {@link
 * dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.root;
