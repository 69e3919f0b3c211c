/**
 * What trees of files use: blocks and inodes of an upper, room on its file system, pages of a lower
 * in the page cache. Asks only; changes nothing, and knows nothing of mounts or stacks.
 *
 * <p>{@link dev.ovl.engine.tree.TreeWalk} goes through a tree that others change meanwhile; {@link
 * dev.ovl.engine.usage.UpperUsage} and {@link dev.ovl.engine.usage.PageCache} look at what it
 * meets. All that takes long ends when its caller says so.
 *
 * <p>May import {@code dev.ovl.sys}, {@code dev.ovl.engine.file}, {@code dev.ovl.engine.tree} and
 * {@link dev.ovl.engine.EngineException}.
 */
package dev.ovl.engine.usage;
