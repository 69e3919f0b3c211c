/**
 * Files, directories, locks and random names, over {@link dev.ovl.sys.Syscalls} and by byte names.
 * Knows nothing of mounts or stacks. May import {@code dev.ovl.sys} and {@link
 * dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.file;
