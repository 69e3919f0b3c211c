package dev.ovl.engine.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What every driver does, on the kernel that this runs on. A class that extends this one names the
 * driver and skips where the machine lacks what it needs.
 */
@Tag("kernel")
public abstract class DriverConformance {
  private static final int DEEP = 200;
  private static final int THREADS = 8;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  final Syscalls sys = new LinuxSyscalls();
  final Files files = new Files(sys);
  private final String name;
  private final List<Stacks> opened = new ArrayList<>();

  /**
   * @param name of the driver
   */
  protected DriverConformance(String name) {
    this.name = name;
  }

  @AfterEach
  void unmountAll() throws Exception {
    layers().cleanup(driver());
    opened.forEach(Stacks::close);
  }

  // ---- what tests work with -----------------------------------------------------------------

  final OsPath root() {
    return scratch.resolve("root");
  }

  /** As of a process that has just started. */
  final Layers restarted() {
    Stacks stacks = new Stacks(sys, root(), scratch.resolve("run"));
    opened.add(stacks);
    return stacks.layers();
  }

  final Layers layers() {
    return opened.isEmpty() ? restarted() : opened.getLast().layers();
  }

  final Driver driver() throws EngineException, ErrnoException {
    return driver(layers());
  }

  final Driver driver(Layers layers) throws EngineException, ErrnoException {
    return layers.driver(Optional.of(name));
  }

  static LayerId id(String text) throws EngineException {
    return LayerId.of(text);
  }

  final LayerId create(String id, String... parent) throws Exception {
    return create(false, id, parent);
  }

  final LayerId createReadWrite(String id, String... parent) throws Exception {
    return create(true, id, parent);
  }

  private LayerId create(boolean readWrite, String id, String... parent) throws Exception {
    Optional<LayerId> below = parent.length == 0 ? Optional.empty() : Optional.of(id(parent[0]));
    layers().create(driver(), id(id), below, readWrite);
    return id(id);
  }

  final void write(OsPath file, String text) throws ErrnoException {
    files.mkdirs(file.parent(), 0755);
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, file, flags, 0644))) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      sys.write(fd.number(), ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
    }
  }

  final Optional<String> read(OsPath file) throws ErrnoException {
    return files.read(file).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }

  /** A layer on another one with files of its own: each is written through the driver's mount. */
  final LayerId fill(LayerId id, String... content) throws Exception {
    OsPath place = layers().get(driver(), id);
    for (String file : content) {
      int equals = file.indexOf('=');
      write(place.resolve(file.substring(0, equals)), file.substring(equals + 1));
    }
    layers().put(driver(), id);
    return id;
  }

  interface Attempt {
    void run() throws Exception;
  }

  static void assertRefused(String message, Attempt attempt) {
    assertEquals(
        message, assertThrows(EngineException.class, attempt::run).getMessage(), "the refusal");
  }

  // ---- create, exists, remove ---------------------------------------------------------------

  @Test
  void aLayerComesAndGoes() throws Exception {
    assertFalse(driver().isUsed());
    create("base");
    assertTrue(driver().isUsed());
    assertTrue(driver().exists(id("base")));
    assertFalse(driver().exists(id("other")));
    assertEquals(List.of(id("base")), driver().layers());
    assertEquals(List.of(), driver().ancestors(id("base")));
    assertFalse(driver().isCommitted(id("base")));

    assertRefused("layer base exists (EEXIST)", () -> create("base"));
    layers().remove(driver(), id("base"));
    assertFalse(driver().exists(id("base")));
    assertEquals(List.of(), driver().layers());
    assertRefused("no such layer (ENOENT)", () -> layers().remove(driver(), id("base")));
    create("base");
  }

  @Test
  void parentsAreKnownAndCommitted() throws Exception {
    create("base");
    create("middle", "base");
    createReadWrite("top", "middle");
    assertEquals(List.of(id("middle"), id("base")), driver().ancestors(id("top")));
    assertTrue(driver().isCommitted(id("base")));
    assertTrue(driver().isCommitted(id("middle")));
    assertFalse(driver().isCommitted(id("top")));

    assertRefused("no such parent: none (ENOENT)", () -> create("x", "none"));
    assertRefused(
        "layer base is the parent of middle (EBUSY)", () -> layers().remove(driver(), id("base")));
    for (String next : List.of("top", "middle", "base")) {
      layers().remove(driver(), id(next));
    }
    assertEquals(List.of(), driver().layers());
  }

  @Test
  void siblingsShareAParentAndNothingElse() throws Exception {
    create("base");
    fill(id("base"), "file=base");
    for (String child : List.of("a", "b")) {
      createReadWrite(child, "base");
      fill(id(child), "file=" + child, "only-" + child + "=1");
    }
    assertEquals(Optional.of("base"), seen("base", "file"));
    assertEquals(Optional.of("a"), seen("a", "file"));
    assertEquals(Optional.of("b"), seen("b", "file"));
    assertEquals(Optional.empty(), seen("a", "only-b"));
    assertEquals(Optional.empty(), seen("base", "only-a"));
  }

  private Optional<String> seen(String id, String file) throws Exception {
    OsPath place = layers().get(driver(), id(id));
    try {
      return read(place.resolve(file));
    } finally {
      layers().put(driver(), id(id));
    }
  }

  @Test
  void theRootDirectoryIsLikeTheParents() throws Exception {
    create("base");
    OsPath place = layers().get(driver(), id("base"));
    sys.fchmodat(Linux.AT_FDCWD, place, 0751);
    sys.fchownat(Linux.AT_FDCWD, place, 12, 34, 0);
    layers().put(driver(), id("base"));
    createReadWrite("top", "base");
    OsPath top = layers().get(driver(), id("top"));
    var stat = files.stat(top).orElseThrow();
    assertEquals(0751, stat.permissions());
    assertEquals(List.of(12, 34), List.of(stat.uid(), stat.gid()));
    layers().put(driver(), id("top"));
  }

  // ---- get and put --------------------------------------------------------------------------

  @Test
  void nestedGetsWantAsManyPuts() throws Exception {
    create("base");
    createReadWrite("top", "base");
    OsPath place = layers().get(driver(), id("top"));
    assertEquals(place, layers().get(driver(), id("top")));
    write(place.resolve("file"), "1");
    layers().put(driver(), id("top"));
    assertEquals(Optional.of("1"), read(place.resolve("file")), "still there for the other one");
    layers().put(driver(), id("top"));
    assertFalse(driver().isMounted(id("top")));
    layers().put(driver(), id("top"));
    assertEquals(Optional.of("1"), seen("top", "file"));
  }

  @Test
  void getsAreCountedAcrossARestart() throws Exception {
    create("base");
    createReadWrite("top", "base");
    OsPath place = layers().get(driver(), id("top"));
    boolean mounts = driver().isMounted(id("top"));
    Layers later = restarted();
    assertEquals(place, later.get(driver(later), id("top")));
    assertEquals(mounts ? 2 : 0, later.report(driver(later), id("top")).gets());
    later.put(driver(later), id("top"));
    assertEquals(mounts, driver(later).isMounted(id("top")));
    later.put(driver(later), id("top"));
    assertFalse(driver(later).isMounted(id("top")));
  }

  @Test
  void aMountThatWasEndedByHandCountsNoMore() throws Exception {
    create("base");
    createReadWrite("top", "base");
    OsPath place = layers().get(driver(), id("top"));
    layers().get(driver(), id("top"));
    if (driver().isMounted(id("top"))) {
      sys.umount2(place, 0);
      assertEquals(0, layers().report(driver(), id("top")).gets());
      layers().get(driver(), id("top"));
      assertEquals(1, layers().report(driver(), id("top")).gets());
      layers().put(driver(), id("top"));
      assertFalse(driver().isMounted(id("top")));
    }
  }

  /** A crash between the child and the mark on its parent, in another process than this one. */
  @Test
  void aParentWithoutItsMarkStays() throws Exception {
    create("base");
    layers().recover();
    createReadWrite("top", "base");
    driver().uncommit(id("base"));
    assertRefused(
        "layer base is the parent of top (EBUSY)", () -> layers().remove(driver(), id("base")));
  }

  @Test
  void aLayerThatIsMountedStays() throws Exception {
    create("base");
    createReadWrite("top", "base");
    layers().get(driver(), id("top"));
    if (driver().isMounted(id("top"))) {
      assertRefused(
          "layer top is mounted: put it first (EBUSY)", () -> layers().remove(driver(), id("top")));
      assertRefused(
          "layer top is mounted: put it first (EBUSY)", () -> layers().commit(driver(), id("top")));
      assertRefused(
          "parent top is mounted and not committed: it still changes (EBUSY)",
          () -> create("child", "top"));
    }
    layers().put(driver(), id("top"));
    layers().remove(driver(), id("top"));
    assertFalse(driver().exists(id("top")));
  }

  @Test
  void aMountThatIsUsedIsNotEnded() throws Exception {
    create("base");
    createReadWrite("top", "base");
    OsPath place = layers().get(driver(), id("top"));
    if (driver().isMounted(id("top"))) {
      try (Fd user = files.openDirectory(place)) {
        EngineException busy =
            assertThrows(EngineException.class, () -> layers().put(driver(), id("top")));
        assertEquals(Optional.of(Errno.EBUSY), busy.errno());
        assertTrue(driver().isMounted(id("top")));
        assertEquals(1, layers().report(driver(), id("top")).gets());
      }
    }
    layers().put(driver(), id("top"));
    assertFalse(driver().isMounted(id("top")));
  }

  @Test
  void aCommittedLayerIsReadOnly() throws Exception {
    create("base");
    fill(id("base"), "a=1");
    createReadWrite("top", "base");
    fill(id("top"), "b=2");
    layers().commit(driver(), id("top"));
    layers().commit(driver(), id("top"));
    assertTrue(driver().isCommitted(id("top")));
    OsPath place = layers().get(driver(), id("top"));
    assertEquals(Optional.of("1"), read(place.resolve("a")));
    assertEquals(Optional.of("2"), read(place.resolve("b")));
    if (driver().isMounted(id("top"))) {
      ErrnoException readOnly =
          assertThrows(ErrnoException.class, () -> write(place.resolve("c"), "3"));
      assertEquals(Errno.EROFS, readOnly.errno());
    }
    layers().put(driver(), id("top"));
  }

  @Test
  void cleanupEndsAllMounts() throws Exception {
    create("base");
    for (String child : List.of("a", "b")) {
      createReadWrite(child, "base");
      layers().get(driver(), id(child));
      layers().get(driver(), id(child));
    }
    layers().cleanup(driver());
    for (String child : List.of("a", "b")) {
      assertFalse(driver().isMounted(id(child)));
      assertEquals(0, layers().report(driver(), id(child)).gets());
    }
  }

  // ---- content ------------------------------------------------------------------------------

  private List<String> changes(String id) throws Exception {
    try (TreeDiff diff =
        layers().compare(driver(), id(id), Optional.empty(), Progress.NONE, () -> false)) {
      return diff.changes().stream().map(Object::toString).toList();
    }
  }

  private long size(String id) throws Exception {
    try (TreeDiff diff =
        layers().compare(driver(), id(id), Optional.empty(), Progress.NONE, () -> false)) {
      return diff.size();
    }
  }

  /** A base with a tree, and a layer that changes, adds and deletes. */
  private void changedTop() throws Exception {
    create("base");
    fill(id("base"), "d/changed=1", "d/deleted=2", "d/same=3", "gone/x=4", "kind/x=5");
    createReadWrite("top", "base");
    OsPath place = layers().get(driver(), id("top"));
    write(place.resolve("d/changed"), "changed");
    write(place.resolve("d/added"), "added");
    sys.unlinkat(Linux.AT_FDCWD, place.resolve("d/deleted"), 0);
    files.removeTree(place.resolve("gone"));
    files.removeTree(place.resolve("kind"));
    write(place.resolve("kind"), "a file by now");
    layers().put(driver(), id("top"));
  }

  @Test
  void changesAreThoseOfTheLayer() throws Exception {
    changedTop();
    assertEquals(
        List.of(
            "A /d",
            "A /d/changed",
            "A /d/deleted",
            "A /d/same",
            "A /gone",
            "A /gone/x",
            "A /kind",
            "A /kind/x"),
        changes("base"));
    assertEquals(
        List.of("C /d", "A /d/added", "C /d/changed", "D /d/deleted", "D /gone", "C /kind"),
        changes("top"));
    assertEquals("changed".length() + "added".length() + "a file by now".length(), size("top"));
  }

  @Test
  void aDiffAppliedElsewhereGivesTheSameTree() throws Exception {
    changedTop();
    create("other", "base");
    try (TreeDiff diff =
        layers().compare(driver(), id("top"), Optional.empty(), Progress.NONE, () -> false)) {
      layers().apply(driver(), id("other"), diff::stream);
      layers().create(driver(), id("whole"), Optional.of(id("base")), diff::stream);
    }
    OsPath top = layers().get(driver(), id("top"));
    for (String copy : List.of("other", "whole")) {
      assertEquals(changes("top"), changes(copy), copy);
      assertEquals(size("top"), size(copy), copy);
      Trees.assertSame(Trees.snapshot(top), Trees.snapshot(layers().get(driver(), id(copy))));
      layers().put(driver(), id(copy));
    }
    layers().put(driver(), id("top"));
    assertTrue(driver().isCommitted(id("whole")));
    assertRefused(
        "layer whole is committed: it does not change any more (EROFS)",
        () -> layers().apply(driver(), id("whole"), TreeSink::finish));
  }

  @Test
  void contentThatBreaksOffChangesNothing() throws Exception {
    changedTop();
    OsPath place = layers().get(driver(), id("top"));
    Trees.Snapshot before = Trees.snapshot(place);
    layers().put(driver(), id("top"));
    Trees.Snapshot root = Trees.snapshot(root());
    Driver.Writing broken =
        sink -> {
          sink.delete(OsPath.of("d/changed"));
          sink.put(
              new Node(
                  OsPath.of("new"),
                  new Node.Kind.Directory(),
                  new Attributes(0755, 0, 0, new Timestamp(1, 0), Xattrs.NONE)),
              new Content.None());
          throw EngineException.failed("broken off");
        };
    assertRefused("broken off", () -> layers().apply(driver(), id("top"), broken));
    assertRefused(
        "broken off", () -> layers().create(driver(), id("new"), Optional.of(id("base")), broken));
    assertFalse(driver().exists(id("new")));
    Trees.assertSame(root, Trees.snapshot(root()));
    Trees.assertSame(before, Trees.snapshot(layers().get(driver(), id("top"))));
    layers().put(driver(), id("top"));
  }

  @Test
  void applyAddsToWhatIsThere() throws Exception {
    changedTop();
    createReadWrite("more", "base");
    fill(id("more"), "mine=1", "d/added=mine");
    try (TreeDiff diff =
        layers().compare(driver(), id("top"), Optional.empty(), Progress.NONE, () -> false)) {
      layers().apply(driver(), id("more"), diff::stream);
    }
    assertEquals(Optional.of("1"), seen("more", "mine"));
    assertEquals(Optional.of("added"), seen("more", "d/added"));
    assertEquals(Optional.empty(), seen("more", "d/deleted"));
    assertEquals(Optional.of("3"), seen("more", "d/same"));
  }

  /** What the layer had before is its draft's until that is closed, not rubbish for a recovery. */
  @Test
  void aRecoveryLeavesADraftAlone() throws Exception {
    createReadWrite("layer");
    fill(id("layer"), "old=1");
    try (Driver.Draft draft = driver().draft(id("layer"))) {
      assertEquals(List.of(), restarted().recover(), "while it is being written");
      draft.sink().finish();
      draft.keep();
      assertEquals(List.of(), restarted().recover(), "after it was kept");
    }
    assertEquals(Optional.of("1"), seen("layer", "old"));
    assertEquals(List.of(), restarted().recover());
  }

  /** What the layer itself had in the directory is hidden as well as what its parent has. */
  @Test
  void anOpaqueDirectoryHasWhatCameWithItAlone() throws Exception {
    changedTop();
    OsPath place = layers().get(driver(), id("top"));
    write(place.resolve("d/mine"), "1");
    write(place.resolve("d/deep/mine"), "1");
    layers().put(driver(), id("top"));
    Attributes attributes = new Attributes(0755, 0, 0, new Timestamp(1, 0), Xattrs.NONE);
    Content none = new Content.None();
    Node.Kind directory = new Node.Kind.Directory();
    layers()
        .apply(
            driver(),
            id("top"),
            sink -> {
              sink.put(new Node(OsPath.of("d"), directory, attributes), none);
              sink.opaque(OsPath.of("d"));
              sink.put(new Node(OsPath.of("d/deep"), directory, attributes), none);
              sink.put(new Node(OsPath.of("d/deep/new"), new Node.Kind.Fifo(), attributes), none);
              sink.finish();
            });
    place = layers().get(driver(), id("top"));
    assertEquals(List.of(OsPath.of("deep")), files.list(place.resolve("d")));
    assertEquals(List.of(OsPath.of("new")), files.list(place.resolve("d/deep")));
    layers().put(driver(), id("top"));
  }

  /** What is made for them must not hide what is below, nor show what is not. */
  @Test
  void directoriesThatContentLeavesOutAreAsTheyWereSeen() throws Exception {
    create("base");
    fill(id("base"), "d/e/file=1", "gone/e/file=2");
    for (String directory : List.of("d", "d/e", "gone", "gone/e")) {
      OsPath place = layers().get(driver(), id("base")).resolve(directory);
      sys.fchownat(Linux.AT_FDCWD, place, 12, 34, 0);
      sys.fchmodat(Linux.AT_FDCWD, place, 0711);
    }
    createReadWrite("middle", "base");
    files.removeTree(layers().get(driver(), id("middle")).resolve("gone"));
    layers().put(driver(), id("middle"));
    Attributes attributes = new Attributes(0600, 0, 0, new Timestamp(1, 0), Xattrs.NONE);
    Driver.Writing content =
        sink -> {
          for (String pipe : List.of("d/e/pipe", "gone/e/pipe")) {
            sink.put(
                new Node(OsPath.of(pipe), new Node.Kind.Fifo(), attributes), new Content.None());
          }
          sink.finish();
        };
    layers().create(driver(), id("whole"), Optional.of(id("middle")), content);
    create("applied", "middle");
    layers().apply(driver(), id("applied"), content);
    for (String top : List.of("whole", "applied")) {
      OsPath place = layers().get(driver(), id(top));
      for (String directory : List.of("d", "d/e", "gone", "gone/e")) {
        Statx stat = files.lstat(place.resolve(directory)).orElseThrow();
        boolean kept = directory.startsWith("d");
        assertEquals(kept ? 0711 : 0755, stat.permissions(), top + " " + directory);
        assertEquals(kept ? 12 : 0, stat.uid(), top + " " + directory);
      }
      assertEquals(Optional.of("1"), read(place.resolve("d/e/file")));
      assertEquals(List.of(OsPath.of("pipe")), files.list(place.resolve("gone/e")));
      layers().put(driver(), id(top));
    }
  }

  // ---- depth --------------------------------------------------------------------------------

  @Test
  void aChainOfTwoHundred() throws Exception {
    create("l0");
    fill(id("l0"), "f0=0", "all=0");
    for (int i = 1; i < DEEP; i++) {
      createReadWrite("l" + i, "l" + (i - 1));
      if (i % 20 == 0 || i == DEEP - 1) {
        fill(id("l" + i), "f" + i + "=" + i, "all=" + i);
      }
    }
    assertEquals(DEEP - 1, driver().ancestors(id("l" + (DEEP - 1))).size());
    OsPath place = layers().get(driver(), id("l" + (DEEP - 1)));
    for (int i = 0; i < DEEP; i += 20) {
      assertEquals(Optional.of("" + i), read(place.resolve("f" + i)));
    }
    assertEquals(Optional.of("" + (DEEP - 1)), read(place.resolve("all")));
    layers().put(driver(), id("l" + (DEEP - 1)));
  }

  // ---- what is told -------------------------------------------------------------------------

  @Test
  void aReportTellsAll() throws Exception {
    create("base");
    createReadWrite("top", "base");
    LayerReport report = layers().report(driver(), id("top"));
    assertEquals(name, report.driver());
    assertEquals(Optional.of(id("base")), report.parent());
    assertFalse(report.committed());
    assertFalse(report.mounted());
    assertEquals(Optional.empty(), report.user());
    assertFalse(report.metadata().isEmpty());
    for (String place : report.metadata().values()) {
      assertTrue(place.startsWith(root().toString()), place);
    }
    assertFalse(driver().status().isEmpty());
    assertRefused("no such layer (ENOENT)", () -> layers().report(driver(), id("x")));
  }

  @Test
  void nobodyElseLooksIntoLayers() throws Exception {
    create("base");
    fill(id("base"), "file=1");
    // the content itself has the modes that its owner gave it, so a directory above must be shut
    assertTrue(isShut(layers().get(driver(), id("base"))), "others can reach the content");
  }

  private boolean isShut(OsPath place) throws ErrnoException {
    for (OsPath at = place.parent(); !at.equals(root()); at = at.parent()) {
      if ((files.stat(at).orElseThrow().permissions() & 0001) == 0) {
        return true;
      }
    }
    return false;
  }

  // ---- at once, and after a crash -----------------------------------------------------------

  @Test
  void manyAtOnce() throws Exception {
    create("base");
    fill(id("base"), "file=base");
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    CountDownLatch ready = new CountDownLatch(THREADS);
    Layers layers = layers();
    Driver driver = driver();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      int number = t;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      ready.countDown();
                      ready.await();
                      for (int i = 0; i < 10; i++) {
                        work(layers, driver, id("t" + number + "-" + i));
                      }
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), List.copyOf(failures));
    assertEquals(List.of(id("base")), driver.layers());
    assertEquals(List.of(), files.list(root().resolve("locks")));
  }

  private void work(Layers layers, Driver driver, LayerId id) throws Exception {
    layers.create(driver, id, Optional.of(id("base")), true);
    OsPath place = layers.get(driver, id);
    assertEquals(Optional.of("base"), read(place.resolve("file")));
    write(place.resolve("file"), id.text());
    assertEquals(Optional.of(id.text()), read(place.resolve("file")));
    layers.put(driver, id);
    layers.remove(driver, id);
  }

  @Test
  void oneLayerIsMadeOnce() throws Exception {
    create("base");
    Queue<String> outcomes = new ConcurrentLinkedQueue<>();
    Layers layers = layers();
    Driver driver = driver();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      layers.create(driver, id("one"), Optional.of(id("base")), true);
                      outcomes.add("made");
                    } catch (EngineException | ErrnoException e) {
                      outcomes.add(e.getMessage());
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(1, outcomes.stream().filter("made"::equals).count());
    assertEquals(
        THREADS - 1, outcomes.stream().filter("layer one exists (EEXIST)"::equals).count());
  }

  @Test
  void recoveringAWholeRootChangesNothing() throws Exception {
    create("base");
    fill(id("base"), "file=1");
    createReadWrite("top", "base");
    assertEquals(List.of(), restarted().recover());
    assertEquals(Optional.of("1"), seen("top", "file"));
  }
}
