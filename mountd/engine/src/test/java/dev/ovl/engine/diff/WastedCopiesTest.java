package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.WastedCopies.Wasted;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an upper holds for nothing, as the kernel copies it up. */
class WastedCopiesTest {
  private static final int BYTES = 8192;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private OverlayLab lab;
  private OsPath base;

  @BeforeEach
  void make() throws ErrnoException {
    Requires.overlay();
    SCRATCH.empty();
    lab = new OverlayLab(SCRATCH.path());
    base = lab.directory("base");
    files.mkdirs(base.resolve("d/sub"), 0755);
    write(base, "d/a", 'a');
    write(base, "d/sub/b", 'b');
    write(base, "c", 'c');
  }

  private void write(OsPath root, String name, char fill) throws ErrnoException {
    byte[] data = new byte[BYTES];
    Arrays.fill(data, (byte) fill);
    files.create(root.resolve(name), data, 0644, false);
  }

  private void chmod(OsPath root, String name, int mode) throws ErrnoException {
    sys.fchmodat(Linux.AT_FDCWD, root.resolve(name), mode);
  }

  /** As mv(1) does it where rename(2) gives EXDEV. */
  private void copy(OsPath from, OsPath to) throws ErrnoException {
    files.create(to, files.read(from).orElseThrow(), 0644, false);
    Timestamp modified = files.lstat(from).orElseThrow().modified();
    sys.utimensat(Linux.AT_FDCWD, to, modified, modified, 0);
  }

  private List<String> wasted(OsPath... layers) throws EngineException {
    List<OsPath> all = List.of(layers);
    return WastedCopies.find(
            sys, View.overlay(all), View.overlay(all.subList(1, all.size())), () -> false)
        .stream()
        .map(WastedCopiesTest::line)
        .toList();
  }

  private static String line(Wasted wasted) {
    return wasted.path()
        + " "
        + wasted.bytes()
        + " "
        + wasted.reason()
        + wasted.from().map(from -> " " + from).orElse("");
  }

  @Test
  void anAttributeOrNothing() throws Exception {
    OsPath upper =
        lab.upper(
            List.of(base),
            ",metacopy=off",
            m -> {
              chmod(m, "d/a", 0600);
              chmod(m, "d/sub/b", 0600);
              chmod(m, "d/sub/b", 0644);
              files.create(m.resolve("d/new"), new byte[10], 0644, false);
              files.remove(m.resolve("c"));
              write(m, "c", 'C');
            });
    assertEquals(
        List.of("/d/a 8192 ATTRIBUTES", "/d/sub/b 8192 UNCHANGED"),
        wasted(upper, base),
        "what is new, and other data of the same length, is none");
  }

  @Test
  void metadataOnlyCopiesHoldNothing() throws Exception {
    OsPath upper =
        lab.upper(
            List.of(base),
            ",redirect_dir=on,metacopy=on",
            m -> {
              chmod(m, "d/a", 0600);
              files.rename(m.resolve("d"), m.resolve("e"));
              files.rename(m.resolve("c"), m.resolve("f"));
            });
    assertEquals(List.of(), wasted(upper, base));
  }

  @Test
  void inARenamedDirectory() throws Exception {
    OsPath upper =
        lab.upper(
            List.of(base),
            ",redirect_dir=on",
            m -> {
              files.rename(m.resolve("d"), m.resolve("e"));
              chmod(m, "e/sub/b", 0600);
            });
    assertEquals(List.of("/e/sub/b 8192 ATTRIBUTES"), wasted(upper, base));
  }

  @Test
  void moves() throws Exception {
    OsPath upper =
        lab.upper(
            List.of(base),
            ",redirect_dir=off",
            m -> {
              files.rename(m.resolve("c"), m.resolve("renamed"));
              files.mkdirs(m.resolve("e/sub"), 0755);
              copy(m.resolve("d/a"), m.resolve("e/a"));
              copy(m.resolve("d/sub/b"), m.resolve("e/sub/b"));
              files.removeTree(m.resolve("d"));
            });
    assertEquals(
        List.of("/e/a 8192 MOVED /d/a", "/e/sub/b 8192 MOVED /d/sub/b", "/renamed 8192 MOVED /c"),
        wasted(upper, base));
  }

  @Test
  void movedOverSomethingElse() throws Exception {
    OsPath upper =
        lab.upper(List.of(base), "", m -> files.rename(m.resolve("c"), m.resolve("d/a")));
    assertEquals(List.of("/d/a 8192 MOVED /c"), wasted(upper, base));
  }

  @Test
  void aDirectoryMadeAnewWithTheSame() throws Exception {
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              OsPath aside = m.resolve("aside");
              copy(m.resolve("d/a"), aside);
              files.removeTree(m.resolve("d"));
              files.mkdirs(m.resolve("d"), 0755);
              files.rename(aside, m.resolve("d/a"));
            });
    assertEquals(List.of("/d/a 8192 MOVED /d/a"), wasted(upper, base));
  }

  @Test
  void aCopyIsNoMove() throws Exception {
    OsPath upper = lab.upper(List.of(base), "", m -> copy(m.resolve("c"), m.resolve("second")));
    assertEquals(List.of(), wasted(upper, base), "both names are seen");
  }

  @Test
  void severalNamesCountOnce() throws Exception {
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              chmod(m, "c", 0600);
              sys.linkat(Linux.AT_FDCWD, m.resolve("c"), Linux.AT_FDCWD, m.resolve("d/link"), 0);
            });
    List<String> wasted = wasted(upper, base);
    assertEquals(1, wasted.size(), wasted::toString);
    assertTrue(wasted.get(0).contains(" 8192 "), wasted::toString);
  }
}
