package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be moved whole stays as it is, and nothing else stays. */
class RefusalTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @BeforeEach
  void mount() {
    Program.shell(
        scratch.path(),
        """
        mkdir from to
        mount -t tmpfs -o mode=777 x from
        mount -t tmpfs -o mode=777,size=2m x to
        mkdir from/tree from/tree/sub
        echo text >from/tree/sub/file
        chmod 777 from/tree from/tree/sub
        chown -R 65534:65534 from/tree
        """);
  }

  private void assertRefused(Program program, Errno errno, String... words) throws Exception {
    Trees.Snapshot before = Trees.snapshotWithTimes(scratch.resolve("from"));
    program.refuses(errno, words);
    Trees.assertSame(before, Trees.snapshotWithTimes(scratch.resolve("from")));
    assertEquals("", Program.shell(scratch.resolve("to"), "ls -A"));
  }

  private void assertStays(String prepare, String... words) throws Exception {
    Program.shell(scratch.resolve("from/tree"), prepare);
    assertRefused(Program.checked(scratch.path()), Errno.EXDEV, words);
  }

  @Test
  void anExchangeCannotBeCopied() throws Exception {
    assertStays("true", "2", ".", "from/tree", "to/tree");
    assertStays("true", "4", ".", "from/tree", "to/tree");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mkdir mnt; mount -t tmpfs x mnt",
        "mkdir -p mnt; mount --bind sub mnt",
        "touch mnt; mount --bind sub/file mnt",
        "chattr +i sub/file",
        "chattr +a sub"
      })
  void whatHoldsAMountPointOrFilesThatStay(String prepare) throws Exception {
    assertStays(prepare, "from/tree", "to/tree");
    Program.shell(scratch.path(), "chattr -R -f -i -a from/tree || true");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "chmod 000 sub/file",
        "chmod 333 sub",
        "chmod 555 sub",
        "mkdir a; mkdir b; mkdir c; touch {a,b,c}/f; chown -R 65534:65534 .; chmod 555 b",
        "touch sub/other",
        "chmod 1777 sub; touch sub/other; chown 0:65534 sub; chmod 644 sub/file",
        "mkfifo sub/pipe",
        "mknod sub/null c 1 3; chown 65534 sub/null"
      })
  void whatTheUserCannotCopyOrRemove(String prepare) throws Exception {
    Program.shell(scratch.resolve("from/tree"), prepare);
    assertRefused(
        Program.checked(scratch.path()), Errno.EXDEV, "as", "65534", "from/tree", "to/tree");
  }

  @Test
  void aUserMovesWhatIsTheUsers() throws Exception {
    Program.shell(
        scratch.resolve("from/tree"),
        "mkdir -m 555 empty; mkfifo sub/pipe; ln -s x sub/link; chown -hR 65534:65534 .");
    Trees.Snapshot before = Trees.snapshotWithTimes(scratch.resolve("from/tree"));
    Program.checked(scratch.path()).renames("as", "65534", "from/tree", "to/tree");
    Trees.assertSame(before, Trees.snapshotWithTimes(scratch.resolve("to/tree")));
  }

  @Test
  void afterwardsADiskIsAsFullAsBefore() throws Exception {
    Program.shell(scratch.resolve("from/tree"), "head -c 3000000 /dev/urandom >sub/large");
    String before = Program.shell(scratch.resolve("to"), "df . | tail -n 1");
    assertRefused(Program.checked(scratch.path()), Errno.ENOSPC, "from/tree", "to/tree");
    assertRefused(Program.checked(scratch.path()), Errno.ENOSPC, "from/tree/sub/large", "to/f");
    assertEquals(before, Program.shell(scratch.resolve("to"), "df . | tail -n 1"));
  }

  @Test
  void aFullExt4() throws Exception {
    try (Scratch ext4 = Scratch.ext4()) {
      OsPath to = ext4.mkdirs("to");
      Program.shell(
          scratch.path(), "mount -o remount,size=80% from; truncate -s 0 from/tree/sub/file");
      Program.shell(to, "fallocate -l 470M ../filler");
      Program.shell(
          scratch.resolve("from/tree"),
          "for i in $(seq 20); do head -c 5M /dev/zero | tr '\\0' x >sub/$i; done");
      Trees.Snapshot before = Trees.snapshotWithTimes(scratch.resolve("from"));
      Program.checked(scratch.path()).refuses(Errno.ENOSPC, "from/tree", to.resolve("tree") + "");
      Trees.assertSame(before, Trees.snapshotWithTimes(scratch.resolve("from")));
      assertEquals("", Program.shell(to, "ls -A"));
    }
  }

  /** Beyond the limit a write would end the program by SIGXFSZ. */
  @Test
  void filesThatAreTooLarge() throws Exception {
    Program.shell(scratch.resolve("from/tree"), "head -c 10001 /dev/urandom >sub/large");
    Program checked = Program.checked(scratch.path());
    assertRefused(checked, Errno.EXDEV, "below", "10000", "from/tree", "to/tree");
    checked.renames("below", "10001", "from/tree", "to/tree");
  }

  @Test
  void offIsOff() throws Exception {
    Program preloaded = Program.preloaded(scratch.path());
    assertRefused(preloaded.with("OVL_EXDEV", "off"), Errno.EXDEV, "from/tree", "to/tree");
    assertRefused(Program.plain(scratch.path()), Errno.EXDEV, "from/tree", "to/tree");
    preloaded.with("OVL_EXDEV", "on").renames("from/tree", "to/tree");
  }

  /** Its descriptors are not in the place of those that the program has closed. */
  @Test
  void standardDescriptorsStayClosed() throws Exception {
    Program.Result result = Program.faulty(scratch.path()).run("closed", "from/tree", "to/tree");
    assertEquals(0, result.status(), result::toString);
    assertTrue(Program.shell(scratch.path(), "cat to/tree/sub/file").equals("text\n"));
  }
}
