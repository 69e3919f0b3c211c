package dev.ovl.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TracingSyscallsTest {
  private static final OsPath X = OsPath.of("x");
  private static final int AT_FDCWD = Linux.AT_FDCWD;
  private static final byte[] NONE = {};

  private final List<String> lines = new ArrayList<>();

  /** System calls that all end in the same way. */
  private static Syscalls answering(Object answer) {
    return (Syscalls)
        Proxy.newProxyInstance(
            Syscalls.class.getClassLoader(),
            new Class<?>[] {Syscalls.class},
            (proxy, method, arguments) -> {
              if (answer instanceof Throwable failure) {
                throw failure;
              }
              return answer;
            });
  }

  private interface Use {
    void of(Syscalls sys) throws ErrnoException;
  }

  private void assertTrace(String expected, Object answer, Use use) throws ErrnoException {
    lines.clear();
    use.of(new TracingSyscalls(answering(answer), lines::add));
    assertEquals(List.of(expected), lines);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static ByteBuffer direct(byte... content) {
    return ByteBuffer.allocateDirect(content.length).put(content).flip();
  }

  @Test
  void mounts() throws ErrnoException {
    OsPath target = OsPath.of("/mnt");
    assertTrace(
        "mount(\"ovl:web\", \"/mnt\", \"overlay\", MS_NODEV, \"lowerdir=a:b\") = 0",
        null,
        s ->
            s.mount(
                OsPath.of("ovl:web"), target, "overlay", Linux.MS_NODEV, bytes("lowerdir=a:b")));
    assertTrace(
        "mount(\"\", \"/mnt\", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL) = 0",
        null,
        s ->
            s.mount(
                OsPath.EMPTY,
                target,
                "",
                Linux.MS_BIND | Linux.MS_REMOUNT | Linux.MS_RDONLY,
                NONE));
    assertTrace(
        "umount2(\"/mnt\", MNT_DETACH|UMOUNT_NOFOLLOW) = 0",
        null,
        s -> s.umount2(target, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW));
    assertTrace("umount2(\"/mnt\", 0x100) = 0", null, s -> s.umount2(target, 0x100));
  }

  @Test
  void mountsInSteps() throws ErrnoException {
    assertTrace("fsopen(\"overlay\", 0) = 3", 3, s -> s.fsopen("overlay", 0));
    assertTrace(
        "fsconfig(3, FSCONFIG_SET_STRING, \"lowerdir+\", \"l/a\", 0) = 0",
        null,
        s -> s.fsconfig(3, Linux.FSCONFIG_SET_STRING, "lowerdir+", bytes("l/a"), 0));
    assertTrace(
        "fsconfig(3, FSCONFIG_SET_STRING, \"source\", \"\", 0) = 0",
        null,
        s -> s.fsconfig(3, Linux.FSCONFIG_SET_STRING, "source", NONE, 0));
    assertTrace(
        "fsconfig(3, FSCONFIG_SET_FD, \"lowerdir+\", NULL, 7) = 0",
        null,
        s -> s.fsconfig(3, Linux.FSCONFIG_SET_FD, "lowerdir+", NONE, 7));
    assertTrace(
        "fsconfig(3, FSCONFIG_CMD_CREATE, NULL, NULL, 0) = 0",
        null,
        s -> s.fsconfig(3, Linux.FSCONFIG_CMD_CREATE, "", NONE, 0));
    assertTrace(
        "fsmount(3, 0, MOUNT_ATTR_NODEV) = 4", 4, s -> s.fsmount(3, 0, Linux.MOUNT_ATTR_NODEV));
    assertTrace(
        "fspick(AT_FDCWD, \"x\", FSPICK_NO_AUTOMOUNT) = 4",
        4,
        s -> s.fspick(AT_FDCWD, X, Linux.FSPICK_NO_AUTOMOUNT));
    assertTrace(
        "move_mount(4, \"\", AT_FDCWD, \"x\", MOVE_MOUNT_F_EMPTY_PATH) = 0",
        null,
        s -> s.move_mount(4, OsPath.EMPTY, AT_FDCWD, X, Linux.MOVE_MOUNT_F_EMPTY_PATH));
    assertTrace(
        "open_tree(AT_FDCWD, \"x\", OPEN_TREE_CLONE|AT_RECURSIVE) = 5",
        5,
        s -> s.open_tree(AT_FDCWD, X, Linux.OPEN_TREE_CLONE | Linux.AT_RECURSIVE));
    assertTrace(
        "mount_setattr(5, \"\", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0,"
            + " propagation=MS_PRIVATE, userns_fd=0}, 32) = 0",
        null,
        s ->
            s.mount_setattr(
                5,
                OsPath.EMPTY,
                Linux.AT_EMPTY_PATH,
                new MountAttr(Linux.MOUNT_ATTR_RDONLY, 0, Linux.MS_PRIVATE, 0)));
  }

  @Test
  void questionsAboutMounts() throws ErrnoException {
    assertTrace(
        "listmount(LSMT_ROOT, 0, 0x10, 512) = 2",
        new long[] {17, 18},
        s -> s.listmount(Linux.LSMT_ROOT, 0, 16, 512));
    assertTrace("ustat(makedev(0, 45)) = 0", true, s -> s.ustat(0, 45));
    assertTrace("ustat(makedev(0, 45)) = -1 EINVAL (Invalid argument)", false, s -> s.ustat(0, 45));
    assertTrace(
        "statfs(\"x\") = 0 (OVERLAYFS_SUPER_MAGIC)",
        new Statfs(Linux.OVERLAYFS_SUPER_MAGIC, 0, 0, 0, 0, 0, 0, 0, 0),
        s -> s.statfs(X));
    assertTrace(
        "fstatfs(3) = 0 (0x1234)", new Statfs(0x1234, 0, 0, 0, 0, 0, 0, 0, 0), s -> s.fstatfs(3));
    StatMount mount =
        new StatMount(
            Linux.STATMOUNT_FS_TYPE,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            Optional.of("overlay"),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    assertTrace(
        "statmount(0x80000001, 0, STATMOUNT_FS_TYPE|STATMOUNT_SB_SOURCE) = 0 (STATMOUNT_FS_TYPE)",
        mount,
        s -> s.statmount(0x80000001L, 0, Linux.STATMOUNT_FS_TYPE | Linux.STATMOUNT_SB_SOURCE));
  }

  @Test
  void opening() throws ErrnoException {
    assertTrace(
        "openat(AT_FDCWD, \"x\", O_RDONLY|O_PATH) = 3",
        3,
        s -> s.openat(AT_FDCWD, X, Linux.O_PATH, 0));
    assertTrace(
        "openat(3, \"x\", O_WRONLY|O_CREAT|O_EXCL, 0644) = 4",
        4,
        s -> s.openat(3, X, Linux.O_CREAT | Linux.O_EXCL | Linux.O_WRONLY, 0644));
    assertTrace(
        "openat(3, \".\", O_RDWR|O_TMPFILE, 0600) = 4",
        4,
        s -> s.openat(3, OsPath.DOT, Linux.O_TMPFILE | Linux.O_RDWR, 0600));
    assertTrace(
        "openat(3, \".\", O_RDONLY|O_DIRECTORY) = 4",
        4,
        s -> s.openat(3, OsPath.DOT, Linux.O_DIRECTORY, 0));
    assertTrace(
        "openat2(3, \"x\", {flags=O_RDONLY, mode=0, resolve=RESOLVE_IN_ROOT}, 24) = 4",
        4,
        s -> s.openat2(3, X, new OpenHow(Linux.O_RDONLY, 0, Linux.RESOLVE_IN_ROOT)));
    assertTrace("close(3) = 0", null, s -> s.close(3));
  }

  @Test
  void names() throws ErrnoException {
    assertTrace(
        "readlinkat(3, \"x\") = 4 (\"/a\\\"b\")", OsPath.of("/a\"b"), s -> s.readlinkat(3, X));
    assertTrace(
        "mknodat(3, \"x\", S_IFCHR|0, makedev(0, 0)) = 0",
        null,
        s -> s.mknodat(3, X, Linux.S_IFCHR, 0, 0));
    assertTrace("mkdirat(3, \"x\", 0755) = 0", null, s -> s.mkdirat(3, X, 0755));
    assertTrace(
        "linkat(3, \"\", AT_FDCWD, \"x\", AT_EMPTY_PATH) = 0",
        null,
        s -> s.linkat(3, OsPath.EMPTY, AT_FDCWD, X, Linux.AT_EMPTY_PATH));
    assertTrace("symlinkat(\"a b\", 3, \"x\") = 0", null, s -> s.symlinkat(OsPath.of("a b"), 3, X));
    assertTrace(
        "unlinkat(3, \"x\", AT_REMOVEDIR) = 0", null, s -> s.unlinkat(3, X, Linux.AT_REMOVEDIR));
    assertTrace(
        "renameat2(3, \"x\", 4, \"y\", RENAME_WHITEOUT) = 0",
        null,
        s -> s.renameat2(3, X, 4, OsPath.of("y"), Linux.RENAME_WHITEOUT));
    assertTrace(
        "fchownat(3, \"x\", 1000, -1, AT_SYMLINK_NOFOLLOW) = 0",
        null,
        s -> s.fchownat(3, X, 1000, -1, Linux.AT_SYMLINK_NOFOLLOW));
    assertTrace(
        "open_by_handle_at(3, {handle_bytes=3, handle_type=1, f_handle=0x0180ff}, O_RDONLY|O_PATH)"
            + " = 4",
        4,
        s -> s.open_by_handle_at(3, 1, new byte[] {1, -128, -1}, Linux.O_PATH));
    assertTrace(
        "faccessat2(3, \"x\", W_OK|X_OK, AT_EACCESS) = 0",
        null,
        s -> s.faccessat2(3, X, Linux.W_OK | Linux.X_OK, Linux.AT_EACCESS));
    assertTrace("fchmodat(3, \"x\", 04755) = 0", null, s -> s.fchmodat(3, X, 04755));
    assertTrace(
        "utimensat(3, \"x\", {tv_sec=-1, tv_nsec=5}, UTIME_OMIT, 0) = 0",
        null,
        s -> s.utimensat(3, X, new Timestamp(-1, 5), new Timestamp(0, Linux.UTIME_OMIT), 0));
  }

  @Test
  void statx() throws ErrnoException {
    Timestamp zero = new Timestamp(0, 0);
    Statx file =
        new Statx(0, 0, 0, 0, 1, 0, 0, 0100644, 5, 12, 0, zero, zero, zero, zero, 0, 0, 0, 0, 0);
    assertTrace(
        "statx(AT_FDCWD, \"x\", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS|STATX_BTIME) = 0"
            + " (S_IFREG|0644, size=12)",
        file,
        s ->
            s.statx(
                AT_FDCWD,
                X,
                Linux.AT_SYMLINK_NOFOLLOW,
                Linux.STATX_BASIC_STATS | Linux.STATX_BTIME));
  }

  @Test
  void openFiles() throws ErrnoException {
    assertTrace("read(3, ..., 16) = 5", 5, s -> s.read(3, ByteBuffer.allocateDirect(16)));
    assertTrace("write(3, \"a\\nb\", 3) = 3", 3, s -> s.write(3, direct(bytes("a\nb"))));
    assertTrace(
        "write(3, \"" + "z".repeat(32) + "\"..., 100) = 100",
        100,
        s -> s.write(3, direct(bytes("z".repeat(100)))));
    assertTrace(
        "getdents64(3, ..., 32) = 0", 0, s -> s.getdents64(3, ByteBuffer.allocateDirect(32)));
    assertTrace("lseek(3, 0, SEEK_DATA) = 4096", 4096L, s -> s.lseek(3, 0, Linux.SEEK_DATA));
    assertTrace("ftruncate(3, 10) = 0", null, s -> s.ftruncate(3, 10));
    assertTrace("fchmod(3, 04755) = 0", null, s -> s.fchmod(3, 04755));
    assertTrace("copy_file_range(3, 4, 4096) = 512", 512L, s -> s.copy_file_range(3, 4, 4096));
    assertTrace("fsync(3) = 0", null, s -> s.fsync(3));
    assertTrace("syncfs(3) = 0", null, s -> s.syncfs(3));
    assertTrace(
        "flock(3, LOCK_EX|LOCK_NB) = 0", true, s -> s.flock(3, Linux.LOCK_EX | Linux.LOCK_NB));
    assertTrace(
        "flock(3, LOCK_EX|LOCK_NB) = -1 EAGAIN (Resource temporarily unavailable)",
        false,
        s -> s.flock(3, Linux.LOCK_EX | Linux.LOCK_NB));
    assertTrace("ioctl(3, FICLONE, 4) = 0", 0, s -> s.ioctl(3, Linux.FICLONE, 4));
    assertTrace(
        "ioctl(3, FS_IOC_GETFLAGS, ...) = 0",
        0,
        s -> s.ioctl(3, Linux.FS_IOC_GETFLAGS, ByteBuffer.allocateDirect(4)));
  }

  @Test
  void questionsAboutOpenFiles() throws ErrnoException {
    assertTrace(
        "cachestat(3, 4096, 0) = 0 (nr_cache=7)",
        new CacheStat(7, 1, 2, 3, 4),
        s -> s.cachestat(3, 4096, 0));
    assertTrace(
        "poll([{fd=3, events=POLLPRI}], 1, -1) = 1 (POLLPRI|POLLERR)",
        Linux.POLLPRI | Linux.POLLERR,
        s -> s.poll(3, Linux.POLLPRI, -1));
    assertTrace("poll([{fd=3, events=POLLIN}], 1, 0) = 0", 0, s -> s.poll(3, Linux.POLLIN, 0));
  }

  @Test
  void sockets() throws ErrnoException {
    assertTrace(
        "socket(AF_UNIX, SOCK_DGRAM|SOCK_NONBLOCK, 0) = 3",
        3,
        s -> s.socket(Linux.AF_UNIX, Linux.SOCK_DGRAM | Linux.SOCK_NONBLOCK, 0));
    assertTrace(
        "socket(AF_UNIX, SOCK_SEQPACKET, 0) = 3",
        3,
        s -> s.socket(Linux.AF_UNIX, Linux.SOCK_SEQPACKET, 0));
    assertTrace(
        "bind(3, {sa_family=AF_UNIX, sun_path=\"/run/n\"}, 9) = 0",
        null,
        s -> s.bind(3, new UnixAddress(OsPath.of("/run/n"))));
    assertTrace("listen(3, 128) = 0", null, s -> s.listen(3, 128));
    assertTrace("accept4(3, SOCK_NONBLOCK) = 4", 4, s -> s.accept4(3, Linux.SOCK_NONBLOCK));
    assertTrace("shutdown(4, SHUT_RDWR) = 0", null, s -> s.shutdown(4, Linux.SHUT_RDWR));
    assertTrace(
        "getsockopt(3, SOL_SOCKET, SO_PEERGROUPS) = 0 (\"\\001\\000\\000\\000\")",
        new byte[] {1, 0, 0, 0},
        s -> s.getsockopt(3, Linux.SOL_SOCKET, Linux.SO_PEERGROUPS));
    assertTrace(
        "sendto(3, \"READY=1\", 7, MSG_NOSIGNAL, {sa_family=AF_UNIX, sun_path=\"/run/n\"}, 9) = 7",
        7,
        s ->
            s.sendto(
                3,
                direct(bytes("READY=1")),
                Linux.MSG_NOSIGNAL,
                new UnixAddress(OsPath.of("/run/n"))));
    assertTrace(
        "sendmsg(3, \"x\", 1, [5, 6], MSG_NOSIGNAL) = 1",
        1,
        s -> s.sendmsg(3, direct(bytes("x")), List.of(5, 6), Linux.MSG_NOSIGNAL));
    assertTrace(
        "recvmsg(3, ..., 1) = [7]", List.of(7), s -> s.recvmsg(3, ByteBuffer.allocateDirect(1)));
    assertTrace(
        "sendto(3, \"x\", 1, 0, {sa_family=AF_UNIX, sun_path=@\"n\"}, 4) = 1",
        1,
        s -> s.sendto(3, direct(bytes("x")), 0, new UnixAddress(OsPath.of("@n"))));
  }

  @Test
  void attributes() throws ErrnoException {
    String name = "trusted.overlay.opaque";
    assertTrace(
        "lgetxattr(\"x\", \"trusted.overlay.opaque\") = 1 (\"y\")",
        Optional.of(bytes("y")),
        s -> s.getxattr(X, name, false));
    assertTrace(
        "getxattr(\"x\", \"user.a\") = -1 ENODATA (No data available)",
        Optional.empty(),
        s -> s.getxattr(X, "user.a", true));
    assertTrace(
        "fsetxattr(3, \"user.a\", \"\\000\\001\", 2, XATTR_CREATE) = 0",
        null,
        s -> s.fsetxattr(3, "user.a", new byte[] {0, 1}, Linux.XATTR_CREATE));
    assertTrace(
        "lsetxattr(\"x\", \"user.a\", \"\", 0, 0) = 0",
        null,
        s -> s.setxattr(X, "user.a", NONE, 0, false));
    assertTrace(
        "flistxattr(3) = 14 (\"user.a\", \"user.b\")",
        List.of("user.a", "user.b"),
        s -> s.flistxattr(3));
    assertTrace("listxattr(\"x\") = 0", List.of(), s -> s.listxattr(X, true));
    assertTrace(
        "lremovexattr(\"x\", \"user.a\") = 0", null, s -> s.removexattr(X, "user.a", false));
  }

  @Test
  void theProcess() throws ErrnoException {
    assertTrace(
        "unshare(CLONE_FS|CLONE_NEWNS) = 0",
        null,
        s -> s.unshare(Linux.CLONE_FS | Linux.CLONE_NEWNS));
    assertTrace("fchdir(3) = 0", null, s -> s.fchdir(3));
    assertTrace("geteuid() = 1000", 1000, Syscalls::geteuid);
  }

  @Test
  void bytesThatAreNotPrintable() throws ErrnoException {
    OsPath name = OsPath.of(new byte[] {'a', (byte) 0xFF, '\\', '"', '\t', '\r', 1, (byte) 0xC3});
    assertTrace(
        "fchmodat(3, \"a\\377\\\\\\\"\\t\\r\\001\\303\", 0) = 0",
        null,
        s -> s.fchmodat(3, name, 0));
  }

  @Test
  void failuresArePrintedAndPassedOn() {
    ErrnoException failure = new ErrnoException("openat", () -> "", Errno.ENOENT);
    Syscalls sys = new TracingSyscalls(answering(failure), lines::add);
    ErrnoException thrown =
        assertThrows(ErrnoException.class, () -> sys.openat(AT_FDCWD, X, Linux.O_RDONLY, 0));
    assertSame(failure, thrown);
    assertEquals(
        List.of("openat(AT_FDCWD, \"x\", O_RDONLY) = -1 ENOENT (No such file or directory)"),
        lines);
  }

  @Test
  void theRealCallsErrorSaysTheSameAsItsTrace() {
    Syscalls sys = new TracingSyscalls(new LinuxSyscalls(), lines::add);
    OsPath name = OsPath.of("/nowhere/\uDCFF");
    ErrnoException thrown =
        assertThrows(ErrnoException.class, () -> sys.openat(AT_FDCWD, name, Linux.O_PATH, 0));
    assertEquals("openat", thrown.call());
    assertEquals("AT_FDCWD, \"/nowhere/\\377\", O_RDONLY|O_PATH", thrown.arguments());
    assertEquals(
        List.of("openat(" + thrown.arguments() + ") = -1 ENOENT (No such file or directory)"),
        lines);
  }

  /** Sees each call's name; makes none. */
  private static final class Recorder extends ObservedSyscalls {
    private final List<String> names = new ArrayList<>();

    Recorder() {
      super(answering(new AssertionError("not to be called")));
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      names.add(invocation.name());
      throw invocation.failure(Errno.EIO);
    }
  }

  @Test
  void everyMethodPassesTheHookOnceUnderItsCName() throws ReflectiveOperationException {
    for (Method method : Syscalls.class.getMethods()) {
      Recorder recorder = new Recorder();
      Object[] arguments = new Object[method.getParameterCount()];
      for (int i = 0; i < arguments.length; i++) {
        arguments[i] = sample(method.getParameterTypes()[i]);
      }
      Throwable thrown =
          assertThrows(
                  InvocationTargetException.class,
                  () -> method.invoke(recorder, arguments),
                  method.getName())
              .getCause();
      assertEquals(List.of(method.getName()), recorder.names);
      assertTrue(
          method.getName().equals("geteuid")
              ? thrown instanceof IllegalStateException
              : thrown instanceof ErrnoException e && e.is(Errno.EIO),
          thrown::toString);
    }
  }

  private static Object sample(Class<?> type) {
    return switch (type.getSimpleName()) {
      case "int" -> 0;
      case "long" -> 0L;
      case "boolean" -> true;
      case "String" -> "";
      case "OsPath" -> X;
      case "List" -> List.of();
      case "byte[]" -> NONE;
      case "ByteBuffer" -> ByteBuffer.allocateDirect(1);
      case "Timestamp" -> new Timestamp(0, 0);
      case "MountAttr" -> new MountAttr(0, 0, 0, 0);
      case "UnixAddress" -> new UnixAddress(X);
      case "OpenHow" -> new OpenHow(0, 0, 0);
      default -> throw new AssertionError(type);
    };
  }
}
