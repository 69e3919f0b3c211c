package dev.ovl.cli.demo;

import dev.ovl.sys.Linux;
import dev.ovl.sys.Statx;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** A file on one line, as {@code ls -l} shows it; for a device its numbers instead of the size. */
final class FileLine {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("MMM ppd HH:mm", Locale.ROOT);
  private static final String BITS = "rwxrwxrwx";

  private FileLine() {}

  /**
   * @param name shown at the end, as it is
   */
  static String of(Statx file, String name) {
    boolean device = isType(file, Linux.S_IFCHR) || isType(file, Linux.S_IFBLK);
    return type(file)
        + permissions(file)
        + " "
        + file.links()
        + " "
        + owner(file.uid())
        + " "
        + owner(file.gid())
        + " "
        + (device ? file.rdevMajor() + ", " + file.rdevMinor() : file.size())
        + " "
        + TIME.format(
            Instant.ofEpochSecond(file.modified().seconds()).atZone(ZoneId.systemDefault()))
        + " "
        + name;
  }

  private static char type(Statx file) {
    if (file.isDirectory()) {
      return 'd';
    }
    if (file.isSymbolicLink()) {
      return 'l';
    }
    if (isType(file, Linux.S_IFCHR)) {
      return 'c';
    }
    return isType(file, Linux.S_IFBLK) ? 'b' : '-';
  }

  private static boolean isType(Statx file, int type) {
    return (file.mode() & Linux.S_IFMT) == type;
  }

  private static String permissions(Statx file) {
    StringBuilder text = new StringBuilder(BITS.length());
    for (int i = 0; i < BITS.length(); i++) {
      boolean set = (file.permissions() >> (BITS.length() - 1 - i) & 1) == 1;
      text.append(set ? BITS.charAt(i) : '-');
    }
    return text.toString();
  }

  private static String owner(int id) {
    return id == 0 ? "root" : Integer.toUnsignedString(id);
  }
}
