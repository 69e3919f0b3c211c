package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files copied up with their data, and what that is good for on the running kernel. */
@Tag("kernel")
class CopyUpTest {
  @RegisterExtension final StackLab lab = new StackLab();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private OsPath lower;
  private OsPath tree;

  @BeforeEach
  void mount() throws Exception {
    lower = lab.directory("lower");
    files.mkdirs(lower.resolve("var/lib/deep/empty"), 0755);
    write("var/lib/one", "1111");
    write("var/lib/deep/two", "2222");
    write("var/other", "3333");
    sys.symlinkat(OsPath.of("one"), Linux.AT_FDCWD, lower.resolve("var/lib/link"));
    sys.mknodat(Linux.AT_FDCWD, lower.resolve("var/lib/pipe"), Linux.S_IFIFO | 0600, 0, 0);
    Timestamp old = new Timestamp(1_000_000_000, 5);
    for (String name : List.of("one", "deep/two", "link", "pipe", "deep/empty", "deep", "")) {
      sys.utimensat(
          Linux.AT_FDCWD,
          lower.resolve("var/lib").resolve(OsPath.of(name)),
          old,
          old,
          Linux.AT_SYMLINK_NOFOLLOW);
    }
    tree = lab.stack("s", List.of(lower)).up();
  }

  @AfterEach
  void down() throws Exception {
    // a mapping of Java's lives until it is collected
    lab.stacks().down(StackLab.name("s"), true);
  }

  private void write(String name, String text) throws ErrnoException {
    files.create(lower.resolve(name), text.getBytes(StandardCharsets.UTF_8), 0644, false);
  }

  private void copyUp(String path) throws Exception {
    lab.stacks().copyUp(StackLab.name("s"), OsPath.of(path), Progress.NONE, () -> false);
  }

  private OsPath upper() throws Exception {
    return lab.stacks()
        .report(StackLab.name("s"))
        .upper()
        .map(StackDefinition.Upper.Given::directory)
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/var/lib", "var/lib/"})
  void allBeneathWithDataAndTimes(String path) throws Exception {
    copyUp(path);
    OsPath copy = upper().resolve("var/lib");
    assertEquals("1111", text(copy.resolve("one")));
    assertEquals("2222", text(copy.resolve("deep/two")));
    for (String name : List.of("one", "deep/two", "link", "pipe", "deep/empty", "deep", ".")) {
      Statx is = files.lstat(copy.resolve(name)).orElseThrow();
      Statx was = files.lstat(lower.resolve("var/lib").resolve(name)).orElseThrow();
      assertEquals(was.modified(), is.modified(), name);
      assertEquals(was.mode(), is.mode(), name);
    }
    assertTrue(files.lstat(upper().resolve("var/other")).isEmpty(), "only what was asked for");
    copyUp(path);
  }

  @Test
  void oneFile() throws Exception {
    copyUp("/var/lib/one");
    assertEquals("1111", text(upper().resolve("var/lib/one")));
    assertTrue(files.lstat(upper().resolve("var/lib/link")).isEmpty());
  }

  private String text(OsPath file) throws ErrnoException {
    return new String(files.read(file).orElseThrow(), StandardCharsets.UTF_8);
  }

  @Test
  void whatCannotBe() throws Exception {
    EngineException missing =
        assertThrows(EngineException.class, () -> copyUp("/var/lib/one/beneath"));
    assertEquals(Optional.of(Errno.ENOENT), missing.errno());
    assertThrows(EngineException.class, () -> copyUp("/var/../var"));
    EngineException cancelled =
        assertThrows(
            EngineException.class,
            () ->
                lab.stacks()
                    .copyUp(StackLab.name("s"), OsPath.of("/var"), Progress.NONE, () -> true));
    assertEquals(Optional.of(Errno.ECANCELED), cancelled.errno());
    lab.stack("ro", List.of(lower)).readOnly().up();
    EngineException readOnly =
        assertThrows(
            EngineException.class,
            () ->
                lab.stacks()
                    .copyUp(StackLab.name("ro"), OsPath.of("/var"), Progress.NONE, () -> false));
    assertEquals(Optional.of(Errno.EROFS), readOnly.errno());
    lab.stacks().down(StackLab.name("ro"), false);
  }

  /**
   * The kernel's documentation leaves open what a reader sees that came before the first writer.
   * This is what this one does: read(2) sees what is written, a mapping of the lower's file does
   * not. After a copy-up there is one file only.
   */
  @Test
  void whoReadsAndWhoWritesShareWhatWasCopiedUp() throws Exception {
    Path file = Path.of(tree.resolve("var/lib/one").toString());
    try (FileChannel early = FileChannel.open(file, StandardOpenOption.READ)) {
      MappedByteBuffer stale = early.map(FileChannel.MapMode.READ_ONLY, 0, 4);
      assertEquals("1111", text(stale));

      copyUp("/var/lib/one");
      try (FileChannel late = FileChannel.open(file, StandardOpenOption.READ);
          FileChannel writer = FileChannel.open(file, StandardOpenOption.WRITE)) {
        MappedByteBuffer shared = late.map(FileChannel.MapMode.READ_ONLY, 0, 4);
        writer.write(ByteBuffer.wrap("9999".getBytes(StandardCharsets.UTF_8)), 0);
        assertEquals("9999", text(shared), "mapped after the copy-up");
        assertEquals("1111", text(stale), "mapped before: the lower's pages");
        ByteBuffer read = ByteBuffer.allocate(4);
        early.read(read, 0);
        assertEquals("9999", text(read.flip()), "read through the early descriptor");
      }
    }
    assertEquals("1111", text(lower.resolve("var/lib/one")));
  }

  private static String text(ByteBuffer buffer) {
    return StandardCharsets.UTF_8.decode(buffer.duplicate()).toString();
  }
}
