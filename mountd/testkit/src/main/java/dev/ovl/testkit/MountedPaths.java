package dev.ovl.testkit;

import dev.ovl.sys.OsPath;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What this mount namespace has beneath a directory: mounts, and loop devices on files. */
final class MountedPaths {
  private MountedPaths() {}

  /**
   * A line of mountinfo.
   *
   * @param text the whole line
   */
  record Mounted(OsPath point, String text) {}

  /** The mounts on the directory and beneath it, in the order in which they lie on each other. */
  static List<Mounted> beneath(OsPath directory) {
    List<Mounted> found = new ArrayList<>();
    for (String line : OsPath.decode(read("/proc/self/mountinfo")).split("\n")) {
      String[] fields = line.split(" ");
      if (fields.length > 4) {
        OsPath point = unescape(fields[4]);
        if (point.startsWith(directory)) {
          found.add(new Mounted(point, line));
        }
      }
    }
    return found;
  }

  /** Undoes the octal escapes of proc(5). */
  private static OsPath unescape(String text) {
    byte[] raw = OsPath.encode(text);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < raw.length; i++) {
      if (raw[i] == '\\' && i + 3 < raw.length) {
        out.write(Integer.parseInt(new String(raw, i + 1, 3, StandardCharsets.US_ASCII), 8));
        i += 3;
      } else {
        out.write(raw[i]);
      }
    }
    return OsPath.of(out.toByteArray());
  }

  /**
   * A loop device in use.
   *
   * @param device {@code /dev/loop3}
   * @param file what it shows
   */
  record Loop(String device, OsPath file) {}

  /** The loop devices on files beneath the directory. */
  static List<Loop> loopsBeneath(OsPath directory) {
    List<Loop> loops = new ArrayList<>();
    Path all = Path.of("/sys/block");
    if (!Files.isDirectory(all)) {
      return loops;
    }
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(all, "loop*")) {
      for (Path device : devices) {
        Path backing = device.resolve("loop/backing_file");
        if (Files.exists(backing)) {
          // no strip(): the one line feed is sysfs's, the rest is the name's
          String text = OsPath.decode(read(backing.toString()));
          OsPath file = OsPath.of(text.replaceFirst("\n$", ""));
          if (file.startsWith(directory)) {
            loops.add(new Loop("/dev/" + device.getFileName(), file));
          }
        }
      }
    } catch (IOException e) {
      throw new AssertionError("cannot list " + all, e);
    }
    return loops;
  }

  private static byte[] read(String file) {
    try {
      return Files.readAllBytes(Path.of(file));
    } catch (IOException e) {
      throw new AssertionError("cannot read " + file, e);
    }
  }
}
