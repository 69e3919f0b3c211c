package dev.ovl.bench;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.merge.LayerMerge;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A thousand changes over 100 000 files, folded into the lower by the engine, and by rsync(1) out
 * of the mounted overlay: by turns, each time into a new copy of the same lower. rsync's start is
 * in its time, and the mount is not. Both on disk in the end: a syncfs(2) follows rsync, and the
 * engine makes its own.
 */
final class Merging {
  private static final int FILES = 100_000;
  private static final int WARM_UP = 40;
  private static final int WARM_UP_FILES = 1000;
  private static final List<String> OPTIONS = List.of("", ",redirect_dir=on,metacopy=on");

  private final Syscalls sys = new LinuxSyscalls();
  private final Path place;
  private final int rounds;
  private int made;

  /**
   * @param place where lowers and uppers are made
   * @param rounds of each way
   */
  Merging(Path place, int rounds) {
    this.place = place;
    this.rounds = rounds;
  }

  /** Prints a row for plain overlays, and one with redirects and metadata-only copies. */
  void run(String fileSystem) throws Exception {
    Path home = Files.createDirectories(place.resolve("merge"));
    Path little = Files.createDirectory(home.resolve("little"));
    Changes.fill(little, WARM_UP_FILES);
    for (int i = 0; i < WARM_UP; i++) {
      engine(home, little, OPTIONS.get(i % 2));
    }
    Path lower = Files.createDirectory(home.resolve("lower"));
    Changes.fill(lower, FILES);
    for (String options : OPTIONS) {
      double[] engine = new double[rounds];
      double[] rsync = new double[rounds];
      for (int round = 0; round < rounds; round++) {
        engine[round] = engine(home, lower, options);
        rsync[round] = rsync(home, lower, options);
      }
      System.out.printf(
          Locale.ROOT,
          "| %s | %s | %.0f | %.0f | **%.3f** |%n",
          fileSystem,
          options.isEmpty() ? "plain" : "redirect_dir, metacopy",
          Samples.median(engine),
          Samples.median(rsync),
          Samples.median(Samples.ratios(engine, rsync)));
    }
    Command.run("rm", "-rf", home.toString());
  }

  /** Changes over a copy of a lower, and times what makes a copy of it the same. Milliseconds. */
  private interface Way {
    void into(Path copy, Path upper, Path work) throws Exception;
  }

  private double engine(Path home, Path lower, String options) throws Exception {
    return time(
        home,
        lower,
        options,
        (copy, upper, work) -> {
          View.Union view = View.overlay(List.of(path(upper), path(copy)));
          OsPath journal = path(work.resolveSibling("journal"));
          new LayerMerge(sys, view, Optional.of(path(work)), journal)
              .run(Progress.NONE, () -> false);
        },
        false);
  }

  private double rsync(Path home, Path lower, String options) throws Exception {
    return time(
        home,
        lower,
        options,
        (copy, mounted, work) -> {
          Command.run("rsync", "-aHAX", "--delete", mounted + "/", copy + "/");
          sync();
        },
        true);
  }

  private double time(Path home, Path lower, String options, Way way, boolean mounted)
      throws Exception {
    Path round = Files.createDirectory(home.resolve("round" + made++));
    Path copy = round.resolve("copy");
    Command.run("cp", "-a", lower.toString(), copy.toString());
    Path upper = Files.createDirectory(round.resolve("upper"));
    Path work = Files.createDirectory(round.resolve("work"));
    Path point = Files.createDirectory(round.resolve("mounted"));
    String data = "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work + options;
    sys.mount(OsPath.of("ovl-bench"), path(point), "overlay", 0, OsPath.encode(data));
    try {
      Changes.change(point, !options.isEmpty());
      if (mounted) {
        sync();
        return clock(() -> way.into(copy, point, work));
      }
    } finally {
      sys.umount2(path(point), 0);
      if (mounted) {
        Command.run("rm", "-rf", round.toString());
      }
    }
    sync();
    double time = clock(() -> way.into(copy, upper, work));
    Command.run("rm", "-rf", round.toString());
    return time;
  }

  /** Something whose time is taken. */
  private interface Timed {
    void run() throws Exception;
  }

  private static double clock(Timed work) throws Exception {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e6;
  }

  private void sync() throws ErrnoException {
    new dev.ovl.engine.file.Files(sys).syncFileSystem(path(place));
  }

  private static OsPath path(Path path) {
    return OsPath.of(path.toString());
  }
}
