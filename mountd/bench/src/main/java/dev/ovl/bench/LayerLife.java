package dev.ovl.bench;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A layer that is made on another one and removed again, beside what that leaves on the disk made
 * by a C program with mkdir, open, write, symlink, and removed by unlink and rmdir: without waiting
 * for the disk, and with an fsync of each file and directory. By number of other layers.
 */
final class LayerLife {
  private static final List<Integer> OTHERS = List.of(1, 100, 1000);
  private static final int PLAIN = 0;
  private static final int DURABLE = 1;
  private static final int TIMES = 10;
  private static final int WARM_UP = 2_000;
  private static final int ID_DIGITS = 64;

  private final Syscalls sys = new LinuxSyscalls();
  private final Recording recording = new Recording(sys);
  private final Floor floor;
  private final Path place;
  private final int rounds;

  /**
   * @param floor the C program
   * @param place where the layers are made
   * @param rounds of each way
   */
  LayerLife(Floor floor, Path place, int rounds) {
    this.floor = floor;
    this.place = place;
    this.rounds = rounds;
  }

  /** Prints a row for each number of other layers. */
  void run(String fileSystem) throws Exception {
    Path plain = Files.createDirectories(place.resolve("plain/l")).getParent();
    for (int slot : List.of(PLAIN, DURABLE)) {
      recording.start();
      makeAndRemove(recording.syscalls(), OsPath.of(plain.toString()), slot == DURABLE);
      floor.load(slot, recording.stop());
    }
    try (Stacks stacks =
        new Stacks(
            sys,
            OsPath.of(place.resolve("life").toString()),
            OsPath.of(place.resolve("life-run").toString()))) {
      Layers layers = stacks.layers();
      Driver driver = layers.driver(Optional.of("overlay2"));
      LayerId base = LayerId.of("base");
      layers.create(driver, base, Optional.empty(), false);
      int present = 1;
      for (int others : OTHERS) {
        for (; present < others; present++) {
          layers.create(driver, id("other", present), Optional.of(base), true);
        }
        if (others == OTHERS.get(0)) {
          lives(layers, driver, base, WARM_UP);
        }
        row(fileSystem, others, layers, driver, base);
      }
    }
  }

  private static LayerId id(String kind, int number) throws EngineException {
    String end = String.format(Locale.ROOT, "-%s-%d", kind, number);
    return LayerId.of("0".repeat(ID_DIGITS - end.length()) + end);
  }

  private void row(String fileSystem, int others, Layers layers, Driver driver, LayerId base)
      throws Exception {
    double[] plain = new double[rounds];
    double[] durable = new double[rounds];
    double[] engine = new double[rounds];
    double[] ratio = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      plain[i] = Samples.median(floor.run(PLAIN, TIMES)) / 1000;
      durable[i] = Samples.median(floor.run(DURABLE, TIMES)) / 1000;
      engine[i] = lives(layers, driver, base, TIMES);
      ratio[i] = engine[i] / durable[i];
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %.0f | %.0f | %.0f | **%.2f** | %.2f – %.2f |%n",
        fileSystem,
        others,
        Samples.median(plain),
        Samples.median(durable),
        Samples.median(engine),
        Samples.median(ratio),
        Samples.quantile(ratio, 0.25),
        Samples.quantile(ratio, 0.75));
  }

  /** Median of so many lives, in microseconds. */
  private static double lives(Layers layers, Driver driver, LayerId base, int times)
      throws EngineException, ErrnoException {
    long[] spent = new long[times];
    for (int i = 0; i < times; i++) {
      LayerId id = id("one", i);
      long start = System.nanoTime();
      layers.create(driver, id, Optional.of(base), true);
      layers.remove(driver, id);
      spent[i] = System.nanoTime() - start;
    }
    return Samples.median(spent) / 1000;
  }

  // ---- what a layer is, made by hand --------------------------------------------------------

  private static void makeAndRemove(Syscalls sys, OsPath home, boolean durable)
      throws ErrnoException, IOException {
    String name = "0".repeat(ID_DIGITS);
    OsPath layer = home.resolve(name);
    OsPath link = home.resolve("l/AAAAAAAAAAAAAAAAAAAAAAAAAA");
    List<OsPath> directories = List.of(layer, layer.resolve("diff"), layer.resolve("work"));
    for (OsPath directory : directories) {
      sys.mkdirat(Linux.AT_FDCWD, directory, 0710);
    }
    write(sys, layer.resolve("link"), link.fileName().toString(), durable);
    write(sys, layer.resolve("lower"), "l/BBBBBBBBBBBBBBBBBBBBBBBBBB", durable);
    sys.symlinkat(OsPath.of("../" + name + "/diff"), Linux.AT_FDCWD, link);
    if (durable) {
      for (OsPath directory : List.of(layer, home, link.parent())) {
        sync(sys, directory);
      }
    }
    sys.unlinkat(Linux.AT_FDCWD, link, 0);
    sys.unlinkat(Linux.AT_FDCWD, layer.resolve("link"), 0);
    sys.unlinkat(Linux.AT_FDCWD, layer.resolve("lower"), 0);
    for (OsPath directory : directories.reversed()) {
      sys.unlinkat(Linux.AT_FDCWD, directory, Linux.AT_REMOVEDIR);
    }
  }

  private static void write(Syscalls sys, OsPath file, String text, boolean durable)
      throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, file, flags, 0644))) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      sys.write(fd.number(), ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
      if (durable) {
        sys.fsync(fd.number());
      }
    }
  }

  private static void sync(Syscalls sys, OsPath directory) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, directory, flags, 0))) {
      sys.fsync(fd.number());
    }
  }
}
