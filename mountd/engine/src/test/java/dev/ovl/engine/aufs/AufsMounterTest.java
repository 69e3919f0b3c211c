package dev.ovl.engine.aufs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.Errno;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Mounts of aufs on a kernel that has it. */
@Tag("kernel")
class AufsMounterTest {
  /** More than a kernel of 20.04 takes, and what others do that do not tell. */
  private static final int MANY = 600;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private AufsLab lab;

  @BeforeAll
  static void aufs() {
    AufsLab.required();
  }

  @BeforeEach
  void lab() {
    lab = new AufsLab(scratch);
  }

  private EngineException refused(Executable attempt) throws Exception {
    EngineException e = assertThrows(EngineException.class, attempt);
    assertEquals(Optional.empty(), lab.mounted(), "something is mounted");
    return e;
  }

  private static void assertSays(String words, EngineException e) {
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  // ---- mounting -----------------------------------------------------------------------------

  @Test
  void showsTheTopmostOfEachNameAndWritesToTheFirst() throws Exception {
    List<AufsBranch> branches = lab.branches(2);
    lab.write("l0/both", "upper layer");
    lab.write("l1/both", "lower layer");
    lab.write("l1/one", "1");
    lab.write("l1/.wh.not", "in the lowest there is nothing to hide");
    MountEntry mount = lab.mount(branches);
    assertEquals("aufs", mount.type());
    assertEquals(OsPath.of("ovl:test"), mount.source());
    assertEquals("upper layer", lab.read("target/both"));
    assertEquals("1", lab.read("target/one"));
    lab.write("target/new", "n");
    Files.delete(lab.path("target/one"));
    assertEquals(List.of("both", "new"), lab.list("target"));
    assertEquals(
        List.of(".wh..wh.aufs", ".wh..wh.orph", ".wh..wh.plnk", ".wh.one", "new"), lab.list("rw"));
    lab.mounter().unmount(mount, 0);
    assertEquals(Optional.empty(), lab.mounted());
  }

  @Test
  void theStateIsWhatWasMounted() throws Exception {
    List<AufsBranch> branches = new ArrayList<>(lab.branches(1));
    branches.add(lab.branch("second", AufsPermission.parse("rw+nolwh")));
    branches.add(lab.branch("sp ace\tta\\b:co,l=e\n", AufsPermission.parse("rr+icex+wh")));
    Files.createSymbolicLink(lab.path("link"), lab.path("sp ace\tta\\b:co,l=e\n"));
    List<AufsBranch> said = new ArrayList<>(branches.subList(0, 3));
    said.add(new AufsBranch(scratch.resolve("link"), branches.get(3).permission()));
    lab.mount(said, "udba=none", "create=mfs:7");
    AufsState state = lab.state();
    assertEquals(branches, state.branches());
    assertEquals(List.of(branches.get(0), branches.get(2)), state.writable());
    assertEquals(List.of("udba=none", "dio", "dirperm1", "create=mfs:7"), state.options());
    OsPath xino = state.xino().orElseThrow();
    assertEquals(scratch.resolve("run"), xino.parent());
    assertEquals(List.of(), lab.list("run"), "the file of inode numbers keeps its name");
  }

  @Test
  void whatTheOptionsSayComesBeforeTheDefaults() throws Exception {
    lab.mount(lab.branches(1), "nodio", "nodirperm1", "noxino");
    assertEquals(List.of("noxino"), lab.state().options());
    assertEquals(Optional.empty(), lab.state().xino());
  }

  @Test
  void branchesBeyondOneCallAreAppended() throws Exception {
    List<AufsBranch> branches = lab.branches(126);
    lab.write("l125/at the bottom", "b");
    lab.write("l70/middle", "m");
    lab.write("l71/middle", "hidden");
    MountEntry mount = lab.mount(branches, "nosuid", "nodev");
    assertEquals(branches, lab.state().branches());
    assertEquals("b", lab.read("target/at the bottom"));
    assertEquals("m", lab.read("target/middle"));
    long flags = new LinuxSyscalls().statfs(mount.point()).flags();
    long wanted = Linux.MS_NOSUID | Linux.MS_NODEV;
    assertEquals(wanted, flags & wanted, "flags were lost on the way");
    lab.mounter().unmount(mount, 0);
  }

  @Test
  void branchesBeyondAPageAreAppended() throws Exception {
    String deep = ("d".repeat(200) + "/").repeat(3);
    List<AufsBranch> branches = new ArrayList<>(lab.branches(0));
    for (int i = 0; i < 40; i++) {
      branches.add(lab.branch(deep + i, AufsPermission.RO_WH));
    }
    lab.mount(branches);
    assertEquals(branches, lab.state().branches());
  }

  @Test
  void tooManyBranchesLeaveNothingMounted() throws Exception {
    List<AufsBranch> branches = lab.branches(MANY);
    EngineException e = refused(() -> lab.mount(branches));
    assertEquals(Optional.of(Errno.ENOSPC), e.errno());
    assertSays((MANY + 1) + " branches are too many", e);
    if (lab.aufs().maxBranches().isPresent()) {
      assertSays("takes " + lab.aufs().maxBranches().getAsInt(), e);
    }
  }

  @Test
  void aReadOnlyMountIsNotWritten() throws Exception {
    lab.write("l0/f", "f");
    MountEntry mount = lab.mount(lab.branches(1), "ro");
    assertThrows(FileSystemException.class, () -> lab.write("target/f", "g"));
    lab.mounter().unmount(mount, 0);
    assertEquals("f", lab.read("l0/f"));
  }

  @Test
  void propagationIsSet() throws Exception {
    AufsMount plain = lab.of(lab.branches(1));
    lab.mounter()
        .mount(
            new AufsMount(
                plain.source(),
                plain.branches(),
                plain.options(),
                plain.target(),
                Optional.of(Propagation.SHARED)));
    assertTrue(lab.mounted().orElseThrow().peerGroup() > 0);
  }

  @Test
  void severalWritableBranchesTakeTurns() throws Exception {
    List<AufsBranch> branches =
        List.of(lab.branch("a", AufsPermission.RW), lab.branch("b", AufsPermission.RW));
    lab.mount(branches, "create=rr");
    for (int i = 0; i < 4; i++) {
      lab.write("target/f" + i, "x");
    }
    for (String branch : List.of("a", "b")) {
      assertEquals(2, lab.list(branch).stream().filter(name -> name.startsWith("f")).count());
    }
  }

  @Test
  void manyAtOnceDoNotDisturbEachOther() throws Exception {
    List<AufsMount> wanted = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      wanted.add(
          new AufsMount(
              OsPath.of("ovl:" + i),
              List.of(lab.branch("rw" + i, AufsPermission.RW)),
              AufsOptions.NONE,
              scratch.mkdirs("target" + i),
              Optional.empty()));
    }
    List<Callable<Void>> work = new ArrayList<>();
    for (AufsMount mount : wanted) {
      work.add(
          () -> {
            lab.mounter().mount(mount);
            lab.mounter().unmount(lab.table().at(mount.target()).orElseThrow(), 0);
            lab.mounter().mount(mount);
            return null;
          });
    }
    try (var pool = Executors.newFixedThreadPool(6)) {
      for (Future<Void> done : pool.invokeAll(work)) {
        done.get();
      }
    }
    Set<OsPath> inodeFiles = new HashSet<>();
    for (AufsMount mount : wanted) {
      MountEntry mounted = lab.table().at(mount.target()).orElseThrow();
      AufsState state = lab.aufs().of(mounted).orElseThrow();
      assertEquals(mount.branches(), state.branches());
      assertTrue(inodeFiles.add(state.xino().orElseThrow()), "two had the same name for a moment");
    }
  }

  // ---- what is refused ----------------------------------------------------------------------

  @Test
  void whatTheKernelRefusesIsExplained() throws Exception {
    AufsBranch rw = lab.branch("rw", AufsPermission.RW);
    AufsBranch layer = lab.branch("l", AufsPermission.RO_WH);
    lab.write("file", "f");
    Files.createSymbolicLink(lab.path("same"), lab.path("l"));
    record Case(String directory, String words, Errno errno) {}
    for (Case c :
        List.of(
            new Case("missing", "branch does not exist", Errno.ENOENT),
            new Case("file", "branch is not a directory", Errno.ENOTDIR),
            new Case("l", "branch is given twice", Errno.EEXIST),
            new Case("same", "branches are the same directory", Errno.EEXIST),
            new Case("l/inner", "lies inside branch", Errno.EINVAL),
            new Case("file/x", "branch cannot be reached", Errno.ENOTDIR))) {
      scratch.mkdirs("l/inner");
      EngineException e =
          refused(
              () ->
                  lab.mount(
                      List.of(
                          rw,
                          layer,
                          new AufsBranch(scratch.resolve(c.directory()), AufsPermission.RO_WH))));
      assertSays(c.words(), e);
      assertEquals(Optional.of(c.errno()), e.errno(), e.getMessage());
    }
  }

  /** In a later batch the kernel says nothing: it passes over what it has. */
  @Test
  void aBranchThatIsThereAlreadyByAnotherNameIsNotPassedOver() throws Exception {
    List<AufsBranch> branches = new ArrayList<>(lab.branches(80));
    Files.createSymbolicLink(lab.path("same"), lab.path("l3"));
    branches.add(new AufsBranch(scratch.resolve("same"), AufsPermission.RO_WH));
    assertSays("branches are the same directory", refused(() -> lab.mount(branches)));
  }

  @Test
  void pathsThatCannotBeSaidNeverReachTheKernel() throws Exception {
    // what it would take instead
    scratch.mkdirs("a");
    for (String name : List.of("a=b", "a:b", "a,b")) {
      AufsBranch branch = lab.branch(name, AufsPermission.RO);
      assertSays("aufs takes no path with", refused(() -> lab.mount(List.of(branch))));
    }
  }

  @Test
  void aufsAndOverlayAreNoBranches() throws Exception {
    lab.mount(lab.branches(1));
    OsPath second = scratch.mkdirs("second");
    AufsMount over =
        new AufsMount(
            OsPath.of("ovl:over"),
            List.of(
                lab.branch("rw2", AufsPermission.RW),
                new AufsBranch(lab.target(), AufsPermission.RO)),
            AufsOptions.NONE,
            second,
            Optional.empty());
    EngineException e = assertThrows(EngineException.class, () -> lab.mounter().mount(over));
    assertSays("branch is on aufs", e);
    assertEquals(Optional.empty(), lab.table().at(second));
  }

  @Test
  void aMissingTargetIsNamed() throws Exception {
    AufsMount plain = lab.of(lab.branches(1));
    AufsMount nowhere =
        new AufsMount(
            plain.source(),
            plain.branches(),
            plain.options(),
            scratch.resolve("nowhere"),
            Optional.empty());
    assertSays("target is not a directory", refused(() -> lab.mounter().mount(nowhere)));
  }

  @Test
  void layersAreNotKeptOnAufs() throws Exception {
    AufsChecks checks = new AufsChecks(new LinuxSyscalls(), lab.aufs());
    lab.mount(lab.branches(1));
    EngineException e =
        assertThrows(EngineException.class, () -> checks.checkBacking(lab.target()));
    assertSays("aufs does not keep layers on aufs", e);
    checks.checkBacking(scratch.path());
  }

  // ---- unmounting ---------------------------------------------------------------------------

  @Test
  void aBusyMountStaysAndItsHolderIsNamed() throws Exception {
    lab.write("l0/f", "f");
    MountEntry mount = lab.mount(lab.branches(1));
    try (InputStream open = Files.newInputStream(lab.path("target/f"))) {
      EngineException e =
          assertThrows(EngineException.class, () -> lab.mounter().unmount(mount, 0));
      assertEquals(Optional.of(Errno.EBUSY), e.errno());
      assertSays("pid " + ProcessHandle.current().pid(), e);
      assertEquals('f', open.read());
      assertTrue(lab.mounted().isPresent());
    }
    lab.mounter().unmount(mount, 0);
    assertEquals(Optional.empty(), lab.mounted());
  }

  @Test
  void aBusyMountIsDetachedWhenAsked() throws Exception {
    lab.write("l0/f", "f");
    MountEntry mount = lab.mount(lab.branches(1));
    try (InputStream open = Files.newInputStream(lab.path("target/f"))) {
      lab.mounter().unmount(mount, Linux.MNT_DETACH);
      assertEquals(Optional.empty(), lab.mounted());
      assertEquals('f', open.read());
    }
  }

  // ---- hard links ---------------------------------------------------------------------------

  /** Three names of a file in a layer, of which one is written to; and a file beside them. */
  private MountEntry halfCopied() throws Exception {
    lab.write("l0/a", "old");
    lab.link("l0/a", "l0/d/b");
    lab.link("l0/a", "l0/e/f/c");
    lab.write("l0/other", "old");
    MountEntry mount = lab.mount(lab.branches(1));
    lab.write("target/a", "new");
    return mount;
  }

  private void assertLinked(String directory) throws IOException {
    for (String name : List.of("a", "d/b", "e/f/c")) {
      assertEquals("new", lab.read(directory + "/" + name), name);
      assertEquals(3, lab.links(directory + "/" + name), name);
    }
  }

  @Test
  void hardLinksSurviveTheMount() throws Exception {
    MountEntry mount = halfCopied();
    assertEquals(1, lab.list("rw/.wh..wh.plnk").size());
    lab.mounter().unmount(mount, 0);
    assertEquals(List.of(), lab.list("rw/.wh..wh.plnk"));
    assertLinked("rw");
    assertFalse(Files.exists(lab.path("rw/other")), "a file was copied up for nothing");
    lab.mount(lab.branches(1));
    assertLinked("target");
  }

  @Test
  void hardLinksSurviveChangesOfBranches() throws Exception {
    MountEntry mount = halfCopied();
    lab.mounter().add(mount, 2, lab.branch("below", AufsPermission.RO_WH));
    assertLinked("target");
    lab.mounter().unmount(mount, 0);
    assertLinked("rw");
  }

  @Test
  void linksOfAnEarlierMountMislead() throws Exception {
    lab.write("l0/other", "old");
    lab.write("l0/another", "old");
    MountEntry mount = lab.mount(lab.branches(1));
    long inode = (Long) Files.getAttribute(lab.path("target/other"), "unix:ino");
    // as an unmount by somebody else leaves it: the number is another file's now
    lab.write("rw/.wh..wh.plnk/" + inode + ".4711", "something else");
    lab.mounter().unmount(mount, 0);
    assertEquals(List.of(), lab.list("rw/.wh..wh.plnk"));
    assertEquals(List.of(".wh..wh.aufs", ".wh..wh.orph", ".wh..wh.plnk"), lab.list("rw"));
  }

  @Test
  void withoutPseudoLinksThereIsNothingToDo() throws Exception {
    lab.write("l0/a", "old");
    lab.link("l0/a", "l0/b");
    MountEntry mount = lab.mount(lab.branches(1), "noplink");
    lab.write("target/a", "new");
    lab.mounter().unmount(mount, 0);
    assertEquals("old", lab.read("l0/b"));
    assertFalse(Files.exists(lab.path("rw/b")));
  }

  // ---- live changes -------------------------------------------------------------------------

  @Test
  void branchesComeAndGo() throws Exception {
    List<AufsBranch> branches = new ArrayList<>(lab.branches(2));
    lab.write("l1/f", "below");
    MountEntry mount = lab.mount(branches, "nosuid");
    AufsBranch middle = lab.branch("middle", AufsPermission.RO_WH);
    lab.write("middle/f", "between");
    lab.mounter().add(mount, 1, middle);
    branches.add(1, middle);
    assertEquals(branches, lab.state().branches());
    assertEquals("between", lab.read("target/f"));
    AufsBranch bottom = lab.branch("bottom", AufsPermission.RO);
    lab.mounter().add(mount, 4, bottom);
    branches.add(bottom);
    AufsBranch top = lab.branch("top", AufsPermission.RW);
    lab.mounter().add(mount, 0, top);
    branches.addFirst(top);
    assertEquals(branches, lab.state().branches());
    lab.write("target/new", "n");
    assertEquals("n", lab.read("top/new"));
    lab.mounter().remove(mount, middle.directory());
    branches.remove(middle);
    assertEquals(branches, lab.state().branches());
    assertEquals("below", lab.read("target/f"));
    long flags = new LinuxSyscalls().statfs(mount.point()).flags();
    assertEquals(Linux.MS_NOSUID, flags & Linux.MS_NOSUID, "flags were lost on the way");
  }

  @Test
  void permissionsChange() throws Exception {
    List<AufsBranch> branches = new ArrayList<>(lab.branches(1));
    branches.add(lab.branch("second", AufsPermission.RW));
    MountEntry mount = lab.mount(branches);
    for (String permission : List.of("ro", "ro+wh", "rr", "rw", "rw+nolwh")) {
      AufsBranch changed =
          new AufsBranch(branches.get(2).directory(), AufsPermission.parse(permission));
      lab.mounter().modify(mount, changed);
      branches.set(2, changed);
      assertEquals(branches, lab.state().branches());
    }
    lab.mounter().modify(mount, new AufsBranch(branches.get(0).directory(), AufsPermission.RO));
    assertThrows(FileSystemException.class, () -> lab.write("target/new", "n"));
  }

  @Test
  void changesThatTheKernelWouldPassOverAreRefused() throws Exception {
    List<AufsBranch> branches = lab.branches(2);
    MountEntry mount = lab.mount(branches);
    AufsBranch stranger = lab.branch("stranger", AufsPermission.RO);
    AufsMounter mounter = lab.mounter();
    Files.createSymbolicLink(lab.path("again"), lab.path("l0"));
    AufsBranch again = new AufsBranch(scratch.resolve("again"), AufsPermission.RO_WH);
    AufsBranch inner = lab.branch("l0/inner", AufsPermission.RO);
    record Case(String words, Executable attempt) {}
    for (Case c :
        List.of(
            new Case("given twice", () -> mounter.add(mount, 0, branches.get(1))),
            new Case("same directory", () -> mounter.add(mount, 3, again)),
            new Case("lies inside", () -> mounter.add(mount, 3, inner)),
            new Case("no place 4 among 3", () -> mounter.add(mount, 4, stranger)),
            new Case("no place -1", () -> mounter.add(mount, -1, stranger)),
            new Case("is no branch", () -> mounter.remove(mount, stranger.directory())),
            new Case("is no branch", () -> mounter.modify(mount, stranger)),
            new Case("does not exist", () -> mounter.remove(mount, scratch.resolve("missing"))),
            new Case(
                "does not exist",
                () ->
                    mounter.add(
                        mount,
                        0,
                        new AufsBranch(scratch.resolve("missing"), AufsPermission.RO))))) {
      assertSays(c.words(), assertThrows(EngineException.class, c.attempt()));
      assertEquals(branches, lab.state().branches(), c.words());
    }
    // by another name it is the same branch
    mounter.remove(mount, again.directory());
    assertEquals(List.of(branches.get(0), branches.get(2)), lab.state().branches());
  }

  @Test
  void theLastBranchStays() throws Exception {
    List<AufsBranch> branches = lab.branches(0);
    MountEntry mount = lab.mount(branches);
    EngineException e =
        assertThrows(
            EngineException.class,
            () -> lab.mounter().remove(mount, branches.getFirst().directory()));
    assertSays("the last branch", e);
    assertEquals(branches, lab.state().branches());
  }

  @Test
  void aBranchInUseStaysAndItsUserIsNamed() throws Exception {
    List<AufsBranch> branches = lab.branches(2);
    lab.write("l0/f", "f");
    MountEntry mount = lab.mount(branches);
    try (InputStream open = Files.newInputStream(lab.path("target/f"))) {
      EngineException e =
          assertThrows(
              EngineException.class,
              () -> lab.mounter().remove(mount, branches.get(1).directory()));
      assertEquals(Optional.of(Errno.EBUSY), e.errno());
      assertSays("pid " + ProcessHandle.current().pid(), e);
      assertEquals('f', open.read());
    }
    lab.mounter().remove(mount, branches.get(1).directory());
    assertEquals(List.of(branches.get(0), branches.get(2)), lab.state().branches());
  }

  // ---- what else is told --------------------------------------------------------------------

  @Test
  void whatIsNoAufsHasNoState() throws Exception {
    MountEntry tmpfs = lab.table().at(scratch.path()).orElseThrow();
    assertEquals(Optional.empty(), lab.aufs().of(tmpfs));
    MountEntry mount = lab.mount(lab.branches(1));
    lab.mounter().unmount(mount, 0);
    assertEquals(Optional.empty(), lab.aufs().of(mount));
    assertThrows(
        EngineException.class,
        () -> lab.mounter().add(mount, 0, lab.branch("x", AufsPermission.RO)));
  }

  @Test
  void theVersionIsTold() throws Exception {
    assertTrue(lab.aufs().version().orElseThrow().matches("[0-9].*"));
  }
}
