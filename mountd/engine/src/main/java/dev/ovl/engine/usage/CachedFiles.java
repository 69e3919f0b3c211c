package dev.ovl.engine.usage;

/** How much of a tree's files is in the page cache, or that it cannot be told. */
public sealed interface CachedFiles {

  /**
   * The kernel told.
   *
   * @param bytes in the page cache, in whole pages; at least as many where it is partial
   * @param files that were asked about
   * @param whole false when a limit ended the walk before the tree's end
   */
  record Told(long bytes, long files, boolean whole) implements CachedFiles {}

  /**
   * It is not known.
   *
   * @param reason in words, not empty
   */
  record NotTold(String reason) implements CachedFiles {}
}
