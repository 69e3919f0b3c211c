package dev.ovl.engine.fsck;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The file handles in which overlayfs keeps where a file came from: struct ovl_fb in the kernel's
 * fs/overlayfs/overlayfs.h. Pure functions.
 *
 * <p>Five bytes (version 0, magic 0xfb, length of all, flags, the file system's type of handle), 16
 * of the file system's uuid, and the handle. An empty one says that the file was copied up from a
 * file system without handles.
 */
sealed interface OriginHandle {
  int MAGIC = 0xfb;
  int HEADER_BYTES = 21;

  /** Of include/uapi/linux/exportfs.h, MAX_HANDLE_SZ. */
  int MOST_BYTES = 128;

  int BIG_ENDIAN = 1;
  int ANY_ENDIAN = 2;
  int OF_UPPER = 4;

  /** It says nothing: empty, or of another machine or a later version. */
  record Silent() implements OriginHandle {}

  /** It is none. */
  record Malformed() implements OriginHandle {}

  /** One that can be opened. */
  final class Handle implements OriginHandle {
    private final int type;
    private final byte[] bytes;

    private Handle(int type, byte[] bytes) {
      this.type = type;
      this.bytes = bytes;
    }

    /** As the file system numbers them. */
    int type() {
      return type;
    }

    byte[] bytes() {
      return bytes.clone();
    }
  }

  /** Reads the value of an attribute, as ovl_check_fb_len() and ovl_get_fh() do. */
  static OriginHandle read(byte[] value) {
    if (value.length == 0) {
      return new Silent();
    }
    if (value.length < HEADER_BYTES
        || Byte.toUnsignedInt(value[1]) != MAGIC
        || Byte.toUnsignedInt(value[2]) > value.length
        || Byte.toUnsignedInt(value[2]) < HEADER_BYTES) {
      return new Malformed();
    }
    int flags = value[3];
    boolean unknown = value[0] != 0 || (flags & ~(BIG_ENDIAN | ANY_ENDIAN | OF_UPPER)) != 0;
    boolean big = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;
    boolean foreign = (flags & ANY_ENDIAN) == 0 && ((flags & BIG_ENDIAN) != 0) != big;
    int length = Byte.toUnsignedInt(value[2]) - HEADER_BYTES;
    if (unknown || foreign || length > MOST_BYTES) {
      return new Silent();
    }
    byte[] bytes = Arrays.copyOfRange(value, HEADER_BYTES, HEADER_BYTES + length);
    return new Handle(Byte.toUnsignedInt(value[4]), bytes);
  }

  /** The value that the name of an index entry stands for; empty when it is no such name. */
  static Optional<byte[]> ofIndexName(String name) {
    boolean hex = name.length() % 2 == 0 && name.chars().allMatch(HexFormat::isHexDigit);
    if (!hex || name.length() < 2 * HEADER_BYTES) {
      return Optional.empty();
    }
    byte[] value = HexFormat.of().parseHex(name);
    return read(value) instanceof Malformed ? Optional.empty() : Optional.of(value);
  }
}
