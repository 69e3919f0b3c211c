/**
 * Archives: tar read into a {@link dev.ovl.engine.tree.TreeSink} and written from what one is told,
 * plain or compressed, in the {@link dev.ovl.engine.archive.ArchiveFormat}s of layers.
 *
 * <p>What is read may be hostile. Nothing in it is trusted, nothing that it says makes memory grow
 * without limit, and what is wrong is told in one line with the entry and the byte. Names and
 * values are bytes.
 *
 * <p>Bytes come from a {@link dev.ovl.engine.tree.Content.Source} and go to a {@link
 * dev.ovl.engine.archive.ByteSink}: descriptors for files and pipes, streams for the bodies of
 * HTTP.
 *
 * <p>May import {@code dev.ovl.sys}, {@code dev.ovl.engine.tree}, {@link
 * dev.ovl.engine.EngineException} and zstd-jni.
 */
package dev.ovl.engine.archive;
