package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is moved is the same afterwards, wherever it comes from and goes to. */
class KeepingTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @BeforeEach
  void require() {
    Rich.require();
  }

  /** Moves the rich tree from one directory to another, and compares. */
  private void assertKept(OsPath from, OsPath to) throws Exception {
    Rich.make(from, "tree");
    assertMoved(from, to);
  }

  private void assertMoved(OsPath from, OsPath to) throws Exception {
    OsPath source = from.resolve("tree");
    OsPath target = to.resolve("moved");
    Trees.Snapshot before = Trees.snapshotWithTimes(source);
    // after that, since files were read, which their times of access tell
    String shape = Rich.shape(source);
    Program.checked(scratch.path()).renames(source + "", target + "");
    assertEquals(shape, Rich.shape(target));
    Trees.assertSame(before, Trees.snapshotWithTimes(target));
    assertEquals("", Program.shell(from, "ls -A"));
    assertEquals("moved\n", Program.shell(to, "ls -A"));
  }

  @Test
  void betweenTwoFileSystemsOfOneKind() throws Exception {
    OsPath from = scratch.mkdirs("from");
    OsPath to = scratch.mkdirs("to");
    Program.shell(scratch.path(), "mount -t tmpfs tmpfs from; mount -t tmpfs tmpfs to");
    assertKept(from, to);
  }

  @Test
  void fromOneMountToAnotherOfTheSameFileSystem() throws Exception {
    try (Scratch xfs = Scratch.xfs()) {
      OsPath from = xfs.mkdirs("from");
      OsPath to = scratch.mkdirs("to");
      Program.shell(scratch.path(), "mkdir %s/to; mount --bind %1$s/to to".formatted(xfs.path()));
      assertKept(from, to);
    }
  }

  @Test
  void fromExt4AndBack() throws Exception {
    try (Scratch ext4 = Scratch.ext4()) {
      assertKept(ext4.mkdirs("there"), scratch.mkdirs("to"));
      Program.shell(scratch.path(), "mv to/moved to/tree");
      assertMoved(scratch.resolve("to"), ext4.mkdirs("back"));
    }
  }

  @Test
  void fromXfsToBtrfsAndBack() throws Exception {
    try (Scratch xfs = Scratch.xfs();
        Scratch btrfs = Scratch.btrfs()) {
      assertKept(xfs.mkdirs("there"), btrfs.mkdirs("to"));
      Program.shell(btrfs.path(), "mv to/moved to/tree");
      assertMoved(btrfs.resolve("to"), xfs.mkdirs("back"));
    }
  }

  /**
   * Lowers on the upper's file system; on another one, where inode numbers are otherwise; and on an
   * overlay, which gives no file handles.
   */
  @ParameterizedTest
  @ValueSource(strings = {"tmpfs", "ext4", "overlay"})
  void outOfALowerLayer(String kind) throws Exception {
    try (Scratch ext4 = Scratch.ext4()) {
      OsPath lower = (kind.equals("tmpfs") ? scratch : ext4).mkdirs("lower/here");
      Rich.make(lower, "tree");
      OsPath merged = scratch.mkdirs("merged");
      String layer = lower.parent() + "";
      if (kind.equals("overlay")) {
        Program.shell(
            scratch.path(),
            "mkdir none inner; mount -t overlay -o lowerdir=%s:none x inner".formatted(layer));
        layer = "inner";
      }
      Program.shell(
          scratch.path(),
          """
          mkdir upper work
          mount -t overlay -o redirect_dir=off,lowerdir=%s,upperdir=upper,workdir=work x merged
          mkdir merged/to
          """
              .formatted(layer));
      Trees.Snapshot before = Trees.snapshotWithTimes(lower);
      Program.plain(merged).refuses(Errno.EXDEV, "here/tree", "to/moved");
      assertMoved(merged.resolve("here"), merged.resolve("to"));
      Trees.assertSame(before, Trees.snapshotWithTimes(lower));
    }
  }

  /** A directory hands down its group and its ACL, which are not those of what is moved into it. */
  @Test
  void theTargetsDirectoryLeavesNoTrace() throws Exception {
    try (Scratch ext4 = Scratch.ext4()) {
      OsPath from = scratch.mkdirs("from");
      OsPath to = ext4.mkdirs("to");
      Program.shell(
          to,
          "setfacl -m u:9:rwx . && setfacl -d -m u:9:rwx,g:8:x . && chmod 2777 . && chgrp 77 .");
      assertKept(from, to);
      for (String make : new String[] {"echo x >one", "mkfifo one", "ln -s x one"}) {
        Program.shell(from, make + "; chmod --silent 640 one || true");
        Trees.Snapshot before = Trees.snapshotWithTimes(from);
        Program.checked(from).renames("one", to.resolve("one") + "");
        Program.shell(to, "rm -rf moved; setfacl -b . && chmod 755 . && chgrp 0 .");
        Trees.Node expected = before.nodes().get(OsPath.of("one"));
        assertEquals(expected, Trees.snapshotWithTimes(to).nodes().get(OsPath.of("one")), make);
        Program.shell(to, "rm one; setfacl -d -m u:9:rwx . && chmod 2777 . && chgrp 77 .");
      }
    }
  }

  /** Deeper than a path may be long, and than there may be descriptors; with a hard link there. */
  @Test
  void treesAreAsDeepAsTheyAre() throws Exception {
    Program.shell(
        scratch.path(),
        """
        mkdir from to
        mount -t tmpfs tmpfs to
        mkdir from/tree
        cd from/tree
        perl -e 'for (1..2500) { mkdir "level" and chdir "level" or die }
            open F, ">file" and print F "deep" and link "file", "link" or die'
        """);
    Program.checked(scratch.path()).renames("from/tree", "to/tree");
    assertEquals(
        "deep 2\n",
        Program.shell(
            scratch.path(),
            """
            ls -A from
            cd to/tree
            perl -e 'for (1..2500) { chdir "level" or die }
                open F, "<link" or die; print <F>, " ", (stat "file")[3], "\\n"'
            """));
  }

  @Test
  void manyFilesWithManyNames() throws Exception {
    OsPath from = scratch.mkdirs("from");
    OsPath to = scratch.mkdirs("to");
    Program.shell(
        scratch.path(),
        """
        mount -t tmpfs tmpfs to
        cd from
        mkdir tree tree/{1..30}
        touch tree/{1..30}/{1..100}
        for i in {2..30}; do ln tree/1/* tree/$i/ -f; done
        """);
    Trees.Snapshot before = Trees.snapshotWithTimes(from.resolve("tree"));
    Program.checked(from).renames("tree", to.resolve("tree") + "");
    Trees.assertSame(before, Trees.snapshotWithTimes(to.resolve("tree")));
    assertEquals("", Program.shell(from, "ls -A"));
  }

  /** A name that is elsewhere, too, is moved alone, as between any file systems. */
  @Test
  void aNameOutsideKeepsItsFile() throws Exception {
    OsPath from = scratch.mkdirs("from");
    Program.shell(
        scratch.path(),
        "mkdir to; mount -t tmpfs tmpfs to; cd from; mkdir tree; echo x >tree/a; ln tree/a b");
    Program.checked(from).renames("tree", "../to/tree");
    assertEquals("x\nx\nb\n", Program.shell(scratch.path(), "cat to/tree/a from/b; ls -A from"));
  }
}
