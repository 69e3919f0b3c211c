package dev.ovl.bench;

import dev.ovl.engine.usage.UpperUsage;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What it costs to tell what an upper uses, beside {@code du -s}: by turns, of trees whose inodes
 * are in the kernel's memory. du's start is in its time.
 */
final class Walk {
  private static final int PARTS = 10;
  private static final int DIRECTORIES = 100;
  private static final int FILES = 100;
  private static final int WARM_UP = 20;

  private final Syscalls sys = new LinuxSyscalls();
  private final Path place;
  private final int rounds;

  /**
   * @param place where the tree is made
   * @param rounds of each way
   */
  Walk(Path place, int rounds) {
    this.place = place;
    this.rounds = rounds;
  }

  /** Prints a row for a tenth of the tree, and one for all of it. */
  void run(String fileSystem) throws Exception {
    Path tree = place.resolve("walked");
    for (int part = 0; part < PARTS; part++) {
      for (int i = 0; i < DIRECTORIES; i++) {
        Path directory = Files.createDirectories(tree.resolve(part + "/d" + i));
        for (int file = 0; file < FILES; file++) {
          Files.createFile(directory.resolve("file" + file));
        }
      }
    }
    for (int i = 0; i < WARM_UP; i++) {
      engine(tree.resolve("0"));
    }
    row(fileSystem, DIRECTORIES * FILES, tree.resolve("0"));
    row(fileSystem, PARTS * DIRECTORIES * FILES, tree);
  }

  private void row(String fileSystem, int files, Path tree) throws Exception {
    double[] engine = new double[rounds];
    double[] du = new double[rounds];
    double[] ratio = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      engine[i] = engine(tree);
      du[i] = du(tree);
      ratio[i] = engine[i] / du[i];
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %.1f | %.1f | **%.2f** | %.2f – %.2f |%n",
        fileSystem,
        files,
        Samples.median(engine),
        Samples.median(du),
        Samples.median(ratio),
        Samples.quantile(ratio, 0.25),
        Samples.quantile(ratio, 0.75));
  }

  private double engine(Path tree) throws Exception {
    OsPath upper = OsPath.of(tree.toString());
    long start = System.nanoTime();
    UpperUsage.measure(sys, upper, Optional.of(upper.resolve("none")), () -> false);
    return millis(start);
  }

  private static double du(Path tree) throws IOException, InterruptedException {
    ProcessBuilder du =
        new ProcessBuilder(List.of("du", "-s", "-x", tree.toString()))
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    long start = System.nanoTime();
    int status = du.start().waitFor();
    if (status != 0) {
      throw new IOException("du ended with " + status);
    }
    return millis(start);
  }

  private static double millis(long start) {
    return (System.nanoTime() - start) / 1e6;
  }
}
