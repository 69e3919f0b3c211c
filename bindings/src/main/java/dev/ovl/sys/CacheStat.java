package dev.ovl.sys;

/**
 * struct cachestat of cachestat(2): pages (4096 bytes on x86_64) of the range that was asked about.
 *
 * @param cached in the page cache
 * @param dirty of those, not written out yet
 * @param writeback of those, being written out
 * @param evicted once cached and driven out, as far as the kernel remembers
 * @param recentlyEvicted of those, driven out so lately that they would be welcome back
 */
public record CacheStat(
    long cached, long dirty, long writeback, long evicted, long recentlyEvicted) {

  /** Bytes a page, x86_64. */
  public static final int PAGE_BYTES = 4096;

  /** Bytes in the page cache, whole pages. */
  public long cachedBytes() {
    return cached * PAGE_BYTES;
  }
}
