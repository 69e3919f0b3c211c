package dev.ovl.engine.fsck;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Overlays that the kernel made, broken by hand: each way is found, and mended where it can be. */
@Tag("kernel")
class OverlayCheckTest {
  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private Leaks leaks;
  private Patient it;

  @BeforeEach
  void make() throws Exception {
    Requires.overlay();
    SCRATCH.empty();
    leaks = Leaks.beneath(SCRATCH.path());
    it = new Patient(SCRATCH.path(), Patient.REDIRECTING);
  }

  @AfterEach
  void nothingIsLeft() {
    leaks.assertNone();
  }

  private void assertFound(String... lines) throws EngineException, ErrnoException {
    assertEquals(List.of(lines), Patient.lines(it.check()));
  }

  /** Finds it, mends it, finds nothing any more; the kernel shows what is expected. */
  private void assertMended(Trees.Snapshot expected, String... lines) throws Exception {
    assertFound(lines);
    it.repair(new LinuxSyscalls());
    assertFound();
    Trees.assertSame(expected, it.tree());
  }

  /** Finds it, and lets it alone. */
  private void assertLeft(String... lines) throws Exception {
    assertFound(lines);
    it.repair(new LinuxSyscalls());
    assertFound(lines);
    for (Finding finding : it.check()) {
      assertTrue(finding.mend().isEmpty() && finding.reason().isPresent(), finding.toString());
    }
  }

  // ---- redirects ----------------------------------------------------------------------------

  private void move(String from, String to) throws Exception {
    it.mounted(m -> it.files.rename(m.resolve(from), m.resolve(to)));
  }

  @Test
  void aRedirectThatLeadsNowhere() throws Exception {
    move("a", "moved");
    it.mounted(m -> it.write(m, "moved/new"));
    assertFound();
    it.files.removeTree(it.lower.resolve("a"));
    Trees.Snapshot shown = it.tree();
    assertMended(shown, "WHITEOUT_USELESS a", "REDIRECT_DANGLING moved", "ORIGIN_STALE moved");
    assertTrue(it.attribute(it.upper, "moved", "redirect").isEmpty());
  }

  @Test
  void anAbsoluteRedirectThatLeadsNowhere() throws Exception {
    move("b/c", "a/c");
    assertEquals(
        "/b/c", OsPath.of(it.attribute(it.upper, "a/c", "redirect").orElseThrow()).toString());
    assertFound();
    it.files.removeTree(it.lower.resolve("b/c"));
    Trees.Snapshot shown = it.tree();
    assertMended(shown, "REDIRECT_DANGLING a/c", "ORIGIN_STALE a/c", "WHITEOUT_USELESS b/c");
  }

  @Test
  void redirectsThatAreNone() throws Exception {
    move("a", "moved");
    it.mounted(m -> it.write(m, "moved/new"));
    Trees.Snapshot without =
        treeAfter(
            () -> {
              it.files.rename(it.lower.resolve("a"), it.lower.resolve("kept"));
              it.attribute(it.upper, "moved", "opaque", new byte[] {'y'});
            });
    it.files.rename(it.lower.resolve("kept"), it.lower.resolve("a"));
    it.sys.removexattr(it.upper.resolve("moved"), "trusted.overlay.opaque", false);
    for (String bad : List.of("", "x/y", "/a/", "//a", "..", "/a/../b")) {
      it.attribute(it.upper, "moved", "redirect", bad.getBytes(StandardCharsets.US_ASCII));
      assertFound("REDIRECT_MALFORMED moved");
    }
    it.repair(new LinuxSyscalls());
    assertFound();
    it.files.rename(it.lower.resolve("a"), it.lower.resolve("kept"));
    Trees.assertSame(without, it.tree());
  }

  /** Something done to layers. */
  private interface Deed {
    void run() throws Exception;
  }

  private Trees.Snapshot treeAfter(Deed deed) throws Exception {
    deed.run();
    return it.tree();
  }

  @Test
  void oneDirectoryOfALowerTwice() throws Exception {
    move("a", "moved");
    // as who copies an upper's directory with its attributes does
    it.files.mkdir(it.upper.resolve("twin"), 0755);
    it.attribute(it.upper, "twin", "redirect", new byte[] {'a'});
    assertLeft("REDIRECT_TWICE twin");
    it.files.rmdir(it.upper.resolve("twin"));
    assertFound();
    it.files.remove(it.upper.resolve("a"));
    assertLeft("REDIRECT_TWICE moved");
  }

  @Test
  void aRedirectThatIsNotFollowed() throws Exception {
    move("a", "moved");
    it.attribute(it.upper, "moved", "opaque", new byte[] {'y'});
    Trees.Snapshot shown = it.tree();
    assertMended(shown, "REDIRECT_IDLE moved");
  }

  // ---- metadata-only copies -----------------------------------------------------------------

  @Test
  void aCopyWithoutData() throws Exception {
    it.mounted(m -> it.sys.fchmodat(Linux.AT_FDCWD, m.resolve("a/one"), 0600));
    assertFound();
    it.files.remove(it.lower.resolve("a/one"));
    assertFound("DATA_MISSING a/one", "ORIGIN_STALE a/one");
    it.repair(new LinuxSyscalls());
    assertLeft("DATA_MISSING a/one");
    assertTrue(it.files.lstat(it.upper.resolve("a/one")).isPresent());
  }

  // ---- origins ------------------------------------------------------------------------------

  @Test
  void originsThatAreStaleOrNone() throws Exception {
    it.mounted(m -> it.write(m, "file"));
    Trees.Snapshot shown = it.tree();
    it.files.remove(it.lower.resolve("file"));
    assertMended(shown, "ORIGIN_STALE file");
    it.attribute(it.upper, "other", "origin", new byte[] {0, 1, 2});
    assertMended(shown, "ORIGIN_MALFORMED other");
    // of a file system without handles
    it.attribute(it.upper, "other", "origin", new byte[0]);
    assertFound();
  }

  @Test
  void aDirectoryAboveAnotherOne() throws Exception {
    it.mounted(m -> it.write(m, "a/new"));
    byte[] origin = it.attribute(it.upper, "a", "origin").orElseThrow();
    it.mounted(m -> it.write(m, "b/new"));
    Trees.Snapshot shown = it.tree();
    it.attribute(it.upper, "b", "origin", origin);
    assertMended(shown, "ORIGIN_WRONG b");
  }

  @Test
  void anotherLowerThanBefore() throws Exception {
    assertTrue(it.attribute(it.upper, "", "origin").isPresent());
    OsPath kept = it.lab.directory("kept");
    it.files.rmdir(kept);
    it.files.rename(it.lower, kept);
    it.files.mkdir(it.lower, 0755);
    for (OsPath name : it.files.list(kept)) {
      it.files.rename(kept.resolve(name), it.lower.resolve(name));
    }
    Errno refused = assertThrows(ErrnoException.class, () -> it.mounted(m -> {})).errno();
    assertEquals(Errno.ESTALE, refused);
    assertFound("LOWER_CHANGED .");
    it.repair(new LinuxSyscalls());
    assertFound();
    it.mounted(m -> {});
  }

  @Test
  void aLowerThatIsNotThere() throws Exception {
    it.mounted(m -> it.files.remove(m.resolve("file")));
    move("a", "moved");
    assertFound();
    it.files.removeTree(it.lower);
    assertLeft("LAYER_MISSING .");
    // or not mounted
    it.files.mkdir(it.lower, 0755);
    List<Finding> found = it.check();
    assertTrue(Patient.lines(found).contains("LOWER_CHANGED ."), found.toString());
    it.repair(new LinuxSyscalls());
    assertTrue(it.files.lstat(it.upper.resolve("file")).orElseThrow().isWhiteout());
    assertTrue(it.attribute(it.upper, "moved", "redirect").isPresent());
  }

  // ---- marks --------------------------------------------------------------------------------

  @Test
  void whiteoutsOfNothing() throws Exception {
    it.mounted(m -> it.files.remove(m.resolve("a/one")));
    Trees.Snapshot shown = it.tree();
    it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("a/none"), Linux.S_IFCHR, 0, 0);
    assertFound("WHITEOUT_USELESS a/none");
    it.repair(new LinuxSyscalls());
    assertFound();
    // mknod(2) changed the directory's time, and nothing knows what it was
    Trees.Snapshot now = it.tree();
    assertEquals(shown.nodes().keySet(), now.nodes().keySet());
    assertTrue(it.files.lstat(it.upper.resolve("a/one")).orElseThrow().isWhiteout());
  }

  @Test
  void removingAWhiteoutLeavesTheTime() throws Exception {
    it.mounted(m -> it.write(m, "a/new"));
    it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("a/none"), Linux.S_IFCHR, 0, 0);
    assertMended(it.tree(), "WHITEOUT_USELESS a/none");
  }

  @Test
  void whiteoutsThatAreFiles() throws Exception {
    it.files.mkdir(it.upper.resolve("a"), 0755);
    it.files.create(it.upper.resolve("a/one"), new byte[0], 0, false);
    it.attribute(it.upper, "a/one", "whiteout", new byte[] {'y'});
    assertFound("WHITEOUT_UNMARKED a/one");
    it.repair(new LinuxSyscalls());
    assertFound();
    assertArrayEquals(new byte[] {'x'}, it.attribute(it.upper, "a", "opaque").orElseThrow());
    it.files.remove(it.lower.resolve("a/one"));
    assertFound("WHITEOUT_USELESS a/one");
  }

  @Test
  void marksOfTheKernelAreRight() throws Exception {
    it.mounted(
        m -> {
          it.files.mkdir(m.resolve("new"), 0755);
          it.files.removeTree(m.resolve("b"));
          it.files.mkdir(m.resolve("b"), 0755);
          it.write(m, "a/one");
          it.files.remove(m.resolve("a/one"));
        });
    assertArrayEquals(new byte[] {'y'}, it.attribute(it.upper, "new", "opaque").orElseThrow());
    assertTrue(it.attribute(it.upper, "a", "impure").isPresent());
    assertFound();
  }

  @Test
  void aMissingMarkOfCopies() throws Exception {
    it.mounted(m -> it.write(m, "a/one"));
    Trees.Snapshot shown = it.tree();
    it.sys.removexattr(it.upper.resolve("a"), "trusted.overlay.impure", false);
    assertMended(shown, "IMPURE_MISSING a");
  }

  @Test
  void whatALowerHolds() throws Exception {
    it.sys.mknodat(Linux.AT_FDCWD, it.lower.resolve("gone"), Linux.S_IFCHR, 0, 0);
    it.attribute(it.lower, "a", "opaque", new byte[] {'y'});
    it.attribute(it.lower, "b", "redirect", new byte[] {'d'});
    assertEquals(List.of(), Patient.lines(it.check()));
    assertEquals(
        List.of("OPAQUE_USELESS a", "REDIRECT_DANGLING b", "WHITEOUT_USELESS gone"),
        Patient.lines(it.checkLowers()));
    it.repair(new LinuxSyscalls());
    assertEquals(3, it.checkLowers().size());
  }

  // ---- links and index ----------------------------------------------------------------------

  private OsPath index() throws ErrnoException {
    List<OsPath> names = it.files.list(it.work.resolve("index"));
    assertEquals(1, names.size());
    return OsPath.of("index").resolve(names.getFirst());
  }

  @Test
  void wrongNumbersOfLinks() throws Exception {
    it.mounted(m -> it.write(m, "d/x"));
    Trees.Snapshot shown = it.tree();
    assertFound();
    for (String wrong : List.of("U-7", "L-2", "U+99", "none", "U", "")) {
      it.attribute(it.upper, "d/x", "nlink", wrong.getBytes(StandardCharsets.US_ASCII));
      assertMended(shown, "LINKS_WRONG d/x");
    }
  }

  @Test
  void entriesOfTheIndex() throws Exception {
    it.mounted(m -> it.write(m, "d/x"));
    OsPath entry = index();
    Trees.Snapshot shown = it.tree();
    // no handle: the kernel does not mount it
    OsPath strange = OsPath.of("index/strange");
    it.files.create(it.work.resolve(strange), new byte[] {1}, 0600, false);
    assertThrows(ErrnoException.class, () -> it.mounted(m -> {}));
    assertLeft("INDEX_UNKNOWN index/strange");
    it.files.remove(it.work.resolve(strange));
    // of another file
    byte[] origin = it.attribute(it.upper, "d/x", "origin").orElseThrow();
    it.attribute(it.upper, "d/x", "origin", it.attribute(it.upper, "d", "origin").orElseThrow());
    assertFound("INDEX_STALE " + entry);
    it.attribute(it.upper, "d/x", "origin", origin);
    assertFound();
    Trees.assertSame(shown, it.tree());
  }

  @Test
  void anEntryThatNoNameLeadsTo() throws Exception {
    it.mounted(m -> it.write(m, "d/x"));
    OsPath entry = index();
    it.files.remove(it.upper.resolve("d/x"));
    it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("d/x"), Linux.S_IFCHR, 0, 0);
    it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("d/y"), Linux.S_IFCHR, 0, 0);
    it.attribute(it.work, entry.toString(), "nlink", "U-1".getBytes(StandardCharsets.US_ASCII));
    assertFound("INDEX_ORPHAN " + entry);
    it.repair(new LinuxSyscalls());
    assertFound();
    assertTrue(it.files.list(it.work.resolve("index")).isEmpty());
    it.mounted(m -> assertTrue(it.files.list(m.resolve("d")).isEmpty()));
  }

  @Test
  void theIndexOfAnotherUpper() throws Exception {
    it.mounted(m -> it.write(m, "d/x"));
    byte[] other = it.attribute(it.upper, "d/x", "origin").orElseThrow();
    it.attribute(it.work, "index", "upper", other);
    assertThrows(ErrnoException.class, () -> it.mounted(m -> {}));
    assertLeft("INDEX_UNKNOWN index");
  }

  // ---- leftovers ----------------------------------------------------------------------------

  @Test
  void leftInTheWorkDirectory() throws Exception {
    it.mounted(m -> it.files.remove(m.resolve("file")));
    assertFound();
    Trees.Snapshot shown = it.tree();
    it.write(it.work, "work/#3f");
    it.files.mkdirs(it.work.resolve("work/#40/in"), 0700);
    assertMended(shown, "WORK_LEFTOVER work/#3f", "WORK_LEFTOVER work/#40");
  }

  @Test
  void aVolatileMountThatDidNotEnd() throws Exception {
    it.files.mkdirs(it.work.resolve("work/incompat/volatile"), 0700);
    assertLeft("VOLATILE work/incompat");
  }

  @Test
  void movesThatDidNotEnd() throws Exception {
    Trees.Snapshot shown = it.tree();
    // of the library: no journal
    it.write(it.upper, ".ovl-mv-0123456789abcdef");
    it.files.mkdirs(it.upper.resolve(".ovl-mv-00000000000000ff/in"), 0700);
    it.write(it.upper, ".ovl-mv-00000000000000ff/in/x");
    // a user's own
    it.write(it.upper, ".ovl-mv-notes");
    assertFound("MOVE_LEFTOVER .ovl-mv-00000000000000ff", "MOVE_LEFTOVER .ovl-mv-0123456789abcdef");
    it.repair(new LinuxSyscalls());
    assertFound();
    assertTrue(it.files.remove(it.upper.resolve(".ovl-mv-notes")));
    assertEquals(shown.nodes().keySet(), it.tree().nodes().keySet());
  }

  @Test
  void aMoveWithAJournal() throws Exception {
    String stem = ".ovl-mv-0123456789abcdef";
    it.files.mkdirs(it.upper.resolve(stem), 0700);
    it.write(it.upper, stem + "/copy");
    String text =
        "{\"schema\": 1, \"source\": \"/nowhere/at/all\", \"sourceDirectory\": 1,"
            + " \"destination\": \"copy\"}";
    it.files.create(
        it.upper.resolve(stem + ".json"), text.getBytes(StandardCharsets.US_ASCII), 0600, false);
    assertFound("MOVE_LEFTOVER " + stem + ".json");
    it.repair(new LinuxSyscalls());
    assertFound();
    assertFalse(it.files.list(it.upper).contains(OsPath.of(stem)));
  }

  // ---- mounted ------------------------------------------------------------------------------

  @Test
  void anUpperThatIsEditedBelowItsMount() throws Exception {
    it.mounted(
        m -> {
          it.write(m, "a/new");
          assertEquals(List.of(), it.checkWhile(m));
          assertTrue(it.files.lstat(m.resolve("later")).isEmpty());
          it.write(it.upper, "later");
          it.files.lstat(m.resolve("file"));
          it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("file"), Linux.S_IFCHR, 0, 0);
          assertEquals(
              List.of("SHOWN_OTHERWISE file", "SHOWN_OTHERWISE later"),
              Patient.lines(it.checkWhile(m)));
        });
    assertFound();
  }

  // ---- the rest -----------------------------------------------------------------------------

  @Test
  void attributesOfUsers() throws Exception {
    Requires.userAttributesOnTmpfs();
    it = new Patient(SCRATCH.mkdirs("user"), ",userxattr");
    it.mounted(m -> it.files.removeTree(m.resolve("a")));
    assertFound();
    it.sys.mknodat(Linux.AT_FDCWD, it.upper.resolve("none"), Linux.S_IFCHR, 0, 0);
    it.files.mkdirs(it.upper.resolve("b"), 0755);
    it.attribute(it.upper, "b", "redirect", new byte[] {'d'});
    assertFound("REDIRECT_MALFORMED b", "WHITEOUT_USELESS none");
    it.repair(new LinuxSyscalls());
    assertFound();
  }

  @Test
  void aWishToStop() {
    EngineException stopped =
        assertThrows(
            EngineException.class,
            () ->
                OverlayCheck.run(
                    it.sys, it.subject(Optional.empty(), false), Progress.NONE, () -> true));
    assertEquals(Optional.of(Errno.ECANCELED), stopped.errno());
  }
}
