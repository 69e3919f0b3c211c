package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Stacks without an upper, and uppers that are not to be written. */
@Tag("kernel")
class ReadOnlyTest {
  @RegisterExtension final StackLab lab = new StackLab();

  private static void assertReadOnly(Executable action) {
    assertEquals(Errno.EROFS, assertThrows(ErrnoException.class, action).errno());
  }

  private void assertNothingCanBeWritten(OsPath merged) {
    OsPath file = merged.resolve("file");
    assertReadOnly(() -> lab.write(merged.resolve("new"), "x"));
    assertReadOnly(() -> lab.append(file, "x"));
    assertReadOnly(() -> lab.unlink(file));
    assertReadOnly(() -> lab.sys.mkdirat(Linux.AT_FDCWD, merged.resolve("dir"), 0755));
    assertReadOnly(() -> lab.sys.fchmodat(Linux.AT_FDCWD, file, 0600));
    assertReadOnly(() -> lab.sys.setxattr(file, "user.x", new byte[] {1}, 0, true));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void severalLowersAlone(MountMethod method) throws Exception {
    OsPath top = lab.layer("top", "file=top", "top=t");
    OsPath bottom = lab.layer("bottom", "file=bottom", "bottom=b", "gone=g");
    lab.whiteout(top.resolve("gone"));
    Trees.Snapshot before = Trees.snapshotWithTimes(lab.path("layers"));

    OsPath merged = lab.stack("web", top, bottom).readOnly().method(method).up();

    assertEquals(List.of("bottom", "file", "top"), lab.names(merged));
    assertEquals("top", lab.read(merged.resolve("file")));
    assertNothingCanBeWritten(merged);
    assertEquals(Optional.empty(), lab.report("web").upper());
    assertEquals("ro", lab.mountOn(merged).flags().get(0));
    assertEquals(List.of(), lab.mountOn(merged).values("upperdir"));
    lab.down("web");
    Trees.assertSame(before, Trees.snapshotWithTimes(lab.path("layers")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aSingleLowerShowsNoRawWhiteouts(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1", "d/kept=k", "opaque/o=o");
    lab.whiteout(lower.resolve("gone"));
    lab.whiteout(lower.resolve("d/gone"));
    lab.opaque(lower.resolve("opaque"));

    OsPath merged = lab.stack("web", lower).readOnly().method(method).up();

    assertEquals(List.of("d", "file", "opaque"), lab.names(merged));
    assertFalse(lab.exists(merged.resolve("gone")));
    assertFalse(lab.exists(merged.resolve("d/gone")));
    assertEquals("k", lab.read(merged.resolve("d/kept")));
    assertEquals(List.of("o"), lab.names(merged.resolve("opaque")));
    assertFalse(
        lab.sys.listxattr(merged.resolve("opaque"), true).contains("trusted.overlay.opaque"));
    assertNothingCanBeWritten(merged);
    StackReport report = lab.report("web");
    assertEquals(List.of(lower), report.definition().lowers().stream().map(l -> l.path()).toList());
    assertEquals(method, report.method());
    lab.assertUp("web");
    lab.down("web");
    lab.remove("web");
    assertEquals(List.of(), lab.names(lab.root().resolve("overlay2/l")));
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void aUsersTarget(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath target = lab.directory("target");
    lab.stack("web", lower).readOnly().at(target).method(method).up();

    assertEquals("1", lab.read(target.resolve("file")));
    assertNothingCanBeWritten(target);
    // nothing tells it from another one but its place
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.path("none"));
    assertTrue(other.state(StackLab.name("web")) instanceof StackState.Up);
    assertEquals(
        List.of(),
        lab.files.list(lab.root().resolve("overlay2")).stream()
            .filter(name -> name.length() == 64)
            .toList());
    lab.down("web");
    assertEquals(List.of(), lab.names(target));
  }

  @ParameterizedTest
  @MethodSource("dev.ovl.engine.stack.ReadOnlyTest#nestable")
  void moreThan500LowersAlone(MountMethod method) throws Exception {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < 502; i++) {
      layers.add(lab.layer(String.valueOf(i), "f" + i + "=" + i, "file=" + i));
    }
    OsPath merged = lab.stack("many", layers).readOnly().folding(method).up();

    assertEquals(503, lab.names(merged).size());
    assertEquals("0", lab.read(merged.resolve("file")));
    assertEquals("501", lab.read(merged.resolve("f501")));
    assertNothingCanBeWritten(merged);
  }

  static List<MountMethod> nestable() {
    return List.of(MountMethod.LOWERDIR_PLUS, MountMethod.FD);
  }

  @ParameterizedTest
  @EnumSource(MountMethod.class)
  void theOptionRoKeepsTheUpper(MountMethod method) throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    lab.write(upper.resolve("own"), "o");
    lab.whiteout(upper.resolve("file2"));
    lab.write(lower.resolve("file2"), "2");

    OsPath merged = lab.stack("web", lower).upper(upper, work).options("ro").method(method).up();

    assertEquals(List.of("file", "own"), lab.names(merged));
    assertNothingCanBeWritten(merged);
    assertTrue(lab.report("web").options().contains("ro"));
    lab.down("web");
    assertEquals("o", lab.read(upper.resolve("own")));
  }

  @Test
  void anUpperAndReadOnlyExcludeEachOther() throws Exception {
    OsPath lower = lab.layer("a");
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    EngineException refused =
        lab.refusal(() -> lab.stack("web", lower).upper(upper, work).readOnly().create());
    assertEquals("a read-only stack has no upper", refused.getMessage());
    assertEquals(EngineException.Kind.USAGE, refused.kind());
  }
}
