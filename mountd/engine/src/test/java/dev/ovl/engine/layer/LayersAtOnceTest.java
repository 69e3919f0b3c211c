package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes that do anything at all with the same layers, and mend the root meanwhile. */
class LayersAtOnceTest {
  private static final int SECONDS = 4;
  private static final int LAYERS = 4;

  /** What somebody who comes too late, or too early, is told. */
  private static final Set<Errno> REFUSALS =
      Set.of(Errno.EEXIST, Errno.ENOENT, Errno.EBUSY, Errno.EROFS);

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void end() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
    try (Stacks stacks = stacks()) {
      for (String driver : List.of("overlay2", "vfs")) {
        stacks.layers().cleanup(stacks.layers().driver(Optional.of(driver)));
      }
    }
  }

  private Stacks stacks() {
    return new Stacks(new LinuxSyscalls(), scratch.resolve("root"), scratch.resolve("run"));
  }

  private static LayerId id(String text) {
    return new LayerId(text);
  }

  /** A process of its own: root, run directory, driver, seed. */
  static final class Disturber {
    private Disturber() {}

    public static void main(String[] arguments) throws Exception {
      try (Stacks stacks =
          new Stacks(new LinuxSyscalls(), OsPath.of(arguments[0]), OsPath.of(arguments[1]))) {
        disturb(
            stacks.layers(),
            stacks.layers().driver(Optional.of(arguments[2])),
            new Random(Long.parseLong(arguments[3])));
      }
    }
  }

  private static void disturb(Layers layers, Driver driver, Random random) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (System.nanoTime() < end) {
      LayerId id = id("shared" + random.nextInt(LAYERS));
      LayerId other = id("shared" + random.nextInt(LAYERS));
      try {
        step(layers, driver, id, random.nextBoolean() ? id("base") : other, random.nextInt(10));
      } catch (EngineException e) {
        if (e.errno().filter(REFUSALS::contains).isEmpty()) {
          throw e;
        }
      }
    }
  }

  private static void step(Layers layers, Driver driver, LayerId id, LayerId parent, int what)
      throws EngineException, ErrnoException {
    switch (what) {
      case 0, 1 -> layers.create(driver, id, Optional.of(parent), true);
      case 2 -> layers.create(driver, id, Optional.of(parent), sink -> content(sink, id));
      case 3 -> layers.apply(driver, id, sink -> content(sink, id));
      case 4 -> layers.get(driver, id);
      case 5 -> layers.put(driver, id);
      case 6 -> layers.commit(driver, id);
      case 7 -> layers.remove(driver, id);
      case 8 -> {
        try (TreeDiff diff =
            layers.compare(driver, id, Optional.empty(), Progress.NONE, () -> false)) {
          diff.changes();
        }
      }
      default -> layers.recover();
    }
  }

  private static void content(TreeSink sink, LayerId id) throws EngineException, ErrnoException {
    Attributes attributes = new Attributes(0755, 0, 0, new Timestamp(5, 6), Xattrs.NONE);
    sink.put(new Node(OsPath.of("d"), new Node.Kind.Directory(), attributes), new Content.None());
    sink.put(
        new Node(OsPath.of("d/link"), new Node.Kind.Symlink(OsPath.of(id.text())), attributes),
        new Content.None());
    sink.finish();
  }

  @ParameterizedTest
  @ValueSource(strings = {"overlay2", "vfs"})
  void anythingAtOnceByThreeProcesses(String name) throws Exception {
    Requires.overlay();
    long seed = System.nanoTime();
    System.out.println("LayersAtOnceTest seed " + seed);
    Files files = new Files(new LinuxSyscalls());
    try (Stacks stacks = stacks()) {
      Layers layers = stacks.layers();
      Driver driver = layers.driver(Optional.of(name));
      layers.create(driver, id("base"), Optional.empty(), true);
      files.create(
          layers.get(driver, id("base")).resolve("file"),
          "base".getBytes(StandardCharsets.UTF_8),
          0644,
          false);
      layers.put(driver, id("base"));
      for (int i = 1; i < 3; i++) {
        processes.add(disturber(i, name, seed + i));
      }
      disturb(layers, driver, new Random(seed));
      for (int i = 1; i < 3; i++) {
        assertTrue(processes.get(i - 1).waitFor(60, TimeUnit.SECONDS), "a process hangs");
        assertEquals(0, processes.get(i - 1).exitValue(), read(files, output(i)));
      }

      layers.cleanup(driver);
      layers.recover();
      assertEquals(List.of(), layers.recover(), "recovered twice");
      for (LayerId id : driver.layers()) {
        LayerReport report = layers.report(driver, id);
        assertEquals(0, report.gets(), id.text());
        assertEquals("base", read(files, layers.get(driver, id).resolve("file")), id.text());
        layers.put(driver, id);
      }
      removeAll(layers, driver);
      assertEquals(List.of(), driver.layers());
      assertEquals(List.of(), files.list(scratch.resolve("root/locks")));
      for (String rest : List.of("overlay2/l", "vfs/dir")) {
        assertEquals(List.of(), files.list(scratch.resolve("root").resolve(rest)), rest);
      }
    }
  }

  private static String read(Files files, OsPath file) throws ErrnoException {
    return new String(files.read(file).orElseThrow(), StandardCharsets.UTF_8);
  }

  /** Children before parents. */
  private static void removeAll(Layers layers, Driver driver) throws Exception {
    List<LayerId> left = new ArrayList<>(driver.layers());
    while (!left.isEmpty()) {
      int before = left.size();
      for (LayerId id : List.copyOf(left)) {
        try {
          layers.remove(driver, id);
          left.remove(id);
        } catch (EngineException e) {
          assertEquals(Optional.of(Errno.EBUSY), e.errno(), e::getMessage);
        }
      }
      assertTrue(left.size() < before, () -> "in each other's way: " + left);
    }
  }

  private OsPath output(int number) {
    return scratch.resolve("output" + number);
  }

  private Process disturber(int number, String driver, long seed) throws IOException {
    return new ProcessBuilder(
            System.getProperty("java.home") + "/bin/java",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Disturber.class.getName(),
            scratch.resolve("root").toString(),
            scratch.resolve("run").toString(),
            driver,
            String.valueOf(seed))
        .redirectErrorStream(true)
        .redirectOutput(new File(output(number).toString()))
        .start();
  }
}
