package dev.ovl.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TreesTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();

  private void write(OsPath path, String content) throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0644))) {
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      sys.write(fd.number(), ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
    }
  }

  private OsPath tree(String name) throws ErrnoException {
    OsPath root = scratch.mkdirs(name);
    scratch.mkdirs(name + "/d");
    write(root.resolve("d").resolve(OsPath.of(new byte[] {'f', (byte) 0xFF})), "abc");
    sys.linkat(
        Linux.AT_FDCWD,
        root.resolve("d").resolve(OsPath.of(new byte[] {'f', (byte) 0xFF})),
        Linux.AT_FDCWD,
        root.resolve("hard"),
        0);
    sys.symlinkat(OsPath.of("no/where"), Linux.AT_FDCWD, root.resolve("soft"));
    sys.mknodat(Linux.AT_FDCWD, root.resolve("gone"), Linux.S_IFCHR, 0, 0);
    sys.setxattr(root.resolve("d"), "trusted.t", new byte[] {0, 1}, 0, false);
    return root;
  }

  @Test
  void equalTreesHaveNoDifferences() throws Exception {
    Trees.Snapshot one = Trees.snapshot(tree("one"));
    Trees.assertSame(one, Trees.snapshot(tree("two")));
    assertEquals(
        """
        .: directory 0755 0:0
        d: directory 0755 0:0 trusted.t=0x0001
        'd/f'$'\\377': file 0644 0:0 3 bytes\
         sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
        gone: char 0000 0:0 0:0
        hard: file 0644 0:0 3 bytes\
         sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\
         same as 'd/f'$'\\377'
        soft: link 0777 0:0 -> no/where
        """,
        one.toString());
  }

  @Test
  void tellsWhatIsDifferent() throws Exception {
    OsPath root = tree("one");
    Trees.Snapshot before = Trees.snapshot(root);
    sys.fchownat(Linux.AT_FDCWD, root.resolve("soft"), 7, 8, Linux.AT_SYMLINK_NOFOLLOW);
    sys.unlinkat(Linux.AT_FDCWD, root.resolve("gone"), 0);
    scratch.mkdirs("one/new");
    Trees.Snapshot after = Trees.snapshot(root);
    assertEquals(
        List.of(
            "- gone: char 0000 0:0 0:0",
            "+ new: directory 0755 0:0",
            "! soft: link 0777 7:8 -> no/where, expected link 0777 0:0 -> no/where"),
        after.differences(before));
    assertThrows(AssertionError.class, () -> Trees.assertSame(before, after));
  }

  @Test
  void seesContentBehindTheSameSize() throws Exception {
    OsPath root = tree("one");
    Trees.Snapshot before = Trees.snapshot(root);
    write(root.resolve("hard"), "abd");
    assertEquals(2, Trees.snapshot(root).differences(before).size());
  }

  @Test
  void timesCountWhereAskedFor() throws Exception {
    OsPath root = tree("one");
    Trees.Snapshot before = Trees.snapshotWithTimes(root);
    write(root.resolve("hard"), "abc");
    List<String> differences = Trees.snapshotWithTimes(root).differences(before);
    assertEquals(2, differences.size());
    assertTrue(differences.get(0).contains("mtime="), differences.toString());
    assertEquals(Optional.empty(), Trees.snapshot(root).nodes().get(OsPath.of("hard")).modified());
  }

  @Test
  void aNameThatIsListedAndAbsentIsNone() throws Exception {
    Requires.overlay();
    OsPath top = scratch.mkdirs("top");
    scratch.mkdirs("top/d");
    write(top.resolve("d/kept"), "abc");
    sys.mknodat(Linux.AT_FDCWD, top.resolve("d/gone"), Linux.S_IFCHR, 0, 0);
    OsPath bottom = scratch.mkdirs("bottom");
    OsPath merged = scratch.mkdirs("merged");
    String data = "lowerdir=" + top + ":" + bottom;
    sys.mount(OsPath.of("ovl-test"), merged, "overlay", 0, data.getBytes(StandardCharsets.UTF_8));
    try {
      assertEquals(
          List.of(OsPath.of("gone"), OsPath.of("kept")),
          FileTree.list(sys, merged.resolve("d")),
          "overlayfs lists it no more: the test tests nothing");
      assertEquals(
          List.of(OsPath.DOT, OsPath.of("d"), OsPath.of("d/kept")),
          List.copyOf(Trees.snapshot(merged).nodes().keySet()));
    } finally {
      sys.umount2(merged, Linux.UMOUNT_NOFOLLOW);
    }
  }
}
