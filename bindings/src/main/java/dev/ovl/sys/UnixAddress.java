package dev.ovl.sys;

import dev.ovl.sys.gen.sockaddr_un;
import java.util.Arrays;

/**
 * An address of unix(7), written as users write it: the path of a socket, or {@code @} and the name
 * of an abstract one, which is no file.
 *
 * @param text what $NOTIFY_SOCKET of sd_notify(3) holds; a relative path that begins with {@code @}
 *     is written {@code ./@…}
 */
public record UnixAddress(OsPath text) {

  /** True for a name without a file. */
  public boolean isAbstract() {
    return text.length() > 0 && text.rawBytes()[0] == '@';
  }

  /** The name without the {@code @}. */
  byte[] name() {
    byte[] bytes = text.rawBytes();
    return isAbstract() ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
  }

  /** sun_path: NUL before an abstract name, or after a path. */
  byte[] path() {
    byte[] bytes = text.bytes();
    if (isAbstract()) {
      bytes[0] = 0;
      return bytes;
    }
    return Arrays.copyOf(bytes, bytes.length + 1);
  }

  /** Bytes of the structure: an abstract name ends where it ends. */
  long size() {
    return sockaddr_un.sun_path$offset() + path().length;
  }
}
