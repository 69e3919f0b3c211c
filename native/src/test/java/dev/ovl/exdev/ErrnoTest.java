package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What rename(2) does on one file system, the library does between two. */
class ErrnoTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  /**
   * A rename between the directories {@code from} and {@code to}.
   *
   * @param prepare a script, run in the directory that holds both
   * @param words of the program
   */
  record Case(String prepare, List<String> words) {
    static Case of(String prepare, String... words) {
      return new Case(prepare, List.of(words));
    }

    @Override
    public String toString() {
      return prepare.strip() + ": rename " + String.join(" ", words);
    }
  }

  private static final String LONG = "n".repeat(256);

  static Stream<Case> cases() {
    return Stream.of(
        // what is done
        Case.of("echo a >from/a", "from/a", "to/a"),
        Case.of("echo a >from/a; echo b >to/b", "from/a", "to/b"),
        Case.of("mkdir from/a; echo a >from/a/a", "from/a", "to/a"),
        Case.of("mkdir from/a to/b; echo a >from/a/a", "from/a", "to/b"),
        Case.of("mkdir from/a", "from/a/", "to/a/"),
        Case.of("mkdir from/a to/b", "from/a//", "to/b/"),
        Case.of("ln -s nowhere from/a; ln -s ../from to/b", "from/a", "to/b"),
        Case.of("echo a >from/a; ln -s loop to/loop", "from/a", "to/loop"),
        Case.of("echo a >from/a", "at", "from", "a", "../to/a"),
        Case.of("echo a >from/a", "0", "from", "a", "../to/a"),
        Case.of("echo a >from/a", "1", "from", "a", "../to/a"),
        Case.of("ln -s to there; echo a >from/a", "from/a", "there/a"),
        // existing targets
        Case.of("mkdir from/a to/b; touch to/b/x", "from/a", "to/b"),
        Case.of("mkdir from/a to/b; touch to/b/x", "from/a", "to/b/"),
        Case.of("touch from/a; mkdir to/b", "from/a", "to/b"),
        Case.of("touch from/a; mkdir to/b; touch to/b/x", "from/a", "to/b"),
        Case.of("mkdir from/a; touch to/b", "from/a", "to/b"),
        Case.of("mkdir from/a; ln -s x to/b", "from/a", "to/b"),
        Case.of("touch from/a to/b", "1", ".", "from/a", "to/b"),
        Case.of("mkdir from/a to/b", "1", ".", "from/a", "to/b"),
        Case.of("touch from/a", "1", ".", "from/a", "to/."),
        // what is not there
        Case.of("true", "from/a", "to/a"),
        Case.of("touch to/a", "from/a", "to/a"),
        Case.of("true", "1", ".", "from/a", "to/a"),
        Case.of("touch to/a", "1", ".", "from/a", "to/a"),
        Case.of("touch from/a", "from/a", "to/no/a"),
        Case.of("true", "from/no/a", "to/a"),
        Case.of("touch from/a to/b", "from/a", "to/b/a"),
        Case.of("true", "from/a", ""),
        Case.of("true", "", "to/a"),
        // names that mean a directory
        Case.of("touch from/a", "from/a/", "to/a"),
        Case.of("touch from/a", "from/a", "to/a/"),
        Case.of("touch from/a to/b", "from/a", "to/b/"),
        Case.of("touch from/a; mkdir to/b", "from/a", "to/b/"),
        Case.of("ln -s . from/a", "from/a/", "to/a"),
        Case.of("mkdir from/a", "from/a/.", "to/a"),
        Case.of("mkdir from/a", "from/a/..", "to/a"),
        Case.of("mkdir from/a to/b", "from/a", "to/b/."),
        Case.of("mkdir from/a to/b", "from/a", "to/b/.."),
        Case.of("touch from/a", "from/a", "to/."),
        // names
        Case.of("touch from/a", "from/a", "to/" + LONG),
        Case.of("true", "from/" + LONG, "to/a"),
        Case.of("touch from/a", "from/a", "to/" + LONG.substring(1)),
        Case.of("touch from/a; ln -s to/loop to/loop", "from/a", "to/loop/a"),
        // permissions
        Case.of("touch from/a; chmod 777 to; chmod 755 from", "as", "65534", "from/a", "to/a"),
        Case.of("touch from/a; chmod 755 to; chmod 777 from", "as", "65534", "from/a", "to/a"),
        Case.of("touch from/a; chmod 766 from; chmod 777 to", "as", "65534", "from/a", "to/a"),
        Case.of(
            "touch from/a; chown 65534:65534 from/a; chmod 777 from; chmod 1777 to",
            "as",
            "65534",
            "from/a",
            "to/a"),
        Case.of(
            "touch from/a to/b; chmod 777 from; chmod 1777 to", "as", "65534", "from/a", "to/b"),
        Case.of("touch from/a; chmod 1777 from; chmod 777 to", "as", "65534", "from/a", "to/a"),
        Case.of(
            "chmod 1777 from to; touch from/a to/b; chown 65534:65534 from/a to/b",
            "as",
            "65534",
            "from/a",
            "to/b"),
        Case.of(
            "chmod 777 from to; mkdir -m 555 from/a; chown 65534:65534 from/a",
            "as",
            "65534",
            "from/a",
            "to/a"),
        Case.of(
            "chmod 777 from to; mkdir -m 755 from/a; chown 65534:65534 from/a",
            "as",
            "65534",
            "from/a",
            "to/a"),
        Case.of("chmod 777 from to; mkdir from/a to/b; chmod 700 to/b", "from/a", "to/b"),
        // immutable and append-only
        Case.of("touch from/a; chattr +i from/a", "from/a", "to/a"),
        Case.of("touch from/a; chattr +a from/a", "from/a", "to/a"),
        Case.of("touch from/a to/b; chattr +i to/b", "from/a", "to/b"),
        Case.of("touch from/a; chattr +i from", "from/a", "to/a"),
        Case.of("touch from/a; chattr +a from", "from/a", "to/a"),
        Case.of("touch from/a; chattr +i to", "from/a", "to/a"),
        // mount points
        Case.of("mkdir from/a; mount -t tmpfs x from/a", "from/a", "to/a"),
        Case.of("mkdir from/a to/b; mount -t tmpfs x to/b", "from/a", "to/b"),
        Case.of("touch from/a to/b /dev/null; mount --bind /dev/null to/b", "from/a", "to/b"));
  }

  private OsPath prepared(String name, String mounts, Case one) throws Exception {
    OsPath directory = scratch.mkdirs(name);
    Program.shell(directory, "mkdir from to\n" + mounts + "\n" + one.prepare());
    return directory;
  }

  /** What may be looked at: immutable files get that off again. */
  private static Trees.Snapshot after(OsPath directory) throws Exception {
    Program.shell(directory, "chattr -f -i -a from to from/* to/* || true");
    return Trees.snapshot(directory);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isTheSameBetweenTwoFileSystems(Case one) throws Exception {
    String[] words = one.words().toArray(String[]::new);
    String mount = "mount -t tmpfs -o mode=755 x ";
    OsPath single = prepared("one", mount + ".; cd \"$PWD\"; mkdir from to", one);
    OsPath split = prepared("two", mount + "from; " + mount + "to", one);
    String expected = Program.plain(single).run(words).outcome();
    assertEquals(expected, Program.checked(split).run(words).outcome());
    Trees.assertSame(after(single), after(split));
  }

  /** Where the kernel has another answer than EXDEV, or none is possible, it is the kernel's. */
  @ParameterizedTest
  @MethodSource("cases")
  void isTheKernelsOnOneFileSystem(Case one) throws Exception {
    String[] words = one.words().toArray(String[]::new);
    OsPath without = prepared("one", "", one);
    OsPath with = prepared("two", "", one);
    String expected = Program.plain(without).run(words).outcome();
    assertEquals(expected, Program.preloaded(with).run(words).outcome());
    Trees.assertSame(after(without), after(with));
  }

  /** Two mounts of one file system, between which rename(2) gives EXDEV as well. */
  @Test
  void namesOfOneFileSystemInTwoMounts() throws Exception {
    OsPath here = scratch.mkdirs("here");
    Program.shell(
        scratch.path(),
        """
        mkdir there inner
        mount -t tmpfs x here
        mkdir -p here/a/b here/d
        echo x >here/file
        ln here/file here/link
        mount --bind here there
        mount --bind here/a/b inner
        """);
    Trees.Snapshot before = Trees.snapshot(here);
    Program program = Program.checked(scratch.path());
    program.renames("here/file", "there/file");
    program.renames("here/file", "there/link");
    program.renames("here/a", "there/a");
    program.refuses(Errno.EINVAL, "here/a", "there/a/new");
    program.refuses(Errno.EINVAL, "here/a", "there/a/b/new");
    program.refuses(Errno.EINVAL, "here/a", "there/a/b");
    program.refuses(Errno.ENOTEMPTY, "here/a/b", "there/a");
    // by names, the one is not in the other
    program.refuses(Errno.EINVAL, "here/a", "inner/new");
    Trees.assertSame(before, Trees.snapshot(here));
    program.renames("here/d", "there/a/b/new");
    program.renames("here/file", "there/d");
    assertEquals(
        "a\na/b\na/b/new\nd\nlink\n",
        Program.shell(here, "find . -mindepth 1 -printf '%P\\n' | sort; cmp d link"));
  }

  @Test
  void aReadOnlySideIsToldAsSuch() throws Exception {
    OsPath from = scratch.mkdirs("from");
    Program.shell(
        scratch.path(),
        "mkdir to; mount -t tmpfs x to; mount -t tmpfs x from; echo a >from/a; echo b >to/b");
    Program program = Program.checked(scratch.path());
    Program.shell(from, "mount -o remount,bind,ro .");
    program.refuses(Errno.EROFS, "from/a", "to/a");
    program.refuses(Errno.EROFS, "to/b", "from/b");
    Program.shell(from, "mount -o remount,bind,rw . && mount -o remount,ro .");
    program.refuses(Errno.EROFS, "from/a", "to/a");
    program.refuses(Errno.EROFS, "to/b", "from/b");
    assertEquals("b\n", Program.shell(scratch.path(), "ls -A to"));
  }
}
