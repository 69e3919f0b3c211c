package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.probe.Probe;
import dev.ovl.engine.stack.CrashingProcess.Moment;
import dev.ovl.engine.stack.Leftover.Kind;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each leftover is named, swept, and nothing besides is touched. */
@Tag("kernel")
@Tag("slow")
class LeftoversTest {
  private static final String ID = "0123456789abcdef".repeat(4);
  private static final String LINK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

  @RegisterExtension final StackLab lab = new StackLab();
  @RegisterExtension static final Scratch LOWERS = Scratch.tmpfs();

  private OsPath lower;
  private OsPath home;

  /** One stack that is up and one that is down, which all of this is not about. */
  @BeforeEach
  void bystanders() throws Exception {
    lower = lab.layer("a", "file=1");
    home = lab.root().resolve("overlay2");
    lab.write(lab.stack("up", lower).up().resolve("written"), "2");
    lab.stack("down", lower).readOnly().create();
    assertEquals(List.of(), lab.stacks().leftovers());
  }

  private Leftover only(Kind kind) throws EngineException, ErrnoException {
    List<Leftover> found = lab.stacks().leftovers();
    assertEquals(1, found.size(), found::toString);
    assertEquals(kind, found.get(0).kind());
    assertFalse(kind.remedy().isEmpty());
    return found.get(0);
  }

  /** Something that makes a leftover. */
  private interface Mess {
    void make() throws Exception;
  }

  /** What the mess makes is named, and gone after a sweep; all else is as it was. */
  private Leftover assertSwept(Kind kind, OsPath place, Mess mess) throws Exception {
    Trees.Snapshot root = Trees.snapshot(lab.root());
    Trees.Snapshot run = Trees.snapshot(lab.run());
    List<String> mounts = lab.mountLines();
    mess.make();
    Leftover leftover = only(kind);
    assertEquals(place, leftover.place());
    assertTrue(kind.isSwept());
    assertTrue(lab.stacks().sweep(leftover));
    assertEquals(List.of(), lab.stacks().leftovers());
    Trees.assertSame(root, Trees.snapshot(lab.root()));
    Trees.assertSame(run, Trees.snapshot(lab.run()));
    assertEquals(mounts, lab.mountLines());
    assertFalse(lab.stacks().sweep(leftover), "swept twice");
    lab.assertUp("up");
    lab.assertDown("down");
    return leftover;
  }

  // ---- what a later command clears, too -------------------------------------------------------

  @Test
  void anOperationThatDied() throws Exception {
    OsPath entry = lab.root().resolve("journal/web.json");
    Leftover leftover =
        assertSwept(
            Kind.OPERATION,
            entry,
            () -> {
              new Journal(lab.sys, lab.root())
                  .begin(
                      new Journal.Entry(
                          StackLab.name("web"),
                          Overlay2Home.NAME,
                          List.of(new LayerId(ID)),
                          List.of(LINK)));
              lab.write(home.resolve(ID + "/diff/file"), "x");
              lab.files.symlink(lower, home.resolve("l/" + LINK));
            });
    assertEquals(Optional.of(StackLab.name("web")), leftover.stack());
    OsPath temporary = Files.temporary(entry);
    assertSwept(Kind.OPERATION, temporary, () -> lab.write(temporary, "{"));
    // as a power failure leaves it
    assertSwept(Kind.OPERATION, entry, () -> lab.write(entry, ""));
    lab.write(lab.root().resolve("journal/down.json"), "");
    lab.up("down");
    lab.down("down");
    lab.stacks().recover();
  }

  @Test
  void anOperationUnderWayIsNone() throws Exception {
    List<Leftover> all = new ArrayList<>();
    lab.runOn(
        new ObservedSyscalls(lab.sys) {
          private boolean looking;

          @Override
          protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
            boolean changes =
                List.of("symlinkat", "mkdirat", "renameat2", "unlinkat")
                    .contains(invocation.name());
            if (changes && !looking) {
              looking = true;
              try (Stacks other = new Stacks(new LinuxSyscalls(), lab.root(), lab.run())) {
                all.addAll(other.leftovers());
              } catch (EngineException e) {
                throw new AssertionError(e);
              } finally {
                looking = false;
              }
            }
            return invocation.perform();
          }
        });
    lab.stack("web", lower).up();
    lab.down("web");
    lab.remove("web");
    assertEquals(List.of(), all);
  }

  @Test
  void theLockOfNoStack() throws Exception {
    OsPath file = lab.root().resolve("stacks/.ghost.lock");
    assertSwept(Kind.LOCK_FILE, file, () -> lab.write(file, ""));

    Locks others = new Locks(lab.sys, Duration.ZERO);
    try (Locks.Held held = others.acquire(file, "ghost")) {
      assertEquals(List.of(), lab.stacks().leftovers(), "a lock that is held");
      Leftover forged = new Leftover(Kind.LOCK_FILE, file, Optional.empty(), "");
      assertFalse(lab.stacks().sweep(forged));
      assertTrue(lab.exists(file));
      held.removeFile();
    }
  }

  @Test
  void aMountOfADeadProcess() throws Exception {
    OsPath place = lab.directory(lab.run().resolve("nested")).resolve("999999999-1");
    assertSwept(
        Kind.SCRATCH_MOUNT,
        place,
        () -> {
          lab.directory(place);
          lab.mountTmpfs(place);
        });
    lab.directory(lab.run().resolve("nested/1-1"));
    assertEquals(List.of(), lab.stacks().leftovers(), "of a living process");
    lab.files.rmdir(lab.run().resolve("nested/1-1"));
  }

  // ---- layers and links -----------------------------------------------------------------------

  @Test
  void aLayerOfNoStack() throws Exception {
    OsPath layer = home.resolve(ID);
    Leftover empty = assertSwept(Kind.LAYER, layer, this::layerOfLostStack);
    assertFalse(empty.holdsData());
    Leftover full =
        assertSwept(
            Kind.LAYER,
            layer,
            () -> {
              layerOfLostStack();
              lab.write(layer.resolve("diff/d/file"), "x");
              lab.directory(layer.resolve("work/work"));
              lab.directory(layer.resolve("merged"));
            });
    assertTrue(full.holdsData());
    OsPath half = home.resolve(ID + "-removing");
    assertSwept(Kind.OPERATION, half, () -> lab.write(half.resolve("diff/file"), "x"));
    OsPath unfinished = home.resolve(".tmp-" + ID);
    assertSwept(Kind.OPERATION, unfinished, () -> lab.directory(unfinished.resolve("diff")));
  }

  /** An empty layer above a plain directory that says that it is a stack's own. */
  private void layerOfLostStack() throws Exception {
    lab.directory(home.resolve(ID + "/diff"));
    lab.files.symlink(OsPath.of("lost"), home.resolve(ID + "/stack"));
    lab.write(home.resolve(ID + "/lower"), "l/" + LINK);
    lab.files.symlink(lower, home.resolve("l/" + LINK));
  }

  @Test
  void layersOfOthersAreNone() throws Exception {
    lab.directory(home.resolve(ID + "/diff"));
    lab.files.symlink(OsPath.of("../" + ID + "/diff"), home.resolve("l/" + LINK));
    OsPath child = home.resolve(ID.replace('0', '1'));
    lab.directory(child.resolve("diff"));
    lab.write(child.resolve("lower"), "l/" + LINK);
    assertEquals(List.of(), lab.stacks().leftovers());
    lab.unlink(home.resolve("l/" + LINK));
    assertEquals(List.of(), lab.stacks().leftovers(), "a link that is lost proves nothing");
    lab.files.symlink(OsPath.of("lost"), child.resolve("stack"));
    lab.write(child.resolve("committed"), "");
    assertEquals(
        List.of(), lab.stacks().leftovers(), "what a stack gave away is a layer of its own");
  }

  @Test
  void aLayerThatSomebodyUsesStays() throws Exception {
    OsPath layer = home.resolve(ID);
    OsPath target = lab.directory("target");
    layerOfLostStack();
    lab.directory(layer.resolve("work"));
    Leftover leftover = only(Kind.LAYER);
    String options =
        "lowerdir=" + lower + ",upperdir=" + layer + "/diff,workdir=" + layer + "/work";
    lab.sys.mount(
        OsPath.of("theirs"), target, "overlay", 0, options.getBytes(StandardCharsets.UTF_8));
    assertEquals("it is in use: theirs on " + target + " (EBUSY)", refusal(leftover));
    lab.umount(target);

    lab.files.symlink(lab.root(), lab.path("root-by-another-name"));
    OsPath within = lab.path("root-by-another-name").resolve("overlay2").resolve(ID + "/diff");
    lab.stack("user", within).create();
    assertEquals("a stack uses " + within + " (EBUSY)", refusal(leftover));
    assertTrue(lab.exists(layer.resolve("diff")));
    lab.remove("user");
    assertTrue(lab.stacks().sweep(leftover));
  }

  @ParameterizedTest
  @EnumSource(names = {"CLASSIC", "RELATIVE", "FD"})
  void aLayerWhoseDefinitionWasLostWhileItIsMounted(MountMethod method) throws Exception {
    OsPath target = lab.stack("web", lower).method(method).at(lab.directory("target")).up();
    lab.write(target.resolve("written"), "3");
    OsPath upper = lab.upperOf("web");
    lab.unlink(lab.root().resolve("stacks/web.json"));
    Leftover layer = ofKind(Kind.LAYER);
    assertEquals(upper.parent(), layer.place());
    assertTrue(layer.holdsData());

    String message = refusal(layer);
    if (method == MountMethod.FD) {
      // its options show a number
      assertEquals("it is the upper of some overlay (EBUSY)", message);
    } else {
      assertEquals("it is in use: ovl:web on " + target + " (EBUSY)", message);
    }
    try (Fd user = lab.files.openPath(target)) {
      lab.sys.umount2(target, Linux.MNT_DETACH);
      assertEquals("it is the upper of some overlay (EBUSY)", refusal(layer));
    }
    assertEquals("3", lab.read(upper.resolve("written")));
    assertTrue(lab.stacks().sweep(layer));
    assertFalse(lab.exists(upper.parent()));
  }

  private Leftover ofKind(Kind kind) throws EngineException, ErrnoException {
    return lab.stacks().leftovers().stream()
        .filter(leftover -> leftover.kind() == kind)
        .findFirst()
        .orElseThrow();
  }

  private String refusal(Leftover leftover) {
    return assertThrows(EngineException.class, () -> lab.stacks().sweep(leftover)).getMessage();
  }

  @Test
  void aLinkOfNoStack() throws Exception {
    OsPath link = home.resolve("l/" + LINK);
    assertSwept(Kind.LINK, link, () -> lab.files.symlink(lower, link));
    OsPath half = Files.temporary(link);
    assertSwept(Kind.LINK, half, () -> lab.files.symlink(lower, half));
  }

  @Test
  void whatIsNotOvlsIsNotTouched() throws Exception {
    for (String name : List.of("notes", ID + "x", ID.toUpperCase(Locale.ROOT))) {
      lab.directory(home.resolve(name));
    }
    lab.write(home.resolve("l/README"), "x");
    lab.write(home.resolve("l/" + LINK), "no link");
    assertEquals(List.of(), lab.stacks().leftovers());
  }

  @Test
  void aLinkThatPointsNowhere() throws Exception {
    OsPath other = lab.layer("b");
    StackDefinition stack = lab.stack("web", other).create();
    lab.files.rmdir(other);
    Leftover leftover = only(Kind.DANGLING_LINK);
    OsPath link = home.resolve("l").resolve(stack.lowers().get(0).link().orElseThrow());
    assertEquals(link, leftover.place());
    assertEquals(other + " does not exist", leftover.what());
    assertFalse(leftover.kind().isSwept());
    assertFalse(lab.stacks().sweep(leftover));
    assertTrue(lab.exists(link));
  }

  @Test
  void whatCannotBeReadMayNameAnything() throws Exception {
    layerOfLostStack();
    Leftover layer = only(Kind.LAYER);
    lab.files.symlink(lower, home.resolve("l/" + LINK.replace('A', 'B')));
    for (String file : List.of("stacks/torn.json", "journal/torn.json")) {
      OsPath torn = lab.root().resolve(file);
      lab.write(torn, "{");
      List<Kind> kinds = lab.stacks().leftovers().stream().map(Leftover::kind).toList();
      assertTrue(kinds.contains(Kind.UNREADABLE), kinds::toString);
      assertFalse(kinds.contains(Kind.LAYER), kinds::toString);
      assertFalse(kinds.contains(Kind.LINK), kinds::toString);
      assertFalse(lab.stacks().sweep(layer));
      assertTrue(lab.exists(layer.place()));
      lab.unlink(torn);
    }
    assertTrue(lab.stacks().sweep(layer));
  }

  // ---- the rest -------------------------------------------------------------------------------

  @Test
  void theRecordOfAMountThatIsGone() throws Exception {
    OsPath target = lab.directory("target");
    lab.stack("web", lower).at(target).options("volatile").create();
    OsPath records =
        lab.run().resolve("stacks").resolve(lab.files.list(lab.run().resolve("stacks")).get(0));
    OsPath marker = lab.workOf("web").resolve("work/incompat/volatile");
    lab.up("web");
    lab.umount(target);
    assertTrue(lab.exists(marker));
    Leftover leftover = only(Kind.MOUNT_RECORD);
    assertEquals(records.resolve("web"), leftover.place());
    assertTrue(lab.stacks().sweep(leftover));
    assertFalse(lab.exists(records.resolve("web")));
    assertFalse(lab.exists(marker), "a mount of this boot was not lost in a crash");
    lab.up("web");
    assertEquals(List.of(), lab.stacks().leftovers());
    assertFalse(lab.stacks().sweep(leftover), "the record of a mount");
    lab.assertUp("web");
    lab.down("web");

    OsPath foreign = records.resolve("nobodys");
    assertSwept(Kind.MOUNT_RECORD, foreign, () -> lab.write(foreign, "from another boot"));
  }

  @Test
  void theDirectoryOfAProbe() throws Exception {
    OsPath probe = lab.root().resolve(".ovl-probe-0123456789abcdef");
    Mess old =
        () -> {
          lab.write(probe.resolve("lower/deleted"), "x");
          Timestamp longAgo = new Timestamp(1_000_000_000, 0);
          lab.sys.utimensat(Linux.AT_FDCWD, probe, longAgo, longAgo, 0);
        };
    Leftover leftover = assertSwept(Kind.PROBE_DIRECTORY, probe, old);

    lab.write(probe.resolve("file"), "x");
    assertEquals(List.of(), lab.stacks().leftovers(), "too young to be abandoned");
    assertFalse(lab.stacks().sweep(leftover));
    old.make();
    try (Fd lock = lab.files.openDirectory(probe)) {
      lab.sys.flock(lock.number(), Linux.LOCK_EX);
      assertEquals(List.of(), lab.stacks().leftovers(), "a probe that is at work");
      assertFalse(lab.stacks().sweep(leftover));
    }
    assertTrue(lab.stacks().sweep(leftover));
  }

  @Test
  void aProbeAtWorkHoldsItsDirectory() throws Exception {
    List<Boolean> free = new ArrayList<>();
    new Probe(
            new ObservedSyscalls(lab.sys) {
              @Override
              protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
                if (invocation.name().equals("fsetxattr")) {
                  OsPath probe =
                      lab.files.list(lab.root()).stream()
                          .filter(name -> name.toString().startsWith(".ovl-probe-"))
                          .findFirst()
                          .orElseThrow();
                  try (Fd fd = lab.files.openDirectory(lab.root().resolve(probe))) {
                    free.add(lab.sys.flock(fd.number(), Linux.LOCK_EX | Linux.LOCK_NB));
                  }
                }
                return invocation.perform();
              }
            },
            lab.root())
        .run();
    assertEquals(List.of(false, false), free);
  }

  // ---- crashes and company --------------------------------------------------------------------

  /** A process that creates a stack dies; all it left is named, and a sweep of that is enough. */
  @ParameterizedTest
  @ValueSource(ints = {7, 11, 15, 19})
  void whatACreationLeaves(int n) throws Exception {
    LOWERS.empty();
    Site.makeLowers(LOWERS.path());
    Site site = new Site(lab.directory("site"), LOWERS.path());
    site.make();
    Process process =
        lab.start(
            Optional.empty(),
            ProcessHandle.current().info().command().orElseThrow(),
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            CrashingProcess.class.getName(),
            Operation.CREATE.name(),
            site.base().toString(),
            LOWERS.path().toString(),
            Moment.AFTER_CHANGE.name(),
            String.valueOf(n));
    assertEquals(FaultInjector.KILLED, process.waitFor());
    try (Stacks stacks = site.stacks(lab.sys)) {
      List<Leftover> left = stacks.leftovers();
      assertFalse(left.isEmpty());
      for (Leftover leftover : left) {
        stacks.sweep(leftover);
      }
      assertEquals(List.of(), stacks.leftovers());
      site.assertWhole();
      stacks.down(Site.OTHER, false);
    }
  }

  @Test
  void whatIsBeingMadeSurvivesEverySweep() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Stacks theirs = lab.stacks(lab.sys, lab.root(), lab.run());
    Thread maker =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; !stop.get(); i++) {
                      StackName name = StackLab.name("web" + i % 3);
                      StackDefinition made = theirs.create(lab.stack(name.text(), lower).request());
                      OsPath target = theirs.up(name, false);
                      assertEquals("1", lab.read(target.resolve("file")));
                      lab.write(target.resolve("new"), "3");
                      assertTrue(made.links().allMatch(link -> isThere(home.resolve("l/" + link))));
                      theirs.down(name, false);
                      theirs.remove(name, false);
                    }
                  } catch (Throwable e) {
                    failure.set(e);
                  }
                });
    try {
      long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
      while (System.nanoTime() < end && failure.get() == null) {
        // between the making of a lock file and its locking it looks like a stray one
        List<Leftover> found = new ArrayList<>(lab.stacks().leftovers());
        found.removeIf(leftover -> leftover.kind() == Kind.LOCK_FILE);
        assertEquals(List.of(), found);
        for (OsPath layer : lab.files.list(home)) {
          assertStays(new Leftover(Kind.LAYER, home.resolve(layer), Optional.empty(), ""));
        }
        for (OsPath link : lab.files.list(home.resolve("l"))) {
          OsPath path = home.resolve("l").resolve(link);
          assertStays(new Leftover(Kind.LINK, path, Optional.empty(), ""));
        }
        StackName name = StackLab.name("web1");
        assertStays(new Leftover(Kind.MOUNT_RECORD, home, Optional.of(name), ""));
      }
    } finally {
      stop.set(true);
      maker.join();
    }
    if (failure.get() != null) {
      throw new AssertionError(failure.get());
    }
    assertEquals(List.of(), lab.stacks().leftovers());
  }

  private boolean isThere(OsPath path) {
    try {
      return lab.exists(path);
    } catch (ErrnoException e) {
      throw new AssertionError(e);
    }
  }

  private void assertStays(Leftover forged) throws EngineException, ErrnoException {
    assertFalse(lab.stacks().sweep(forged), () -> "swept " + forged);
  }
}
