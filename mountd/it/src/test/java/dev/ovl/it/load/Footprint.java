package dev.ovl.it.load;

import dev.ovl.it.Mountd;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What a daemon uses: threads, descriptors, memory. */
record Footprint(Mountd daemon) {
  private static final Pattern CLASS_LINE = Pattern.compile("(?m)^ *\\d+: +\\d+ +(\\d+) +(\\S+)");

  /** The JVM fills gaps with these, as it likes. */
  private static final String FILLER = "FillerElement";

  /** The names of its threads, as the kernel has them: cut to 15 bytes; sorted. */
  List<String> threads() {
    List<String> names = new ArrayList<>();
    for (Path task : list("task")) {
      try {
        names.add(Files.readString(task.resolve("comm"), StandardCharsets.ISO_8859_1).strip());
      } catch (IOException e) {
        // it has ended meanwhile
      }
    }
    names.sort(null);
    return names;
  }

  /** What its descriptors lead to, without inode numbers; sorted. */
  List<String> descriptors() {
    List<String> targets = new ArrayList<>();
    for (Path descriptor : list("fd")) {
      try {
        targets.add(Files.readSymbolicLink(descriptor).toString().replaceAll(":\\[\\d+]", ""));
      } catch (IOException e) {
        // it was closed meanwhile
      }
    }
    targets.sort(null);
    return targets;
  }

  private List<Path> list(String what) {
    try (Stream<Path> entries = Files.list(Path.of("/proc", String.valueOf(daemon.pid()), what))) {
      return entries.toList();
    } catch (NoSuchFileException e) {
      throw new AssertionError("mountd is gone\n" + daemon.log(), e);
    } catch (IOException e) {
      throw new AssertionError("cannot look into /proc", e);
    }
  }

  /** Resident memory, in KiB. */
  long residentKib() {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc", String.valueOf(daemon.pid()), "status"))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new AssertionError("cannot look into /proc", e);
    }
  }

  /**
   * Bytes of all objects that are alive in its heap, after a collection. Skips the test where this
   * JDK cannot tell.
   */
  long liveHeapBytes() {
    long bytes = 0;
    Matcher line = CLASS_LINE.matcher(heapHistogram());
    while (line.find()) {
      bytes += line.group(2).contains(FILLER) ? 0 : Long.parseLong(line.group(1));
    }
    return bytes;
  }

  /**
   * The objects that are alive in its heap, after a collection: a line a class, most bytes first.
   */
  String heapHistogram() {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    Requires.that(
        "jcmd", Files.isExecutable(jcmd) ? Optional.empty() : Optional.of("there is no " + jcmd));
    return output(jcmd.toString(), String.valueOf(daemon.pid()), "GC.class_histogram");
  }

  private static String output(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String text = OsPath.decode(process.getInputStream().readAllBytes());
      if (process.waitFor() != 0) {
        throw new AssertionError(Arrays.toString(command) + " failed: " + text);
      }
      return text;
    } catch (IOException e) {
      throw new AssertionError("cannot run " + Arrays.toString(command), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
