package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each case on its own, with what is to be told, and proven in mounts. */
@Tag("kernel")
@Tag("slow")
class TreeDiffTest {
  private static final String REDIRECT = ",redirect_dir=on";
  private static final String METACOPY = ",redirect_dir=on,metacopy=on";

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private OverlayLab lab;
  private OsPath base;
  private Leaks leaks;

  @BeforeEach
  void make() throws ErrnoException {
    Requires.overlay();
    SCRATCH.empty();
    lab = new OverlayLab(SCRATCH.path());
    base = lab.directory("base");
    leaks = Leaks.beneath(SCRATCH.path());
  }

  @AfterEach
  void nothingIsLeft() {
    leaks.assertNone();
  }

  // ---- what a test says -----------------------------------------------------------------------

  private void write(OsPath root, String name, String text) throws ErrnoException {
    OsPath path = root.resolve(name);
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0644))) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(Math.max(1, text.length()));
      buffer.put(text.getBytes(StandardCharsets.ISO_8859_1)).flip();
      sys.write(fd.number(), buffer);
    }
  }

  private void mkdirs(OsPath root, String name) throws ErrnoException {
    files.mkdirs(root.resolve(name), 0755);
  }

  private void rename(OsPath root, String from, String to, int flags) throws ErrnoException {
    sys.renameat2(Linux.AT_FDCWD, root.resolve(from), Linux.AT_FDCWD, root.resolve(to), flags);
  }

  private void link(OsPath root, String from, String to) throws ErrnoException {
    sys.linkat(Linux.AT_FDCWD, root.resolve(from), Linux.AT_FDCWD, root.resolve(to), 0);
  }

  private void chmod(OsPath root, String name, int mode) throws ErrnoException {
    sys.fchmodat(Linux.AT_FDCWD, root.resolve(name), mode);
  }

  private void mknod(OsPath root, String name, int mode, int minor) throws ErrnoException {
    sys.mknodat(Linux.AT_FDCWD, root.resolve(name), mode, minor == 0 ? 0 : 1, minor);
  }

  private void setTime(OsPath root, String name, long seconds, long nanos) throws ErrnoException {
    Timestamp omit = new Timestamp(0, Linux.UTIME_OMIT);
    sys.utimensat(
        Linux.AT_FDCWD,
        root.resolve(name),
        omit,
        new Timestamp(seconds, nanos),
        Linux.AT_SYMLINK_NOFOLLOW);
  }

  private void setXattr(OsPath root, String name, String attribute, String value)
      throws ErrnoException {
    byte[] bytes = value.getBytes(StandardCharsets.ISO_8859_1);
    sys.setxattr(root.resolve(name), attribute, bytes, 0, false);
  }

  /** Directories get a fixed time, so that only what a test does counts. */
  private void settle(OsPath directory) throws ErrnoException {
    for (OsPath name : files.list(directory)) {
      if (files.lstat(directory.resolve(name)).orElseThrow().isDirectory()) {
        settle(directory.resolve(name));
      }
    }
    setTime(directory, ".", 1_000_000_000, 0);
  }

  private List<String> proven(OsPath... layers) throws Exception {
    return proven(1, View.Books.TRUSTED, layers);
  }

  private List<String> proven(int top, View.Books books, OsPath... layers) throws Exception {
    List<String> some = new Proof(lab, false).changes(List.of(layers), top, books);
    assertEquals(some, new Proof(lab, true).changes(List.of(layers), top, books));
    return some;
  }

  /** What work in a mount above the base changes; directories keep their times if it can be. */
  private List<String> changes(String options, OverlayLab.Work work) throws Exception {
    return proven(lab.upper(List.of(base), options, work), base);
  }

  private TreeDiff compare(View newer, View older) throws EngineException {
    return TreeDiff.compare(sys, newer, older, Progress.NONE, () -> false);
  }

  private List<String> stream(OsPath... layers) throws Exception {
    List<OsPath> all = List.of(layers);
    View older = View.overlay(all.subList(1, all.size()));
    try (TreeDiff diff = compare(View.overlay(all), older)) {
      Recording recording = new Recording();
      diff.stream(recording);
      return recording.lines();
    }
  }

  private String failure(OsPath... layers) {
    List<OsPath> all = List.of(layers);
    View older = View.overlay(all.subList(1, all.size()));
    String message =
        assertThrows(EngineException.class, () -> compare(View.overlay(all), older).close())
            .getMessage();
    assertTrue(message.indexOf('\n') < 0, message);
    return message.replace(SCRATCH.path() + "/", "");
  }

  // ---- names ----------------------------------------------------------------------------------

  @Test
  void nothing() throws Exception {
    write(base, "a", "1");
    assertEquals(List.of(), changes("", mounted -> {}));
  }

  @Test
  void aDirectoryComesBeforeItsContentAndNothingBetween() throws Exception {
    mkdirs(base, "a");
    write(base, "a/gone", "1");
    write(base, "a-", "1");
    write(base, "z", "1");
    assertEquals(
        List.of("C /a", "D /a/gone", "A /a/new", "C /a-", "A /b", "A /b/c", "A /b/c/d"),
        changes(
            "",
            mounted -> {
              write(mounted, "a/new", "2");
              files.remove(mounted.resolve("a/gone"));
              write(mounted, "a-", "2");
              mkdirs(mounted, "b/c");
              write(mounted, "b/c/d", "");
            }));
  }

  @Test
  void aDeletedDirectoryIsToldOnce() throws Exception {
    mkdirs(base, "a/b/c");
    write(base, "a/b/c/d", "1");
    OsPath upper = lab.upper(List.of(base), "", m -> files.removeTree(m.resolve("a/b")));
    assertEquals(List.of("C /a", "D /a/b"), proven(upper, base));
    assertEquals(List.of(". directory", "a directory", "a/b deleted", "end"), stream(upper, base));
  }

  @Test
  void kindsChange() throws Exception {
    mkdirs(base, "dir/in");
    write(base, "dir/in/file", "1");
    write(base, "file", "1");
    files.symlink(OsPath.of("file"), base.resolve("link"));
    assertEquals(
        List.of("C /dir", "C /file", "A /file/in", "C /link"),
        changes(
            "",
            m -> {
              files.removeTree(m.resolve("dir"));
              write(m, "dir", "now a file");
              files.remove(m.resolve("file"));
              mkdirs(m, "file/in");
              files.remove(m.resolve("link"));
              mknod(m, "link", Linux.S_IFIFO | 0600, 0);
            }));
  }

  @Test
  void oddNames() throws Exception {
    String longest = "x".repeat(255);
    OsPath odd = OsPath.of(new byte[] {(byte) 0xFF, '\n', (byte) 0xC3});
    write(base, longest, "1");
    mkdirs(base, odd.toString());
    write(base, odd + "/in", "1");
    assertEquals(
        List.of("D /" + longest, "A /" + "y".repeat(255), "C /" + odd, "C /" + odd + "/in"),
        changes(
                "",
                m -> {
                  rename(m, longest, "y".repeat(255), 0);
                  write(m, odd + "/in", "2");
                })
            .stream()
            .sorted((a, b) -> OsPath.of(a.substring(2)).compareTo(OsPath.of(b.substring(2))))
            .toList());
  }

  @Test
  void pathsLongerThanTheKernelTakes() throws Exception {
    OsPath upper = lab.directory("upper");
    String component = "d".repeat(200);
    int depth = 30;
    for (OsPath root : List.of(base, upper)) {
      Fd at = files.openDirectory(root);
      for (int i = 0; i < depth; i++) {
        sys.mkdirat(at.number(), OsPath.of(component), 0755);
        Fd deeper = new Fd(sys, sys.openat(at.number(), OsPath.of(component), Linux.O_RDONLY, 0));
        at.close();
        at = deeper;
      }
      try (Fd last = at) {
        new Fd(sys, sys.openat(last.number(), OsPath.of("same"), Linux.O_CREAT, 0644)).close();
        if (root.equals(upper)) {
          int flags = Linux.O_CREAT | Linux.O_WRONLY;
          try (Fd fd = new Fd(sys, sys.openat(last.number(), OsPath.of("deep"), flags, 0644))) {
            sys.ftruncate(fd.number(), 7);
          }
        }
      }
    }
    String path = (component + "/").repeat(depth) + "deep";
    assertTrue(path.length() > 4096, path);
    try (TreeDiff diff = compare(View.overlay(List.of(upper, base)), new View.Plain(base))) {
      assertEquals("A /" + path, diff.changes().get(depth).toString());
      assertEquals(7, diff.size());
      Recording recording = new Recording();
      diff.stream(recording);
      assertTrue(
          recording.lines().contains(path + " file of 7: \0\0\0\0\0\0\0"),
          () -> recording.lines().toString());
    }
  }

  // ---- attributes and data --------------------------------------------------------------------

  @Test
  void copiedUpAndTheSame() throws Exception {
    mkdirs(base, "d");
    write(base, "d/a", "1");
    files.symlink(OsPath.of("x"), base.resolve("l"));
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              chmod(m, "d/a", 0600);
              chmod(m, "d/a", 0644);
              sys.fchownat(Linux.AT_FDCWD, m.resolve("l"), 0, 0, Linux.AT_SYMLINK_NOFOLLOW);
              settle(m);
            });
    assertTrue(files.lstat(upper.resolve("d/a")).isPresent());
    assertTrue(files.lstat(upper.resolve("l")).isPresent());
    assertEquals(List.of(), proven(upper, base));
    assertEquals(List.of("end"), stream(upper, base));
  }

  @Test
  void editsThatLeaveSizeAndTimeAlone() throws Exception {
    write(base, "a", "one");
    setTime(base, "a", 5, 7);
    files.symlink(OsPath.of("one"), base.resolve("l"));
    setTime(base, "l", 5, 7);
    settle(base);
    assertEquals(
        List.of("C /a", "C /l"),
        changes(
            "",
            m -> {
              write(m, "a", "two");
              setTime(m, "a", 5, 7);
              files.remove(m.resolve("l"));
              files.symlink(OsPath.of("two"), m.resolve("l"));
              setTime(m, "l", 5, 7);
            }));
  }

  @Test
  void eachAttribute() throws Exception {
    Requires.userAttributesOnTmpfs();
    for (String name : List.of("acl", "cap", "mode", "nanos", "owner", "same", "xattr", "xgone")) {
      write(base, name, "x");
      setTime(base, name, 5, 0);
    }
    setXattr(base, "xgone", "user.a", "1");
    setXattr(base, "same", "user.a", "1");
    mkdirs(base, "dmode");
    mkdirs(base, "dtime");
    settle(base);
    assertEquals(
        List.of(
            "C /acl",
            "C /cap",
            "C /dmode",
            "C /dtime",
            "C /mode",
            "C /nanos",
            "C /owner",
            "C /xattr",
            "C /xgone"),
        changes(
            "",
            m -> {
              // user 1000 may read: version 2, then tag, permissions and id of each entry
              sys.setxattr(
                  m.resolve("acl"),
                  "system.posix_acl_access",
                  new byte[] {
                    2, 0, 0, 0, 1, 0, 6, 0, -1, -1, -1, -1, 2, 0, 4, 0, -24, 3, 0, 0, 4, 0, 4, 0,
                    -1, -1, -1, -1, 16, 0, 4, 0, -1, -1, -1, -1, 32, 0, 4, 0, -1, -1, -1, -1
                  },
                  0,
                  false);
              // version 2, effective: CAP_CHOWN
              sys.setxattr(
                  m.resolve("cap"),
                  "security.capability",
                  new byte[] {1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                  0,
                  false);
              chmod(m, "dmode", 01777);
              setTime(m, "dtime", 1_000_000_000, 1);
              chmod(m, "mode", 04644);
              setTime(m, "nanos", 5, 1);
              sys.fchownat(Linux.AT_FDCWD, m.resolve("owner"), -1, 7, 0);
              setXattr(m, "same", "user.a", "1");
              setXattr(m, "xattr", "user.a", "1");
              sys.removexattr(m.resolve("xgone"), "user.a", false);
              setTime(m, ".", 1_000_000_000, 0);
            }));
  }

  @Test
  void specialFiles() throws Exception {
    mknod(base, "dev", Linux.S_IFCHR | 0600, 3);
    mknod(base, "fifo", Linux.S_IFIFO | 0600, 0);
    mknod(base, "socket", Linux.S_IFSOCK | 0600, 0);
    setTime(base, "dev", 5, 0);
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              files.remove(m.resolve("dev"));
              mknod(m, "dev", Linux.S_IFCHR | 0600, 5);
              setTime(m, "dev", 5, 0);
              mknod(m, "block", Linux.S_IFBLK | 0600, 1);
              chmod(m, "fifo", 0644);
              chmod(m, "socket", 0644);
            });
    assertEquals(List.of("A /block", "C /dev", "C /fifo", "C /socket"), proven(upper, base));
    assertEquals(
        List.of(". directory", "block b 1:1", "dev c 1:5", "fifo fifo", "socket socket", "end"),
        stream(upper, base));
  }

  @Test
  void sparseFilesAreComparedByTheirData() throws Exception {
    OsPath other = lab.directory("other");
    long size = 10L << 30;
    for (OsPath root : List.of(base, other)) {
      for (String name : List.of("same", "different")) {
        write(root, name, "begin");
        try (Fd fd =
            new Fd(sys, sys.openat(Linux.AT_FDCWD, root.resolve(name), Linux.O_WRONLY, 0))) {
          sys.ftruncate(fd.number(), size);
          if (root.equals(other) && name.equals("different")) {
            sys.lseek(fd.number(), size - 1, Linux.SEEK_SET);
            ByteBuffer one = ByteBuffer.allocateDirect(1).put((byte) 1).flip();
            sys.write(fd.number(), one);
          }
        }
        setTime(root, name, 5, 0);
      }
      setTime(root, ".", 5, 0);
    }
    AtomicLong read = new AtomicLong();
    Progress progress =
        new Progress() {
          @Override
          public void looked() {}

          @Override
          public void read(long bytes) {
            read.addAndGet(bytes);
          }
        };
    try (TreeDiff diff =
        TreeDiff.compare(sys, new View.Plain(other), new View.Plain(base), progress, () -> false)) {
      assertEquals("[C /different]", diff.changes().toString());
      assertEquals(size, diff.size());
    }
    try (TreeDiff diff = compare(new View.Plain(base), new View.Plain(other))) {
      assertEquals("[C /different]", diff.changes().toString());
    }
    assertTrue(read.get() > 0 && read.get() < 4 << 20, () -> "read " + read);
  }

  // ---- directories that are not merged --------------------------------------------------------

  @Test
  void opaqueDirectories() throws Exception {
    mkdirs(base, "d/sub");
    for (String name : List.of("d/changed", "d/gone", "d/same", "d/sub/gone")) {
      write(base, name, "1");
      setTime(base, name, 5, 0);
    }
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              files.removeTree(m.resolve("d"));
              mkdirs(m, "d/sub");
              write(m, "d/changed", "2");
              write(m, "d/new", "3");
              write(m, "d/same", "1");
              setTime(m, "d/same", 5, 0);
              settle(m);
            });
    assertEquals(
        List.of("C /d", "C /d/changed", "D /d/gone", "A /d/new", "C /d/sub", "D /d/sub/gone"),
        proven(upper, base));
    assertEquals(
        List.of(
            ". directory",
            "d directory",
            "d opaque",
            "d/changed file of 1: 2",
            "d/new file of 1: 3",
            "d/same file of 1: 1",
            "d/sub directory",
            "end"),
        stream(upper, base));
    try (TreeDiff diff = compare(View.overlay(List.of(upper, base)), new View.Plain(base))) {
      // the lower is told to be something else: no opaque mark can be meant for it
      assertEquals(2, diff.size());
    }
  }

  @Test
  void anOpaqueDirectoryInWhichNothingChanged() throws Exception {
    mkdirs(base, "d");
    write(base, "d/same", "1");
    setTime(base, "d/same", 5, 0);
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              files.removeTree(m.resolve("d"));
              mkdirs(m, "d");
              write(m, "d/same", "1");
              setTime(m, "d/same", 5, 0);
              settle(m);
            });
    assertEquals(List.of(), proven(upper, base));
    assertEquals(List.of("end"), stream(upper, base));
  }

  @Test
  void opaqueByUserAttributesOnly() throws Exception {
    Requires.userAttributesOnTmpfs();
    mkdirs(base, "d");
    write(base, "d/hidden", "1");
    OsPath upper =
        lab.upper(
            List.of(base),
            ",userxattr",
            m -> {
              files.removeTree(m.resolve("d"));
              mkdirs(m, "d");
            });
    assertEquals(List.of("C /d", "D /d/hidden"), proven(1, View.Books.USER, upper, base));
    // a mount without userxattr sees an attribute that is the file's own
    assertEquals(List.of("C /d"), proven(upper, base));
  }

  @Test
  void whiteoutsThatAreAttributes() throws Exception {
    Requires.kernel(6, 7);
    mkdirs(base, "d");
    write(base, "d/gone", "1");
    write(base, "d/stays", "1");
    OsPath upper = lab.directory("upper");
    mkdirs(upper, "d");
    setXattr(upper, "d", "trusted.overlay.opaque", "x");
    write(upper, "d/gone", "");
    setXattr(upper, "d/gone", "trusted.overlay.whiteout", "");
    assertEquals(List.of("C /d", "D /d/gone"), proven(upper, base));
    setXattr(upper, "d", "user.overlay.opaque", "x");
    setXattr(upper, "d/gone", "user.overlay.whiteout", "");
    assertEquals(List.of("C /d", "D /d/gone"), proven(1, View.Books.USER, upper, base));
  }

  @Test
  void attributesOfAnOverlayInsideTheOverlay() throws Exception {
    Requires.kernel(6, 7);
    mkdirs(base, "d");
    write(base, "d/shown", "1");
    settle(base);
    OsPath upper =
        lab.upper(List.of(base), "", m -> setXattr(m, "d", "trusted.overlay.opaque", "y"));
    assertEquals(
        "y",
        new String(
            sys.getxattr(upper.resolve("d"), "trusted.overlay.overlay.opaque", false).orElseThrow(),
            StandardCharsets.ISO_8859_1));
    assertEquals(List.of("C /d"), proven(upper, base));
  }

  // ---- redirects ------------------------------------------------------------------------------

  @Test
  void renamedDirectories() throws Exception {
    mkdirs(base, "a/deep/er");
    mkdirs(base, "to");
    write(base, "a/deep/er/file", "1");
    write(base, "a/gone", "1");
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            REDIRECT,
            m -> {
              rename(m, "a", "b", 0);
              rename(m, "b/deep", "to/c", 0);
              files.remove(m.resolve("b/gone"));
            });
    assertTrue(sys.getxattr(upper.resolve("to/c"), "trusted.overlay.redirect", false).isPresent());
    assertEquals(
        List.of("D /a", "A /b", "C /to", "A /to/c", "A /to/c/er", "A /to/c/er/file"),
        proven(upper, base));
    assertEquals(
        List.of(
            ". directory",
            "a deleted",
            "b directory",
            "to directory",
            "to/c directory",
            "to/c/er directory",
            "to/c/er/file file of 1: 1",
            "end"),
        stream(upper, base));

    // renamed again, and a name inside, by a layer of its own, on the way of the first redirect
    OsPath third =
        lab.upper(
            List.of(upper, base),
            REDIRECT,
            m -> {
              rename(m, "to/c/er", "b/er", 0);
              rename(m, "to", "from", 0);
            });
    assertEquals(
        List.of("C /b", "A /b/er", "A /b/er/file", "A /from", "A /from/c", "D /to"),
        proven(third, upper, base));
    assertEquals(
        List.of("D /a", "A /b", "A /b/er", "A /b/er/file", "A /from", "A /from/c", "D /to"),
        proven(2, View.Books.TRUSTED, third, upper, base));
  }

  /**
   * What shines through a directory that was moved into one made anew must come along with that.
   */
  @Test
  void aDirectoryThatWasMovedOutOfAndIntoOneMadeAnew() throws Exception {
    mkdirs(base, "a/d/e");
    write(base, "a/d/e/file", "1");
    write(base, "a/gone", "1");
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            REDIRECT,
            m -> {
              rename(m, "a/d", "kept", 0);
              files.removeTree(m.resolve("a"));
              mkdirs(m, "a");
              rename(m, "kept", "a/d", 0);
            });
    assertEquals(List.of("C /a", "D /a/gone"), proven(upper, base));
    assertTrue(stream(upper, base).contains("a/d/e/file file of 1: 1"));
  }

  /** A file outside of a directory made anew stays the one that a name in it has. */
  @Test
  void aLinkIntoADirectoryMadeAnew() throws Exception {
    mkdirs(base, "e");
    settle(base);
    OsPath second =
        lab.upper(
            List.of(base),
            "",
            m -> {
              write(m, "a", "1");
              setTime(m, "a", 5, 6);
              link(m, "a", "e/d");
            });
    OsPath third =
        lab.upper(
            List.of(second, base),
            "",
            m -> {
              files.removeTree(m.resolve("e"));
              mkdirs(m, "e");
              link(m, "a", "e/d");
            });
    assertEquals(List.of("C /e"), proven(third, second, base));
    assertTrue(stream(third, second, base).contains("a file of 1: 1"));
  }

  @Test
  void swappedDirectories() throws Exception {
    mkdirs(base, "a");
    mkdirs(base, "b");
    for (String name : List.of("a/both", "b/both", "a/one", "b/two")) {
      write(base, name, "1");
      setTime(base, name, 5, 0);
    }
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            REDIRECT,
            m -> {
              rename(m, "a", "b", Linux.RENAME_EXCHANGE);
              settle(m);
            });
    assertEquals(
        List.of("C /a", "D /a/one", "A /a/two", "C /b", "A /b/one", "D /b/two"),
        proven(upper, base));
    assertEquals(
        List.of(
            ". directory",
            "a directory",
            "a opaque",
            "a/both file of 1: 1",
            "a/two file of 1: 1",
            "b directory",
            "b opaque",
            "b/both file of 1: 1",
            "b/one file of 1: 1",
            "end"),
        stream(upper, base));
  }

  @Test
  void opaqueDirectoriesOnTheWayOfARedirect() throws Exception {
    mkdirs(base, "a/b");
    write(base, "a/b/hidden", "1");
    mkdirs(base, "c");
    write(base, "c/file", "1");
    settle(base);
    OsPath second =
        lab.upper(
            List.of(base),
            REDIRECT,
            m -> {
              files.removeTree(m.resolve("a"));
              mkdirs(m, "a/b");
              rename(m, "c", "a/moved", 0);
            });
    OsPath third =
        lab.upper(
            List.of(second, base),
            REDIRECT,
            m -> {
              rename(m, "a/b", "empty", 0);
              rename(m, "a/moved", "full", 0);
            });
    for (String name : List.of("empty", "full")) {
      assertTrue(sys.getxattr(third.resolve(name), "trusted.overlay.redirect", false).isPresent());
    }
    assertEquals(
        List.of("C /a", "D /a/b", "D /a/moved", "A /empty", "A /full", "A /full/file"),
        proven(third, second, base));
  }

  @Test
  void redirectsThatAreNone() throws Exception {
    mkdirs(base, "d");
    OsPath upper = lab.directory("upper");
    mkdirs(upper, "d");
    for (String value : List.of("", "a/b", "/a/", "/a//b", "/../etc", "..", ".")) {
      setXattr(upper, "d", "trusted.overlay.redirect", value);
      assertEquals(
          "d of the layer upper1 has a redirect that is none: " + OsPath.of(value).quoted(),
          failure(upper, base));
    }
    setXattr(upper, "d", "trusted.overlay.redirect", "/nowhere");
    setTime(upper, "d", 5, 0);
    assertEquals(List.of("C /d"), proven(upper, base));
  }

  @Test
  void userxattrFollowsNoRedirect() throws Exception {
    Requires.userAttributesOnTmpfs();
    mkdirs(base, "d");
    OsPath upper = lab.directory("upper");
    mkdirs(upper, "d");
    setXattr(upper, "d", "user.overlay.redirect", "e");
    View newer = new View.Union(List.of(upper, base), List.of(), View.Books.USER);
    View older = new View.Union(List.of(base), List.of(), View.Books.USER);
    String message =
        assertThrows(EngineException.class, () -> compare(newer, older).close()).getMessage();
    assertTrue(message.endsWith("has a redirect, which userxattr does not follow"), message);
  }

  // ---- metadata-only copies -------------------------------------------------------------------

  @Test
  void metadataOnlyCopies() throws Exception {
    mkdirs(base, "d");
    write(base, "d/a", "data of a");
    write(base, "d/b", "data of b");
    settle(base);
    OsPath second = lab.upper(List.of(base), METACOPY, m -> chmod(m, "d/a", 0600));
    assertTrue(sys.getxattr(second.resolve("d/a"), "trusted.overlay.metacopy", false).isPresent());
    assertEquals(List.of("C /d", "C /d/a"), proven(second, base));
    assertEquals(
        List.of(". directory", "d directory", "d/a file of 9: data of a", "end"),
        stream(second, base));
    OsPath third =
        lab.upper(
            List.of(second, base),
            METACOPY,
            m -> {
              chmod(m, "d/a", 0640);
              rename(m, "d/a", "d/moved", 0);
              rename(m, "d/b", "away", 0);
            });
    assertEquals(
        List.of("A /away", "C /d", "D /d/a", "D /d/b", "A /d/moved"), proven(third, second, base));
    assertEquals(
        List.of(
            ". directory",
            "away file of 9: data of b",
            "d directory",
            "d/a deleted",
            "d/b deleted",
            "d/moved file of 9: data of a",
            "end"),
        stream(third, second, base));
  }

  @Test
  void metadataOnlyCopiesOfDataOnlyLayers() throws Exception {
    OsPath data = lab.directory("data");
    mkdirs(data, "objects");
    write(data, "objects/1", "the data");
    write(base, "other", "");
    OsPath upper = lab.directory("upper");
    write(upper, "file", "");
    try (Fd fd =
        new Fd(sys, sys.openat(Linux.AT_FDCWD, upper.resolve("file"), Linux.O_WRONLY, 0))) {
      sys.ftruncate(fd.number(), 8);
    }
    setXattr(upper, "file", "trusted.overlay.metacopy", "");
    setXattr(upper, "file", "trusted.overlay.redirect", "/objects/1");
    View newer = new View.Union(List.of(upper, base), List.of(data), View.Books.TRUSTED);
    View older = new View.Union(List.of(base), List.of(data), View.Books.TRUSTED);
    try (TreeDiff diff = compare(newer, older)) {
      Recording recording = new Recording();
      diff.stream(recording);
      assertEquals(List.of(". directory", "file file of 8: the data", "end"), recording.lines());
    }
    assertEquals(
        "file of the layer upper2 is a metadata-only copy of data that no layer has",
        failure(upper, base));
  }

  // ---- hard links -----------------------------------------------------------------------------

  @Test
  void hardLinks() throws Exception {
    for (String name : List.of("a", "b", "x", "z")) {
      write(base, name, name);
    }
    link(base, "x", "y");
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              link(m, "b", "c"); // b is no longer alone
              link(m, "z", "0"); // and z follows its new name
              chmod(m, "x", 0600); // x is copied away from y
              chmod(m, "x", 0644);
              setTime(m, ".", 1_000_000_000, 0);
            });
    assertEquals(List.of("A /0", "C /b", "A /c", "C /x", "C /z"), proven(upper, base));
    assertEquals(
        List.of(
            ". directory",
            "0 file of 1: z",
            "b file of 1: b",
            "c = b",
            "x file of 1: x",
            "z = 0",
            "end"),
        stream(upper, base));
    try (TreeDiff diff = compare(View.overlay(List.of(upper, base)), View.overlay(List.of(base)))) {
      assertEquals(3, diff.size());
    }
  }

  @Test
  void hardLinksOfPlainTrees() throws Exception {
    OsPath other = lab.directory("other");
    for (OsPath root : List.of(base, other)) {
      for (String name : List.of("a", "c", "e", "g")) {
        write(root, name, "1");
        setTime(root, name, 5, 0);
      }
      link(root, "a", "b"); // linked in both
    }
    link(base, "c", "d");
    write(other, "d", "1"); // no longer
    setTime(other, "d", 5, 0);
    write(base, "f", "1");
    setTime(base, "f", 5, 0);
    link(other, "e", "f"); // linked now
    link(base, "g", "gone"); // the last name left
    settle(base);
    settle(other);
    try (TreeDiff diff = compare(new View.Plain(other), new View.Plain(base))) {
      assertEquals("[C /c, C /d, C /e, C /f, D /gone]", diff.changes().toString());
      Recording recording = new Recording();
      diff.stream(recording);
      assertEquals(
          List.of(
              ". directory",
              "c file of 1: 1",
              "d file of 1: 1",
              "e file of 1: 1",
              "f = e",
              "gone deleted",
              "end"),
          recording.lines());
    }
  }

  @Test
  void treesThatShareTheirFiles() throws Exception {
    OsPath other = lab.directory("other");
    write(base, "a", "1");
    for (String name : List.of("a", "b")) {
      sys.linkat(Linux.AT_FDCWD, base.resolve("a"), Linux.AT_FDCWD, other.resolve(name), 0);
    }
    try (TreeDiff diff = compare(new View.Plain(other), new View.Plain(base))) {
      assertEquals("[A /b]", diff.changes().toString());
    }
  }

  // ---- views ----------------------------------------------------------------------------------

  @Test
  void nothingIsATreeToo() throws Exception {
    mkdirs(base, "d");
    write(base, "d/a", "12");
    link(base, "d/a", "d/b");
    try (TreeDiff diff = compare(View.overlay(List.of(base)), new View.Nothing())) {
      assertEquals("[A /d, A /d/a, A /d/b]", diff.changes().toString());
      assertEquals(2, diff.size());
    }
    try (TreeDiff diff = compare(new View.Nothing(), View.overlay(List.of(base)))) {
      assertEquals("[D /d]", diff.changes().toString());
      Recording recording = new Recording();
      diff.stream(recording);
      assertEquals(List.of("d deleted", "end"), recording.lines());
    }
    try (TreeDiff diff = compare(new View.Nothing(), new View.Nothing())) {
      assertEquals(List.of(), diff.changes());
    }
  }

  @Test
  void plainTreesHaveNoBooks() throws Exception {
    OsPath other = lab.directory("other");
    for (OsPath root : List.of(base, other)) {
      mkdirs(root, "d");
      write(root, "d/a", "1");
      setTime(root, "d/a", 5, 0);
    }
    setXattr(other, "d", "trusted.overlay.opaque", "y");
    settle(base);
    settle(other);
    try (TreeDiff diff = compare(new View.Plain(other), new View.Plain(base))) {
      assertEquals("[C /d]", diff.changes().toString());
      Recording recording = new Recording();
      diff.stream(recording);
      assertEquals(List.of(". directory", "d directory", "end"), recording.lines());
    }
  }

  @Test
  void backwards() throws Exception {
    mkdirs(base, "d");
    mkdirs(base, "e");
    write(base, "d/a", "1");
    write(base, "e/b", "1");
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              write(m, "d/a", "22");
              write(m, "d/new", "3");
              files.removeTree(m.resolve("e"));
            });
    try (TreeDiff diff = compare(View.overlay(List.of(base)), View.overlay(List.of(upper, base)))) {
      assertEquals("[C /d, C /d/a, D /d/new, A /e, A /e/b]", diff.changes().toString());
      assertEquals(2, diff.size());
    }
  }

  @Test
  void siblings() throws Exception {
    mkdirs(base, "d");
    write(base, "d/a", "1");
    settle(base);
    OsPath one = lab.upper(List.of(base), "", m -> write(m, "d/one", "1"));
    OsPath two = lab.upper(List.of(base), "", m -> write(m, "d/two", "2"));
    try (TreeDiff diff =
        compare(View.overlay(List.of(two, base)), View.overlay(List.of(one, base)))) {
      assertEquals("[C /d, D /d/one, A /d/two]", diff.changes().toString());
    }
  }

  // ---- while it is looked at ------------------------------------------------------------------

  /** Does something before the n-th call. */
  private static final class Meddling extends ObservedSyscalls {
    private final Runnable meddle;
    private final int when;
    private final AtomicInteger calls = new AtomicInteger();

    Meddling(Syscalls sys, int when, Runnable meddle) {
      super(sys);
      this.when = when;
      this.meddle = meddle;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (calls.incrementAndGet() == when) {
        meddle.run();
      }
      return invocation.perform();
    }
  }

  @Test
  void whatVanishesWasNotThere() throws Exception {
    mkdirs(base, "d");
    write(base, "d/a", "1");
    settle(base);
    int calls = 0;
    for (int when = 1; when == 1 || when <= calls; when++) {
      OsPath upper =
          lab.upper(
              List.of(base),
              METACOPY,
              m -> {
                write(m, "d/a", "2");
                mkdirs(m, "d/new/er");
                write(m, "d/new/er/file", "3");
                files.symlink(OsPath.of("x"), m.resolve("d/new/link"));
              });
      Meddling meddling =
          new Meddling(
              sys,
              when,
              () -> {
                try {
                  files.removeTree(upper.resolve("d"));
                } catch (ErrnoException e) {
                  throw new AssertionError(e);
                }
              });
      try (TreeDiff diff =
          TreeDiff.compare(
              meddling,
              View.overlay(List.of(upper, base)),
              View.overlay(List.of(base)),
              Progress.NONE,
              () -> false)) {
        diff.changes();
        Recording recording = new Recording();
        diff.stream(recording);
        assertEquals("end", recording.lines().getLast());
      }
      calls = meddling.calls.get();
    }
    assertTrue(calls > 20, "so few calls: " + calls);
  }

  @Test
  void everyFailureIsOneLineAndLeavesNothingOpen() throws Exception {
    mkdirs(base, "d");
    write(base, "d/a", "1");
    settle(base);
    OsPath upper =
        lab.upper(
            List.of(base),
            "",
            m -> {
              write(m, "d/a", "2");
              setTime(m, "d/a", 5, 0);
            });
    setTime(base, "d/a", 5, 0);
    boolean failed = true;
    for (int at = 1; failed; at++) {
      AtomicInteger left = new AtomicInteger(at);
      Syscalls broken =
          new ObservedSyscalls(sys) {
            @Override
            protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
              if (!invocation.name().equals("close") && left.decrementAndGet() == 0) {
                throw invocation.failure(Errno.EIO);
              }
              return invocation.perform();
            }
          };
      try (TreeDiff diff =
          TreeDiff.compare(
              broken,
              View.overlay(List.of(upper, base)),
              View.overlay(List.of(base)),
              Progress.NONE,
              () -> false)) {
        diff.stream(new Recording());
        failed = left.get() <= 0;
        assertTrue(!failed, "an error was lost");
      } catch (EngineException e) {
        assertEquals(Optional.of(Errno.EIO), e.errno());
        assertTrue(
            e.getMessage().matches("cannot (read|open) .*layer /.* \\(EIO\\)"), e::getMessage);
      }
      leaks.assertNone();
    }
  }

  @Test
  void cancelled() throws Exception {
    for (int i = 0; i < 50; i++) {
      write(base, "f" + i, "1");
    }
    AtomicInteger looked = new AtomicInteger();
    Progress progress =
        new Progress() {
          @Override
          public void looked() {
            looked.incrementAndGet();
          }

          @Override
          public void read(long bytes) {}
        };
    EngineException e =
        assertThrows(
            EngineException.class,
            () ->
                TreeDiff.compare(
                        sys,
                        new View.Plain(base),
                        new View.Nothing(),
                        progress,
                        () -> looked.get() == 10)
                    .close());
    assertEquals(Optional.of(Errno.ECANCELED), e.errno());
    assertEquals(10, looked.get());
  }

  // ---- what cannot be read --------------------------------------------------------------------

  @Test
  void aLayerThatIsMissing() {
    assertEquals(
        "cannot open the layer " + SCRATCH.path() + "/none (ENOENT)",
        assertThrows(
                EngineException.class,
                () ->
                    compare(View.overlay(List.of(SCRATCH.resolve("none"))), new View.Nothing())
                        .close())
            .getMessage());
  }

  @Test
  void aMountInsideALayer() throws Exception {
    mkdirs(base, "d");
    OsPath upper = lab.directory("upper");
    mkdirs(upper, "d");
    sys.mount(OsPath.of("none"), upper.resolve("d"), "tmpfs", 0, new byte[0]);
    try {
      assertEquals(
          "something is mounted on d in the layer upper1, and what it covers cannot be seen"
              + " (EXDEV)",
          failure(upper, base));
    } finally {
      sys.umount2(upper.resolve("d"), 0);
    }
  }

  // ---- cost -----------------------------------------------------------------------------------

  @Test
  void theCostIsThatOfTheChanges() throws Exception {
    List<Integer> costs = new ArrayList<>();
    for (int count : List.of(100, 10_000)) {
      OsPath lower = lab.directory("lower");
      for (int i = 0; i < count; i++) {
        if (i % 100 == 0) {
          mkdirs(lower, "d" + i / 100);
        }
        write(lower, "d" + i / 100 + "/f" + i % 100, "1");
      }
      OsPath upper =
          lab.upper(
              List.of(lower),
              METACOPY,
              m -> {
                for (int i = 0; i < 10; i++) {
                  write(m, "d0/f" + i, "changed");
                  write(m, "d0/new" + i, "new");
                  files.remove(m.resolve("d0/f" + (10 + i)));
                  chmod(m, "d0/f" + (20 + i), 0600);
                  rename(m, "d0/f" + (30 + i), "d0/moved" + i, 0);
                }
                rename(m, "d0", "e", 0);
              });
      Meddling counted = new Meddling(sys, 0, () -> {});
      try (TreeDiff diff =
          TreeDiff.compare(
              counted,
              View.overlay(List.of(upper, lower)),
              View.overlay(List.of(lower)),
              Progress.NONE,
              () -> false)) {
        assertEquals(1 + 1 + 100, diff.changes().size());
        diff.stream(new Recording());
      }
      costs.add(counted.calls.get());
    }
    assertEquals(costs.get(0), costs.get(1));
  }
}
