package dev.ovl.sys;

import static dev.ovl.sys.Argument.Plain.BUFFER;
import static dev.ovl.sys.Argument.Plain.BYTES_OR_NULL;
import static dev.ovl.sys.Argument.Plain.CONFIG_VALUE;
import static dev.ovl.sys.Argument.Plain.CREATION_MODE;
import static dev.ovl.sys.Argument.Plain.DESCRIPTOR;
import static dev.ovl.sys.Argument.Plain.DESCRIPTORS;
import static dev.ovl.sys.Argument.Plain.FILE_MODE;
import static dev.ovl.sys.Argument.Plain.HANDLE;
import static dev.ovl.sys.Argument.Plain.HANDLE_TYPE;
import static dev.ovl.sys.Argument.Plain.ID;
import static dev.ovl.sys.Argument.Plain.MAJOR;
import static dev.ovl.sys.Argument.Plain.MINOR;
import static dev.ovl.sys.Argument.Plain.MODE;
import static dev.ovl.sys.Argument.Plain.MOUNT_ATTR;
import static dev.ovl.sys.Argument.Plain.NUMBER;
import static dev.ovl.sys.Argument.Plain.OPEN_HOW;
import static dev.ovl.sys.Argument.Plain.PATH;
import static dev.ovl.sys.Argument.Plain.POLL_DESCRIPTOR;
import static dev.ovl.sys.Argument.Plain.POLL_EVENTS;
import static dev.ovl.sys.Argument.Plain.RECEIVED;
import static dev.ovl.sys.Argument.Plain.REQUEST;
import static dev.ovl.sys.Argument.Plain.SENT;
import static dev.ovl.sys.Argument.Plain.SIZED_BYTES;
import static dev.ovl.sys.Argument.Plain.TEXT;
import static dev.ovl.sys.Argument.Plain.TEXT_OR_NULL;
import static dev.ovl.sys.Argument.Plain.TIMESTAMP;
import static dev.ovl.sys.Argument.Plain.UNIX_ADDRESS;

import dev.ovl.sys.gen.LibC;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The system calls of {@link Syscalls}: number, and how their arguments and results are written.
 * The arguments are those of the Java method, without what only selects between calls.
 */
enum Call {
  MOUNT(LibC.SYS_mount(), PATH, PATH, TEXT_OR_NULL, Flags.MOUNT, BYTES_OR_NULL),
  UMOUNT2(LibC.SYS_umount2(), PATH, Flags.UMOUNT),
  FSOPEN(LibC.SYS_fsopen(), TEXT, Flags.FSOPEN),
  FSCONFIG(LibC.SYS_fsconfig(), DESCRIPTOR, Flags.FSCONFIG, TEXT_OR_NULL, CONFIG_VALUE, DESCRIPTOR),
  FSMOUNT(LibC.SYS_fsmount(), DESCRIPTOR, Flags.FSMOUNT, Flags.MOUNT_ATTR),
  FSPICK(LibC.SYS_fspick(), DESCRIPTOR, PATH, Flags.FSPICK),
  MOVE_MOUNT(LibC.SYS_move_mount(), DESCRIPTOR, PATH, DESCRIPTOR, PATH, Flags.MOVE_MOUNT),
  OPEN_TREE(LibC.SYS_open_tree(), DESCRIPTOR, PATH, Flags.OPEN_TREE),
  MOUNT_SETATTR(LibC.SYS_mount_setattr(), DESCRIPTOR, PATH, Flags.AT, MOUNT_ATTR),
  STATMOUNT(LibC.SYS_statmount(), ID, ID, Flags.STATMOUNT),
  LISTMOUNT(LibC.SYS_listmount(), Flags.LISTMOUNT, ID, ID, NUMBER),
  USTAT(LibC.SYS_ustat(), MAJOR, MINOR),

  OPENAT(LibC.SYS_openat(), DESCRIPTOR, PATH, Flags.OPEN, CREATION_MODE),
  OPENAT2(LibC.SYS_openat2(), DESCRIPTOR, PATH, OPEN_HOW),
  OPEN_BY_HANDLE_AT(LibC.SYS_open_by_handle_at(), DESCRIPTOR, HANDLE_TYPE, HANDLE, Flags.OPEN),
  READLINKAT(LibC.SYS_readlinkat(), DESCRIPTOR, PATH),
  STATX(LibC.SYS_statx(), DESCRIPTOR, PATH, Flags.AT, Flags.STATX),
  STATFS(LibC.SYS_statfs(), PATH),
  FSTATFS(LibC.SYS_fstatfs(), DESCRIPTOR),
  MKNODAT(LibC.SYS_mknodat(), DESCRIPTOR, PATH, FILE_MODE, MAJOR, MINOR),
  MKDIRAT(LibC.SYS_mkdirat(), DESCRIPTOR, PATH, MODE),
  LINKAT(LibC.SYS_linkat(), DESCRIPTOR, PATH, DESCRIPTOR, PATH, Flags.AT),
  SYMLINKAT(LibC.SYS_symlinkat(), PATH, DESCRIPTOR, PATH),
  UNLINKAT(LibC.SYS_unlinkat(), DESCRIPTOR, PATH, Flags.UNLINK),
  RENAMEAT2(LibC.SYS_renameat2(), DESCRIPTOR, PATH, DESCRIPTOR, PATH, Flags.RENAME),
  FCHOWNAT(LibC.SYS_fchownat(), DESCRIPTOR, PATH, NUMBER, NUMBER, Flags.AT),
  FACCESSAT2(LibC.SYS_faccessat2(), DESCRIPTOR, PATH, Flags.ACCESS, Flags.ACCESS_AT),
  FCHMODAT(LibC.SYS_fchmodat(), DESCRIPTOR, PATH, MODE),
  UTIMENSAT(LibC.SYS_utimensat(), DESCRIPTOR, PATH, TIMESTAMP, TIMESTAMP, Flags.AT),

  CLOSE(LibC.SYS_close(), DESCRIPTOR),
  READ(LibC.SYS_read(), DESCRIPTOR, RECEIVED),
  WRITE(LibC.SYS_write(), DESCRIPTOR, SENT),
  GETDENTS64(LibC.SYS_getdents64(), DESCRIPTOR, RECEIVED),
  LSEEK(LibC.SYS_lseek(), DESCRIPTOR, NUMBER, Flags.SEEK),
  FTRUNCATE(LibC.SYS_ftruncate(), DESCRIPTOR, NUMBER),
  FCHMOD(LibC.SYS_fchmod(), DESCRIPTOR, MODE),
  COPY_FILE_RANGE(LibC.SYS_copy_file_range(), DESCRIPTOR, DESCRIPTOR, NUMBER),
  FSYNC(LibC.SYS_fsync(), DESCRIPTOR),
  SYNCFS(LibC.SYS_syncfs(), DESCRIPTOR),
  FLOCK(LibC.SYS_flock(), DESCRIPTOR, Flags.LOCK),
  IOCTL(LibC.SYS_ioctl(), DESCRIPTOR, REQUEST, NUMBER),
  IOCTL_BUFFER(LibC.SYS_ioctl(), DESCRIPTOR, REQUEST, BUFFER),
  CACHESTAT(LibC.SYS_cachestat(), DESCRIPTOR, NUMBER, NUMBER),
  POLL(LibC.SYS_poll(), POLL_DESCRIPTOR, POLL_EVENTS, NUMBER),

  SOCKET(LibC.SYS_socket(), Flags.SOCKET_DOMAIN, Flags.SOCKET_TYPE, NUMBER),
  BIND(LibC.SYS_bind(), DESCRIPTOR, UNIX_ADDRESS),
  LISTEN(LibC.SYS_listen(), DESCRIPTOR, NUMBER),
  ACCEPT4(LibC.SYS_accept4(), DESCRIPTOR, Flags.SOCKET_TYPE),
  SHUTDOWN(LibC.SYS_shutdown(), DESCRIPTOR, Flags.SHUTDOWN),
  GETSOCKOPT(LibC.SYS_getsockopt(), DESCRIPTOR, Flags.SOCKET_LEVEL, Flags.SOCKET_OPTION),
  SENDTO(LibC.SYS_sendto(), DESCRIPTOR, SENT, Flags.MESSAGE, UNIX_ADDRESS),
  SENDMSG(LibC.SYS_sendmsg(), DESCRIPTOR, SENT, DESCRIPTORS, Flags.MESSAGE),
  RECVMSG(LibC.SYS_recvmsg(), DESCRIPTOR, RECEIVED),

  GETXATTR(LibC.SYS_getxattr(), PATH, TEXT),
  LGETXATTR(LibC.SYS_lgetxattr(), PATH, TEXT),
  FGETXATTR(LibC.SYS_fgetxattr(), DESCRIPTOR, TEXT),
  SETXATTR(LibC.SYS_setxattr(), PATH, TEXT, SIZED_BYTES, Flags.XATTR),
  LSETXATTR(LibC.SYS_lsetxattr(), PATH, TEXT, SIZED_BYTES, Flags.XATTR),
  FSETXATTR(LibC.SYS_fsetxattr(), DESCRIPTOR, TEXT, SIZED_BYTES, Flags.XATTR),
  LISTXATTR(LibC.SYS_listxattr(), PATH),
  LLISTXATTR(LibC.SYS_llistxattr(), PATH),
  FLISTXATTR(LibC.SYS_flistxattr(), DESCRIPTOR),
  REMOVEXATTR(LibC.SYS_removexattr(), PATH, TEXT),
  LREMOVEXATTR(LibC.SYS_lremovexattr(), PATH, TEXT),
  FREMOVEXATTR(LibC.SYS_fremovexattr(), DESCRIPTOR, TEXT),

  UNSHARE(LibC.SYS_unshare(), Flags.CLONE),
  FCHDIR(LibC.SYS_fchdir(), DESCRIPTOR),
  GETEUID(LibC.SYS_geteuid());

  private final int number;

  @SuppressWarnings("ImmutableEnumChecker") // an array that nothing writes
  private final Argument[] arguments;

  Call(int number, Argument... arguments) {
    this.number = number;
    this.arguments = arguments;
  }

  /** For syscall(2). */
  int number() {
    return number;
  }

  /** The C name. */
  String symbol() {
    return this == IOCTL_BUFFER ? IOCTL.symbol() : name().toLowerCase(Locale.ROOT);
  }

  /** The arguments as strace prints them, without parentheses. */
  String arguments(Object... values) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < arguments.length; i++) {
      String text = arguments[i].render(values, i);
      if (!text.isEmpty()) {
        out.append(out.isEmpty() ? "" : ", ").append(text);
      }
    }
    return out.toString();
  }

  /**
   * The result as strace prints it after the equals sign: what the system call returned, and what
   * it filled in parentheses.
   *
   * @param value what the Java method returned, null for void
   */
  String result(Object value) {
    return switch (value) {
      case null -> "0";
      case Boolean success -> success ? "0" : failure(this == FLOCK ? Errno.EAGAIN : Errno.EINVAL);
      case Optional<?> found when found.isEmpty() -> failure(Errno.ENODATA);
      case Optional<?> found -> result(found.get());
      case byte[] option when this == GETSOCKOPT -> "0 (" + Argument.quote(option) + ")";
      case Integer events when this == POLL ->
          events == 0 ? "0" : "1 (" + Flags.POLL.render(events) + ")";
      case byte[] bytes -> bytes.length + " (" + Argument.quote(bytes) + ")";
      case OsPath path -> result(path.rawBytes());
      case List<?> passed when this == RECVMSG -> passed.toString();
      case List<?> names -> names(names);
      case long[] ids -> Integer.toString(ids.length);
      case Statx stat -> "0 (" + Argument.fileMode(stat.mode()) + ", size=" + stat.size() + ")";
      case Statfs stat -> "0 (" + Flags.MAGIC.render(stat.type()) + ")";
      case CacheStat stat -> "0 (nr_cache=" + stat.cached() + ")";
      case StatMount mount -> "0 (" + Flags.STATMOUNT.render(mount.mask()) + ")";
      default -> value.toString();
    };
  }

  private static String names(List<?> names) {
    StringBuilder quoted = new StringBuilder();
    int bytes = 0;
    for (Object name : names) {
      byte[] encoded = OsPath.encode((String) name);
      bytes += encoded.length + 1;
      quoted.append(quoted.isEmpty() ? "" : ", ").append(Argument.quote(encoded));
    }
    return bytes + (names.isEmpty() ? "" : " (" + quoted + ")");
  }

  /** A failed call as strace prints it after the equals sign. */
  static String failure(Errno errno) {
    return "-1 " + errno.name() + " (" + errno.message() + ")";
  }
}
