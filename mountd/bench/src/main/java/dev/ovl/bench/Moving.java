package dev.ovl.bench;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.move.MoveWatch;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A directory of a lower, moved within its overlay by the engine and by mv(1), by turns, each time
 * in a new overlay over the same lower. mv's start is in its time. Both with and without a wait for
 * the disk: of the engine without its fsyncs, of mv with a syncfs(2) after it.
 */
final class Moving {
  private static final int DIRECTORIES = 1000;
  private static final int FILES = 100;
  private static final int FILE_BYTES = 700;

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private final Path place;
  private final int rounds;

  /**
   * @param place where lowers and overlays are made
   * @param rounds of each way
   */
  Moving(Path place, int rounds) {
    this.place = place;
    this.rounds = rounds;
  }

  /** System calls that do not wait for the disk. */
  private static final class Hasty extends ObservedSyscalls {
    Hasty(Syscalls sys) {
      super(sys);
    }

    @Override
    public void fsync(int fd) {}

    @Override
    public void syncfs(int fd) {}

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      return invocation.perform();
    }
  }

  /** Moves from a name to another. */
  private interface Way {
    void move(Path from, Path to) throws Exception;
  }

  /** Prints a row for the Java runtime, and one for many small files. */
  void run(String fileSystem) throws Exception {
    Path lower = java.nio.file.Files.createDirectories(place.resolve("lower"));
    Path home = Path.of(System.getProperty("java.home")).toRealPath();
    Command.run("cp", "-a", home.toString(), lower.resolve("it").toString());
    row(fileSystem, "a JDK", lower);
    Command.run("rm", "-rf", lower.resolve("it").toString());
    byte[] content = new byte[FILE_BYTES];
    for (int i = 0; i < DIRECTORIES; i++) {
      Path directory = java.nio.file.Files.createDirectories(lower.resolve("it/d" + i));
      for (int file = 0; file < FILES; file++) {
        java.nio.file.Files.write(directory.resolve("file" + file), content);
      }
    }
    row(fileSystem, DIRECTORIES * FILES + " small files", lower);
    Command.run("rm", "-rf", lower.toString());
  }

  private void row(String fileSystem, String what, Path lower) throws Exception {
    Way engine = (from, to) -> engine(sys, from, to);
    Way hasty = (from, to) -> engine(new Hasty(sys), from, to);
    Way mv = (from, to) -> Command.run("mv", from.toString(), to.toString());
    Way durable =
        (from, to) -> {
          mv.move(from, to);
          sync();
        };
    List<Way> ways = List.of(engine, hasty, mv, durable);
    double[][] times = new double[ways.size()][rounds];
    time(lower, engine); // to warm up
    for (int round = 0; round < rounds; round++) {
      for (int way = 0; way < ways.size(); way++) {
        times[way][round] = time(lower, ways.get(way));
      }
    }
    double[] asFast = Samples.ratios(times[1], times[2]);
    double[] asSafe = Samples.ratios(times[0], times[3]);
    double[] unlike = Samples.ratios(times[0], times[2]);
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %.0f | %.0f | %.0f | %.0f | **%.2f** | **%.2f** | %.2f |%n",
        fileSystem,
        what,
        Samples.median(times[0]),
        Samples.median(times[3]),
        Samples.median(times[1]),
        Samples.median(times[2]),
        Samples.median(asSafe),
        Samples.median(asFast),
        Samples.median(unlike));
  }

  private static void engine(Syscalls sys, Path from, Path to) throws Exception {
    new CrossDeviceMove(sys)
        .move(OsPath.of(from.toString()), OsPath.of(to.toString()), 0, MoveWatch.NONE);
  }

  /** Milliseconds. */
  private double time(Path lower, Way way) throws Exception {
    Path overlay = java.nio.file.Files.createDirectories(place.resolve("overlay"));
    Path merged = java.nio.file.Files.createDirectories(overlay.resolve("merged"));
    Path upper = java.nio.file.Files.createDirectories(overlay.resolve("upper"));
    Path work = java.nio.file.Files.createDirectories(overlay.resolve("work"));
    OsPath target = OsPath.of(merged.toString());
    String data =
        "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work + ",redirect_dir=off";
    sys.mount(OsPath.of("overlay"), target, "overlay", 0, OsPath.encode(data));
    try {
      sync();
      long start = System.nanoTime();
      way.move(merged.resolve("it"), merged.resolve("there"));
      return (System.nanoTime() - start) / 1e6;
    } finally {
      sys.umount2(target, 0);
      Command.run("rm", "-rf", overlay.toString());
      sync();
    }
  }

  private void sync() throws ErrnoException {
    files.syncFileSystem(OsPath.of(place.toString()));
  }
}
