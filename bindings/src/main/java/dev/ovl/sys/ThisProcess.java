package dev.ovl.sys;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What this process was started with, byte for byte and in the text form of {@link OsPath}: read
 * from /proc, since the JVM has replaced what does not fit its charset.
 */
public final class ThisProcess {
  private ThisProcess() {}

  /**
   * The last arguments.
   *
   * @param count how many; {@code main} was given so many
   */
  public static List<String> arguments(int count) throws IOException {
    List<String> all = zeroTerminated("cmdline");
    return all.subList(all.size() - count, all.size());
  }

  /** The variables of the environment; the first of several of one name. */
  public static Map<String, String> environment() throws IOException {
    Map<String, String> map = new HashMap<>();
    for (String variable : zeroTerminated("environ")) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        map.putIfAbsent(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    return Map.copyOf(map);
  }

  private static List<String> zeroTerminated(String file) throws IOException {
    byte[] bytes = Files.readAllBytes(Path.of("/proc/self", file));
    List<String> words = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        words.add(OsPath.decode(bytes, start, i - start));
        start = i + 1;
      }
    }
    return words;
  }
}
