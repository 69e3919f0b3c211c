package dev.ovl.engine.file;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Random names from the kernel (random(4)); java.security would cost a short process its start. */
public final class RandomBytes {
  private static final OsPath SOURCE = OsPath.of("/dev/urandom");
  private static final String BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

  private final Syscalls sys;

  /**
   * @param sys what to call
   */
  public RandomBytes(Syscalls sys) {
    this.sys = sys;
  }

  private byte[] bytes(int count) throws ErrnoException {
    byte[] bytes = new byte[count];
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, SOURCE, Linux.O_RDONLY, 0))) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(count);
      while (buffer.hasRemaining()) {
        sys.read(fd.number(), buffer);
      }
      buffer.flip().get(bytes);
    }
    return bytes;
  }

  /**
   * @param digits an even number
   * @return lower-case hexadecimal digits
   */
  public String hex(int digits) throws ErrnoException {
    return HexFormat.of().formatHex(bytes(digits / 2));
  }

  /** Characters of the standard base32 alphabet (RFC 4648), five bits each, without padding. */
  public String base32(int characters) throws ErrnoException {
    byte[] bytes = bytes(characters);
    StringBuilder text = new StringBuilder(characters);
    for (byte b : bytes) {
      text.append(BASE32.charAt(b & 31));
    }
    return text.toString();
  }
}
