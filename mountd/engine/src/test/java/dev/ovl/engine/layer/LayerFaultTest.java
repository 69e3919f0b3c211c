package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every system call of every operation on layers fails once, and is the last one once. Then the
 * layers are as before or as they should be, after a recovery that leaves no rubbish; and the
 * operation succeeds when it is repeated.
 */
class LayerFaultTest {
  private static final List<Errno> ERRNOS = List.of(Errno.EIO, Errno.ENOSPC, Errno.EINTR);

  private static final StackName WEB = new StackName("web");

  /** Far more calls than any operation makes. */
  private static final int MANY = 4000;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  @BeforeAll
  static void overlay() {
    Requires.overlay();
  }

  @AfterEach
  void unmountAll() throws Exception {
    try (Stacks stacks = stacks(new LinuxSyscalls())) {
      if (stacks.names().contains(WEB)) {
        stacks.down(WEB, false);
      }
      for (String driver : drivers()) {
        stacks.layers().cleanup(stacks.layers().driver(Optional.of(driver)));
      }
    }
  }

  private static Stacks stacks(Syscalls sys) {
    return new Stacks(sys, SCRATCH.resolve("root"), SCRATCH.resolve("run"));
  }

  private static LayerId id(String text) {
    return new LayerId(text);
  }

  /** A file more, and one that is gone. */
  private static void content(TreeSink sink) throws EngineException, ErrnoException {
    Attributes attributes = new Attributes(0640, 1, 2, new Timestamp(5, 6), Xattrs.NONE);
    sink.put(new Node(OsPath.of("d"), new Node.Kind.Directory(), attributes), new Content.None());
    sink.put(
        new Node(OsPath.of("d/link"), new Node.Kind.Symlink(OsPath.of("to")), attributes),
        new Content.None());
    sink.put(new Node(OsPath.of("d/fifo"), new Node.Kind.Fifo(), attributes), new Content.None());
    Xattrs xattrs = Xattrs.of(Map.of("trusted.x", new byte[] {1}));
    sink.put(
        new Node(
            OsPath.of("d/file"),
            new Node.Kind.Regular(3),
            new Attributes(04755, 1, 2, new Timestamp(5, 6), xattrs)),
        new Content.OfStream(
            buffer -> {
              buffer.put(new byte[] {1, 2, 3});
              return 3;
            }));
    sink.put(
        new Node(OsPath.of("d/hard"), new Node.Kind.HardLink(OsPath.of("d/file")), attributes),
        new Content.None());
    sink.delete(OsPath.of("of-base"));
    sink.finish();
  }

  /** What is done with the layers {@code base} and {@code top} on it. */
  enum Operation {
    CREATE {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().create(driver, id("new"), Optional.of(id("top")), true);
      }
    },
    CREATE_BASE {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().create(driver, id("new"), Optional.empty(), false);
      }
    },
    CREATE_WITH_CONTENT {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().create(driver, id("new"), Optional.of(id("base")), LayerFaultTest::content);
      }
    },
    GET {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().get(driver, id("top"));
      }
    },
    PUT {
      @Override
      void prepare(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().get(driver, id("top"));
      }

      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().put(driver, id("top"));
      }
    },
    COMMIT {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().commit(driver, id("top"));
      }
    },
    APPLY {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().apply(driver, id("top"), LayerFaultTest::content);
      }
    },
    REMOVE {
      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.layers().remove(driver, id("top"));
      }
    },
    STACK_COMMIT {
      @Override
      boolean isOf(String driver) {
        return driver.equals("overlay2");
      }

      @Override
      void prepare(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.create(
            new StackRequest(
                WEB,
                List.of(),
                Optional.of(id("base")),
                false,
                Optional.empty(),
                Optional.empty(),
                new StackRequest.Union.Overlay(
                    Optional.empty(), MountOptions.NONE, Optional.empty(), false)));
        stacks.apply(WEB, LayerFaultTest::content);
        stacks.up(WEB, false);
      }

      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.commit(WEB, Optional.of(id("new")), Progress.NONE, () -> false);
      }
    },
    STACK_FLATTEN {
      @Override
      boolean isOf(String driver) {
        return STACK_COMMIT.isOf(driver);
      }

      @Override
      void prepare(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        STACK_COMMIT.prepare(stacks, driver);
      }

      @Override
      void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException {
        stacks.flatten(WEB, Optional.of(id("new")), Progress.NONE, () -> false);
      }
    };

    boolean isOf(String driver) {
      return true;
    }

    void prepare(Stacks stacks, Driver driver) throws EngineException, ErrnoException {}

    abstract void run(Stacks stacks, Driver driver) throws EngineException, ErrnoException;
  }

  private static List<String> drivers() {
    List<String> drivers = new ArrayList<>(List.of("overlay2", "vfs"));
    if (Requires.hasFileSystem("aufs")) {
      drivers.add("aufs");
    }
    return drivers;
  }

  static Stream<Arguments> operations() {
    List<Arguments> all = new ArrayList<>();
    for (String driver : drivers()) {
      for (Operation operation : Operation.values()) {
        if (operation.isOf(driver)) {
          all.add(Arguments.of(driver, operation));
        }
      }
    }
    return all.stream();
  }

  // ---- what there is ------------------------------------------------------------------------

  /** Makes the layers anew; returns what there is then. */
  private static Map<String, Object> prepare(String name, Operation operation) throws Exception {
    SCRATCH.empty();
    try (Stacks stacks = stacks(new LinuxSyscalls())) {
      Layers layers = stacks.layers();
      Driver driver = layers.driver(Optional.of(name));
      Files files = new Files(new LinuxSyscalls());
      Optional<LayerId> parent = Optional.empty();
      for (String layer : List.of("base", "top")) {
        layers.create(driver, id(layer), parent, true);
        OsPath place = layers.get(driver, id(layer));
        files.create(place.resolve("of-" + layer), new byte[] {'x'}, 0644, false);
        files.create(place.resolve("both"), new byte[] {(byte) layer.charAt(0)}, 0644, false);
        layers.put(driver, id(layer));
        parent = Optional.of(id(layer));
      }
      operation.prepare(stacks, driver);
      return state(layers, driver);
    }
  }

  /** All that users can see of the layers. */
  private static Map<String, Object> state(Layers layers, Driver driver) throws Exception {
    Map<String, Object> state = new TreeMap<>();
    for (LayerId layer : driver.layers()) {
      LayerReport report = layers.report(driver, layer);
      if (report.user().equals(Optional.of("stack " + WEB)) && !layer.equals(id("base"))) {
        // its id is another one each time
        continue;
      }
      String content =
          report.metadata().getOrDefault("UpperDir", report.metadata().getOrDefault("Dir", ""));
      state.put(
          layer.text(),
          List.of(
              report.ancestors(),
              report.committed(),
              report.mounted(),
              report.gets(),
              Trees.snapshot(OsPath.of(content))
                  .toString()
                  // other ones each time
                  .replaceAll(" trusted.overlay.(uuid|origin)=0x[0-9a-f]+", "")));
    }
    return state;
  }

  private static Map<String, Object> after(String name, Operation operation) throws Exception {
    prepare(name, operation);
    try (Stacks stacks = stacks(new LinuxSyscalls())) {
      Driver driver = stacks.layers().driver(Optional.of(name));
      operation.run(stacks, driver);
      return state(stacks.layers(), driver);
    }
  }

  // ---- one fault ----------------------------------------------------------------------------

  /** Runs an operation on system calls of which one goes wrong. Returns how it failed. */
  private static Optional<Throwable> run(String name, Operation operation, Syscalls sys) {
    try (Stacks stacks = stacks(sys)) {
      operation.run(stacks, stacks.layers().driver(Optional.of(name)));
      return Optional.empty();
    } catch (EngineException | ErrnoException | Dead e) {
      return Optional.of(e);
    }
  }

  /** As another process finds it. Returns what is wrong, if anything is. */
  private static Optional<String> check(
      String name,
      Operation operation,
      Map<String, Object> before,
      Map<String, Object> after,
      Optional<Throwable> failure)
      throws Exception {
    try (Stacks stacks = stacks(new LinuxSyscalls())) {
      Layers layers = stacks.layers();
      Driver driver = layers.driver(Optional.of(name));
      layers.recover();
      assertEquals(List.of(), layers.recover(), "recovering twice");
      Map<String, Object> now = state(layers, driver);
      if (!now.equals(after) && (failure.isEmpty() || !now.equals(before))) {
        return Optional.of("is neither as before nor as it should be: " + now);
      }
      List<OsPath> rubbish = new ArrayList<>();
      rubbish(SCRATCH.resolve("root").resolve(name), rubbish);
      if (!rubbish.isEmpty()) {
        return Optional.of("rubbish: " + rubbish);
      }
      if (!now.equals(after)) {
        operation.run(stacks, driver);
        assertEquals(after, state(layers, driver), "when it was repeated");
      }
      layers.cleanup(driver);
      return Optional.empty();
    } catch (EngineException | ErrnoException | AssertionError e) {
      return Optional.of("afterwards: " + e.getMessage());
    }
  }

  private static void rubbish(OsPath directory, List<OsPath> found) throws ErrnoException {
    Files files = new Files(new LinuxSyscalls());
    for (OsPath name : files.list(directory)) {
      String text = name.toString();
      // what is mounted is no place of the driver's
      if (text.equals("merged")) {
        continue;
      }
      boolean replacing =
          List.of(".tmp-link", ".tmp-lower", ".tmp-committed").contains(text)
              || directory.fileName().toString().equals("committed");
      if ((text.startsWith(Files.TEMPORARY_PREFIX) && !replacing)
          || text.endsWith(LayerId.REMOVING)) {
        found.add(directory.resolve(name));
      }
      if (files.lstat(directory.resolve(name)).orElseThrow().isDirectory()) {
        rubbish(directory.resolve(name), found);
      }
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("operations")
  void eachCallMayFail(String name, Operation operation) throws Exception {
    Map<String, Object> after = after(name, operation);
    List<String> failures = new ArrayList<>();
    for (Errno errno : ERRNOS) {
      for (int n = 1; n < MANY; n++) {
        Map<String, Object> before = prepare(name, operation);
        FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, errno);
        Leaks leaks = Leaks.beneath(SCRATCH.path());
        Optional<Throwable> failure = run(name, operation, sys);
        List<String> open = leaks.extra().stream().filter(l -> l.startsWith("fd ")).toList();
        Optional<String> wrong =
            open.isEmpty()
                ? check(name, operation, before, after, failure)
                : Optional.of("descriptors left open: " + open);
        if (wrong.isPresent()) {
          failures.add(errno + " at " + sys.struck().orElseThrow() + ": " + wrong.get());
        }
        if (sys.struck().isEmpty()) {
          break;
        }
      }
    }
    assertNone(failures);
  }

  /** The process is no more. */
  static final class Dead extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /**
   * A process that dies before its n-th call: no call is made any more. Descriptors are closed, as
   * the kernel does.
   */
  static final class Dying extends ObservedSyscalls {
    private final int last;
    private int calls;

    Dying(int last) {
      super(new LinuxSyscalls());
      this.last = last;
    }

    boolean isDead() {
      return calls >= last;
    }

    @Override
    protected synchronized <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (isDead() && !invocation.name().equals("close")) {
        throw new Dead();
      }
      calls++;
      return invocation.perform();
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("operations")
  void eachCallMayBeTheLast(String name, Operation operation) throws Exception {
    Map<String, Object> after = after(name, operation);
    List<String> failures = new ArrayList<>();
    boolean dead = true;
    for (int n = 1; dead; n++) {
      assertTrue(n < MANY);
      Map<String, Object> before = prepare(name, operation);
      Dying sys = new Dying(n);
      Optional<Throwable> failure = run(name, operation, sys);
      dead = failure.isPresent();
      int call = n;
      check(name, operation, before, after, failure)
          .ifPresent(wrong -> failures.add("dead before call " + (call + 1) + ": " + wrong));
    }
    assertNone(failures);
  }

  private static void assertNone(List<String> failures) {
    if (!failures.isEmpty()) {
      fail(
          failures.size()
              + " do harm:\n"
              + String.join("\n", failures.subList(0, Math.min(20, failures.size()))));
    }
  }
}
