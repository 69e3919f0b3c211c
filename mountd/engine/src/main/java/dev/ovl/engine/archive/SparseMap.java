package dev.ovl.engine.archive;

import java.util.Arrays;

/** Where in a file the data is that an archive holds of it; the rest are holes. */
final class SparseMap {
  /** 16 MB of memory; a file of more ranges is hardly sparse. */
  private static final int MAX_RANGES = 1 << 20;

  private long[] ranges = new long[16];
  private int count;

  /** Adds a range behind those before. */
  void add(long offset, long length) throws TarException {
    long end = count == 0 ? 0 : end(count - 1);
    if (offset < end || length < 0 || offset > Long.MAX_VALUE - length) {
      throw new TarException("the sparse map is no map: a range at " + offset);
    }
    if (count == MAX_RANGES) {
      throw new TarException("the sparse map has more than " + MAX_RANGES + " ranges");
    }
    if (2 * count == ranges.length) {
      ranges = Arrays.copyOf(ranges, 2 * ranges.length);
    }
    ranges[2 * count] = offset;
    ranges[2 * count + 1] = length;
    count++;
  }

  int count() {
    return count;
  }

  long offset(int index) {
    return ranges[2 * index];
  }

  long end(int index) {
    return ranges[2 * index] + ranges[2 * index + 1];
  }

  /** Fails unless the ranges are all of the data and within the file. */
  void check(long size, long data) throws TarException {
    long sum = 0;
    for (int i = 0; i < count; i++) {
      sum += ranges[2 * i + 1];
    }
    if (sum != data || (count > 0 && end(count - 1) > size)) {
      throw new TarException("the sparse map does not fit its " + data + " bytes of data");
    }
  }
}
