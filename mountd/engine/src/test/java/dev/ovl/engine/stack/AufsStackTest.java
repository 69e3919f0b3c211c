package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.diff.Change;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.move.MoveWatch;
import dev.ovl.engine.tree.AufsNames;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Stacks of aufs on a kernel that has it. */
@Tag("kernel")
class AufsStackTest {
  @RegisterExtension final StackLab lab = new StackLab();
  private OsPath base;

  @BeforeAll
  static void aufs() {
    Requires.root();
    Requires.fileSystem("aufs");
  }

  @BeforeEach
  void base() throws Exception {
    base = lab.layer("base", "a=1", "b=1", "d/in=1");
  }

  private StackRequest request(
      String name, List<OsPath> lowers, List<String> branches, boolean readOnly, String... options)
      throws EngineException {
    List<AufsBranch> parsed = new ArrayList<>();
    for (String branch : branches) {
      int equals = branch.lastIndexOf('=');
      OsPath directory = lab.path(branch.substring(0, equals));
      parsed.add(AufsBranch.parse(directory + branch.substring(equals), AufsPermission.RO));
    }
    return new StackRequest(
        StackName.of(name),
        lowers,
        Optional.empty(),
        readOnly,
        Optional.empty(),
        Optional.empty(),
        new StackRequest.Union.Aufs(parsed, AufsOptions.parse(List.of(options))));
  }

  private OsPath up(StackRequest request) throws EngineException, ErrnoException {
    lab.stacks().create(request);
    return lab.up(request.name().text());
  }

  private OsPath web(OsPath... lowers) throws EngineException, ErrnoException {
    return up(request("web", List.of(lowers), List.of(), false));
  }

  private void change(BranchChange change) throws EngineException, ErrnoException {
    lab.stacks().change(StackLab.name("web"), change);
  }

  private AufsBranch branch(String name, String permission) throws EngineException {
    return AufsBranch.parse(lab.path(name) + "=" + permission, AufsPermission.RO);
  }

  private List<String> changes() throws EngineException, ErrnoException {
    try (TreeDiff diff = lab.stacks().compare(StackLab.name("web"), Progress.NONE, () -> false)) {
      return diff.changes().stream().map(Change::toString).toList();
    }
  }

  // ---- up and down --------------------------------------------------------------------------

  @Test
  void anOwnLayerTakesTheChanges() throws Exception {
    OsPath merged = web(base);
    lab.write(merged.resolve("new"), "n");
    lab.unlink(merged.resolve("a"));
    lab.assertUp("web");
    assertEquals(List.of("b", "d", "new"), lab.names(merged));
    OsPath upper = lab.upperOf("web");
    assertTrue(upper.startsWith(lab.root().resolve("aufs/diff")), upper.quoted());
    lab.down("web");
    lab.assertDown("web");
    assertTrue(lab.exists(upper.resolve(".wh.a")));
    assertEquals("n", lab.read(upper.resolve("new")));
    assertEquals(List.of("D /a", "A /new"), sorted(changes()));
    assertEquals(merged, lab.up("web"));
    assertEquals(List.of("b", "d", "new"), lab.names(merged), "as it was");
    lab.down("web");
    lab.remove("web");
    assertFalse(lab.exists(upper));
    assertEquals(List.of(), lab.names(lab.root().resolve("aufs/owners")));
    assertEquals(List.of(), lab.stacks().leftovers());
  }

  private static List<String> sorted(List<String> lines) {
    return lines.stream().sorted(Comparator.comparing(l -> l.substring(2))).toList();
  }

  @Test
  void aReadOnlyStackCannotBeWrittenTo() throws Exception {
    OsPath merged = up(request("web", List.of(base), List.of(), true));
    assertEquals("1", lab.read(merged.resolve("d/in")));
    ErrnoException e =
        assertThrows(ErrnoException.class, () -> lab.write(merged.resolve("x"), "x"));
    assertEquals(Errno.EROFS, e.errno());
    lab.down("web");
  }

  @Test
  void severalWritableBranchesAndAPolicy() throws Exception {
    lab.directory("one");
    lab.directory("two");
    OsPath merged =
        up(request("web", List.of(base), List.of("one=rw", "two=rw"), false, "create=rr"));
    for (int i = 0; i < 10; i++) {
      lab.write(merged.resolve("f" + i), "x");
    }
    long inOne = files("one");
    assertEquals(5, inOne, "round robin");
    assertEquals(5, files("two"));
    assertEquals(
        Stream.iterate(0, i -> i + 1).limit(10).map(i -> "A /f" + i).toList(), sorted(changes()));
    assertEquals(lab.path("one"), lab.upperOf("web"));
    lab.down("web");
    lab.remove("web");
    assertEquals(5, files("one"), "the user's directories stay");
  }

  private long files(String directory) throws ErrnoException {
    return lab.names(lab.path(directory)).stream().filter(name -> name.startsWith("f")).count();
  }

  @Test
  void whatAnotherStackOrAufsWritesToIsRefused() throws Exception {
    lab.directory("one");
    lab.directory("two");
    lab.directory("three");
    up(request("web", List.of(base), List.of("one=rw", "two=rw"), false));
    StackRequest other = request("other", List.of(base), List.of("three=rw", "two=rw"), false);
    lab.assertRefused(
        "upper or work belongs to stack web already: " + lab.path("two") + " (EBUSY)",
        () -> lab.stacks().create(other));
    lab.down("web");
  }

  @Test
  void whatMakesNoSenseIsRefused() throws Exception {
    lab.directory("one");
    lab.layer("branch", "x=1");
    lab.assertRefused(
        "where a branch can be written to, the topmost must be: " + lab.path("layers/branch=ro"),
        () ->
            lab.stacks()
                .checkCreate(
                    request("web", List.of(base), List.of("layers/branch=ro", "one=rw"), false)));
    lab.assertRefused(
        "branch is given twice: " + base + " (EEXIST)",
        () -> lab.stacks().checkCreate(request("web", List.of(base, base), List.of(), false)));
    lab.assertRefused(
        "a read-only stack has no branch that can be written to",
        () -> lab.stacks().checkCreate(request("web", List.of(base), List.of("one=rw"), true)));
    lab.assertRefused(
        "a stack needs a lower",
        () -> lab.stacks().checkCreate(request("web", List.of(), List.of(), false)));
  }

  // ---- branches -----------------------------------------------------------------------------

  @Test
  void branchesComeAndGoWhileItIsMounted() throws Exception {
    OsPath merged = web(base);
    lab.layer("more", "c=1", "a=of more");
    change(new BranchChange.Add(branch("layers/more", "ro+wh"), Optional.empty()));
    assertEquals(List.of("a", "b", "c", "d"), lab.names(merged));
    assertEquals("of more", lab.read(merged.resolve("a")));
    // the same again is fine
    change(new BranchChange.Add(branch("layers/more", "ro+wh"), Optional.empty()));
    lab.layer("last", "z=1", "b=hidden");
    change(new BranchChange.Add(branch("layers/last", "ro"), Optional.of(3)));
    assertEquals("1", lab.read(merged.resolve("b")));
    assertEquals("1", lab.read(merged.resolve("z")));
    change(new BranchChange.Modify(branch("layers/last", "rr+wh")));
    change(new BranchChange.Remove(lab.path("layers/more")));
    assertEquals("1", lab.read(merged.resolve("a")));
    assertEquals(List.of("a", "b", "d", "z"), lab.names(merged));
    lab.down("web");
    lab.up("web");
    assertEquals(List.of("a", "b", "d", "z"), lab.names(merged), "the definition has them");
    lab.down("web");
  }

  @Test
  void aWritableBranchIsAddedWhileItIsMountedUnlessSomebodyElseWritesThere() throws Exception {
    lab.directory("one");
    lab.directory("two");
    OsPath merged = up(request("web", List.of(base), List.of(), false, "create=rr"));
    change(new BranchChange.Add(branch("one", "rw"), Optional.empty()));
    change(new BranchChange.Add(branch("two", "ro"), Optional.empty()));
    change(new BranchChange.Modify(branch("two", "rw")));
    for (int i = 0; i < 6; i++) {
      lab.write(merged.resolve("f" + i), "x");
    }
    assertEquals(2, files("one"));
    assertEquals(2, files("two"));
    up(request("other", List.of(base), List.of(), false));
    lab.assertRefused(
        "upper or work belongs to stack web already: " + lab.path("one") + " (EBUSY)",
        () ->
            lab.stacks()
                .change(
                    StackLab.name("other"),
                    new BranchChange.Add(branch("one", "rw"), Optional.empty())));
    change(new BranchChange.Remove(lab.path("one")));
    lab.down("web");
    lab.down("other");
  }

  @Test
  void aBranchInUseStays() throws Exception {
    lab.layer("more", "c=1");
    OsPath merged = web(base, lab.path("layers/more"));
    int flags = Linux.O_RDONLY;
    try (Fd open = new Fd(lab.sys, lab.sys.openat(Linux.AT_FDCWD, merged.resolve("c"), flags, 0))) {
      EngineException e =
          lab.refusal(() -> change(new BranchChange.Remove(lab.path("layers/more"))));
      assertTrue(e.getMessage().contains("in use"), e.getMessage());
    }
    assertEquals("1", lab.read(merged.resolve("c")));
    change(new BranchChange.Remove(lab.path("layers/more")));
    assertFalse(lab.exists(merged.resolve("c")));
    lab.down("web");
  }

  @Test
  void onlyWhatCanBeChangedIs() throws Exception {
    lab.directory("one");
    web(base);
    lab.assertRefused(
        "a stack needs a lower: this branch is the last",
        () -> change(new BranchChange.Remove(base)));
    lab.assertRefused(
        "a branch can be added at 1 to 2, between the upper and the layers, not at 3",
        () -> change(new BranchChange.Add(branch("one", "ro"), Optional.of(3))));
    lab.assertRefused(
        lab.path("one") + " is no branch of it that 'branch add' could have added (ENOENT)",
        () -> change(new BranchChange.Modify(branch("one", "ro"))));
    lab.down("web");
  }

  // ---- surgery ------------------------------------------------------------------------------

  @Test
  void anUpperIsMergedIntoTheDirectoryBelow() throws Exception {
    OsPath under = lab.layer("under", "d/hidden=1", "e/deep=1");
    OsPath merged = web(base, under);
    lab.unlink(merged.resolve("a"));
    lab.write(merged.resolve("b"), "new");
    lab.unlink(merged.resolve("d/hidden"));
    new CrossDeviceMove(lab.sys).move(merged.resolve("e"), merged.resolve("f"), 0, MoveWatch.NONE);
    Trees.Snapshot before = Trees.snapshotWithTimes(merged);
    EngineException up =
        lab.refusal(() -> lab.stacks().merge(StackLab.name("web"), Progress.NONE, () -> false));
    assertTrue(up.getMessage().contains("'down' it before"), up.getMessage());
    lab.down("web");
    up(request("other", List.of(base), List.of(), true));
    lab.assertRefused(
        "stack other needs " + base + " as it is (EBUSY)",
        () -> lab.stacks().merge(StackLab.name("web"), Progress.NONE, () -> false));
    lab.down("other");
    lab.remove("other");
    lab.stacks().merge(StackLab.name("web"), Progress.NONE, () -> false);
    List<OsPath> left = lab.files.list(lab.upperOf("web"));
    assertTrue(left.stream().allMatch(AufsNames::isOwn), left::toString);
    assertEquals("new", lab.read(base.resolve("b")));
    assertTrue(lab.exists(base.resolve("d/.wh.hidden")));
    Trees.assertSame(before, Trees.snapshotWithTimes(lab.up("web")));
    lab.down("web");
  }

  @Test
  void whiteoutsOfABranchWithoutWhAreNeitherObeyedNorShown() throws Exception {
    lab.layer("plain", ".wh.a=", "d/.wh..wh..opq=", "d/more=1");
    OsPath merged = up(request("web", List.of(base), List.of("layers/plain=ro"), false));
    assertEquals(List.of("a", "b", "d"), lab.names(merged));
    assertEquals(List.of("in", "more"), lab.names(merged.resolve("d")));
    LayerId flat =
        lab.stacks()
            .flatten(
                StackLab.name("web"), Optional.of(LayerId.of("flat")), Progress.NONE, () -> false);
    Driver driver = lab.stacks().layers().driver(Optional.of(AufsHome.NAME));
    Trees.assertSame(Trees.snapshotWithTimes(merged), Trees.snapshotWithTimes(driver.get(flat)));
    lab.down("web");
    lab.assertRefused(
        "whiteouts in branch "
            + lab.path("layers/plain")
            + " would hide nothing of what lies below it: make it ro+wh by 'branch mod' first"
            + " (EINVAL)",
        () -> lab.stacks().merge(StackLab.name("web"), Progress.NONE, () -> false));
  }

  @Test
  void whereAPathIsAndWhatIsCopiedUp() throws Exception {
    OsPath merged = web(base);
    lab.unlink(merged.resolve("a"));
    lab.stacks().copyUp(StackLab.name("web"), OsPath.of("/d"), Progress.NONE, () -> false);
    assertTrue(lab.exists(lab.upperOf("web").resolve("d/in")), "copied up");
    Whereabouts gone = lab.stacks().which(StackLab.name("web"), OsPath.of("/a"));
    assertEquals(2, gone.holdings().size());
    Whereabouts in = lab.stacks().which(StackLab.name("web"), OsPath.of("/d/in"));
    assertEquals(2, in.holdings().size());
    lab.down("web");
  }

  @Test
  void noCheckIsPretended() throws Exception {
    web(base);
    EngineException e =
        lab.refusal(
            () -> lab.stacks().examine(StackLab.name("web"), false, Progress.NONE, () -> false));
    assertEquals(
        "fsck knows overlays alone, and this is a stack of aufs (EOPNOTSUPP)", e.getMessage());
    lab.down("web");
  }

  // ---- layers -------------------------------------------------------------------------------

  @Test
  void stacksLieOnLayersAndBecomeSuch() throws Exception {
    Layers layers = lab.stacks().layers();
    Driver driver = layers.driver(Optional.of(AufsHome.NAME));
    LayerId parent = LayerId.of("base");
    layers.create(driver, parent, Optional.empty(), TreeSink::finish);
    StackRequest request =
        new StackRequest(
            StackLab.name("web"),
            List.of(),
            Optional.of(parent),
            false,
            Optional.empty(),
            Optional.empty(),
            new StackRequest.Union.Aufs(List.of(), AufsOptions.NONE));
    OsPath merged = up(request);
    lab.write(merged.resolve("x"), "1");
    LayerId made =
        lab.stacks()
            .commit(StackLab.name("web"), Optional.of(LayerId.of("x")), Progress.NONE, () -> false);
    assertEquals(List.of(parent), driver.ancestors(made));
    assertEquals("1", lab.read(driver.get(made).resolve("x")));
    driver.put(made);
    lab.down("web");
    LayerId frozen = lab.stacks().commitByMove(StackLab.name("web"));
    assertEquals(List.of("x"), lab.names(lab.up("web")));
    lab.down("web");
    assertEquals(List.of(parent), driver.ancestors(frozen));
    EngineException e = lab.refusal(() -> layers.remove(driver, frozen));
    assertEquals("layer " + frozen + " is needed by stack web (EBUSY)", e.getMessage());
    LayerId flat =
        lab.stacks()
            .flatten(
                StackLab.name("web"), Optional.of(LayerId.of("flat")), Progress.NONE, () -> false);
    assertEquals(List.of(), driver.ancestors(flat));
    assertEquals("1", lab.read(driver.get(flat).resolve("x")));
  }
}
