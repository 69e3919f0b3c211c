package dev.ovl.engine.archive;

import java.util.Arrays;

/** One block as a header of tar (pax(1), "ustar Interchange Format"; tar(5)). */
final class TarHeader {
  static final int NAME = 0;
  static final int NAME_BYTES = 100;
  static final int MODE = 100;
  static final int UID = 108;
  static final int GID = 116;
  static final int SIZE = 124;
  static final int TIME = 136;
  static final int CHECKSUM = 148;
  static final int TYPE = 156;
  static final int LINK = 157;
  static final int MAGIC = 257;
  static final int MAJOR = 329;
  static final int MINOR = 337;
  static final int PREFIX = 345;
  static final int PREFIX_BYTES = 155;
  private static final int STAR_PREFIX_BYTES = 131;
  private static final int STAR_TRAILER = 508;
  private static final int SHORT = 8;
  private static final int LONG = 12;

  private static final int GNU_SPARSE = 386;
  private static final int GNU_SPARSE_ENTRIES = 4;
  private static final int GNU_SPARSE_EXTENDED = 482;
  private static final int GNU_REAL_SIZE = 483;
  private static final int EXTENSION_ENTRIES = 21;
  private static final int EXTENSION_EXTENDED = 504;
  private static final int SPARSE_ENTRY_BYTES = 24;

  private final byte[] block;

  TarHeader(byte[] block) {
    this.block = block;
  }

  static boolean isZero(byte[] block) {
    for (byte b : block) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Compares with the sum of the bytes, which some writers took for signed. */
  void check() throws TarException {
    long wanted = number(CHECKSUM, SHORT, "checksum of a header");
    int unsigned = 0;
    int signed = 0;
    for (int i = 0; i < block.length; i++) {
      byte b = i >= CHECKSUM && i < CHECKSUM + SHORT ? (byte) ' ' : block[i];
      unsigned += b & 0xFF;
      signed += b;
    }
    if (wanted != unsigned && wanted != signed) {
      throw new TarException("there is no header of tar: the checksum is wrong");
    }
  }

  byte type() {
    return block[TYPE];
  }

  /** The name, with its prefix where the format has one. */
  byte[] name() {
    byte[] name = text(NAME, NAME_BYTES);
    if (!isAt(MAGIC, "ustar\0")) {
      return name; // GNU keeps times there
    }
    boolean star = isAt(STAR_TRAILER, "tar\0");
    byte[] prefix = text(PREFIX, star ? STAR_PREFIX_BYTES : PREFIX_BYTES);
    if (prefix.length == 0) {
      return name;
    }
    byte[] joined = Arrays.copyOf(prefix, prefix.length + 1 + name.length);
    joined[prefix.length] = '/';
    System.arraycopy(name, 0, joined, prefix.length + 1, name.length);
    return joined;
  }

  byte[] link() {
    return text(LINK, NAME_BYTES);
  }

  long mode() throws TarException {
    return number(MODE, SHORT, "mode");
  }

  long uid() throws TarException {
    return number(UID, SHORT, "uid");
  }

  long gid() throws TarException {
    return number(GID, SHORT, "gid");
  }

  long size() throws TarException {
    return number(SIZE, LONG, "size");
  }

  long time() throws TarException {
    return number(TIME, LONG, "mtime");
  }

  long major() throws TarException {
    return number(MAJOR, SHORT, "device");
  }

  long minor() throws TarException {
    return number(MINOR, SHORT, "device");
  }

  /** The size with the holes, of a sparse file in the old GNU form. */
  long realSize() throws TarException {
    return number(GNU_REAL_SIZE, LONG, "real size");
  }

  /** Adds the ranges in the header; true when blocks with more follow it. */
  boolean addSparse(SparseMap map) throws TarException {
    addSparse(map, GNU_SPARSE, GNU_SPARSE_ENTRIES);
    return block[GNU_SPARSE_EXTENDED] != 0;
  }

  /** As {@link #addSparse}, of a block that follows a header. */
  boolean addExtension(SparseMap map) throws TarException {
    addSparse(map, 0, EXTENSION_ENTRIES);
    return block[EXTENSION_EXTENDED] != 0;
  }

  private void addSparse(SparseMap map, int start, int entries) throws TarException {
    for (int i = 0; i < entries; i++) {
      int at = start + i * SPARSE_ENTRY_BYTES;
      if (block[at] == 0) {
        return;
      }
      map.add(number(at, LONG, "sparse map"), number(at + LONG, LONG, "sparse map"));
    }
  }

  private boolean isAt(int start, String ascii) {
    for (int i = 0; i < ascii.length(); i++) {
      if (block[start + i] != ascii.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private byte[] text(int start, int length) {
    int end = start;
    while (end < start + length && block[end] != 0) {
      end++;
    }
    return Arrays.copyOfRange(block, start, end);
  }

  /** Octal digits between spaces and NULs; or, where the first bit is set, two's complement. */
  private long number(int start, int length, String what) throws TarException {
    if ((block[start] & 0x80) != 0) {
      return binary(start, length, what);
    }
    int i = start;
    int end = start + length;
    while (i < end && (block[i] == ' ' || block[i] == 0)) {
      i++;
    }
    long value = 0;
    while (i < end && block[i] >= '0' && block[i] <= '7') {
      value = value << 3 | (block[i] - '0');
      i++;
    }
    if (i < end && block[i] != ' ' && block[i] != 0) {
      throw new TarException("the " + what + " is no number");
    }
    return value;
  }

  private long binary(int start, int length, String what) throws TarException {
    boolean negative = (block[start] & 0x40) != 0;
    long value = negative ? -1L << 6 | (block[start] & 0x3F) : block[start] & 0x3F;
    for (int i = start + 1; i < start + length; i++) {
      if (value > Long.MAX_VALUE >> 8 || value < Long.MIN_VALUE >> 8) {
        throw new TarException("the " + what + " is too large");
      }
      value = value << 8 | (block[i] & 0xFF);
    }
    return value;
  }
}
