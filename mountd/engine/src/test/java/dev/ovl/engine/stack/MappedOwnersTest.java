package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.testkit.Requires;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Stacks whose lowers show other owners than they have on disk. */
@Tag("kernel")
class MappedOwnersTest {
  private static final String MAP = "X-mount.idmap=u:0:100000:65536 g:0:200000:65536";

  @RegisterExtension final StackLab lab = new StackLab();
  private OsPath base;

  @BeforeAll
  static void needs() {
    Requires.overlay();
    // a tmpfs whose owners can be mapped; other file systems could before
    Requires.kernel(6, 3);
  }

  @BeforeEach
  void base() throws Exception {
    base = lab.layer("base", "of-root=1", "of-five=1", "d/in=1", "of-nobody=1");
    give(base.resolve("of-five"), 5, 6);
    give(base.resolve("d"), 7, 8);
    give(base.resolve("of-nobody"), 70_000, 70_000);
  }

  private void give(OsPath path, int uid, int gid) throws Exception {
    lab.sys.fchownat(Linux.AT_FDCWD, path, uid, gid, Linux.AT_SYMLINK_NOFOLLOW);
  }

  private void assertOwner(int uid, int gid, OsPath path) throws Exception {
    Statx stat = lab.stat(path);
    assertEquals(uid + ":" + gid, stat.uid() + ":" + stat.gid(), path::quoted);
  }

  @Test
  void ownersAreShownMappedAndStayOnDisk() throws Exception {
    OsPath merged = lab.stack("web", base).options(MAP).up();
    assertOwner(100_000, 200_000, merged);
    assertOwner(100_000, 200_000, merged.resolve("of-root"));
    assertOwner(100_005, 200_006, merged.resolve("of-five"));
    assertOwner(100_007, 200_008, merged.resolve("d"));
    assertOwner(65_534, 65_534, merged.resolve("of-nobody"));
    // what is copied up keeps the owner that it shows
    lab.append(merged.resolve("of-five"), "2");
    lab.write(merged.resolve("d/new"), "n");
    give(merged.resolve("d/new"), 100_001, 200_001);
    OsPath upper = lab.upperOf("web");
    assertOwner(100_005, 200_006, merged.resolve("of-five"));
    assertOwner(100_005, 200_006, upper.resolve("of-five"));
    assertOwner(100_001, 200_001, upper.resolve("d/new"));
    assertOwner(5, 6, base.resolve("of-five"));
    // what has no owner there cannot be copied up
    assertThrows(ErrnoException.class, () -> lab.append(merged.resolve("of-nobody"), "2"));
    assertEquals("fd", lab.report("web").method().word());
    lab.down("web");
    assertOwner(100_005, 200_006, lab.up("web").resolve("of-five"));
    lab.down("web");
    assertEquals(List.of(), lab.mountLines().stream().filter(l -> l.contains("ovl:web")).toList());
    lab.remove("web");
  }

  @Test
  void manyLowersAreMappedAndFolded() throws Exception {
    List<OsPath> layers = new ArrayList<>();
    for (int i = 0; i < 510; i++) {
      layers.add(lab.layer("many" + i, "f" + i + "=x"));
    }
    layers.add(base);
    OsPath merged = lab.stack("web", layers).options(MAP).up();
    assertOwner(100_000, 200_000, merged.resolve("f0"));
    assertOwner(100_000, 200_000, merged.resolve("f509"));
    assertOwner(100_005, 200_006, merged.resolve("of-five"));
    lab.down("web");
  }

  @Test
  void changesAreToldAndNotWrittenElsewhere() throws Exception {
    OsPath merged = lab.stack("web", base).options(MAP).up();
    lab.write(merged.resolve("new"), "n");
    lab.unlink(merged.resolve("of-root"));
    StackName web = StackLab.name("web");
    try (var diff = lab.stacks().compare(web, Progress.NONE, () -> false)) {
      TreeSet<String> lines = new TreeSet<>();
      diff.changes().forEach(change -> lines.add(change.toString()));
      assertEquals(List.of("A /new", "D /of-root"), List.copyOf(lines));
    }
    lab.down("web");
    String why =
        "the owners in its lowers are mapped (X-mount.idmap), and those in its upper are not"
            + " (EOPNOTSUPP)";
    lab.assertRefused(why, () -> lab.stacks().merge(web, Progress.NONE, () -> false));
    lab.assertRefused(
        why, () -> lab.stacks().flatten(web, Optional.empty(), Progress.NONE, () -> false));
    lab.assertRefused(
        why, () -> lab.stacks().commit(web, Optional.empty(), Progress.NONE, () -> false));
    lab.assertRefused(why, () -> lab.stacks().checkPack(web));
  }

  @Test
  void whatCannotBeMappedIsRefused() throws Exception {
    OsPath proc = OsPath.of("/proc/sys");
    lab.stack("web", proc).options(MAP).readOnly().create();
    lab.assertRefused(
        "the owners in /proc/sys cannot be mapped: this kernel does not do that on its file system"
            + " (EINVAL)",
        () -> lab.up("web"));
    lab.assertDown("web");
    OsPath merged = lab.stack("mapped", base).options(MAP).up();
    lab.stack("twice", merged).options(MAP).readOnly().create();
    lab.assertRefused(
        "the owners in "
            + merged.quoted()
            + " cannot be mapped: this kernel does not do that on its file system (EINVAL)",
        () -> lab.up("twice"));
    lab.down("mapped");
    lab.assertRefused(
        "method classic is not possible: it cannot map ids, which fd can",
        () -> lab.stack("other", base).options(MAP).method(MountMethod.CLASSIC).create());
  }
}
