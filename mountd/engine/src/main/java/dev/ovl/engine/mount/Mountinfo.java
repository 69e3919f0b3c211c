package dev.ovl.engine.mount;

import dev.ovl.sys.OsPath;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)). A pure function of its bytes. */
public final class Mountinfo {
  private static final int FIXED_FIELDS = 6;

  private Mountinfo() {}

  /**
   * The mounts in the order of the text.
   *
   * @throws IllegalArgumentException a line is not of the documented form
   */
  static List<MountEntry> parse(byte[] text) {
    List<MountEntry> entries = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length; i++) {
      if (text[i] == '\n') {
        entries.add(line(text, start, i));
        start = i + 1;
      }
    }
    if (start < text.length) {
      entries.add(line(text, start, text.length));
    }
    return entries;
  }

  private static MountEntry line(byte[] text, int start, int end) {
    List<byte[]> fields = fields(text, start, end);
    int separator = FIXED_FIELDS;
    while (separator < fields.size() && !isSeparator(fields.get(separator))) {
      separator++;
    }
    if (fields.size() < separator + 4) {
      throw new IllegalArgumentException(
          "not a line of mountinfo: " + OsPath.decode(text, start, end - start));
    }
    long peerGroup = 0;
    long master = 0;
    for (int i = FIXED_FIELDS; i < separator; i++) {
      String field = OsPath.decode(fields.get(i));
      if (field.startsWith("shared:")) {
        peerGroup = number(field.substring("shared:".length()));
      } else if (field.startsWith("master:")) {
        master = number(field.substring("master:".length()));
      }
    }
    return new MountEntry(
        number(OsPath.decode(fields.get(0))),
        number(OsPath.decode(fields.get(1))),
        device(OsPath.decode(fields.get(2))),
        OsPath.of(unescape(fields.get(3))),
        OsPath.of(unescape(fields.get(4))),
        OsPath.decode(fields.get(separator + 1)),
        OsPath.of(unescape(fields.get(separator + 2))),
        Optional.of(new ShownOptions(OsPath.of(fields.get(separator + 3)))),
        peerGroup,
        master);
  }

  private static List<byte[]> fields(byte[] text, int start, int end) {
    List<byte[]> fields = new ArrayList<>();
    int from = start;
    for (int i = start; i <= end; i++) {
      if (i == end || text[i] == ' ') {
        byte[] field = new byte[i - from];
        System.arraycopy(text, from, field, 0, field.length);
        fields.add(field);
        from = i + 1;
      }
    }
    return fields;
  }

  private static boolean isSeparator(byte[] field) {
    return field.length == 1 && field[0] == '-';
  }

  private static long number(String text) {
    return Long.parseLong(text);
  }

  private static MountEntry.Device device(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("not a device number: " + text);
    }
    return new MountEntry.Device(
        Integer.parseInt(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
  }

  /** Undoes the kernel's {@code \ooo} for space, tab, newline, backslash and others. */
  public static byte[] unescape(byte[] field) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(field.length);
    for (int i = 0; i < field.length; i++) {
      if (field[i] == '\\' && isOctal(field, i + 1)) {
        out.write((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
        i += 3;
      } else {
        out.write(field[i]);
      }
    }
    return out.toByteArray();
  }

  private static boolean isOctal(byte[] field, int at) {
    if (at + 3 > field.length || field[at] > '3') {
      return false;
    }
    for (int i = at; i < at + 3; i++) {
      if (field[i] < '0' || field[i] > '7') {
        return false;
      }
    }
    return true;
  }
}
