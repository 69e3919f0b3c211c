package dev.ovl.engine.move;

import dev.ovl.sys.Statx;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What of a source was copied, so that this and nothing else is removed: fingerprints, sorted. On
 * disk eight bytes each, most significant first, after as many for the inode of the copy.
 */
final class CopiedFiles {
  private final long[] fingerprints;

  /**
   * @param fingerprints sorted; not to be written to any more
   */
  CopiedFiles(long[] fingerprints) {
    this.fingerprints = fingerprints;
  }

  /** The list as it is kept on disk. */
  byte[] bytes(long inode) {
    ByteBuffer bytes = ByteBuffer.allocate((fingerprints.length + 1) * Long.BYTES);
    bytes.putLong(inode);
    bytes.asLongBuffer().put(fingerprints);
    return bytes.array();
  }

  /** The list from disk, without the inode before it. */
  static CopiedFiles of(byte[] bytes) {
    long[] fingerprints = new long[bytes.length / Long.BYTES - 1];
    ByteBuffer.wrap(bytes).position(Long.BYTES).asLongBuffer().get(fingerprints);
    return new CopiedFiles(fingerprints);
  }

  /** Whether this file is among them, as it was copied. */
  boolean contains(long path, Statx stat) {
    return isIn(Fingerprint.removable(path, stat, true))
        || isIn(Fingerprint.removable(path, stat, false));
  }

  private boolean isIn(long fingerprint) {
    return Arrays.binarySearch(fingerprints, fingerprint) >= 0;
  }
}
