package dev.ovl.engine.usage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.usage.UpperUsage.Tree;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Against du(1), on an ext4, where blocks, holes and links are real. */
@Tag("kernel")
@Tag("slow")
class UpperUsageTest {
  @RegisterExtension static final Scratch SCRATCH = Scratch.ext4();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private OsPath upper;
  private OsPath work;
  private Leaks leaks;

  @BeforeEach
  void make() throws ErrnoException {
    SCRATCH.empty();
    upper = SCRATCH.mkdirs("upper");
    work = SCRATCH.mkdirs("work");
    leaks = Leaks.beneath(SCRATCH.path());
  }

  @AfterEach
  void nothingIsLeft() {
    leaks.assertNone();
  }

  private UpperUsage measure() throws EngineException, ErrnoException {
    return measure(sys);
  }

  private UpperUsage measure(Syscalls syscalls) throws EngineException, ErrnoException {
    return UpperUsage.measure(syscalls, upper, Optional.of(work), () -> false);
  }

  private void write(OsPath path, int size) throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, 0644))) {
      ByteBuffer content = ByteBuffer.allocateDirect(size);
      while (content.hasRemaining()) {
        sys.write(fd.number(), content);
      }
      // until then blocks are reserved, not allocated, and a tree of them counts differently
      sys.fsync(fd.number());
    }
  }

  private void link(OsPath from, OsPath to) throws ErrnoException {
    sys.linkat(Linux.AT_FDCWD, from, Linux.AT_FDCWD, to, 0);
  }

  private void whiteout(OsPath path) throws ErrnoException {
    sys.mknodat(Linux.AT_FDCWD, path, Linux.S_IFCHR, 0, 0);
  }

  /** The first numbers of the lines that du prints, one for each directory. */
  private static List<Long> du(List<String> options, OsPath... directories) throws Exception {
    Requires.program("du");
    List<String> command = new ArrayList<>(List.of("du", "-s", "-x"));
    command.addAll(options);
    for (OsPath directory : directories) {
      command.add(directory.toString());
    }
    // no pipes: the JVM closes them when it likes
    File output = new File(SCRATCH.resolve("du").toString());
    Process process =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(output)
            .start();
    int status = process.waitFor();
    List<String> lines =
        java.nio.file.Files.readAllLines(output.toPath(), StandardCharsets.ISO_8859_1);
    assertEquals(0, status, lines::toString);
    return lines.stream().map(line -> Long.valueOf(line.split("\t")[0])).toList();
  }

  private void assertAsDu(UpperUsage usage) throws Exception {
    List<Long> bytes = du(List.of("--block-size=1"), upper, work);
    List<Long> inodes = du(List.of("--inodes"), upper, work);
    assertEquals(new Tree(bytes.get(0), inodes.get(0)), usage.upper());
    assertEquals(new Tree(bytes.get(1), inodes.get(1)), usage.work());
  }

  @Test
  void anEmptyUpper() throws Exception {
    UpperUsage usage = measure();
    assertEquals(new Tree(4096, 1), usage.upper());
    assertEquals(new Tree(4096, 1), usage.work());
    assertEquals(0, usage.whiteouts());
  }

  @Test
  void filesOfEveryKind() throws Exception {
    for (int i = 0; i < 50; i++) {
      write(upper.resolve("file" + i), i * 1000);
    }
    files.mkdir(upper.resolve("directory"), 0755);
    files.mkdir(upper.resolve("directory/inner"), 0755);
    write(upper.resolve("directory/inner/file"), 5000);
    write(upper.resolve(OsPath.of(new byte[] {'n', (byte) 0xFF, '\n', (byte) 0xC3})), 5000);
    files.mkdir(upper.resolve(OsPath.of(new byte[] {(byte) 0xFE})), 0755);
    write(upper.resolve(OsPath.of(new byte[] {(byte) 0xFE, '/', (byte) 0x80})), 5000);
    files.symlink(OsPath.of("/usr"), upper.resolve("link"));
    files.symlink(OsPath.of("x".repeat(1000)), upper.resolve("long-link"));
    sys.mknodat(Linux.AT_FDCWD, upper.resolve("fifo"), Linux.S_IFIFO | 0600, 0, 0);
    sys.mknodat(Linux.AT_FDCWD, upper.resolve("null"), Linux.S_IFCHR | 0600, 1, 3);
    files.mkdir(work.resolve("work"), 0);
    write(work.resolve("work/#1"), 9000);

    UpperUsage usage = measure();

    assertAsDu(usage);
    assertEquals(61, usage.upper().inodes());
    assertEquals(0, usage.whiteouts());
  }

  @Test
  void anInodeCountsOnceHoweverManyNamesItHas() throws Exception {
    write(upper.resolve("one"), 100_000);
    files.mkdir(upper.resolve("d"), 0755);
    link(upper.resolve("one"), upper.resolve("d/two"));
    link(upper.resolve("one"), upper.resolve("three"));
    // as overlayfs does it: one device in the work directory, and a link a whiteout
    whiteout(work.resolve("#0"));
    for (int i = 0; i < 20; i++) {
      link(work.resolve("#0"), upper.resolve("deleted" + i));
    }
    whiteout(upper.resolve("d/alone"));

    UpperUsage usage = measure();

    assertAsDu(usage);
    assertEquals(5, usage.upper().inodes());
    assertEquals(1, usage.work().inodes());
    assertEquals(21, usage.whiteouts());
  }

  @Test
  void holesTakeNothing() throws Exception {
    OsPath sparse = upper.resolve("sparse");
    write(sparse, 4096);
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, sparse, Linux.O_WRONLY, 0))) {
      sys.ftruncate(fd.number(), 1L << 40);
    }
    UpperUsage usage = measure();
    assertAsDu(usage);
    assertEquals(2 * 4096, usage.upper().bytes());
  }

  @Test
  void deepTreesWithPathsThatNoCallTakes() throws Exception {
    OsPath name = OsPath.of("d".repeat(99) + "\uDCFF");
    Fd at = files.openPath(upper);
    for (int i = 0; i < 200; i++) {
      sys.mkdirat(at.number(), name, 0755);
      Fd deeper = new Fd(sys, sys.openat(at.number(), name, Linux.O_PATH, 0));
      at.close();
      at = deeper;
    }
    try (Fd deepest = at) {
      sys.mknodat(deepest.number(), OsPath.of("deleted"), Linux.S_IFCHR, 0, 0);
    }
    UpperUsage usage = measure();
    assertAsDu(usage);
    assertEquals(202, usage.upper().inodes());
    assertEquals(1, usage.whiteouts());
  }

  @Test
  void whatIsMountedInsideIsNotEntered() throws Exception {
    OsPath outside = SCRATCH.mkdirs("outside");
    write(outside.resolve("file"), 100_000);
    for (String name : List.of("tmpfs", "bound")) {
      files.mkdir(upper.resolve(name), 0755);
    }
    write(upper.resolve("file"), 10);
    Tree before = measure().upper();
    sys.mount(OsPath.of("ovl-test"), upper.resolve("tmpfs"), "tmpfs", 0, new byte[0]);
    sys.mount(outside, upper.resolve("bound"), "", Linux.MS_BIND, new byte[0]);
    sys.mount(outside.resolve("file"), upper.resolve("file"), "", Linux.MS_BIND, new byte[0]);
    try {
      write(upper.resolve("tmpfs/file"), 10_000);
      UpperUsage usage = measure();
      // what is covered is not seen: two directories and a file
      assertEquals(before.inodes() - 3, usage.upper().inodes());
      assertEquals(before.bytes() - 3 * 4096, usage.upper().bytes());
    } finally {
      for (String name : List.of("tmpfs", "bound", "file")) {
        sys.umount2(upper.resolve(name), Linux.MNT_DETACH);
      }
    }
    assertEquals(before, measure().upper());
  }

  /** As kernels before 5.8, which tell no mount points: the device does. */
  @Test
  void anotherFileSystemInsideIsNotEntered() throws Exception {
    OsPath point = upper.resolve("tmpfs");
    files.mkdir(point, 0755);
    long before = measure().upper().inodes();
    sys.mount(OsPath.of("ovl-test"), point, "tmpfs", 0, new byte[0]);
    try {
      files.mkdir(point.resolve("d"), 0755);
      UpperUsage usage =
          measure(
              new ObservedSyscalls(sys) {
                @Override
                protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
                  return invocation.perform();
                }

                @Override
                public Statx statx(int dirfd, OsPath path, int flags, int mask)
                    throws ErrnoException {
                  return withoutAttributes(super.statx(dirfd, path, flags, mask));
                }
              });
      assertEquals(before - 1, usage.upper().inodes());
    } finally {
      sys.umount2(point, Linux.MNT_DETACH);
    }
  }

  private static Statx withoutAttributes(Statx stat) {
    return new Statx(
        stat.mask(),
        stat.blockSize(),
        0,
        0,
        stat.links(),
        stat.uid(),
        stat.gid(),
        stat.mode(),
        stat.inode(),
        stat.size(),
        stat.blocks(),
        stat.accessed(),
        stat.born(),
        stat.changed(),
        stat.modified(),
        stat.rdevMajor(),
        stat.rdevMinor(),
        stat.devMajor(),
        stat.devMinor(),
        stat.mountId());
  }

  @Test
  void itEndsWhenToldTo() throws Exception {
    for (int i = 0; i < 100; i++) {
      write(upper.resolve("file" + i), 0);
    }
    AtomicInteger asked = new AtomicInteger();
    EngineException cancelled =
        assertThrows(
            EngineException.class,
            () ->
                UpperUsage.measure(
                    sys, upper, Optional.of(work), () -> asked.incrementAndGet() == 40));
    assertEquals(Optional.of(Errno.ECANCELED), cancelled.errno());
    assertEquals("cancelled (ECANCELED)", cancelled.getMessage());
    assertEquals(40, asked.get());
  }

  @Test
  void whatIsMissing() throws Exception {
    files.rmdir(work);
    assertEquals(new Tree(0, 0), measure().work());
    files.rmdir(upper);
    EngineException missing = assertThrows(EngineException.class, this::measure);
    assertEquals("its upper " + upper + " is missing (ENOENT)", missing.getMessage());
  }

  // ---- while others write ---------------------------------------------------------------------

  /** Does something to the tree right before a call that names a file. */
  private static final class Meddler extends ObservedSyscalls {
    private final String call;
    private final String name;
    private final Meddling meddling;

    private interface Meddling {
      void run() throws ErrnoException;
    }

    Meddler(String call, String name, Meddling meddling) {
      super(new LinuxSyscalls());
      this.call = call;
      this.name = name;
      this.meddling = meddling;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (invocation.name().equals(call) && invocation.arguments().contains("\"" + name + "\"")) {
        meddling.run();
      }
      return invocation.perform();
    }
  }

  @Test
  void whatVanishesBetweenTwoCallsWasNotThere() throws Exception {
    write(upper.resolve("file"), 10);
    UpperUsage without = measure();
    write(upper.resolve("gone"), 10);
    assertEquals(without, measure(new Meddler("statx", "gone", () -> rm("gone"))));

    files.mkdir(upper.resolve("d"), 0755);
    UpperUsage empty = measure();
    write(upper.resolve("d/file"), 10);
    // the directory itself was seen
    assertEquals(empty, measure(new Meddler("openat2", "d", () -> mv("d", "../away"))));
    files.symlink(OsPath.of("../away"), upper.resolve("d"));
    rm("d");
    files.rename(SCRATCH.resolve("away"), upper.resolve("d"));
    UpperUsage behindLink =
        measure(
            new Meddler(
                "openat2",
                "d",
                () -> {
                  mv("d", "../away");
                  files.symlink(OsPath.of("../away"), upper.resolve("d"));
                }));
    assertEquals(empty, behindLink);
    rm("d");
    write(upper.resolve("d"), 0);
    rm("d");
    files.rename(SCRATCH.resolve("away"), upper.resolve("d"));
    UpperUsage file =
        measure(
            new Meddler(
                "openat2",
                "d",
                () -> {
                  mv("d", "../away");
                  write(upper.resolve("d"), 0);
                }));
    assertEquals(empty, file);
  }

  private void rm(String name) throws ErrnoException {
    files.remove(upper.resolve(name));
  }

  private void mv(String from, String to) throws ErrnoException {
    files.rename(upper.resolve(from), upper.resolve(to));
  }

  @Test
  void aBusyUpper() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    for (int i = 0; i < 20; i++) {
      files.mkdirs(upper.resolve("stays" + i + "/inner"), 0755);
    }
    Thread busy =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; !stop.get(); i++) {
                      OsPath tree = upper.resolve("stays" + i % 20 + "/inner/t" + i);
                      files.mkdirs(tree.resolve("a/b/c"), 0755);
                      files.symlink(OsPath.of("/"), tree.resolve("link"));
                      whiteout(tree.resolve("a/deleted"));
                      files.rename(tree, upper.resolve("moved"));
                      files.removeTree(upper.resolve("moved"));
                    }
                  } catch (Throwable e) {
                    failure.set(e);
                  }
                });
    try {
      for (int i = 0; i < 200; i++) {
        long inodes = measure().upper().inodes();
        assertTrue(inodes >= 41, () -> inodes + " inodes");
      }
    } finally {
      stop.set(true);
      busy.join();
    }
    assertEquals(null, failure.get());
    assertAsDu(measure());
  }

  @Test
  void roomIsThatOfTheFileSystem() throws Exception {
    FileSystemRoom before = FileSystemRoom.at(sys, upper);
    assertTrue(before.bytes() > 400L << 20 && before.bytes() < 512L << 20, before::toString);
    long free = before.inodesFree().orElseThrow();
    assertTrue(free < before.inodes().orElseThrow());
    write(upper.resolve("file"), 1 << 20);
    FileSystemRoom after = FileSystemRoom.at(sys, upper);
    assertEquals(free - 1, after.inodesFree().orElseThrow());
    assertEquals(before.bytesAvailable() - (1 << 20), after.bytesAvailable());
    assertEquals(before.bytes(), after.bytes());
    assertThrows(ErrnoException.class, () -> FileSystemRoom.at(sys, upper.resolve("none")));
  }
}
