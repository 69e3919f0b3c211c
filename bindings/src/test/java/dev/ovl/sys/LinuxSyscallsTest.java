package dev.ovl.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ovl.sys.gen.sockaddr_un;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The real kernel, on a tmpfs of the test's own. */
class LinuxSyscallsTest {
  private static final int AT_FDCWD = Linux.AT_FDCWD;
  private static final byte[] NONE = {};
  private static final long FIONREAD = 0x541B;

  private final Syscalls sys = new LinuxSyscalls();
  private OsPath directory;
  private int openBefore;

  @BeforeEach
  void mountTmpfs(@TempDir Path temporary) throws ErrnoException {
    assumeTrue(sys.geteuid() == 0, "SKIPPED: mounting needs root");
    openBefore = openDescriptors();
    directory = OsPath.of(temporary.toString()).resolve("t");
    sys.mkdirat(AT_FDCWD, directory, 0755);
    sys.mount(OsPath.of("ovl-test"), directory, "tmpfs", 0, NONE);
  }

  @AfterEach
  void unmountTmpfsAndCountDescriptors() throws ErrnoException {
    if (directory != null) {
      sys.umount2(directory, Linux.MNT_DETACH);
      assertEquals(openBefore, openDescriptors(), "descriptors left open");
    }
  }

  private static void assertErrno(Errno expected, Executable call) {
    ErrnoException thrown = assertThrows(ErrnoException.class, call);
    assertEquals(expected, thrown.errno(), thrown.getMessage());
  }

  private OsPath in(String name) {
    return directory.resolve(name);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private Fd open(OsPath path, int flags) throws ErrnoException {
    return new Fd(sys, sys.openat(AT_FDCWD, path, flags, 0644));
  }

  private OsPath file(String name, String content) throws ErrnoException {
    OsPath path = in(name);
    try (Fd fd = open(path, Linux.O_CREAT | Linux.O_EXCL | Linux.O_WRONLY)) {
      ByteBuffer buffer = direct(bytes(content));
      while (buffer.hasRemaining()) {
        sys.write(fd.number(), buffer);
      }
    }
    return path;
  }

  private String content(OsPath path) throws ErrnoException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
    try (Fd fd = open(path, Linux.O_RDONLY)) {
      while (sys.read(fd.number(), buffer) > 0) {
        assertTrue(buffer.hasRemaining());
      }
    }
    byte[] content = new byte[buffer.flip().remaining()];
    buffer.get(content);
    return new String(content, UTF_8);
  }

  private static ByteBuffer direct(byte[] content) {
    return ByteBuffer.allocateDirect(content.length).put(content).flip();
  }

  private Statx stat(OsPath path) throws ErrnoException {
    return sys.statx(
        AT_FDCWD, path, Linux.AT_SYMLINK_NOFOLLOW, Linux.STATX_BASIC_STATS | Linux.STATX_BTIME);
  }

  private List<DirectoryEntries.Entry> list(OsPath path) throws ErrnoException {
    List<DirectoryEntries.Entry> result = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.allocateDirect(1024);
    try (Fd fd = open(path, Linux.O_DIRECTORY)) {
      while (sys.getdents64(fd.number(), buffer.clear()) > 0) {
        new DirectoryEntries(buffer).forEach(result::add);
      }
    }
    return result;
  }

  private int openDescriptors() throws ErrnoException {
    return list(OsPath.of("/proc/self/fd")).size();
  }

  // ---- files --------------------------------------------------------------------------------

  @Test
  void writingReadingSeekingTruncating() throws ErrnoException {
    OsPath path = file("f", "hello, world");
    assertEquals("hello, world", content(path));
    try (Fd fd = open(path, Linux.O_RDWR)) {
      int number = fd.number();
      assertEquals(7, sys.lseek(number, 7, Linux.SEEK_SET));
      ByteBuffer buffer = ByteBuffer.allocateDirect(10);
      buffer.position(2).limit(5);
      assertEquals(3, sys.read(number, buffer));
      assertEquals(5, buffer.position());
      assertEquals('w', buffer.get(2));
      assertEquals(0, buffer.duplicate().clear().get(5));
      buffer.position(2);
      assertEquals(3, sys.write(number, buffer));
      sys.ftruncate(number, 1 << 20);
      assertEquals(1 << 20, stat(path).size());
      assertErrno(Errno.ENXIO, () -> sys.lseek(number, 1 << 19, Linux.SEEK_DATA));
      sys.ftruncate(number, 13);
      sys.fchmod(number, 04711);
      assertEquals(04711, stat(path).permissions());
      sys.fsync(number);
      sys.syncfs(number);
    }
    assertEquals("hello, worwo", content(path).substring(0, 12));
  }

  @Test
  void aFilesBytesAreCopiedFromWhereBothFilesStand() throws ErrnoException {
    OsPath path = file("from", "hello, world");
    try (Fd from = open(path, Linux.O_RDONLY);
        Fd to = open(in("to"), Linux.O_CREAT | Linux.O_RDWR)) {
      sys.lseek(from.number(), 7, Linux.SEEK_SET);
      assertEquals(3, sys.copy_file_range(from.number(), to.number(), 3));
      assertEquals(2, sys.copy_file_range(from.number(), to.number(), 4096));
      assertEquals(0, sys.copy_file_range(from.number(), to.number(), 4096));
    }
    assertEquals("world", content(in("to")));
  }

  @Test
  void everyByteThatANameMayHaveSurvives() throws ErrnoException {
    Set<OsPath> expected = new TreeSet<>();
    for (int b = 1; b < 256; b++) {
      if (b != '/' && b != '.') {
        expected.add(OsPath.of(new byte[] {(byte) b}));
      }
    }
    byte[] longest = new byte[255];
    Arrays.fill(longest, (byte) 0xFE);
    expected.add(OsPath.of(longest));
    for (OsPath name : expected) {
      open(directory.resolve(name), Linux.O_CREAT | Linux.O_EXCL).close();
    }
    List<DirectoryEntries.Entry> entries = list(directory);
    assertEquals(expected.size(), entries.size());
    Set<OsPath> names = new TreeSet<>();
    for (DirectoryEntries.Entry entry : entries) {
      names.add(entry.name());
      assertEquals(Linux.DT_REG, entry.type());
      assertEquals(stat(directory.resolve(entry.name())).inode(), entry.inode());
    }
    assertEquals(expected, names);
    OsPath tooLong = OsPath.of("n".repeat(256));
    assertErrno(Errno.ENAMETOOLONG, () -> stat(directory.resolve(tooLong)));
  }

  @Test
  void pathsLongerThanTheScratchMemoryReachTheKernelWhole() {
    OsPath tooLong = OsPath.of("/x".repeat(20_000));
    ErrnoException thrown =
        assertThrows(
            ErrnoException.class, () -> sys.linkat(AT_FDCWD, tooLong, AT_FDCWD, tooLong, 0));
    assertEquals(Errno.ENAMETOOLONG, thrown.errno());
    assertTrue(thrown.arguments().length() > 80_000);
  }

  @Test
  void links() throws ErrnoException {
    OsPath file = file("f", "x");
    sys.linkat(AT_FDCWD, file, AT_FDCWD, in("hard"), 0);
    assertEquals(2, stat(file).links());
    assertTrue(stat(file).sameFile(stat(in("hard"))));
    for (int length : new int[] {1, 100, 4095}) {
      OsPath target = OsPath.of("\uDCFF".repeat(length));
      sys.symlinkat(target, AT_FDCWD, in("soft" + length));
      assertEquals(target, sys.readlinkat(AT_FDCWD, in("soft" + length)));
      assertTrue(stat(in("soft" + length)).isSymbolicLink());
    }
    assertErrno(Errno.EINVAL, () -> sys.readlinkat(AT_FDCWD, file));
  }

  @Test
  void renaming() throws ErrnoException {
    OsPath a = file("a", "A");
    OsPath b = file("b", "B");
    assertErrno(
        Errno.EEXIST, () -> sys.renameat2(AT_FDCWD, a, AT_FDCWD, b, Linux.RENAME_NOREPLACE));
    sys.renameat2(AT_FDCWD, a, AT_FDCWD, b, Linux.RENAME_EXCHANGE);
    assertEquals("A", content(b));
    sys.renameat2(AT_FDCWD, a, AT_FDCWD, b, 0);
    assertEquals("B", content(b));
    assertErrno(Errno.ENOENT, () -> stat(a));
  }

  @Test
  void directories() throws ErrnoException {
    sys.mkdirat(AT_FDCWD, in("d"), 0750);
    assertTrue(stat(in("d")).isDirectory());
    assertEquals(0750, stat(in("d")).permissions());
    file("d/f", "");
    assertErrno(Errno.ENOTEMPTY, () -> sys.unlinkat(AT_FDCWD, in("d"), Linux.AT_REMOVEDIR));
    assertErrno(Errno.EISDIR, () -> sys.unlinkat(AT_FDCWD, in("d"), 0));
    sys.unlinkat(AT_FDCWD, in("d/f"), 0);
    sys.unlinkat(AT_FDCWD, in("d"), Linux.AT_REMOVEDIR);
    assertEquals(List.of(), list(directory));
  }

  @Test
  void devices() throws ErrnoException {
    sys.mknodat(AT_FDCWD, in("whiteout"), Linux.S_IFCHR, 0, 0);
    assertTrue(stat(in("whiteout")).isWhiteout());
    sys.mknodat(AT_FDCWD, in("device"), Linux.S_IFBLK | 0600, 0xABC, 0xFEDCB);
    Statx device = stat(in("device"));
    assertEquals(Linux.S_IFBLK | 0600, device.mode());
    assertEquals(0xABC, device.rdevMajor());
    assertEquals(0xFEDCB, device.rdevMinor());
    assertFalse(device.isWhiteout());
    sys.mknodat(AT_FDCWD, in("fifo"), Linux.S_IFIFO | 0600, 0, 0);
    assertEquals(Linux.S_IFIFO, stat(in("fifo")).mode() & Linux.S_IFMT);
  }

  @Test
  void handles() throws ErrnoException {
    try (Fd root = new Fd(sys, sys.openat(AT_FDCWD, in(""), Linux.O_RDONLY, 0))) {
      byte[] nobodys = {1, 2, 3, 4, 5, 6, 7, 8};
      assertErrno(
          Errno.ESTALE, () -> sys.open_by_handle_at(root.number(), 1, nobodys, Linux.O_PATH));
      assertErrno(
          Errno.EINVAL, () -> sys.open_by_handle_at(root.number(), 1, new byte[129], Linux.O_PATH));
    }
  }

  @Test
  void access() throws ErrnoException {
    OsPath file = file("f", "x");
    sys.fchmodat(AT_FDCWD, file, 0600);
    sys.faccessat2(AT_FDCWD, file, Linux.R_OK | Linux.W_OK, Linux.AT_EACCESS);
    // nobody may execute it, root neither
    assertErrno(Errno.EACCES, () -> sys.faccessat2(AT_FDCWD, file, Linux.X_OK, Linux.AT_EACCESS));
    assertErrno(
        Errno.ENOENT, () -> sys.faccessat2(AT_FDCWD, in("none"), Linux.W_OK, Linux.AT_EACCESS));
  }

  @Test
  void ownersPermissionsTimes() throws ErrnoException {
    OsPath file = file("f", "x");
    sys.fchownat(AT_FDCWD, file, 1, 0xFFFFFFFD, 0);
    sys.fchownat(AT_FDCWD, file, -1, -1, 0);
    sys.fchmodat(AT_FDCWD, file, 04711);
    Timestamp modified = new Timestamp(-5, 999_999_999);
    Timestamp accessed = stat(file).accessed();
    sys.utimensat(AT_FDCWD, file, new Timestamp(0, Linux.UTIME_OMIT), modified, 0);
    Statx stat = stat(file);
    assertEquals(1, stat.uid());
    assertEquals(0xFFFFFFFD, stat.gid());
    assertEquals(04711, stat.permissions());
    assertEquals(modified, stat.modified());
    assertEquals(accessed, stat.accessed());
    assertTrue(stat.isRegularFile());
    assertNotEquals(0, stat.mask() & Linux.STATX_BASIC_STATS);
  }

  @Test
  void resolvingInsideADirectory() throws ErrnoException {
    file("inside", "x");
    sys.symlinkat(OsPath.of("/inside"), AT_FDCWD, in("link"));
    try (Fd root = open(directory, Linux.O_PATH)) {
      OpenHow inRoot = new OpenHow(Linux.O_RDONLY, 0, Linux.RESOLVE_IN_ROOT);
      new Fd(sys, sys.openat2(root.number(), OsPath.of("../link"), inRoot)).close();
      OpenHow beneath = new OpenHow(Linux.O_RDONLY, 0, Linux.RESOLVE_BENEATH);
      assertErrno(Errno.EXDEV, () -> sys.openat2(root.number(), OsPath.of("../link"), beneath));
      OpenHow wrong = new OpenHow(Linux.O_RDONLY, 0600, 0);
      assertErrno(Errno.EINVAL, () -> sys.openat2(root.number(), OsPath.of("inside"), wrong));
    }
  }

  @Test
  void locks() throws ErrnoException {
    OsPath path = file("lock", "");
    try (Fd first = open(path, Linux.O_RDONLY);
        Fd second = open(path, Linux.O_RDONLY)) {
      int exclusive = Linux.LOCK_EX | Linux.LOCK_NB;
      assertTrue(sys.flock(first.number(), exclusive));
      assertFalse(sys.flock(second.number(), exclusive));
      assertTrue(sys.flock(first.number(), Linux.LOCK_UN));
      assertTrue(sys.flock(second.number(), exclusive));
      assertErrno(Errno.EINVAL, () -> sys.flock(first.number(), 0));
    }
  }

  @Test
  void ioctls() throws ErrnoException {
    OsPath path = file("f", "12345");
    try (Fd fd = open(path, Linux.O_RDONLY)) {
      ByteBuffer available = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
      assertEquals(0, sys.ioctl(fd.number(), FIONREAD, available));
      assertEquals(5, available.getInt(0));
      ByteBuffer size = ByteBuffer.allocateDirect(8);
      assertErrno(Errno.ENOTTY, () -> sys.ioctl(fd.number(), Linux.TIOCGWINSZ, size));
      assertErrno(Errno.EBADF, () -> sys.ioctl(fd.number(), Linux.FICLONE, -1));
    }
  }

  @Test
  void fileSystems() throws ErrnoException {
    assertEquals(Linux.TMPFS_MAGIC, sys.statfs(directory).type());
    try (Fd proc = open(OsPath.of("/proc"), Linux.O_PATH)) {
      Statfs stat = sys.fstatfs(proc.number());
      assertEquals(Linux.PROC_SUPER_MAGIC, stat.type());
      assertEquals(255, stat.nameLength());
    }
  }

  // ---- extended attributes --------------------------------------------------------------------

  @Test
  void attributesByNameAndByDescriptor() throws ErrnoException {
    OsPath file = file("f", "x");
    String name = "trusted.ovl";
    byte[] value = {0, 1, (byte) 0xFF};
    assertEquals(Optional.empty(), sys.getxattr(file, name, true));
    sys.setxattr(file, name, value, Linux.XATTR_CREATE, true);
    assertErrno(Errno.EEXIST, () -> sys.setxattr(file, name, value, Linux.XATTR_CREATE, true));
    assertArrayEquals(value, sys.getxattr(file, name, false).orElseThrow());
    try (Fd fd = open(file, Linux.O_RDONLY)) {
      int number = fd.number();
      assertArrayEquals(value, sys.fgetxattr(number, name).orElseThrow());
      sys.fsetxattr(number, name + "2", NONE, 0);
      assertEquals(0, sys.fgetxattr(number, name + "2").orElseThrow().length);
      assertEquals(Set.of(name, name + "2"), new HashSet<>(sys.flistxattr(number)));
      sys.fremovexattr(number, name);
      assertEquals(Optional.empty(), sys.fgetxattr(number, name));
      assertErrno(Errno.ENODATA, () -> sys.fremovexattr(number, name));
    }
    assertEquals(List.of(name + "2"), sys.listxattr(file, true));
    sys.removexattr(file, name + "2", true);
    assertEquals(List.of(), sys.listxattr(file, false));
    assertErrno(Errno.ENOENT, () -> sys.getxattr(in("none"), name, true));
  }

  @Test
  void attributesOfASymbolicLink() throws ErrnoException {
    OsPath file = file("f", "x");
    OsPath link = in("link");
    sys.symlinkat(file, AT_FDCWD, link);
    sys.setxattr(link, "trusted.link", bytes("l"), 0, false);
    sys.setxattr(link, "trusted.file", bytes("f"), 0, true);
    assertEquals(List.of("trusted.link"), sys.listxattr(link, false));
    assertEquals(List.of("trusted.file"), sys.listxattr(file, false));
    sys.removexattr(link, "trusted.link", false);
    assertEquals(List.of(), sys.listxattr(link, false));
  }

  @Test
  void largeAttributesAndManyOfThem() throws ErrnoException {
    OsPath file = file("f", "x");
    byte[] value = new byte[65536];
    Arrays.fill(value, (byte) 7);
    sys.setxattr(file, "trusted.large", value, 0, true);
    assertArrayEquals(value, sys.getxattr(file, "trusted.large", true).orElseThrow());
    try (Fd fd = open(file, Linux.O_RDONLY)) {
      assertArrayEquals(value, sys.fgetxattr(fd.number(), "trusted.large").orElseThrow());
      Set<String> names = new HashSet<>(List.of("trusted.large"));
      for (int i = 0; i < 100; i++) {
        String name = "trusted.\uDCFE" + "n".repeat(100) + i;
        sys.fsetxattr(fd.number(), name, NONE, 0);
        names.add(name);
      }
      assertEquals(names, new HashSet<>(sys.flistxattr(fd.number())));
      assertEquals(names, new HashSet<>(sys.listxattr(file, false)));
    }
  }

  // ---- mounts -------------------------------------------------------------------------------

  @Test
  void mountDataOfAPageIsRefusedBeforeTheCall() throws Exception {
    OsPath point = in("point");
    sys.mkdirat(AT_FDCWD, point, 0755);
    String options = "size=1m,".repeat(2) + "mode=0700,".repeat(407) + "mode=0711";
    byte[] longest = bytes(options);
    assertEquals(LinuxSyscalls.MOUNT_DATA_LIMIT, longest.length);
    OsPath source = OsPath.of("ovl-long");
    assertThrows(
        IllegalArgumentException.class,
        () -> sys.mount(source, point, "tmpfs", 0, bytes(options + ",")));
    assertTrue(stat(directory).sameFileSystem(stat(point)));
    sys.mount(source, point, "tmpfs", 0, longest);
    try {
      assertEquals(0711, stat(point).permissions());
    } finally {
      sys.umount2(point, 0);
    }
  }

  @Test
  void stringsWithANulAreRefused() {
    OsPath source = OsPath.of("x");
    assertThrows(IllegalArgumentException.class, () -> sys.fsopen("tmpfs\0", 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> sys.mount(source, directory, "tmpfs", 0, new byte[] {'a', 0, 'b'}));
    assertThrows(IllegalArgumentException.class, () -> sys.getxattr(directory, "user.a\0b", true));
  }

  @Test
  void mountsRemountsAndUnmounts() throws ErrnoException {
    OsPath point = in("p,o:i\\n\nt \uDCFF");
    sys.mkdirat(AT_FDCWD, point, 0755);
    assertErrno(Errno.EINVAL, () -> sys.umount2(point, 0));
    assertErrno(Errno.ENODEV, () -> sys.mount(point, point, "nonesuch", 0, NONE));
    sys.mount(OsPath.EMPTY, point, "tmpfs", Linux.MS_NODEV, bytes("mode=0711"));
    try {
      Statx root = stat(point);
      assertEquals(0711, root.permissions());
      assertFalse(root.sameFileSystem(stat(directory)));
      assertTrue(sys.ustat(root.devMajor(), root.devMinor()));
      assertFalse(sys.ustat(0xFFF, 0xFFFFF));
      sys.mount(OsPath.EMPTY, point, "", Linux.MS_REMOUNT | Linux.MS_RDONLY, NONE);
      assertErrno(Errno.EROFS, () -> sys.mkdirat(AT_FDCWD, point.resolve("d"), 0755));
      try (Fd user = open(point, Linux.O_RDONLY)) {
        assertTrue(user.number() >= 0);
        assertErrno(Errno.EBUSY, () -> sys.umount2(point, 0));
      }
    } finally {
      sys.umount2(point, 0);
    }
    assertTrue(stat(point).sameFileSystem(stat(directory)));
  }

  @Test
  void anOverlay() throws ErrnoException {
    for (String name : List.of("lower", "upper", "work", "merged")) {
      sys.mkdirat(AT_FDCWD, in(name), 0755);
    }
    file("lower/a", "from below");
    file("lower/b", "gone");
    String options =
        "lowerdir=" + in("lower") + ",upperdir=" + in("upper") + ",workdir=" + in("work");
    sys.mount(OsPath.of("ovl:test"), in("merged"), "overlay", 0, bytes(options));
    try {
      assertEquals(Linux.OVERLAYFS_SUPER_MAGIC, sys.statfs(in("merged")).type());
      assertEquals("from below", content(in("merged/a")));
      sys.unlinkat(AT_FDCWD, in("merged/b"), 0);
      assertTrue(stat(in("upper/b")).isWhiteout());
      file("merged/c", "new");
      assertEquals("new", content(in("upper/c")));
    } finally {
      sys.umount2(in("merged"), 0);
    }
  }

  @Test
  void mountingInSteps() throws Exception {
    OsPath point = in("point");
    sys.mkdirat(AT_FDCWD, point, 0755);
    assertErrno(Errno.ENODEV, () -> sys.fsopen("nonesuch", 0));
    try (Fd context = new Fd(sys, sys.fsopen("tmpfs", 0))) {
      assertCloseOnExec(context);
      int fd = context.number();
      sys.fsconfig(fd, Linux.FSCONFIG_SET_STRING, "source", bytes("ovl-step"), 0);
      sys.fsconfig(fd, Linux.FSCONFIG_SET_STRING, "mode", bytes("0751"), 0);
      assertErrno(
          Errno.EINVAL,
          () -> sys.fsconfig(fd, Linux.FSCONFIG_SET_STRING, "source", bytes("x".repeat(256)), 0));
      sys.fsconfig(fd, Linux.FSCONFIG_CMD_CREATE, "", NONE, 0);
      try (Fd mount = new Fd(sys, sys.fsmount(fd, 0, Linux.MOUNT_ATTR_NODEV))) {
        assertCloseOnExec(mount);
        sys.move_mount(
            mount.number(), OsPath.EMPTY, AT_FDCWD, point, Linux.MOVE_MOUNT_F_EMPTY_PATH);
      }
    }
    try {
      assertEquals(0751, stat(point).permissions());
      sys.mount_setattr(
          AT_FDCWD, point, 0, new MountAttr(Linux.MOUNT_ATTR_RDONLY, 0, Linux.MS_PRIVATE, 0));
      assertErrno(Errno.EROFS, () -> sys.mkdirat(AT_FDCWD, point.resolve("d"), 0755));
      sys.mount_setattr(AT_FDCWD, point, 0, new MountAttr(0, Linux.MOUNT_ATTR_RDONLY, 0, 0));
      sys.mkdirat(AT_FDCWD, point.resolve("d"), 0755);
      try (Fd picked = new Fd(sys, sys.fspick(AT_FDCWD, point, 0))) {
        assertCloseOnExec(picked);
        sys.fsconfig(picked.number(), Linux.FSCONFIG_SET_FLAG, "ro", NONE, 0);
        sys.fsconfig(picked.number(), Linux.FSCONFIG_CMD_RECONFIGURE, "", NONE, 0);
      }
      assertErrno(Errno.EROFS, () -> sys.mkdirat(AT_FDCWD, point.resolve("e"), 0755));
      try (Fd copy = new Fd(sys, sys.open_tree(AT_FDCWD, point, Linux.OPEN_TREE_CLONE))) {
        assertCloseOnExec(copy);
        sys.statx(copy.number(), OsPath.of("d"), 0, Linux.STATX_TYPE);
      }
      OpenHow how = new OpenHow(Linux.O_PATH, 0, 0);
      try (Fd second = new Fd(sys, sys.openat2(AT_FDCWD, point, how))) {
        assertCloseOnExec(second);
      }
      try (Fd third = open(point, Linux.O_PATH)) {
        assertCloseOnExec(third);
      }
    } finally {
      sys.umount2(point, 0);
    }
  }

  private static void assertCloseOnExec(Fd fd) throws Exception {
    String info = Files.readString(Path.of("/proc/self/fdinfo/" + fd.number()));
    String flags = info.lines().filter(line -> line.startsWith("flags:")).findFirst().orElseThrow();
    int number = Integer.parseInt(flags.substring("flags:".length()).strip(), 8);
    assertNotEquals(0, number & Linux.O_CLOEXEC, info);
  }

  // ---- questions about mounts -----------------------------------------------------------------

  private static final int WANTED =
      Linux.STATMOUNT_SB_BASIC
          | Linux.STATMOUNT_MNT_BASIC
          | Linux.STATMOUNT_MNT_ROOT
          | Linux.STATMOUNT_MNT_POINT
          | Linux.STATMOUNT_FS_TYPE
          | Linux.STATMOUNT_FS_SUBTYPE
          | Linux.STATMOUNT_MNT_NS_ID
          | Linux.STATMOUNT_MNT_OPTS
          | Linux.STATMOUNT_SB_SOURCE;

  private void assumeStatmount() throws ErrnoException {
    try {
      sys.listmount(Linux.LSMT_ROOT, 0, 0, 1);
    } catch (ErrnoException e) {
      assumeTrue(!e.is(Errno.ENOSYS), "SKIPPED: this kernel has no listmount (Linux 6.8)");
      throw e;
    }
  }

  @Test
  void statmountAgreesWithMountinfo() throws Exception {
    assumeStatmount();
    OsPath point = in("a b\\\n\uDCFF#");
    sys.mkdirat(AT_FDCWD, point, 0755);
    sys.mount(OsPath.of("a source"), point, "tmpfs", Linux.MS_NOSUID, bytes("size=1m"));
    try {
      Map<Integer, String> expected;
      Map<Integer, String> found;
      int attempts = 0;
      do { // other processes mount, too
        expected = mountinfo();
        found = new HashMap<>();
        for (long id : mountIds()) {
          try {
            StatMount mount = sys.statmount(id, 0, WANTED);
            assertEquals(id, mount.id());
            found.put(mount.oldId(), line(mount));
          } catch (ErrnoException e) {
            assertTrue(e.is(Errno.ENOENT), e.getMessage());
          }
        }
      } while (!expected.equals(found) && !expected.equals(mountinfo()) && attempts++ < 10);
      assertEquals(expected, found);
      long id = sys.statx(AT_FDCWD, point, 0, Linux.STATX_MNT_ID_UNIQUE).mountId();
      StatMount mount = sys.statmount(id, 0, WANTED);
      assertEquals(Optional.of(point), mount.point());
      assertEquals(Optional.of("tmpfs"), mount.type());
      assertEquals(Linux.TMPFS_MAGIC, mount.magic());
      assertEquals(Linux.MOUNT_ATTR_NOSUID, mount.attributes() & Linux.MOUNT_ATTR_NOSUID);
      if ((mount.mask() & Linux.STATMOUNT_SB_SOURCE) != 0) {
        assertEquals(Optional.of(OsPath.of("a source")), mount.source());
      }
      if ((mount.mask() & Linux.STATMOUNT_MNT_OPTS) != 0) {
        assertTrue(mount.options().orElseThrow().toString().contains("size=1024k"));
      }
      if ((mount.mask() & Linux.STATMOUNT_MNT_NS_ID) != 0) {
        assertEquals(id, sys.statmount(id, mount.namespaceId(), WANTED).id());
        assertTrue(sys.listmount(Linux.LSMT_ROOT, mount.namespaceId(), 0, 1000).length > 0);
      }
      StatMount little = sys.statmount(id, 0, Linux.STATMOUNT_MNT_ROOT);
      assertEquals(Optional.of(OsPath.ROOT), little.root());
      assertEquals(Optional.empty(), little.type());
    } finally {
      sys.umount2(point, 0);
    }
    assertErrno(Errno.ENOENT, () -> sys.statmount(Long.MAX_VALUE, 0, WANTED));
  }

  /** All mounts of the namespace, three at a time. */
  private long[] mountIds() throws ErrnoException {
    List<Long> all = new ArrayList<>();
    long last = 0;
    while (true) {
      long[] ids = sys.listmount(Linux.LSMT_ROOT, 0, last, 3);
      if (ids.length == 0) {
        return all.stream().mapToLong(Long::longValue).toArray();
      }
      for (long id : ids) {
        assertTrue(Long.compareUnsigned(id, last) > 0);
        last = id;
        all.add(id);
      }
    }
  }

  private static String line(StatMount mount) {
    return String.join(
        " ",
        Integer.toString(mount.oldParentId()),
        mount.deviceMajor() + ":" + mount.deviceMinor(),
        mount.root().orElseThrow().toString(),
        mount.point().orElseThrow().toString(),
        mount.type().orElseThrow());
  }

  private static Map<Integer, String> mountinfo() throws Exception {
    Map<Integer, String> result = new HashMap<>();
    String text = OsPath.decode(Files.readAllBytes(Path.of("/proc/self/mountinfo")));
    for (String line : text.strip().split("\n", -1)) {
      String[] words = line.split(" ", -1);
      String type = words[Arrays.asList(words).indexOf("-") + 1];
      String mount = String.join(" ", words[1], words[2], plain(words[3]), plain(words[4]), type);
      result.put(Integer.parseInt(words[0]), mount);
    }
    return result;
  }

  /** Without mountinfo's {@code \ooo}. */
  private static String plain(String escaped) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < escaped.length(); i++) {
      if (escaped.charAt(i) == '\\') {
        out.append((char) Integer.parseInt(escaped.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        out.append(escaped.charAt(i));
      }
    }
    return out.toString();
  }

  @Test
  void theAnswerOfStatmountMayBeLong() throws ErrnoException {
    assumeStatmount();
    // 24 directories of 200 bytes: more than the first buffer holds, and than PATH_MAX.
    OsPath name = OsPath.of("d".repeat(200));
    Fd parent = open(directory, Linux.O_PATH);
    try {
      for (int i = 0; i < 24; i++) {
        sys.mkdirat(parent.number(), name, 0755);
        Fd child = new Fd(sys, sys.openat(parent.number(), name, Linux.O_PATH, 0));
        parent.close();
        parent = child;
      }
      try (Fd tree = new Fd(sys, sys.open_tree(AT_FDCWD, directory, Linux.OPEN_TREE_CLONE))) {
        sys.move_mount(
            tree.number(),
            OsPath.EMPTY,
            parent.number(),
            OsPath.EMPTY,
            Linux.MOVE_MOUNT_F_EMPTY_PATH | Linux.MOVE_MOUNT_T_EMPTY_PATH);
        long id =
            sys.statx(tree.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_MNT_ID_UNIQUE)
                .mountId();
        StatMount mount = sys.statmount(id, 0, Linux.STATMOUNT_MNT_POINT);
        assertEquals(directory.length() + 24 * 201, mount.point().orElseThrow().length());
      }
    } finally {
      parent.close();
    }
  }

  // ---- the page cache -----------------------------------------------------------------------

  @Test
  void pagesOfAFileThatAreCached() throws ErrnoException {
    OsPath path = file("f", "x".repeat(5 * CacheStat.PAGE_BYTES + 1));
    try (Fd fd = open(path, Linux.O_RDONLY)) {
      int number = fd.number();
      try {
        sys.cachestat(number, 0, 0);
      } catch (ErrnoException e) {
        assumeTrue(!e.is(Errno.ENOSYS), "SKIPPED: the kernel has no cachestat(2), Linux 6.5");
        throw e;
      }
      // A tmpfs has its content nowhere else.
      assertEquals(6, sys.cachestat(number, 0, 0).cached());
      assertEquals(6 * 4096, sys.cachestat(number, 0, 0).cachedBytes());
      assertEquals(2, sys.cachestat(number, 4096, 2 * 4096).cached());
      assertEquals(1, sys.cachestat(number, 5 * 4096, 0).cached());
      assertEquals(0, sys.cachestat(number, 6 * 4096, 0).cached());
    }
    try (Fd hole = open(in("hole"), Linux.O_CREAT | Linux.O_RDWR)) {
      sys.ftruncate(hole.number(), 1 << 20);
      assertEquals(new CacheStat(0, 0, 0, 0, 0), sys.cachestat(hole.number(), 0, 0));
    }
    try (Fd place = open(path, Linux.O_PATH)) {
      assertErrno(Errno.EBADF, () -> sys.cachestat(place.number(), 0, 0));
    }
  }

  // ---- waiting, sockets -----------------------------------------------------------------------

  @Test
  void theMountTableTellsItsChanges() throws ErrnoException {
    try (Fd table = open(OsPath.of("/proc/thread-self/mountinfo"), Linux.O_RDONLY)) {
      // Nobody else may mount meanwhile; the machine is not ours alone, so once again if he did.
      int quiet;
      int attempts = 0;
      do {
        quiet = sys.poll(table.number(), Linux.POLLPRI, 0);
      } while (quiet != 0 && ++attempts < 100);
      assertEquals(0, quiet);
      OsPath point = in("m");
      sys.mkdirat(AT_FDCWD, point, 0755);
      sys.mount(OsPath.of("ovl-test"), point, "tmpfs", 0, NONE);
      assertEquals(Linux.POLLPRI | Linux.POLLERR, sys.poll(table.number(), Linux.POLLPRI, 10_000));
    }
    assertErrno(Errno.EBADF, () -> sys.cachestat(-1, 0, 0));
    assertEquals(Linux.POLLNVAL, sys.poll(1_000_000, Linux.POLLIN, 0));
  }

  @Test
  void whoIsAtTheOtherEnd() throws Throwable {
    int[] pair = C.socketpair(Linux.AF_UNIX, Linux.SOCK_STREAM);
    try (Fd one = new Fd(sys, pair[0]);
        Fd other = new Fd(sys, pair[1])) {
      Peer peer = Peer.of(sys, one.number());
      assertEquals(peer, Peer.of(sys, other.number()));
      assertEquals(ProcessHandle.current().pid(), peer.pid());
      assertEquals(sys.geteuid(), peer.uid());
      List<String> status = Files.readAllLines(Path.of("/proc/self/status"));
      assertEquals(ids(status, "Gid:").get(1), peer.gid());
      assertEquals(ids(status, "Groups:"), peer.groups());
      assertErrno(
          Errno.ENOPROTOOPT, () -> sys.getsockopt(one.number(), Linux.SOL_SOCKET, 1_000_000));
    }
    try (Fd alone = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0))) {
      assertErrno(Errno.ENODATA, () -> Peer.of(sys, alone.number()));
    }
    try (Fd file = open(directory, Linux.O_DIRECTORY)) {
      assertErrno(Errno.ENOTSOCK, () -> Peer.of(sys, file.number()));
    }
  }

  /** The numbers of a line of /proc/self/status. */
  private static List<Integer> ids(List<String> status, String key) {
    String line = status.stream().filter(l -> l.startsWith(key)).findFirst().orElseThrow();
    String numbers = line.substring(key.length()).strip();
    return numbers.isEmpty()
        ? List.of()
        : Arrays.stream(numbers.split("\\s+")).map(Integer::valueOf).toList();
  }

  @Test
  void datagramsToPathsAndToAbstractNames() throws Throwable {
    byte[] abstractName = bytes("@ovl-test-" + ProcessHandle.current().pid() + "-\u00e9");
    for (UnixAddress address :
        List.of(new UnixAddress(in("socket-\uDCFF")), new UnixAddress(OsPath.of(abstractName)))) {
      int type = Linux.SOCK_DGRAM | Linux.SOCK_NONBLOCK;
      try (Fd receiver = new Fd(sys, sys.socket(Linux.AF_UNIX, type, 0));
          Fd sender = new Fd(sys, sys.socket(Linux.AF_UNIX, type, 0))) {
        ByteBuffer message = direct(bytes("-READY=1-"));
        message.position(1).limit(8);
        Errno nobody = address.isAbstract() ? Errno.ECONNREFUSED : Errno.ENOENT;
        assertErrno(nobody, () -> sys.sendto(sender.number(), message, 0, address));
        assertEquals(1, message.position());

        sys.bind(receiver.number(), address);
        assertEquals(7, sys.sendto(sender.number(), message, Linux.MSG_NOSIGNAL, address));
        assertEquals(8, message.position());
        assertEquals(Linux.POLLIN, sys.poll(receiver.number(), Linux.POLLIN, 10_000));
        ByteBuffer received = ByteBuffer.allocateDirect(64);
        assertEquals(7, sys.read(receiver.number(), received));
        assertEquals(ByteBuffer.wrap(bytes("READY=1")), received.flip());
        assertEquals(0, sys.poll(receiver.number(), Linux.POLLIN, 0));
      }
    }
    try (Fd sender = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_DGRAM, 0))) {
      UnixAddress longest = new UnixAddress(OsPath.of("@" + "n".repeat(107)));
      UnixAddress tooLong = new UnixAddress(OsPath.of("@" + "n".repeat(108)));
      assertErrno(Errno.ECONNREFUSED, () -> sys.sendto(sender.number(), direct(NONE), 0, longest));
      assertErrno(Errno.EINVAL, () -> sys.sendto(sender.number(), direct(NONE), 0, tooLong));
    }
  }

  @Test
  void connectionsAreAccepted() throws Throwable {
    UnixAddress address = new UnixAddress(in("listening"));
    try (Fd socket = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0));
        Fd client = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0))) {
      sys.bind(socket.number(), address);
      assertErrno(Errno.EADDRINUSE, () -> sys.bind(client.number(), address));
      sys.listen(socket.number(), 5);
      C.connect(client.number(), address);
      try (Fd accepted = new Fd(sys, sys.accept4(socket.number(), 0))) {
        assertEquals(5, sys.write(client.number(), direct(bytes("hello"))));
        assertEquals(5, sys.read(accepted.number(), ByteBuffer.allocateDirect(64)));
        assertEquals(ProcessHandle.current().pid(), Peer.of(sys, accepted.number()).pid());
        FutureTask<Integer> atTheEnd =
            new FutureTask<>(() -> sys.read(accepted.number(), ByteBuffer.allocateDirect(1)));
        Thread.ofPlatform().start(atTheEnd);
        sys.shutdown(accepted.number(), Linux.SHUT_RDWR);
        assertEquals(0, atTheEnd.get(10, TimeUnit.SECONDS));
        assertErrno(Errno.EPIPE, () -> sys.write(client.number(), direct(bytes("x"))));
      }
    }
  }

  @Test
  void descriptorsArePassedOn() throws Throwable {
    UnixAddress address = new UnixAddress(in("listening"));
    OsPath path = in("file");
    try (Fd socket = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0));
        Fd client = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0));
        Fd file =
            new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_RDWR | Linux.O_CREAT, 0600))) {
      sys.bind(socket.number(), address);
      sys.listen(socket.number(), 1);
      C.connect(client.number(), address);
      try (Fd accepted = new Fd(sys, sys.accept4(socket.number(), 0))) {
        List<Integer> most = Collections.nCopies(253, file.number());
        for (List<Integer> sent : List.of(List.<Integer>of(), most.subList(0, 3), most)) {
          ByteBuffer message = direct(bytes("-one-"));
          message.position(1).limit(4);
          assertEquals(3, sys.sendmsg(client.number(), message, sent, Linux.MSG_NOSIGNAL));
          assertEquals(4, message.position());

          ByteBuffer received = ByteBuffer.allocateDirect(64);
          received.put((byte) '+');
          List<Integer> descriptors = sys.recvmsg(accepted.number(), received);
          assertEquals(ByteBuffer.wrap(bytes("+one")), received.flip());
          assertEquals(sent.size(), descriptors.size());
          for (int descriptor : descriptors) {
            OsPath link = OsPath.of("/proc/self/fd/" + descriptor);
            assertEquals(path, sys.readlinkat(Linux.AT_FDCWD, link));
            sys.close(descriptor);
          }
        }
        List<Integer> tooMany = Collections.nCopies(254, file.number());
        assertErrno(
            Errno.EINVAL, () -> sys.sendmsg(client.number(), direct(bytes("x")), tooMany, 0));
        ByteBuffer nothing = ByteBuffer.allocateDirect(8);
        sys.shutdown(accepted.number(), Linux.SHUT_RDWR);
        assertEquals(List.of(), sys.recvmsg(accepted.number(), nothing));
        assertEquals(0, nothing.position());
        assertErrno(
            Errno.EPIPE,
            () -> sys.sendmsg(client.number(), direct(bytes("x")), List.of(), Linux.MSG_NOSIGNAL));
      }
    }
  }

  @Test
  void socketsAreNotInherited() throws Exception {
    try (Fd socket = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_DGRAM, 0))) {
      String info = Files.readString(Path.of("/proc/self/fdinfo/" + socket.number()));
      String flags = info.lines().filter(l -> l.startsWith("flags:")).findFirst().orElseThrow();
      long octal = Long.parseLong(flags.substring("flags:".length()).strip(), 8);
      assertEquals(Linux.O_CLOEXEC, octal & Linux.O_CLOEXEC);
    }
  }

  /** Calls that only the tests need: they are no part of the interface. */
  private static final class C {
    private static MethodHandle link(String name, MemoryLayout... arguments) {
      Linker linker = Linker.nativeLinker();
      MemorySegment address = linker.defaultLookup().find(name).orElseThrow();
      return linker.downcallHandle(address, FunctionDescriptor.of(JAVA_INT, arguments));
    }

    static int[] socketpair(int domain, int type) throws Throwable {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment pair = arena.allocate(JAVA_INT, 2);
        MethodHandle call = link("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
        assertEquals(0, (int) call.invokeExact(domain, type, 0, pair));
        return pair.toArray(JAVA_INT);
      }
    }

    static void connect(int fd, UnixAddress address) throws Throwable {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment name = arena.allocate(address.size(), Long.BYTES);
        sockaddr_un.sun_family(name, (short) Linux.AF_UNIX);
        byte[] path = address.path();
        MemorySegment.copy(path, 0, name, JAVA_BYTE, sockaddr_un.sun_path$offset(), path.length);
        MethodHandle call = link("connect", JAVA_INT, ADDRESS, JAVA_INT);
        assertEquals(0, (int) call.invokeExact(fd, name, (int) address.size()));
      }
    }
  }

  // ---- threads, buffers, errors -----------------------------------------------------------------

  @Test
  void aThreadWithADirectoryOfItsOwn() throws Exception {
    file("here", "x");
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try (Fd fd = open(directory, Linux.O_PATH)) {
                sys.unshare(Linux.CLONE_FS);
                sys.fchdir(fd.number());
                stat(OsPath.of("here"));
              } catch (Throwable e) {
                failure.set(e);
              }
            });
    thread.start();
    thread.join();
    assertEquals(null, failure.get());
    assertErrno(Errno.ENOENT, () -> stat(OsPath.of("here")));
  }

  @Test
  void threadsDoNotShareTheirScratchMemory() throws Exception {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int size = i;
      OsPath path = file("f" + i, "x".repeat(i));
      threads.add(
          new Thread(
              () -> {
                try {
                  for (int k = 0; k < 2000; k++) {
                    assertEquals(size, stat(path).size());
                    assertErrno(Errno.ENOTDIR, () -> stat(path.resolve("x")));
                    assertErrno(Errno.ENOENT, () -> stat(in("none")));
                  }
                } catch (Throwable e) {
                  failure.set(e);
                }
              }));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(null, failure.get());
  }

  @Test
  void onlyDirectBuffersAndOnlyWritableOnesAreFilled() {
    assertThrows(IllegalArgumentException.class, () -> sys.read(0, ByteBuffer.allocate(8)));
    assertThrows(IllegalArgumentException.class, () -> sys.write(1, ByteBuffer.allocate(8)));
    ByteBuffer readOnly = ByteBuffer.allocateDirect(8).asReadOnlyBuffer();
    assertThrows(IllegalArgumentException.class, () -> sys.read(0, readOnly));
    assertThrows(IllegalArgumentException.class, () -> sys.getdents64(0, readOnly));
    assertThrows(IllegalArgumentException.class, () -> sys.ioctl(0, FIONREAD, readOnly));
  }

  @Test
  void errorsSayTheCallItsArgumentsAndTheReason() {
    ErrnoException thrown =
        assertThrows(
            ErrnoException.class,
            () -> sys.openat(AT_FDCWD, OsPath.of("/none/x"), Linux.O_CREAT, 0600));
    assertEquals("openat", thrown.call());
    assertEquals(Errno.ENOENT, thrown.errno());
    assertEquals(
        "openat(AT_FDCWD, \"/none/x\", O_RDONLY|O_CREAT, 0600): No such file or directory (ENOENT)",
        thrown.getMessage());
    assertErrno(Errno.EBADF, () -> sys.close(-1));
    assertErrno(Errno.EBADF, () -> sys.read(-1, ByteBuffer.allocateDirect(1)));
    assertErrno(Errno.EBADF, () -> sys.fstatfs(-1));
    assertErrno(Errno.ENOENT, () -> sys.statfs(OsPath.of("/none")));
    assertErrno(Errno.EINVAL, () -> sys.unshare(1));
    assertErrno(Errno.EBADF, () -> sys.fchdir(-1));
  }

  @Test
  void aDescriptorIsClosedOnce() throws ErrnoException {
    Fd fd = open(directory, Linux.O_PATH);
    fd.close();
    fd.close();
    assertThrows(IllegalStateException.class, fd::number);
    assertThrows(IllegalArgumentException.class, () -> new Fd(sys, -1));
  }
}
