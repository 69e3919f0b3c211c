package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What others do to a stack's mount, and what ovl makes of it. The kernel alone says what is
 * mounted.
 */
@Tag("kernel")
class StackStateTest {
  private static final Optional<OsPath> ANYWHERE = Optional.empty();

  @RegisterExtension final StackLab lab = new StackLab();

  private OsPath up() throws Exception {
    return lab.stack("web", lab.layer("a", "file=1")).up();
  }

  private static void assertSays(EngineException refused, String... parts) {
    for (String part : parts) {
      assertTrue(refused.getMessage().contains(part), refused.getMessage() + " lacks " + part);
    }
    assertEquals(Optional.of(Errno.EBUSY), refused.errno(), refused.getMessage());
  }

  // ---- by hand ------------------------------------------------------------------------------

  @Test
  void unmountedByHandIsDown() throws Exception {
    OsPath merged = up();
    lab.umount(merged);

    lab.assertDown("web");
    assertEquals(merged, lab.up("web"));
    assertEquals("1", lab.read(merged.resolve("file")));

    lab.umount(merged);
    lab.down("web");
    lab.remove("web");
    assertEquals(List.of(), lab.stacks().names());
  }

  /**
   * The kernel gives the lowest free number: a mount that is gone must not live on in its
   * successor.
   */
  private void reuse(MountEntry.Device device) throws ErrnoException {
    for (int i = 0; !lab.sys.ustat(device.major(), device.minor()); i++) {
      assertTrue(i < 100, "device number " + device + " is not given again");
      lab.mountTmpfs(lab.directory("stranger" + i));
    }
  }

  private MountEntry.Device device(String name) throws Exception {
    return lab.state(name).mounted().orElseThrow().device();
  }

  @Test
  void aDeviceNumberThatWasGivenAgainIsNotTheOldMount() throws Exception {
    OsPath merged = up();
    MountEntry.Device device = device("web");
    lab.umount(merged);
    reuse(device);

    lab.assertDown("web");
    assertEquals(merged, lab.up("web"));

    device = device("web");
    lab.umount(merged);
    reuse(device);
    lab.down("web");
    lab.remove("web");
  }

  @Test
  void aVolatileMarkerIsRemovedThoughTheDeviceNumberWasGivenAgain() throws Exception {
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).options("volatile").up();
    OsPath marker = lab.workOf("web").resolve("work/incompat/volatile");
    MountEntry.Device device = device("web");
    lab.umount(merged);
    reuse(device);
    assertTrue(lab.exists(marker));

    lab.down("web");

    assertFalse(lab.exists(marker));
    lab.up("web");
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aTargetMayBeALink(MountMethod method) throws Exception {
    OsPath real = lab.directory("real");
    OsPath link = lab.path("link");
    lab.sys.symlinkat(real, Linux.AT_FDCWD, link);
    lab.stack("web", lab.layer("a", "file=1")).method(method).at(link).up();
    assertEquals("1", lab.read(real.resolve("file")));
    assertEquals(real, lab.state("web").mounted().orElseThrow().point());

    lab.down("web");

    assertTrue(lab.state("web") instanceof StackState.Down);
    assertFalse(lab.exists(real.resolve("file")));
    lab.remove("web");
  }

  @Test
  void coveredIsToldAndNamed() throws Exception {
    OsPath merged = up();
    lab.mountTmpfs(merged);
    String remark = "covered by a mount of tmpfs (ovl-test) on the same directory";

    StackState state = lab.state("web");
    assertTrue(state instanceof StackState.Covered, state::toString);
    assertEquals(Optional.of(remark), state.remark());
    assertEquals("overlay", state.mounted().orElseThrow().type());
    assertEquals("tmpfs", ((StackState.Covered) state).by().type());

    lab.assertRefused("is mounted but " + remark, () -> lab.up("web"));
    String message = "is " + remark + ": unmount that first (EBUSY)";
    lab.assertRefused(message, () -> lab.down("web"));
    lab.assertRefused(message, () -> lab.downLazily("web"));
    lab.assertRefused(message, () -> lab.stacks().remove(StackLab.name("web"), true));
    lab.assertRefused(
        "is up on " + merged.quoted() + "; 'down' it before you remove it (EBUSY)",
        () -> lab.remove("web"));

    lab.umount(merged);
    lab.assertUp("web");
    lab.down("web");
  }

  @Test
  void coveredWithoutRecordIsToldTheSame() throws Exception {
    OsPath merged = up();
    lab.mountTmpfs(merged);
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.path("none"));
    StackState state = other.state(StackLab.name("web"));
    assertTrue(state instanceof StackState.Covered, state::toString);
  }

  private void move(OsPath from, OsPath to) throws ErrnoException {
    int tree = lab.sys.open_tree(Linux.AT_FDCWD, from, Linux.OPEN_TREE_CLOEXEC);
    try (Fd mount = new Fd(lab.sys, tree)) {
      lab.sys.move_mount(
          mount.number(), OsPath.EMPTY, Linux.AT_FDCWD, to, Linux.MOVE_MOUNT_F_EMPTY_PATH);
    }
  }

  @Test
  void movedIsToldAndUnmountedWhereItIs() throws Exception {
    OsPath merged = up();
    OsPath away = lab.directory("moved away");
    move(merged, away);

    for (Stacks stacks : List.of(lab.stacks(), lab.stacks(lab.sys, lab.root(), lab.path("none")))) {
      StackState state = stacks.state(StackLab.name("web"));
      assertTrue(state instanceof StackState.Moved, state::toString);
      assertEquals(away, state.mounted().orElseThrow().point());
      assertEquals(Optional.of("moved by hand to " + away.quoted()), state.remark());
    }
    lab.assertRefused("is mounted but moved by hand to " + away.quoted(), () -> lab.up("web"));
    lab.assertRefused(
        "is up on " + away.quoted() + "; 'down' it before you remove it (EBUSY)",
        () -> lab.remove("web"));

    lab.down("web");

    assertEquals(List.of(), lab.mountsOn(away));
    lab.assertDown("web");
    assertEquals(merged, lab.up("web"));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aLostRunDirectoryLosesNothing(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath merged = lab.stack("own", lower).method(method).up();
    OsPath target = lab.directory("target");
    lab.stack("at", lower).at(target).method(method).up();
    lab.stack("ro", lower).readOnly().method(method).up();
    List<String> mounts = lab.mountLines();
    lab.files.removeTree(lab.run());

    for (String name : List.of("own", "at", "ro")) {
      lab.assertUp(name);
      lab.up(name);
    }
    assertEquals(mounts, lab.mountLines(), "nothing is mounted twice");
    for (String name : List.of("own", "at", "ro")) {
      lab.down(name);
      lab.assertDown(name);
      lab.remove(name);
    }
    assertEquals(List.of(), lab.mountsOn(merged));
    assertEquals(List.of(), lab.mountsOn(target));
  }

  // ---- namesakes ----------------------------------------------------------------------------

  @Test
  void aStackOfTheSameNameUnderAnotherRootIsAnother() throws Exception {
    StackName web = StackLab.name("web");
    OsPath lower = lab.layer("a", "file=1");
    OsPath run = lab.path("run");
    OsPath elsewhere = lab.path("run2");
    // the other one has a run directory of its own, or the same
    for (OsPath otherRun : List.of(elsewhere, run)) {
      for (MountMethod method : List.of(MountMethod.CLASSIC, MountMethod.FD)) {
        Stacks one = lab.stacks();
        Stacks two = lab.stacks(lab.sys, lab.path("root2"), otherRun);
        StackRequest request = lab.stack("web", lower).method(method).request();
        one.create(request);
        two.create(request);

        OsPath mergedOne = one.up(web, false);
        assertEquals(new StackState.Down(), two.state(web));
        OsPath mergedTwo = two.up(web, false);
        assertTrue(!mergedOne.equals(mergedTwo));
        lab.write(mergedOne.resolve("file"), "one");
        lab.write(mergedTwo.resolve("file"), "two");

        one.down(web, false);
        assertEquals(new StackState.Down(), one.state(web));
        assertTrue(two.state(web) instanceof StackState.Up);
        assertEquals("two", lab.read(mergedTwo.resolve("file")));
        assertEquals("one", lab.read(one.up(web, false).resolve("file")));

        two.down(web, false);
        one.down(web, false);
        one.remove(web, false);
        two.remove(web, false);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aNamesakeThatGotTheDeviceNumberIsNotTakenForOurs(MountMethod method) throws Exception {
    StackName web = StackLab.name("web");
    OsPath lower = lab.layer("a", "file=1");
    Stacks other = lab.stacks(lab.sys, lab.path("root2"), lab.path("run2"));
    OsPath merged = lab.stack("web", lower).method(method).up();
    MountEntry.Device device = device("web");
    other.create(lab.stack("web", lower).method(method).request());
    lab.umount(merged);

    OsPath theirs = other.up(web, false);
    boolean given = other.state(web).mounted().orElseThrow().device().equals(device);

    lab.assertDown("web");
    lab.down("web");
    assertTrue(
        other.state(web) instanceof StackState.Up, "unmounted another's; same number: " + given);
    assertEquals("1", lab.read(theirs.resolve("file")));
    lab.up("web");
    lab.assertUp("web");
  }

  // ---- busy ---------------------------------------------------------------------------------

  private String namespace(Process child) throws ErrnoException {
    return lab.mountNamespace(child.pid());
  }

  private void assertBusy(OsPath merged, Process child, String command, String use, OsPath path)
      throws Exception {
    lab.assertRefused(
        merged.quoted()
            + " is in use, by pid "
            + child.pid()
            + " ("
            + command
            + ", "
            + use
            + " "
            + path.quoted()
            + ", "
            + namespace(child)
            + ") (EBUSY)",
        () -> lab.down("web"));
    lab.assertUp("web");
    lab.kill(child);
    lab.down("web");
    lab.assertDown("web");
  }

  @Test
  void aWorkingDirectoryKeepsItUp() throws Exception {
    OsPath lower = lab.layer("a", "dir/file=1");
    OsPath merged = lab.stack("web", lower).up();
    OsPath inside = merged.resolve("dir");
    Process child = lab.sleeper(Optional.of(inside), "sleep", "600");
    assertBusy(merged, child, "sleep", "cwd", inside);
  }

  @Test
  void anOpenFileKeepsItUp() throws Exception {
    OsPath merged = up();
    OsPath file = merged.resolve("file");
    Process child = lab.sleeper(ANYWHERE, "sh", "-c", "exec sleep 600 7<" + file);
    assertBusy(merged, child, "sleep", "fd 7", file);
  }

  @Test
  void aMappedFileKeepsItUp() throws Exception {
    Path library =
        List.of(
                "/lib/x86_64-linux-gnu/libm.so.6",
                "/lib/aarch64-linux-gnu/libm.so.6",
                "/lib64/libm.so.6")
            .stream()
            .map(Path::of)
            .filter(Files::exists)
            .findFirst()
            .orElse(Path.of("none"));
    Requires.that(
        "libm", Files.exists(library) ? Optional.empty() : Optional.of("no libm.so.6 found"));
    OsPath lower = lab.layer("a");
    lab.write(lower.resolve("libx.so"), Files.readAllBytes(library));
    OsPath merged = lab.stack("web", lower).up();
    OsPath mapped = merged.resolve("libx.so");
    Process child = lab.sleeper(ANYWHERE, "env", "LD_PRELOAD=" + mapped, "sleep", "600");
    assertBusy(merged, child, "sleep", "mapped", mapped);
  }

  @Test
  void aRunningProgramKeepsItUp() throws Exception {
    OsPath lower = lab.layer("a");
    OsPath program = lower.resolve("sleeper");
    lab.write(program, Files.readAllBytes(Path.of("/bin/sleep")));
    lab.sys.fchmodat(Linux.AT_FDCWD, program, 0755);
    OsPath merged = lab.stack("web", lower).up();
    OsPath running = merged.resolve("sleeper");
    Process child = lab.sleeper(ANYWHERE, running.toString(), "600");
    assertBusy(merged, child, "sleeper", "exe", running);
  }

  @Test
  void severalUsersAreAllNamed() throws Exception {
    OsPath merged = up();
    Process one = lab.sleeper(Optional.of(merged), "sleep", "600");
    Process two = lab.sleeper(Optional.of(merged), "sleep", "600");
    assertSays(
        lab.refusal(() -> lab.down("web")), "pid " + one.pid() + " (", "pid " + two.pid() + " (");
  }

  @Test
  void aMountInsideKeepsItUpAndIsNamed() throws Exception {
    OsPath lower = lab.layer("a", "in side/file=1");
    OsPath merged = lab.stack("web", lower).up();
    OsPath inside = merged.resolve("in side");
    lab.mountTmpfs(inside);

    lab.assertRefused(
        merged.quoted() + " is in use, mounted inside it: " + inside.quoted() + " (EBUSY)",
        () -> lab.down("web"));
    lab.umount(inside);
    lab.down("web");
  }

  @Test
  void anotherStackOnTopKeepsItUpOnlyByItsMounts() throws Exception {
    OsPath merged = up();
    lab.stack("upon", merged).create();
    OsPath upon = lab.up("upon");
    assertEquals("1", lab.read(upon.resolve("file")));
    assertEquals(
        List.of("web", "upon"),
        lab.stacks().namesByDependency().stream().map(StackName::text).toList());

    // the kernel holds a private copy of a layer's mount: the name goes, the file system stays
    MountEntry.Device device = device("web");
    lab.down("web");
    assertEquals(List.of(), lab.mountsOn(merged));
    assertTrue(lab.sys.ustat(device.major(), device.minor()));
    assertEquals("1", lab.read(upon.resolve("file")));
  }

  // ---- detached -----------------------------------------------------------------------------

  @Test
  void lazilyDetachedMountsLiveAsLongAsTheirUsers() throws Exception {
    OsPath merged = up();
    OsPath file = merged.resolve("file");
    Process child = lab.sleeper(ANYWHERE, "sh", "-c", "exec sleep 600 7<" + file);

    lab.downLazily("web");

    lab.assertDown("web");
    assertEquals(List.of(), lab.mountsOn(merged));
    assertEquals("1", lab.read(OsPath.of("/proc/" + child.pid() + "/fd/7")));
    EngineException refused = lab.refusal(() -> lab.up("web"));
    assertSays(refused, "its earlier mount was detached but is still in use by pid " + child.pid());
    assertSays(
        lab.refusal(() -> lab.remove("web")),
        "its earlier mount was detached but is still in use by pid " + child.pid());
    // down again changes nothing
    lab.down("web");
    lab.refusal(() -> lab.up("web"));

    lab.kill(child);
    assertEquals(merged, lab.up("web"));
  }

  @Test
  void anOpenFileOfOurOwnIsEnough() throws Exception {
    OsPath merged = lab.stack("web", lab.layer("a", "file=1")).options("volatile").up();
    OsPath marker = lab.workOf("web").resolve("work/incompat/volatile");
    try (Fd open = new Fd(lab.sys, lab.sys.openat(Linux.AT_FDCWD, merged.resolve("file"), 0, 0))) {
      assertSays(
          lab.refusal(() -> lab.down("web")),
          "pid " + ProcessHandle.current().pid(),
          "fd " + open.number() + " " + merged.resolve("file"));
      lab.downLazily("web");
      assertSays(lab.refusal(() -> lab.up("web")), "detached");
      assertTrue(lab.exists(marker), "what still may write keeps its marker");
    }
    lab.down("web");
    assertFalse(lab.exists(marker));
    assertEquals("1", lab.read(lab.up("web").resolve("file")));
  }

  @Test
  void lazyMountsWithoutUsersAreGoneAtOnce() throws Exception {
    OsPath merged = up();
    lab.downLazily("web");
    assertEquals(merged, lab.up("web"));
  }

  // ---- other mount namespaces ---------------------------------------------------------------

  private Process inNamespace(String propagation) throws Exception {
    Process child =
        lab.sleeper(ANYWHERE, "unshare", "--mount", "--propagation", propagation, "sleep", "600");
    assertTrue(!namespace(child).equals(lab.mountNamespace(ProcessHandle.current().pid())));
    return child;
  }

  private boolean isIn(Process child, OsPath merged) throws ErrnoException {
    String mounts = OsPath.decode(lab.readBytes(OsPath.of("/proc/" + child.pid() + "/mountinfo")));
    return mounts.lines().anyMatch(line -> line.contains(" " + merged + " "));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCopyInAnotherNamespaceIsFoundAndNamed(boolean ownTarget) throws Exception {
    StackLab.Spec spec = lab.stack("web", lab.layer("a", "file=1"));
    OsPath merged = (ownTarget ? spec.at(lab.directory("target")) : spec).up();
    Process child = inNamespace("private");
    assertTrue(isIn(child, merged));
    String where =
        "ovl:web on "
            + merged
            + " in mount namespace "
            + namespace(child)
            + " of pid "
            + child.pid()
            + " (sleep)";

    lab.assertRefused(
        "a copy would stay alive and keep upper and work in use: "
            + where
            + "; end it, or use --lazy to unmount here all the same (EBUSY)",
        () -> lab.down("web"));
    lab.assertUp("web");

    lab.downLazily("web");
    lab.assertDown("web");
    assertEquals(List.of(), lab.mountsOn(merged));
    assertTrue(isIn(child, merged));
    String alive = "a copy of its mount is still alive: " + where + " (EBUSY)";
    lab.assertRefused(alive, () -> lab.up("web"));
    lab.assertRefused(alive, () -> lab.remove("web"));
    lab.assertRefused(alive, () -> lab.stacks().remove(StackLab.name("web"), true));
    // also by one who has no record of it
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.path("none"));
    lab.assertRefused(alive, () -> other.up(StackLab.name("web"), false));

    lab.kill(child);
    assertEquals(merged, lab.up("web"));
    lab.down("web");
    lab.remove("web");
  }

  @Test
  void aCopyThatFollowsGoesAway() throws Exception {
    OsPath parent = lab.directory("parent");
    lab.mountTmpfs(parent);
    lab.propagate(parent, Linux.MS_SHARED);
    OsPath target = lab.directory(parent.resolve("target"));
    lab.stack("web", lab.layer("a", "file=1")).at(target).up();
    Process child = inNamespace("slave");
    assertTrue(isIn(child, target));

    lab.down("web");

    lab.assertDown("web");
    assertFalse(isIn(child, target));
    assertEquals(target, lab.up("web"));
    assertTrue(isIn(child, target), "and comes again");
    lab.down("web");
    lab.remove("web");
  }

  @Test
  void whetherACopyFollowsIsTheParentsMatter() throws Exception {
    // a private mount beneath a shared one: unmounting travels by the parent
    OsPath parent = lab.directory("parent");
    lab.mountTmpfs(parent);
    lab.propagate(parent, Linux.MS_SHARED);
    OsPath target = lab.directory(parent.resolve("target"));
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("web", lower).at(target).propagation(Propagation.PRIVATE).up();
    Process child = inNamespace("slave");
    assertTrue(isIn(child, target));
    lab.down("web");
    assertFalse(isIn(child, target));
    lab.kill(child);
  }

  @Test
  void aSharedMountBeneathAPrivateOneLeavesItsCopies() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath merged = lab.stack("web", lower).propagation(Propagation.SHARED).up();
    Process child = inNamespace("slave");
    assertTrue(isIn(child, merged));

    assertSays(lab.refusal(() -> lab.down("web")), "a copy would stay alive", "pid " + child.pid());

    lab.kill(child);
    lab.down("web");
  }

  @Test
  void aBindMountHereIsACopyToo() throws Exception {
    OsPath merged = up();
    OsPath bound = lab.directory("bound");
    lab.bind(merged, bound);

    EngineException refused = lab.refusal(() -> lab.down("web"));
    assertSays(refused, "a copy would stay alive", bound.toString());

    lab.umount(bound);
    lab.down("web");
    lab.assertDown("web");
  }
}
