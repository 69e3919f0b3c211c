package dev.ovl.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What a benchmark runs on, as PERFORMANCE.md tells it. */
final class Machine {
  private Machine() {}

  /**
   * @param effort how long is measured
   */
  static void describe(String effort) throws IOException {
    String processor =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.replaceFirst(".*:\\s*", ""))
            .findFirst()
            .orElse(System.getProperty("os.arch"));
    System.out.printf(
        """
        machine   %s, %d processors, Linux %s
        java      %s %s
        flags     %s
        effort    %s

        """,
        processor,
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.version"),
        System.getProperty("java.vm.name"),
        System.getProperty("java.vm.version"),
        flags(),
        effort);
  }

  /** The JVM's options: not from its MXBean, which the runtime that ovl is installed with lacks. */
  private static String flags() {
    return Arrays.stream(ProcessHandle.current().info().arguments().orElseThrow())
        .takeWhile(argument -> !argument.equals("-cp"))
        .collect(Collectors.joining(" "));
  }
}
