package dev.ovl.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

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
    var runtime = ManagementFactory.getRuntimeMXBean();
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
        runtime.getVmName(),
        runtime.getVmVersion(),
        String.join(" ", runtime.getInputArguments()),
        effort);
  }
}
