package dev.ovl.bench;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Names that only the lowest layer has, in a directory that all layers have, looked up in that
 * layer itself, in an overlay and in an aufs, by turns: once after the kernel has forgotten all
 * names, then again while it knows them.
 */
final class Lookups {
  private static final int NAMES = 1000;
  private static final int WARM_PASSES = 5;
  private static final int WARM_UP_PASSES = 50;
  private static final String DIRECTORY = "dir";
  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");
  private static final String NAMES_AND_INODES = "2\n";

  private final Syscalls sys;
  private final int rounds;

  /**
   * @param sys what to call
   * @param rounds of each way
   */
  Lookups(Syscalls sys, int rounds) {
    this.sys = sys;
    this.rounds = rounds;
  }

  /**
   * Microseconds a name.
   *
   * @param cold the first time
   * @param warm later, the median
   */
  private record Cost(double cold, double warm) {}

  /**
   * Makes the names.
   *
   * @param layers topmost first
   */
  static void prepare(List<OsPath> layers) throws IOException {
    for (OsPath layer : layers) {
      Files.createDirectories(directory(layer));
    }
    for (int i = 0; i < NAMES; i++) {
      Files.createFile(directory(layers.getLast()).resolve(name(i)));
    }
  }

  private static Path directory(OsPath layer) {
    return Path.of(layer.toString()).resolve(DIRECTORY);
  }

  private static String name(int number) {
    return String.format(Locale.ROOT, "name%04d", number);
  }

  /**
   * Prints a row.
   *
   * @param columns the first ones
   * @param lowest the layer that has the names
   */
  void run(String columns, OsPath lowest, Union overlay, Union aufs) throws Exception {
    List<OsPath> direct = names(Path.of(lowest.toString()));
    for (int pass = 0; pass < WARM_UP_PASSES; pass++) {
      lookUp(direct);
    }
    double[][] cold = new double[3][rounds];
    double[][] warm = new double[3][rounds];
    for (int round = 0; round < rounds; round++) {
      Cost[] costs = {cost(direct), cost(overlay), cost(aufs)};
      for (int way = 0; way < costs.length; way++) {
        cold[way][round] = costs[way].cold();
        warm[way][round] = costs[way].warm();
      }
    }
    System.out.println("| " + columns + " | " + columns(cold) + " | " + columns(warm) + " |");
  }

  private static String columns(double[][] micros) {
    return String.format(
        Locale.ROOT,
        "%.1f | %.1f | %.1f | %s",
        Samples.median(micros[0]),
        Samples.median(micros[1]),
        Samples.median(micros[2]),
        Turns.Outcome.of(micros[1], micros[2]).ratios());
  }

  private static List<OsPath> names(Path root) {
    List<OsPath> names = new ArrayList<>();
    for (int i = 0; i < NAMES; i++) {
      names.add(OsPath.of(root.resolve(DIRECTORY).resolve(name(i)).toString()));
    }
    return names;
  }

  private Cost cost(Union union) throws Exception {
    union.mount();
    try {
      return cost(names(union.root()));
    } finally {
      union.unmount();
    }
  }

  private Cost cost(List<OsPath> names) throws ErrnoException, IOException {
    Files.writeString(DROP_CACHES, NAMES_AND_INODES);
    double cold = lookUp(names);
    double[] warm = new double[WARM_PASSES];
    for (int pass = 0; pass < WARM_PASSES; pass++) {
      warm[pass] = lookUp(names);
    }
    return new Cost(cold, Samples.median(warm));
  }

  /** Microseconds a name. */
  private double lookUp(List<OsPath> names) throws ErrnoException {
    long start = System.nanoTime();
    for (OsPath name : names) {
      sys.statx(Linux.AT_FDCWD, name, Linux.AT_SYMLINK_NOFOLLOW, Linux.STATX_BASIC_STATS);
    }
    return (System.nanoTime() - start) / 1e3 / names.size();
  }
}
