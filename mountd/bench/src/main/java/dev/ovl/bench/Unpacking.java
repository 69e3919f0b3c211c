package dev.ovl.bench;

import dev.ovl.engine.archive.ArchiveFormat;
import dev.ovl.engine.archive.ByteSources;
import dev.ovl.engine.archive.Decompressed;
import dev.ovl.engine.archive.TarReader;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * An archive unpacked into a layer by the engine and by {@code tar -x}, by turns, each time into a
 * new directory. tar's start is in its time; neither waits for the disk.
 */
final class Unpacking {
  private static final int DIRECTORIES = 200;
  private static final int FILES = 100;
  private static final int MAX_FILE_BYTES = 2048;
  private static final int WARM_UP = 8;

  private final Syscalls sys = new LinuxSyscalls();
  private final Path place;
  private final int rounds;

  /**
   * @param place where archives and trees are made
   * @param rounds of each way
   */
  Unpacking(Path place, int rounds) {
    this.place = place;
    this.rounds = rounds;
  }

  /** Prints a row an archive: many small files, and the Java runtime. */
  void run(String fileSystem) throws Exception {
    Path small = place.resolve("small");
    Random random = new Random(1);
    for (int i = 0; i < DIRECTORIES; i++) {
      Path directory = Files.createDirectories(small.resolve("d" + i));
      for (int file = 0; file < FILES; file++) {
        byte[] content = new byte[random.nextInt(MAX_FILE_BYTES)];
        random.nextBytes(content);
        Files.write(directory.resolve("file" + file), content);
      }
    }
    row(fileSystem, DIRECTORIES * FILES + " small files", small);
    Command.run("rm", "-rf", small.toString());
    row(fileSystem, "a JDK", Path.of(System.getProperty("java.home")).toRealPath());
  }

  private void row(String fileSystem, String what, Path from) throws Exception {
    Path archive = place.resolve("archive.tar");
    tar("-cf", archive, from);
    for (int i = 0; i < WARM_UP; i++) {
      engine(archive);
    }
    double[] engine = new double[rounds];
    double[] tar = new double[rounds];
    double[] ratio = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      engine[i] = engine(archive);
      tar[i] = byTar(archive);
      ratio[i] = engine[i] / tar[i];
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %.0f | %.0f | %.0f | **%.2f** | %.2f – %.2f |%n",
        fileSystem,
        what,
        Files.size(archive) / 1e6,
        Samples.median(engine),
        Samples.median(tar),
        Samples.median(ratio),
        Samples.quantile(ratio, 0.25),
        Samples.quantile(ratio, 0.75));
    Files.delete(archive);
  }

  private double engine(Path archive) throws Exception {
    Path to = Files.createDirectory(place.resolve("by-engine"));
    long start = System.nanoTime();
    int opened = sys.openat(Linux.AT_FDCWD, OsPath.of(archive.toString()), Linux.O_RDONLY, 0);
    try (Fd file = new Fd(sys, opened);
        Decompressed bytes = new Decompressed(ByteSources.of(sys, file));
        TreeWriter writer =
            new TreeWriter(
                sys, OsPath.of(to.toString()), LayerForm.OVERLAY, TreeWriter.Parents.UNKNOWN)) {
      new TarReader(ArchiveFormat.OCI, TarReader.Progress.NONE, () -> false).read(bytes, writer);
      writer.finish();
    }
    double millis = (System.nanoTime() - start) / 1e6;
    Command.run("rm", "-rf", to.toString());
    return millis;
  }

  private double byTar(Path archive) throws Exception {
    Path to = Files.createDirectory(place.resolve("by-tar"));
    long start = System.nanoTime();
    tar("-xpf", archive, to);
    double millis = (System.nanoTime() - start) / 1e6;
    Command.run("rm", "-rf", to.toString());
    return millis;
  }

  private static void tar(String how, Path archive, Path directory)
      throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(List.of("tar", "--numeric-owner", how, archive.toString()));
    words.addAll(List.of("-C", directory.toString()));
    if (how.startsWith("-c")) {
      words.add(".");
    }
    Command.run(words.toArray(String[]::new));
  }
}
