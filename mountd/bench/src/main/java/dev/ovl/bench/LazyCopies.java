package dev.ovl.bench;

import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code mv} and {@code chown -R} of a directory of a lower, in stacks as {@code create} makes them
 * and as {@code create --compat} does, by turns, each time in a new stack.
 */
final class LazyCopies {
  private static final double MEBIBYTE = 1 << 20;

  private final Path place;
  private final Path run;
  private final int rounds;

  /**
   * @param place for the root and the lower
   * @param run the run directory
   * @param rounds of each way
   */
  LazyCopies(Path place, Path run, int rounds) {
    this.place = place;
    this.run = run;
    this.rounds = rounds;
  }

  /** What a command cost. */
  private record Cost(double millis, double bytes) {}

  /** Prints a row a command. */
  void run(String fileSystem) throws Exception {
    Path lower = java.nio.file.Files.createDirectories(place.resolve("lazy-lower"));
    Path home = Path.of(System.getProperty("java.home")).toRealPath();
    Command.run("cp", "-a", home.toString(), lower.resolve("jdk").toString());
    OsPath root = OsPath.of(place.resolve("lazy-root").toString());
    try (Stacks stacks = new Stacks(new LinuxSyscalls(), root, OsPath.of(run.toString()))) {
      row(fileSystem, stacks, lower, List.of("mv", "jdk", "moved"));
      row(fileSystem, stacks, lower, List.of("chown", "-R", "1000:1000", "jdk"));
    }
    Command.run("rm", "-rf", lower.toString());
  }

  private void row(String fileSystem, Stacks stacks, Path lower, List<String> command)
      throws Exception {
    double[][] millis = new double[2][rounds];
    double[][] bytes = new double[2][rounds];
    for (int round = 0; round < rounds; round++) {
      for (int way = 0; way < 2; way++) {
        Cost cost = cost(stacks, lower, command, way == 0);
        millis[way][round] = cost.millis();
        bytes[way][round] = cost.bytes();
      }
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | `%s` | %.0f | %.1f | %.0f | %.1f |%n",
        fileSystem,
        String.join(" ", command),
        Samples.median(millis[0]),
        Samples.median(bytes[0]) / MEBIBYTE,
        Samples.median(millis[1]),
        Samples.median(bytes[1]) / MEBIBYTE);
  }

  private static Cost cost(Stacks stacks, Path lower, List<String> command, boolean compat)
      throws Exception {
    StackName name = StackName.of("lazy");
    stacks.create(
        new StackRequest(
            name,
            List.of(OsPath.of(lower.toString())),
            Optional.empty(),
            false,
            Optional.empty(),
            Optional.empty(),
            new StackRequest.Union.Overlay(
                Optional.empty(), MountOptions.NONE, Optional.empty(), compat)));
    try {
      Path merged = Path.of(stacks.up(name, false).toString());
      long start = System.nanoTime();
      Command.runIn(merged, command.toArray(String[]::new));
      double millis = (System.nanoTime() - start) / 1e6;
      return new Cost(millis, stacks.usage(name, () -> false).orElseThrow().upper().bytes());
    } finally {
      stacks.remove(name, true);
    }
  }
}
