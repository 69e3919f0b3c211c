package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers of one driver become layers of another, and nothing of what they show is different. */
class LayerConversionTest {
  /** The layers that are converted. */
  private static final int ALL = 3;

  /** Coprime to whatever a conversion repeats. */
  private static final int STEP = 11;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  @BeforeEach
  void overlay() throws Exception {
    Requires.overlay();
    SCRATCH.empty();
  }

  private static Stacks stacks(Syscalls sys) {
    return new Stacks(sys, SCRATCH.resolve("root"), SCRATCH.resolve("run"));
  }

  private static Driver driver(Stacks stacks, String name) throws EngineException, ErrnoException {
    return stacks.layers().driver(Optional.of(name));
  }

  private static LayerId id(String text) {
    return new LayerId(text);
  }

  /** Three layers: whiteouts, an opaque directory, hard links, attributes, odd names. */
  private void make(String name) throws Exception {
    try (Stacks stacks = stacks(sys)) {
      Layers layers = stacks.layers();
      Driver driver = driver(stacks, name);
      layers.create(driver, id("base"), Optional.empty(), true);
      OsPath base = layers.get(driver, id("base"));
      files.mkdirs(base.resolve("gone/away"), 0755);
      files.mkdirs(base.resolve("anew"), 0700);
      file(base.resolve("anew/below"), "hidden");
      file(base.resolve("file"), "one");
      file(base.resolve("kept"), "kept");
      sys.linkat(Linux.AT_FDCWD, base.resolve("file"), Linux.AT_FDCWD, base.resolve("link"), 0);
      sys.fchmodat(Linux.AT_FDCWD, base, 0750);
      layers.put(driver, id("base"));

      layers.create(driver, id("middle"), Optional.of(id("base")), true);
      OsPath middle = layers.get(driver, id("middle"));
      files.removeTree(middle.resolve("gone"));
      files.removeTree(middle.resolve("anew"));
      files.mkdirs(middle.resolve("anew"), 0711);
      file(middle.resolve("anew/above"), "seen");
      sys.fchownat(Linux.AT_FDCWD, middle.resolve("kept"), 12, 34, 0);
      sys.setxattr(middle.resolve("kept"), "trusted.x", new byte[] {1, 2}, 0, false);
      sys.mknodat(Linux.AT_FDCWD, middle.resolve("pipe"), Linux.S_IFIFO | 0600, 0, 0);
      sys.symlinkat(OsPath.of("/to"), Linux.AT_FDCWD, middle.resolve("n\n"));
      layers.put(driver, id("middle"));

      layers.create(driver, id("top"), Optional.of(id("middle")), true);
      OsPath top = layers.get(driver, id("top"));
      files.remove(top.resolve("anew/above"));
      file(top.resolve("gone"), "a file now");
      layers.put(driver, id("top"));
    }
  }

  private void file(OsPath path, String text) throws ErrnoException {
    files.create(path, OsPath.encode(text), 0640, false);
  }

  /** What each layer shows, without a mount, and whether it is read-only. */
  private Map<String, List<String>> shown(String name) throws Exception {
    Map<String, List<String>> shown = new TreeMap<>();
    try (Stacks stacks = stacks(sys)) {
      Driver driver = driver(stacks, name);
      for (LayerId layer : driver.layers()) {
        OsPath copy = SCRATCH.resolve("copy");
        files.mkdirs(copy, 0755);
        try (TreeDiff all =
                TreeDiff.compare(
                    sys, driver.view(layer), new View.Nothing(), Progress.NONE, () -> false);
            TreeWriter writer =
                new TreeWriter(sys, copy, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
          all.stream(writer);
        }
        shown.put(
            layer.text(),
            List.of(
                driver.ancestors(layer).toString(),
                "committed " + driver.isCommitted(layer),
                Trees.snapshot(copy).toString()));
        files.removeTree(copy);
      }
    }
    return shown;
  }

  private static List<String> convert(Syscalls with, String from, String to, boolean keep)
      throws EngineException, ErrnoException {
    return convert(with, from, to, keep, () -> false);
  }

  private static List<String> convert(
      Syscalls with, String from, String to, boolean keep, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    try (Stacks stacks = stacks(with)) {
      return stacks
          .layers()
          .convert(driver(stacks, from), driver(stacks, to), keep, Progress.NONE, cancelled)
          .stream()
          .map(LayerId::text)
          .toList();
    }
  }

  // ---- tests --------------------------------------------------------------------------------

  @ParameterizedTest
  @CsvSource({"overlay2,aufs", "overlay2,vfs", "vfs,aufs"})
  @Tag("kernel")
  void thereAndBackAgain(String from, String to) throws Exception {
    make(from);
    Map<String, List<String>> before = shown(from);
    assertEquals(3, before.size());
    assertTrue(before.get("top").toString().contains("committed false"), "it stays writable");

    assertEquals(List.of("base", "middle", "top"), convert(sys, from, to, false));
    assertEquals(before, shown(to));
    assertEquals(Map.of(), shown(from));

    convert(sys, to, from, true);
    assertEquals(before, shown(from));
    assertEquals(before, shown(to), "they were to be kept");
    try (Stacks stacks = stacks(sys)) {
      Layers layers = stacks.layers();
      Driver driver = driver(stacks, from);
      OsPath top = layers.get(driver, id("top"));
      assertEquals(Optional.of("a file now"), files.read(top.resolve("gone")).map(OsPath::decode));
      layers.put(driver, id("top"));
    }
  }

  @Test
  @Tag("kernel")
  void bothMountsShowTheSame() throws Exception {
    Requires.fileSystem("aufs");
    make("overlay2");
    convert(sys, "overlay2", "aufs", true);
    for (String layer : List.of("base", "middle", "top")) {
      assertEquals(mounted("overlay2", layer), mounted("aufs", layer), layer);
    }
  }

  private String mounted(String name, String layer) throws Exception {
    try (Stacks stacks = stacks(sys)) {
      Layers layers = stacks.layers();
      Driver driver = driver(stacks, name);
      try {
        return Trees.snapshot(layers.get(driver, id(layer))).toString();
      } finally {
        layers.put(driver, id(layer));
      }
    }
  }

  @Test
  @Tag("kernel")
  void aBranchHasMarksAndAnOverlayHasNone() throws Exception {
    make("overlay2");
    convert(sys, "overlay2", "aufs", false);
    OsPath diff = SCRATCH.resolve("root/aufs/diff");
    assertTrue(files.lstat(diff.resolve("middle/.wh.gone")).isPresent());
    assertTrue(files.lstat(diff.resolve("middle/anew/.wh..wh..opq")).isPresent());
    assertTrue(files.lstat(diff.resolve("top/anew/.wh.above")).isPresent());
    assertFalse(files.lstat(diff.resolve("top/.wh.gone")).isPresent());
    assertEquals(
        Optional.of("middle\nbase\n"),
        files.read(SCRATCH.resolve("root/aufs/layers/top")).map(OsPath::decode));
    assertTrue(files.lstat(SCRATCH.resolve("root/aufs/mnt/top")).isPresent());
    convert(sys, "aufs", "overlay2", false);
    OsPath middle = SCRATCH.resolve("root/overlay2/middle/diff");
    assertTrue(files.lstat(middle.resolve("gone")).orElseThrow().isWhiteout());
    assertFalse(files.lstat(middle.resolve(".wh.gone")).isPresent());
  }

  @Test
  @Tag("kernel")
  void whatIsInUseIsNotConverted() throws Exception {
    make("overlay2");
    assertRefused("the layers are overlay2's already", "overlay2", "overlay2");
    try (Stacks stacks = stacks(sys)) {
      Layers layers = stacks.layers();
      Driver driver = driver(stacks, "overlay2");
      layers.get(driver, id("top"));
      assertRefused("layer top is mounted: put it first (EBUSY)", "overlay2", "aufs");
      layers.put(driver, id("top"));
      layers.create(driver(stacks, "aufs"), id("middle"), Optional.empty(), false);
      assertRefused("layer middle exists in aufs as well (EEXIST)", "overlay2", "aufs");
    }
    assertEquals(3, shown("overlay2").size());
  }

  private static void assertRefused(String message, String from, String to) {
    assertEquals(
        message,
        assertThrows(EngineException.class, () -> convert(new LinuxSyscalls(), from, to, false))
            .getMessage());
  }

  /** What becomes of the n-th call, and of those after it. */
  enum Fault {
    ONE_FAILS {
      @Override
      Syscalls at(int n) {
        return new FaultInjector(new LinuxSyscalls()).failAt(n, Errno.EIO);
      }
    },
    ALL_FAIL {
      @Override
      Syscalls at(int n) {
        return new Broken(n);
      }
    },
    THERE_IS_NONE {
      @Override
      Syscalls at(int n) {
        return new LayerFaultTest.Dying(n);
      }
    };

    abstract Syscalls at(int n);
  }

  /** Nothing goes from the n-th call on, so that nothing can be undone. */
  private static final class Broken extends ObservedSyscalls {
    private final int first;
    private int calls;

    Broken(int first) {
      super(new LinuxSyscalls());
      this.first = first;
    }

    @Override
    protected synchronized <T> T observe(Invocation<T> invocation) throws ErrnoException {
      calls++;
      if (calls < first || invocation.name().equals("close")) {
        return invocation.perform();
      }
      throw invocation.failure(Errno.EIO);
    }
  }

  private static Optional<Exception> failure(Syscalls with, String from, String to) {
    try {
      convert(with, from, to, false);
      return Optional.empty();
    } catch (EngineException | ErrnoException | LayerFaultTest.Dead e) {
      return Optional.of(e);
    }
  }

  /** Nothing is lost, nothing is left, or what is left is where the next attempt goes on. */
  @ParameterizedTest
  @CsvSource({
    "overlay2,aufs,ONE_FAILS", "aufs,overlay2,ONE_FAILS",
    "overlay2,aufs,ALL_FAIL", "aufs,overlay2,ALL_FAIL",
    "overlay2,aufs,THERE_IS_NONE", "aufs,overlay2,THERE_IS_NONE"
  })
  void whereverItStopsItIsUndoneOrGoesOn(String from, String to, Fault fault) throws Exception {
    make("overlay2");
    if (from.equals("aufs")) {
      convert(sys, "overlay2", "aufs", false);
    }
    Map<String, List<String>> before = shown(from);
    int kept = 0;
    int calls = calls(from, to);
    for (int n = 1; n <= calls; n += STEP) {
      String what = fault + " at call " + n;
      boolean failed = failure(fault.at(n), from, to).isPresent();
      if (failed && fault == Fault.ONE_FAILS) {
        assertUndone(from, to, List.of(), what);
      }
      kept += ids(from).size() == ALL && !ids(to).isEmpty() ? 1 : 0;
      goOn(from, to, before, what);
    }
    assertTrue(kept > 0 || fault == Fault.ONE_FAILS, "nothing was ever left");
  }

  /** How many a conversion makes; all is as before then. */
  private int calls(String from, String to) throws Exception {
    FaultInjector counting = new FaultInjector(sys);
    convert(counting, from, to, false);
    convert(sys, to, from, false);
    int calls = counting.calls().size();
    assertTrue(calls > 300, "there are hardly any calls: " + calls);
    return calls;
  }

  /** The layers there were stay as long as all of them are there. */
  private void assertUndone(String from, String to, List<String> had, String what)
      throws Exception {
    if (ids(from).size() == ALL) {
      assertEquals(had, ids(to), what);
      assertEquals(
          had.isEmpty() ? List.of() : List.of(OsPath.of("convert-" + from + "-" + to)),
          files.list(SCRATCH.resolve("root/journal")),
          what);
    } else {
      assertEquals(ALL, ids(to).size(), what);
    }
  }

  private List<String> ids(String name) throws Exception {
    try (Stacks stacks = stacks(sys)) {
      return driver(stacks, name).layers().stream().map(LayerId::text).toList();
    }
  }

  /** As the next process does; and back, so that all is as it was. */
  private void goOn(String from, String to, Map<String, List<String>> before, String what)
      throws Exception {
    try (Stacks stacks = stacks(sys)) {
      stacks.layers().recover();
    }
    Map<String, List<String>> all = new TreeMap<>(shown(to));
    all.putAll(shown(from));
    assertEquals(before, all, what);
    convert(sys, from, to, false);
    assertEquals(before, shown(to), what);
    assertEquals(Map.of(), shown(from), what);
    assertEquals(List.of(), files.list(SCRATCH.resolve("root/journal")), what);
    convert(sys, to, from, false);
  }

  @ParameterizedTest
  @CsvSource({"overlay2,aufs", "aufs,overlay2"})
  void whatAKilledOneMadeStaysWhenTheNextOneFails(String from, String to) throws Exception {
    make("overlay2");
    if (from.equals("aufs")) {
      convert(sys, "overlay2", "aufs", false);
    }
    Map<String, List<String>> before = shown(from);
    int calls = calls(from, to);
    for (int n = 1; n <= calls; n += STEP) {
      killedAfterBase(from, to);
      String what = "call " + n + " failed";
      if (failure(Fault.ONE_FAILS.at(n), from, to).isPresent()) {
        assertUndone(from, to, List.of("base"), what);
      }
      goOn(from, to, before, what);
    }
  }

  /** The root has layers of both drivers then. */
  @Test
  void aKilledOneGoesOnWithoutBeingToldWhoseLayersTheyWere() throws Exception {
    make("overlay2");
    killedAfterBase("overlay2", "aufs");
    try (Stacks stacks = stacks(sys)) {
      Layers layers = stacks.layers();
      Driver aufs = driver(stacks, "aufs");
      assertEquals("overlay2", layers.source(Optional.empty(), aufs).name());
      assertEquals("aufs", layers.source(Optional.of("aufs"), aufs).name());
      layers.create(driver(stacks, "vfs"), id("more"), Optional.empty(), false);
      assertEquals(
          "the root has layers of overlay2 and vfs: name one by --from",
          assertThrows(EngineException.class, () -> layers.source(Optional.empty(), aufs))
              .getMessage());
    }
    convert(sys, "overlay2", "aufs", false);
    try (Stacks stacks = stacks(sys)) {
      stacks.layers().remove(driver(stacks, "vfs"), id("more"));
      Driver aufs = driver(stacks, "aufs");
      assertEquals("aufs", stacks.layers().source(Optional.empty(), aufs).name());
    }
  }

  private void killedAfterBase(String from, String to) throws Exception {
    convert(sys, from, to, true);
    try (Stacks stacks = stacks(sys)) {
      for (String layer : List.of("top", "middle")) {
        stacks.layers().remove(driver(stacks, to), id(layer));
      }
    }
    file(SCRATCH.resolve("root/journal").resolve("convert-" + from + "-" + to), "");
  }

  @Test
  void whatFailsInTheUndoingIsToldWithTheFailure() throws Exception {
    make("overlay2");
    List<String> more = List.of();
    for (int n = 1; more.isEmpty(); n += STEP) {
      Exception failure = failure(Fault.ALL_FAIL.at(n), "overlay2", "aufs").orElseThrow();
      assertTrue(failure.getMessage().contains("EIO"), failure::getMessage);
      more =
          Arrays.stream(failure.getSuppressed())
              .map(Throwable::getMessage)
              // the driver's own are of what it was just making
              .filter(message -> message.contains("/overlay2/"))
              .toList();
    }
    assertEquals(ALL, ids("overlay2").size());
  }

  @Test
  void cancelledItLeavesNothing() throws Exception {
    make("overlay2");
    Map<String, List<String>> before = shown("overlay2");
    int n = 1;
    while (isCancelledAt(n)) {
      assertUndone("overlay2", "aufs", List.of(), "cancelled when asked the " + n + ". time");
      assertEquals(before, shown("overlay2"));
      n++;
    }
    assertTrue(n > 20, "it was hardly asked: " + n);
    assertEquals(before, shown("aufs"));
  }

  private boolean isCancelledAt(int n) throws Exception {
    AtomicInteger asked = new AtomicInteger();
    try {
      convert(sys, "overlay2", "aufs", false, () -> asked.incrementAndGet() == n);
      return false;
    } catch (EngineException e) {
      assertEquals(Optional.of(Errno.ECANCELED), e.errno());
      return true;
    }
  }

  @Test
  void oneAtATime() throws Exception {
    make("overlay2");
    OsPath lock = SCRATCH.resolve("root/locks/convert");
    AtomicInteger free = new AtomicInteger();
    convert(
        sys,
        "overlay2",
        "aufs",
        false,
        () -> {
          free.addAndGet(isFree(lock) ? 1 : 0);
          return false;
        });
    assertEquals(0, free.get());
    assertTrue(isFree(lock));
  }

  private boolean isFree(OsPath lock) {
    try {
      return new Locks(sys, Duration.ZERO).isFree(lock);
    } catch (ErrnoException e) {
      throw new AssertionError(e);
    }
  }
}
