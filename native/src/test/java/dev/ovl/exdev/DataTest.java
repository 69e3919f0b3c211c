package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Data comes across in whatever way there is: clones, copies in the kernel, reads and writes. */
class DataTest {
  @RegisterExtension final Scratch xfs = Scratch.xfs();

  /** Two mounts of a file system that can do all of it. */
  private Trees.Snapshot make() throws Exception {
    OsPath from = xfs.mkdirs("from");
    Program.shell(
        xfs.path(),
        """
        mkdir other to
        mount --bind other to
        cd from
        mkdir tree
        head -c 20000003 /dev/urandom >tree/large
        head -c 5 /dev/urandom >tree/small
        touch tree/empty
        truncate -s 5M tree/holes
        dd if=/dev/urandom of=tree/holes bs=1M seek=1 count=1 conv=notrunc status=none
        dd if=/dev/urandom of=tree/holes bs=1M seek=3 count=1 conv=notrunc status=none
        truncate -s 1M tree/hole
        sync -f .
        """);
    return Trees.snapshotWithTimes(from.resolve("tree"));
  }

  private void assertMoved(Trees.Snapshot before) throws Exception {
    Trees.assertSame(before, Trees.snapshotWithTimes(xfs.resolve("to/tree")));
    assertEquals("", Program.shell(xfs.path(), "ls -A from"));
    String blocks = Program.shell(xfs.path(), "cd to/tree; stat -c %b holes hole empty");
    assertEquals("4096\n0\n0\n", blocks);
  }

  private void move(Program program) {
    assertEquals("0\n", program.run("from/tree", "to/tree").out());
  }

  private long freeBlocks() {
    return Long.parseLong(Program.shell(xfs.path(), "sync -f .; stat -f -c %f .").strip());
  }

  /** As far as the file system can, which then needs no room. */
  @Test
  void clones() throws Exception {
    Trees.Snapshot before = make();
    Program.shell(xfs.path(), "cp --reflink=always from/tree/large kept");
    long then = freeBlocks();
    Program.checked(xfs.path()).renames("from/tree", "to/tree");
    long now = freeBlocks();
    // of 4096 bytes each; a second copy would be 4883 of them
    assertTrue(then - now < 1000, then + " free blocks became " + now);
    assertMoved(before);
  }

  @ParameterizedTest
  @EnumSource(names = {"EXDEV", "EINVAL", "EOPNOTSUPP", "ENOSYS", "ETXTBSY", "ENOTTY"})
  void withoutClones(Errno errno) throws Exception {
    Trees.Snapshot before = make();
    move(Program.faulty(xfs.path()).with("OVL_EXDEV_NO_CLONE", errno.number() + ""));
    assertMoved(before);
  }

  @ParameterizedTest
  @EnumSource(names = {"EXDEV", "EINVAL", "EOPNOTSUPP", "ENOSYS", "ETXTBSY"})
  void byReadingAndWriting(Errno errno) throws Exception {
    Trees.Snapshot before = make();
    move(Program.faulty(xfs.path()).with("OVL_EXDEV_MISSING", errno.number() + ""));
    assertMoved(before);
  }
}
