package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an overlay has to do, by each way of mounting it. */
@Tag("kernel")
class MountMethodTest {
  @RegisterExtension final StackLab lab = new StackLab();

  private static void rename(StackLab lab, OsPath from, OsPath to) throws ErrnoException {
    lab.sys.renameat2(Linux.AT_FDCWD, from, Linux.AT_FDCWD, to, 0);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void showsEachLayerAndTheTopmostOfSeveral(MountMethod method) throws Exception {
    OsPath top = lab.layer("top", "both=top", "top=t", "d/top=dt");
    OsPath middle = lab.layer("middle", "both=middle", "middle=m", "d/middle=dm");
    OsPath bottom = lab.layer("bottom", "both=bottom", "bottom=b", "d/bottom=db");

    OsPath merged = lab.stack("web", top, middle, bottom).method(method).up();

    assertEquals(List.of("both", "bottom", "d", "middle", "top"), lab.names(merged));
    assertEquals(List.of("bottom", "middle", "top"), lab.names(merged.resolve("d")));
    assertEquals("top", lab.read(merged.resolve("both")));
    assertEquals("t", lab.read(merged.resolve("top")));
    assertEquals("m", lab.read(merged.resolve("middle")));
    assertEquals("b", lab.read(merged.resolve("bottom")));
    assertEquals("db", lab.read(merged.resolve("d/bottom")));

    // what is in the upper is above all of them
    lab.write(merged.resolve("both"), "upper");
    assertEquals("upper", lab.read(merged.resolve("both")));
    assertEquals("upper", lab.read(lab.upperOf("web").resolve("both")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void writesCopyUpAndLeaveTheLowersAlone(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "d/file=lower", "other=o");
    Trees.Snapshot before = Trees.snapshotWithTimes(lower);
    OsPath merged = lab.stack("web", lower).method(method).up();

    lab.append(merged.resolve("d/file"), "+more");
    lab.write(merged.resolve("d/new"), "new");
    lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("other"), 0600);

    assertEquals("lower+more", lab.read(merged.resolve("d/file")));
    OsPath upper = lab.upperOf("web");
    assertEquals("lower+more", lab.read(upper.resolve("d/file")));
    assertEquals("new", lab.read(upper.resolve("d/new")));
    assertEquals(0600, lab.stat(upper.resolve("other")).permissions());
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void deletedNamesBecomeWhiteoutsInTheUpper(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "d/file=lower", "gone=x");
    Trees.Snapshot before = Trees.snapshotWithTimes(lower);
    OsPath merged = lab.stack("web", lower).method(method).up();

    lab.unlink(merged.resolve("gone"));
    lab.unlink(merged.resolve("d/file"));

    assertFalse(lab.exists(merged.resolve("gone")));
    assertEquals(List.of("d"), lab.names(merged));
    assertEquals(List.of(), lab.names(merged.resolve("d")));
    OsPath upper = lab.upperOf("web");
    for (String name : List.of("gone", "d/file")) {
      Statx node = lab.stat(upper.resolve(name));
      assertEquals(Linux.S_IFCHR, node.mode() & Linux.S_IFMT, name);
      assertEquals(0, node.rdevMajor(), name);
      assertEquals(0, node.rdevMinor(), name);
    }
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void recreatedDirectoriesAreOpaque(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "d/one=1", "d/two=2");
    Trees.Snapshot before = Trees.snapshotWithTimes(lower);
    OsPath merged = lab.stack("web", lower).method(method).up();

    lab.unlink(merged.resolve("d/one"));
    lab.unlink(merged.resolve("d/two"));
    assertTrue(lab.files.rmdir(merged.resolve("d")));
    lab.directory(merged.resolve("d"));
    lab.write(merged.resolve("d/three"), "3");

    assertEquals(List.of("three"), lab.names(merged.resolve("d")));
    OsPath upper = lab.upperOf("web");
    assertEquals(Optional.of("y"), lab.attribute(upper.resolve("d"), "trusted.overlay.opaque"));
    assertEquals(List.of("three"), lab.names(upper.resolve("d")));
    Trees.assertSame(before, Trees.snapshotWithTimes(lower));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void filesCanBeRenamed(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "from=content", "d/x=x");
    OsPath merged = lab.stack("web", lower).method(method).up();

    rename(lab, merged.resolve("from"), merged.resolve("d/to"));

    assertEquals("content", lab.read(merged.resolve("d/to")));
    assertEquals(List.of("d"), lab.names(merged));
    assertTrue(lab.stat(lab.upperOf("web").resolve("from")).isWhiteout());
    assertEquals("content", lab.read(lower.resolve("from")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void lowerDirectoriesCanBeRenamedWithRedirectsOnly(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "p/from/file=content");
    OsPath plain = lab.stack("plain", lower).options("redirect_dir=off").method(method).up();
    OsPath merged = lab.stack("web", lower).options("redirect_dir=on").method(method).up();

    ErrnoException refused =
        assertThrows(
            ErrnoException.class, () -> rename(lab, plain.resolve("p/from"), plain.resolve("to")));
    assertEquals(Errno.EXDEV, refused.errno());

    rename(lab, merged.resolve("p/from"), merged.resolve("to"));
    assertEquals("content", lab.read(merged.resolve("to/file")));
    assertEquals(List.of(), lab.names(merged.resolve("p")));
    assertEquals(
        Optional.of("/p/from"),
        lab.attribute(lab.upperOf("web").resolve("to"), "trusted.overlay.redirect"));

    // the redirect is followed by the next mount
    lab.down("web");
    assertEquals("content", lab.read(lab.up("web").resolve("to/file")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void hardLinksAreOneFile(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "one=1");
    OsPath merged = lab.stack("web", lower).method(method).up();

    lab.sys.linkat(Linux.AT_FDCWD, merged.resolve("one"), Linux.AT_FDCWD, merged.resolve("two"), 0);
    lab.append(merged.resolve("two"), "+2");

    assertEquals("1+2", lab.read(merged.resolve("one")));
    Statx one = lab.stat(merged.resolve("one"));
    assertEquals(2, one.links());
    assertTrue(one.sameFile(lab.stat(merged.resolve("two"))));
    OsPath upper = lab.upperOf("web");
    assertTrue(lab.stat(upper.resolve("one")).sameFile(lab.stat(upper.resolve("two"))));
    assertEquals(1, lab.stat(lower.resolve("one")).links());
    assertEquals("1", lab.read(lower.resolve("one")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void extendedAttributesAreKeptAndOverlaysOwnAreHidden(MountMethod method) throws Exception {
    Requires.userAttributesOnTmpfs();
    OsPath lower = lab.layer("a", "file=1", "d/x=2");
    byte[] value = {0, 1, (byte) 0xff};
    lab.sys.setxattr(lower.resolve("file"), "user.low", value, 0, true);
    lab.sys.setxattr(lower.resolve("file"), "trusted.low", value, 0, true);
    OsPath merged = lab.stack("web", lower).options("redirect_dir=on").method(method).up();
    OsPath file = merged.resolve("file");

    assertArrayEquals(value, lab.sys.getxattr(file, "user.low", true).orElseThrow());
    lab.sys.setxattr(file, "user.high", bytes("u"), 0, true);
    lab.sys.setxattr(file, "trusted.high", bytes("t"), 0, true);
    lab.sys.removexattr(file, "user.low", true);

    SortedSet<String> names = new TreeSet<>(lab.sys.listxattr(file, true));
    names.removeIf(name -> !name.startsWith("user.") && !name.startsWith("trusted."));
    assertEquals(new TreeSet<>(List.of("trusted.high", "trusted.low", "user.high")), names);
    OsPath upper = lab.upperOf("web");
    assertEquals(Optional.of("u"), lab.attribute(upper.resolve("file"), "user.high"));
    assertEquals(Optional.of("t"), lab.attribute(upper.resolve("file"), "trusted.high"));
    assertArrayEquals(
        value, lab.sys.getxattr(upper.resolve("file"), "trusted.low", true).orElseThrow());
    assertEquals(Optional.empty(), lab.attribute(lower.resolve("file"), "user.high"));
    assertArrayEquals(
        value, lab.sys.getxattr(lower.resolve("file"), "user.low", true).orElseThrow());

    rename(lab, merged.resolve("d"), merged.resolve("e"));
    List<String> shown = lab.sys.listxattr(merged.resolve("e"), true);
    assertFalse(
        shown.stream().anyMatch(name -> name.startsWith("trusted.overlay.")), shown::toString);
  }

  // ---- options ------------------------------------------------------------------------------

  private List<String> shown(String name) throws Exception {
    return lab.mountOn(lab.report(name).target()).options();
  }

  private void assertShown(String name, String option) throws Exception {
    assertTrue(shown(name).contains(option), name + " shows " + shown(name));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void newerOverlayOptionsReachTheKernel(MountMethod method) throws Exception {
    Requires.kernel(5, 14);
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("userxattr", lower).options("userxattr").method(method).up();
    lab.stack("uuid", lower).options("uuid=off").method(method).up();
    assertShown("userxattr", "userxattr");
    assertFalse(shown("userxattr").contains("index=on"));
    assertShown("uuid", "uuid=off");
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void overlayOptionsReachTheKernel(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("redirect", lower).options("redirect_dir=on").method(method).up();
    lab.stack("nofollow", lower).options("redirect_dir=nofollow").method(method).up();
    lab.stack("metacopy", lower).options("metacopy=on").method(method).up();
    lab.stack("index", lower).options("index=on").method(method).up();
    // on one file system alone there is nothing that xino could do, and it is not shown
    OsPath elsewhere = lab.directory("elsewhere");
    lab.mountTmpfs(elsewhere);
    lab.stack("xino", elsewhere).options("xino=on").method(method).up();
    lab.stack("noxino", elsewhere).options("xino=off").method(method).up();
    lab.stack("volatile", lower).options("volatile").method(method).up();
    lab.stack("nfs", lower).options("nfs_export=on").method(method).up();

    assertShown("redirect", "redirect_dir=on");
    assertShown("nofollow", "redirect_dir=nofollow");
    assertShown("metacopy", "metacopy=on");
    assertShown("index", "index=on");
    assertShown("xino", "xino=on");
    assertFalse(shown("noxino").contains("xino=on"));
    // fsync= is the newer name of it
    assertTrue(
        shown("volatile").contains("volatile") || shown("volatile").contains("fsync=volatile"),
        () -> "no volatile shown");
    assertShown("nfs", "nfs_export=on");
    assertShown("nfs", "index=on");
    for (String name : List.of("redirect", "metacopy", "xino", "volatile")) {
      assertFalse(shown(name).contains("index=on"), name);
    }

    // metadata-only copies happen, and are complete for their readers
    OsPath merged = lab.report("metacopy").target();
    lab.sys.fchmodat(Linux.AT_FDCWD, merged.resolve("file"), 0600);
    OsPath copy = lab.upperOf("metacopy").resolve("file");
    assertTrue(lab.sys.getxattr(copy, "trusted.overlay.metacopy", false).isPresent());
    assertEquals("1", lab.read(merged.resolve("file")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void genericOptionsBecomeFlagsOfTheMount(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath plain = lab.stack("plain", lower).method(method).up();
    OsPath merged =
        lab.stack("web", lower)
            .options("nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow")
            .method(method)
            .up();
    OsPath strict = lab.stack("strict", lower).options("strictatime").method(method).up();
    OsPath sync = lab.stack("sync", lower).options("sync", "dirsync").method(method).up();

    assertEquals(List.of("rw", "relatime"), lab.mountOn(plain).flags());
    assertEquals(
        List.of("rw", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"),
        lab.mountOn(merged).flags());
    assertEquals(List.of("rw"), lab.mountOn(strict).flags());
    assertTrue(lab.mountOn(sync).options().containsAll(List.of("sync", "dirsync")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void readOnlyIsReadOnlyDespiteAnUpper(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath merged = lab.stack("web", lower).options("ro").method(method).up();

    StackLab.Line line = lab.mountOn(merged);
    assertEquals("ro", line.flags().get(0));
    assertEquals("ro", line.options().get(0));
    ErrnoException refused =
        assertThrows(ErrnoException.class, () -> lab.write(merged.resolve("new"), "x"));
    assertEquals(Errno.EROFS, refused.errno());
  }

  // ---- the mount itself ---------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void theMountIsNamedForItsStack(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    int before = lab.mountLines().size();
    OsPath merged = lab.stack("web", lower).method(method).up();

    StackLab.Line line = lab.mountOn(merged);
    assertEquals(OsPath.of("ovl:web"), line.source());
    assertEquals("overlay", line.type());
    assertEquals(before + 1, lab.mountLines().size());
    StackReport report = lab.report("web");
    assertEquals(method, report.method());
    assertFalse(report.nested());
    assertEquals(merged, report.target());
    assertTrue(report.state() instanceof StackState.Up, report::toString);
    assertEquals(OsPath.of("ovl:web"), report.state().mounted().orElseThrow().source());

    assertEquals(merged, lab.up("web"));
    assertEquals(before + 1, lab.mountLines().size(), "up twice is up once");
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void downAndRemoveLeaveTheLowersAndNothingElse(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath other = lab.layer("b", "file=2");
    OsPath target = lab.directory("target");
    Trees.Snapshot layers = Trees.snapshotWithTimes(lab.path("layers"));
    lab.stack("first", lower).create();
    lab.remove("first");
    Trees.Snapshot empty = Trees.snapshot(lab.root());
    List<String> mounts = lab.mountLines();

    for (Optional<OsPath> at : List.of(Optional.<OsPath>empty(), Optional.of(target))) {
      StackLab.Spec spec = lab.stack("web", lower, other).method(method);
      at.ifPresent(spec::at);
      OsPath merged = spec.up();
      assertEquals(at.orElse(merged), merged);
      lab.write(merged.resolve("file"), "changed");

      lab.down("web");
      lab.assertDown("web");
      assertEquals(mounts, lab.mountLines());
      assertEquals(at.isPresent(), lab.exists(merged), "the driver's own target goes, yours stays");
      lab.down("web");

      // what was written stays until the stack goes
      assertEquals("changed", lab.read(lab.up("web").resolve("file")));
      lab.down("web");
      lab.remove("web");
      Trees.assertSame(empty, Trees.snapshot(lab.root()));
      assertEquals(List.of(), lab.stacks().names());
    }
    Trees.assertSame(layers, Trees.snapshotWithTimes(lab.path("layers")));
    assertTrue(lab.exists(target));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aUsersUpperIsUsedAndNeverDeleted(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("mine/upper");
    OsPath work = lab.directory("mine/work");
    OsPath target = lab.directory("target");
    OsPath merged = lab.stack("web", lower).upper(upper, work).at(target).method(method).up();

    assertEquals(target, merged);
    lab.write(merged.resolve("file"), "changed");
    assertEquals("changed", lab.read(upper.resolve("file")));
    lab.down("web");
    lab.remove("web");
    assertEquals("changed", lab.read(upper.resolve("file")));
    assertTrue(lab.exists(work));
  }

  // ---- propagation --------------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void propagationIsSet(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    // a shared parent with a peer: what is mounted beneath it appears, shared, in both
    OsPath parent = lab.directory("parent");
    lab.mountTmpfs(parent);
    lab.propagate(parent, Linux.MS_SHARED);
    OsPath peer = lab.directory("peer");
    lab.bind(parent, peer);

    for (String name : List.of("unset", "shared", "slave", "private", "unbindable")) {
      OsPath target = lab.directory(parent.resolve(name));
      StackLab.Spec spec = lab.stack(name, lower).at(target).method(method);
      if (!name.equals("unset")) {
        spec.propagation(Propagation.of(name));
      }
      spec.up();
    }

    assertTagged("shared:\\d+", parent.resolve("unset"));
    assertTagged("shared:\\d+", parent.resolve("shared"));
    assertTagged("master:\\d+", parent.resolve("slave"));
    assertEquals(List.of(), lab.mountOn(parent.resolve("private")).tags());
    assertTagged("unbindable", parent.resolve("unbindable"));
    assertTagged("shared:\\d+", peer.resolve("unset"));

    for (String name : List.of("unset", "shared", "slave", "private", "unbindable")) {
      lab.assertUp(name);
      lab.down(name);
      assertEquals(List.of(), lab.mountsOn(parent.resolve(name)), name);
      assertEquals(List.of(), lab.mountsOn(peer.resolve(name)), name);
      lab.remove(name);
    }
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aMountBeneathAPrivateOneCanBeShared(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath unset = lab.stack("unset", lower).method(method).up();
    OsPath shared = lab.stack("shared", lower).propagation(Propagation.SHARED).method(method).up();

    assertEquals(List.of(), lab.mountOn(unset).tags());
    assertTagged("shared:\\d+", shared);
  }

  private void assertTagged(String pattern, OsPath point) throws ErrnoException {
    List<String> tags = lab.mountOn(point).tags();
    assertEquals(1, tags.size(), () -> point.quoted() + " " + tags);
    assertTrue(tags.get(0).matches(pattern), () -> point.quoted() + " " + tags);
  }
}
