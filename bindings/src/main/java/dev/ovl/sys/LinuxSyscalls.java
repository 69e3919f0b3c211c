package dev.ovl.sys;

import static dev.ovl.sys.gen.LibC.C_LONG;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ovl.sys.gen.LibC;
import dev.ovl.sys.gen.cachestat;
import dev.ovl.sys.gen.cachestat_range;
import dev.ovl.sys.gen.cmsghdr;
import dev.ovl.sys.gen.iovec;
import dev.ovl.sys.gen.mnt_id_req;
import dev.ovl.sys.gen.mount_attr;
import dev.ovl.sys.gen.msghdr;
import dev.ovl.sys.gen.open_how;
import dev.ovl.sys.gen.pollfd;
import dev.ovl.sys.gen.sockaddr_un;
import dev.ovl.sys.gen.statfs;
import dev.ovl.sys.gen.statmount;
import dev.ovl.sys.gen.statx;
import dev.ovl.sys.gen.statx_timestamp;
import dev.ovl.sys.gen.timespec;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The kernel of this machine.
 *
 * <p>Every call goes through libc's {@code syscall(2)} by number. That needs no wrapper, which
 * older C libraries lack for half of these calls, and it is one function of one shape: linking a
 * shape costs 5 to 10 ms, once a process, and the first system call of a process would otherwise be
 * followed by a dozen such pauses. The price is that a preloaded library does not see the calls.
 *
 * <p>Stateless but for a little memory a thread ({@link Scratch}); one instance serves all threads.
 * Starts no thread and uses no pool, so a thread that has unshared its directory or its mount
 * namespace may use it.
 */
public final class LinuxSyscalls implements Syscalls {
  /** Longest option string of mount(2) in bytes: one page, less the NUL that ends it. */
  public static final int MOUNT_DATA_LIMIT = 4095;

  private static final long NULL = 0;
  private static final int INITIAL_RESULT_BYTES = 4096;

  /** SCM_MAX_FD of the kernel: so many descriptors can come with a message. */
  private static final int MAX_PASSED = 253;

  /** No attribute, list of attributes or link target is longer; a longer one is an error. */
  private static final int LARGEST_RESULT_BYTES = 1 << 20;

  /** Linked when the first call is made: that takes tens of milliseconds. */
  private static final class Native {
    static final MethodHandle SYSCALL = link();

    @SuppressWarnings("restricted") // this is the project's one native function
    private static MethodHandle link() {
      return Linker.nativeLinker()
          .downcallHandle(
              LibC.syscall.address(),
              FunctionDescriptor.of(C_LONG, C_LONG, C_LONG, C_LONG, C_LONG, C_LONG, C_LONG, C_LONG),
              Linker.Option.firstVariadicArg(1),
              Linker.Option.captureCallState("errno"));
    }
  }

  /**
   * @throws UnsupportedOperationException on an architecture that the generated constants and
   *     structures are not made for
   */
  public LinuxSyscalls() {
    String architecture = System.getProperty("os.arch");
    if (!"amd64".equals(architecture)) {
      throw new UnsupportedOperationException(
          "the bindings are generated for x86_64, this machine is " + architecture);
    }
  }

  // ---- mounts -------------------------------------------------------------------------------

  @Override
  public void mount(OsPath source, OsPath target, String fstype, long flags, byte[] data)
      throws ErrnoException {
    if (data.length > MOUNT_DATA_LIMIT) {
      throw new IllegalArgumentException(
          "mount data of "
              + data.length
              + " bytes: the kernel would cut it silently after "
              + MOUNT_DATA_LIMIT);
    }
    Scratch s = Scratch.begin();
    long type = fstype.isEmpty() ? NULL : s.string(fstype);
    long options = data.length == 0 ? NULL : s.string(data);
    long result = syscall(s, Call.MOUNT, s.path(source), s.path(target), type, flags, options, 0);
    check(result, s, Call.MOUNT, source, target, fstype, flags, data);
  }

  @Override
  public void umount2(OsPath target, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.UMOUNT2, s.path(target), flags);
    check(result, s, Call.UMOUNT2, target, flags);
  }

  @Override
  public int fsopen(String fstype, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FSOPEN, s.string(fstype), flags | Linux.FSOPEN_CLOEXEC);
    return (int) check(result, s, Call.FSOPEN, fstype, flags);
  }

  @Override
  public void fsconfig(int fd, int command, String key, byte[] value, int aux)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    long name = key.isEmpty() ? NULL : s.string(key);
    long content = NULL;
    if (command == Linux.FSCONFIG_SET_BINARY) {
      content = s.bytes(value);
    } else if (value.length > 0 || passesEmptyValue(command)) {
      content = s.string(value);
    }
    long result = syscall(s, Call.FSCONFIG, fd, command, name, content, aux, 0);
    check(result, s, Call.FSCONFIG, fd, command, key, value, aux);
  }

  /** Whether this command of fsconfig(2) gets an empty value as {@code ""} rather than as NULL. */
  static boolean passesEmptyValue(int command) {
    return command == Linux.FSCONFIG_SET_STRING
        || command == Linux.FSCONFIG_SET_PATH
        || command == Linux.FSCONFIG_SET_PATH_EMPTY;
  }

  @Override
  public int fsmount(int fd, int flags, int attributes) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FSMOUNT, fd, flags | Linux.FSMOUNT_CLOEXEC, attributes);
    return (int) check(result, s, Call.FSMOUNT, fd, flags, attributes);
  }

  @Override
  public int fspick(int dirfd, OsPath path, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FSPICK, dirfd, s.path(path), flags | Linux.FSPICK_CLOEXEC);
    return (int) check(result, s, Call.FSPICK, dirfd, path, flags);
  }

  @Override
  public void move_mount(int fromDirfd, OsPath from, int toDirfd, OsPath to, int flags)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    long result =
        syscall(s, Call.MOVE_MOUNT, fromDirfd, s.path(from), toDirfd, s.path(to), flags, 0);
    check(result, s, Call.MOVE_MOUNT, fromDirfd, from, toDirfd, to, flags);
  }

  @Override
  public int open_tree(int dirfd, OsPath path, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.OPEN_TREE, dirfd, s.path(path), flags | Linux.OPEN_TREE_CLOEXEC);
    return (int) check(result, s, Call.OPEN_TREE, dirfd, path, flags);
  }

  @Override
  public void mount_setattr(int dirfd, OsPath path, int flags, MountAttr attributes)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment attr = s.reserve(mount_attr.sizeof());
    mount_attr.attr_set(attr, attributes.set());
    mount_attr.attr_clr(attr, attributes.clear());
    mount_attr.propagation(attr, attributes.propagation());
    mount_attr.userns_fd(attr, attributes.userNamespace());
    long result =
        syscall(
            s, Call.MOUNT_SETATTR, dirfd, s.path(path), flags, attr.address(), attr.byteSize(), 0);
    check(result, s, Call.MOUNT_SETATTR, dirfd, path, flags, attributes);
  }

  @Override
  public StatMount statmount(long mountId, long namespaceId, long mask) throws ErrnoException {
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment request = mountRequest(s, mountId, namespaceId, mask);
      MemorySegment answer = s.reserve(size);
      long result = syscall(s, Call.STATMOUNT, request.address(), answer.address(), size, 0);
      if (result == -1 && s.errno() == Errno.EOVERFLOW && size < LARGEST_RESULT_BYTES) {
        continue;
      }
      check(result, s, Call.STATMOUNT, mountId, namespaceId, mask);
      return statMount(answer);
    }
  }

  private static MemorySegment mountRequest(
      Scratch s, long mountId, long namespaceId, long parameter) {
    MemorySegment request = s.reserve(mnt_id_req.sizeof());
    // Linux 6.8 to 6.10 know no namespace id: they get the size that they know where none is given,
    // and answer E2BIG where one is.
    mnt_id_req.size(
        request, namespaceId == 0 ? LibC.MNT_ID_REQ_SIZE_VER0() : LibC.MNT_ID_REQ_SIZE_VER1());
    mnt_id_req.spare(request, 0);
    mnt_id_req.mnt_id(request, mountId);
    mnt_id_req.param(request, parameter);
    mnt_id_req.mnt_ns_id(request, namespaceId);
    return request;
  }

  private static StatMount statMount(MemorySegment answer) {
    long mask = statmount.mask(answer);
    long size = Integer.toUnsignedLong(statmount.size(answer));
    byte[] texts =
        answer.asSlice(statmount.str$offset(), size - statmount.str$offset()).toArray(JAVA_BYTE);
    Optional<OsPath> type =
        mountText(texts, mask, Linux.STATMOUNT_FS_TYPE, statmount.fs_type(answer));
    Optional<OsPath> subtype =
        mountText(texts, mask, Linux.STATMOUNT_FS_SUBTYPE, statmount.fs_subtype(answer))
            .filter(text -> !text.isEmpty());
    return new StatMount(
        mask,
        statmount.sb_dev_major(answer),
        statmount.sb_dev_minor(answer),
        statmount.sb_magic(answer),
        statmount.sb_flags(answer),
        statmount.mnt_id(answer),
        statmount.mnt_parent_id(answer),
        statmount.mnt_id_old(answer),
        statmount.mnt_parent_id_old(answer),
        statmount.mnt_attr(answer),
        statmount.mnt_propagation(answer),
        statmount.mnt_peer_group(answer),
        statmount.mnt_master(answer),
        (mask & Linux.STATMOUNT_MNT_NS_ID) == 0 ? 0 : statmount.mnt_ns_id(answer),
        type.map(name -> subtype.isPresent() ? name + "." + subtype.get() : name.toString()),
        mountText(texts, mask, Linux.STATMOUNT_MNT_ROOT, statmount.mnt_root(answer)),
        mountText(texts, mask, Linux.STATMOUNT_MNT_POINT, statmount.mnt_point(answer)),
        mountText(texts, mask, Linux.STATMOUNT_SB_SOURCE, statmount.sb_source(answer)),
        mountText(texts, mask, Linux.STATMOUNT_MNT_OPTS, statmount.mnt_opts(answer)));
  }

  private static Optional<OsPath> mountText(byte[] texts, long mask, int bit, int start) {
    if ((mask & bit) == 0) {
      return Optional.empty();
    }
    int end = start;
    while (texts[end] != 0) {
      end++;
    }
    return Optional.of(OsPath.of(Arrays.copyOfRange(texts, start, end)));
  }

  @Override
  public long[] listmount(long mountId, long namespaceId, long lastId, int limit)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment request = mountRequest(s, mountId, namespaceId, lastId);
    MemorySegment ids = s.reserve((long) limit * Long.BYTES);
    long result = syscall(s, Call.LISTMOUNT, request.address(), ids.address(), limit, 0);
    check(result, s, Call.LISTMOUNT, mountId, namespaceId, lastId, limit);
    return ids.asSlice(0, result * Long.BYTES).toArray(JAVA_LONG);
  }

  @Override
  public boolean ustat(int major, int minor) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment ignored = s.reserve(64); // struct ustat has 32 bytes
    long result = syscall(s, Call.USTAT, device(major, minor), ignored.address());
    if (result == -1 && s.errno() == Errno.EINVAL) {
      return false;
    }
    check(result, s, Call.USTAT, major, minor);
    return true;
  }

  /** A device number as system calls take it: 12 bits of major, 20 of minor, interleaved. */
  private static long device(int major, int minor) {
    return (minor & 0xFFL) | (major & 0xFFFL) << 8 | (minor & 0xFFF00L) << 12;
  }

  // ---- files by name ------------------------------------------------------------------------

  @Override
  public int openat(int dirfd, OsPath path, int flags, int mode) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.OPENAT, dirfd, s.path(path), flags | Linux.O_CLOEXEC, mode);
    return (int) check(result, s, Call.OPENAT, dirfd, path, flags, mode);
  }

  @Override
  public int openat2(int dirfd, OsPath path, OpenHow how) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment struct = s.reserve(open_how.sizeof());
    open_how.flags(struct, how.flags() | Linux.O_CLOEXEC);
    open_how.mode(struct, how.mode());
    open_how.resolve(struct, how.resolve());
    long result =
        syscall(s, Call.OPENAT2, dirfd, s.path(path), struct.address(), struct.byteSize());
    return (int) check(result, s, Call.OPENAT2, dirfd, path, how);
  }

  @Override
  public int open_by_handle_at(int mountFd, int type, byte[] handle, int flags)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    // struct file_handle: two numbers and the bytes; it ends where they do
    MemorySegment struct = s.reserve(2L * Integer.BYTES + handle.length);
    struct.set(JAVA_INT, 0, handle.length);
    struct.set(JAVA_INT, Integer.BYTES, type);
    MemorySegment.copy(handle, 0, struct, JAVA_BYTE, 2L * Integer.BYTES, handle.length);
    long result =
        syscall(s, Call.OPEN_BY_HANDLE_AT, mountFd, struct.address(), flags | Linux.O_CLOEXEC);
    return (int) check(result, s, Call.OPEN_BY_HANDLE_AT, mountFd, type, handle, flags);
  }

  @Override
  public OsPath readlinkat(int dirfd, OsPath path) throws ErrnoException {
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment target = s.reserve(size);
      long result = syscall(s, Call.READLINKAT, dirfd, s.path(path), target.address(), size);
      check(result, s, Call.READLINKAT, dirfd, path);
      if (result < size) {
        return OsPath.of(target.asSlice(0, result).toArray(JAVA_BYTE));
      }
    }
  }

  @Override
  public Statx statx(int dirfd, OsPath path, int flags, int mask) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment stat = s.reserve(statx.sizeof());
    long result = syscall(s, Call.STATX, dirfd, s.path(path), flags, mask, stat.address(), 0);
    check(result, s, Call.STATX, dirfd, path, flags, mask);
    return new Statx(
        statx.stx_mask(stat),
        statx.stx_blksize(stat),
        statx.stx_attributes(stat),
        statx.stx_attributes_mask(stat),
        statx.stx_nlink(stat),
        statx.stx_uid(stat),
        statx.stx_gid(stat),
        Short.toUnsignedInt(statx.stx_mode(stat)),
        statx.stx_ino(stat),
        statx.stx_size(stat),
        statx.stx_blocks(stat),
        timestamp(statx.stx_atime(stat)),
        timestamp(statx.stx_btime(stat)),
        timestamp(statx.stx_ctime(stat)),
        timestamp(statx.stx_mtime(stat)),
        statx.stx_rdev_major(stat),
        statx.stx_rdev_minor(stat),
        statx.stx_dev_major(stat),
        statx.stx_dev_minor(stat),
        statx.stx_mnt_id(stat));
  }

  private static Timestamp timestamp(MemorySegment time) {
    return new Timestamp(
        statx_timestamp.tv_sec(time), Integer.toUnsignedLong(statx_timestamp.tv_nsec(time)));
  }

  @Override
  public Statfs statfs(OsPath path) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment stat = s.reserve(statfs.sizeof());
    long result = syscall(s, Call.STATFS, s.path(path), stat.address());
    check(result, s, Call.STATFS, path);
    return statfs(stat);
  }

  @Override
  public Statfs fstatfs(int fd) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment stat = s.reserve(statfs.sizeof());
    long result = syscall(s, Call.FSTATFS, fd, stat.address());
    check(result, s, Call.FSTATFS, fd);
    return statfs(stat);
  }

  private static Statfs statfs(MemorySegment stat) {
    return new Statfs(
        statfs.f_type(stat),
        statfs.f_bsize(stat),
        statfs.f_blocks(stat),
        statfs.f_bfree(stat),
        statfs.f_bavail(stat),
        statfs.f_files(stat),
        statfs.f_ffree(stat),
        statfs.f_namelen(stat),
        statfs.f_flags(stat));
  }

  @Override
  public void mknodat(int dirfd, OsPath path, int mode, int major, int minor)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.MKNODAT, dirfd, s.path(path), mode, device(major, minor));
    check(result, s, Call.MKNODAT, dirfd, path, mode, major, minor);
  }

  @Override
  public void mkdirat(int dirfd, OsPath path, int mode) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.MKDIRAT, dirfd, s.path(path), mode);
    check(result, s, Call.MKDIRAT, dirfd, path, mode);
  }

  @Override
  public void linkat(int oldDirfd, OsPath oldPath, int newDirfd, OsPath newPath, int flags)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    long result =
        syscall(s, Call.LINKAT, oldDirfd, s.path(oldPath), newDirfd, s.path(newPath), flags, 0);
    check(result, s, Call.LINKAT, oldDirfd, oldPath, newDirfd, newPath, flags);
  }

  @Override
  public void symlinkat(OsPath target, int dirfd, OsPath path) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.SYMLINKAT, s.path(target), dirfd, s.path(path));
    check(result, s, Call.SYMLINKAT, target, dirfd, path);
  }

  @Override
  public void unlinkat(int dirfd, OsPath path, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.UNLINKAT, dirfd, s.path(path), flags);
    check(result, s, Call.UNLINKAT, dirfd, path, flags);
  }

  @Override
  public void renameat2(int oldDirfd, OsPath oldPath, int newDirfd, OsPath newPath, int flags)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    long result =
        syscall(s, Call.RENAMEAT2, oldDirfd, s.path(oldPath), newDirfd, s.path(newPath), flags, 0);
    check(result, s, Call.RENAMEAT2, oldDirfd, oldPath, newDirfd, newPath, flags);
  }

  @Override
  public void fchownat(int dirfd, OsPath path, int uid, int gid, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FCHOWNAT, dirfd, s.path(path), uid, gid, flags, 0);
    check(result, s, Call.FCHOWNAT, dirfd, path, uid, gid, flags);
  }

  @Override
  public void faccessat2(int dirfd, OsPath path, int mode, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FACCESSAT2, dirfd, s.path(path), mode, flags);
    check(result, s, Call.FACCESSAT2, dirfd, path, mode, flags);
  }

  @Override
  public void fchmodat(int dirfd, OsPath path, int mode) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FCHMODAT, dirfd, s.path(path), mode);
    check(result, s, Call.FCHMODAT, dirfd, path, mode);
  }

  @Override
  public void utimensat(int dirfd, OsPath path, Timestamp access, Timestamp modification, int flags)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment times = s.reserve(2 * timespec.sizeof());
    fill(timespec.asSlice(times, 0), access);
    fill(timespec.asSlice(times, 1), modification);
    long result = syscall(s, Call.UTIMENSAT, dirfd, s.path(path), times.address(), flags);
    check(result, s, Call.UTIMENSAT, dirfd, path, access, modification, flags);
  }

  private static void fill(MemorySegment struct, Timestamp time) {
    timespec.tv_sec(struct, time.seconds());
    timespec.tv_nsec(struct, time.nanoseconds());
  }

  // ---- open files ---------------------------------------------------------------------------

  @Override
  public void close(int fd) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.CLOSE, fd);
    check(result, s, Call.CLOSE, fd);
  }

  @Override
  public int read(int fd, ByteBuffer buffer) throws ErrnoException {
    return transfer(Call.READ, fd, filled(buffer));
  }

  @Override
  public int write(int fd, ByteBuffer buffer) throws ErrnoException {
    return transfer(Call.WRITE, fd, buffer);
  }

  @Override
  public int getdents64(int fd, ByteBuffer buffer) throws ErrnoException {
    return transfer(Call.GETDENTS64, fd, filled(buffer));
  }

  private static int transfer(Call call, int fd, ByteBuffer buffer) throws ErrnoException {
    Scratch s = Scratch.begin();
    try {
      long result = syscall(s, call, fd, address(buffer), buffer.remaining());
      check(result, s, call, fd, buffer);
      buffer.position(buffer.position() + (int) result);
      return (int) result;
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  /** The buffer, if the kernel may write into it. */
  private static ByteBuffer filled(ByteBuffer buffer) {
    if (buffer.isReadOnly()) {
      throw new IllegalArgumentException("the kernel cannot fill a read-only buffer");
    }
    return buffer;
  }

  /** Where the buffer's position is; valid as long as the buffer is reachable. */
  private static long address(ByteBuffer buffer) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException("the kernel needs a direct buffer");
    }
    return MemorySegment.ofBuffer(buffer).address();
  }

  @Override
  public long lseek(int fd, long offset, int whence) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.LSEEK, fd, offset, whence);
    return check(result, s, Call.LSEEK, fd, offset, whence);
  }

  @Override
  public void ftruncate(int fd, long length) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FTRUNCATE, fd, length);
    check(result, s, Call.FTRUNCATE, fd, length);
  }

  @Override
  public void fchmod(int fd, int mode) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FCHMOD, fd, mode);
    check(result, s, Call.FCHMOD, fd, mode);
  }

  @Override
  public long copy_file_range(int from, int to, long length) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.COPY_FILE_RANGE, from, NULL, to, NULL, length, 0);
    return check(result, s, Call.COPY_FILE_RANGE, from, to, length);
  }

  @Override
  public void fsync(int fd) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FSYNC, fd);
    check(result, s, Call.FSYNC, fd);
  }

  @Override
  public void syncfs(int fd) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.SYNCFS, fd);
    check(result, s, Call.SYNCFS, fd);
  }

  @Override
  public boolean flock(int fd, int operation) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FLOCK, fd, operation);
    if (result == -1 && s.errno() == Errno.EAGAIN) {
      return false;
    }
    check(result, s, Call.FLOCK, fd, operation);
    return true;
  }

  @Override
  public int ioctl(int fd, long request, long argument) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.IOCTL, fd, request, argument);
    return (int) check(result, s, Call.IOCTL, fd, request, argument);
  }

  @Override
  public int ioctl(int fd, long request, ByteBuffer argument) throws ErrnoException {
    Scratch s = Scratch.begin();
    try {
      long result = syscall(s, Call.IOCTL_BUFFER, fd, request, address(filled(argument)));
      return (int) check(result, s, Call.IOCTL_BUFFER, fd, request, argument);
    } finally {
      Reference.reachabilityFence(argument);
    }
  }

  @Override
  public CacheStat cachestat(int fd, long offset, long length) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment range = s.reserve(cachestat_range.sizeof());
    cachestat_range.off(range, offset);
    cachestat_range.len(range, length);
    MemorySegment answer = s.reserve(cachestat.sizeof());
    long result = syscall(s, Call.CACHESTAT, fd, range.address(), answer.address(), 0);
    check(result, s, Call.CACHESTAT, fd, offset, length);
    return new CacheStat(
        cachestat.nr_cache(answer),
        cachestat.nr_dirty(answer),
        cachestat.nr_writeback(answer),
        cachestat.nr_evicted(answer),
        cachestat.nr_recently_evicted(answer));
  }

  @Override
  public int poll(int fd, int events, int timeoutMillis) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment polled = s.reserve(pollfd.sizeof());
    pollfd.fd(polled, fd);
    pollfd.events(polled, (short) events);
    pollfd.revents(polled, (short) 0);
    long result = syscall(s, Call.POLL, polled.address(), 1, timeoutMillis);
    check(result, s, Call.POLL, fd, events, timeoutMillis);
    return Short.toUnsignedInt(pollfd.revents(polled));
  }

  // ---- sockets ------------------------------------------------------------------------------

  @Override
  public int socket(int domain, int type, int protocol) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.SOCKET, domain, type | Linux.SOCK_CLOEXEC, protocol);
    return (int) check(result, s, Call.SOCKET, domain, type, protocol);
  }

  @Override
  public void bind(int fd, UnixAddress address) throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment to = socketAddress(s, address);
    long result = syscall(s, Call.BIND, fd, to.address(), to.byteSize());
    check(result, s, Call.BIND, fd, address);
  }

  @Override
  public void listen(int fd, int backlog) throws ErrnoException {
    Scratch s = Scratch.begin();
    check(syscall(s, Call.LISTEN, fd, backlog), s, Call.LISTEN, fd, backlog);
  }

  @Override
  public int accept4(int fd, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.ACCEPT4, fd, 0, 0, flags | Linux.SOCK_CLOEXEC);
    return (int) check(result, s, Call.ACCEPT4, fd, flags);
  }

  @Override
  public void shutdown(int fd, int how) throws ErrnoException {
    Scratch s = Scratch.begin();
    check(syscall(s, Call.SHUTDOWN, fd, how), s, Call.SHUTDOWN, fd, how);
  }

  private static MemorySegment socketAddress(Scratch s, UnixAddress address) {
    MemorySegment to = s.reserve(address.size());
    sockaddr_un.sun_family(to, (short) Linux.AF_UNIX);
    to.asSlice(sockaddr_un.sun_path$offset()).copyFrom(MemorySegment.ofArray(address.path()));
    return to;
  }

  @Override
  public byte[] getsockopt(int fd, int level, int option) throws ErrnoException {
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment value = s.reserve(size);
      MemorySegment length = s.reserve(Integer.BYTES);
      length.set(JAVA_INT, 0, size);
      long result =
          syscall(s, Call.GETSOCKOPT, fd, level, option, value.address(), length.address(), 0);
      if (!isTooSmall(result, s, size)) {
        check(result, s, Call.GETSOCKOPT, fd, level, option);
        return value.asSlice(0, length.get(JAVA_INT, 0)).toArray(JAVA_BYTE);
      }
    }
  }

  @Override
  public int sendto(int fd, ByteBuffer message, int flags, UnixAddress address)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    MemorySegment to = socketAddress(s, address);
    try {
      long result =
          syscall(
              s,
              Call.SENDTO,
              fd,
              address(message),
              message.remaining(),
              flags,
              to.address(),
              to.byteSize());
      check(result, s, Call.SENDTO, fd, message, flags, address);
      message.position(message.position() + (int) result);
      return (int) result;
    } finally {
      Reference.reachabilityFence(message);
    }
  }

  @Override
  public int sendmsg(int fd, ByteBuffer message, List<Integer> descriptors, int flags)
      throws ErrnoException {
    Scratch s = Scratch.begin();
    int size = (int) cmsghdr.sizeof() + descriptors.size() * Integer.BYTES;
    MemorySegment header = messageHeader(s, message, descriptors.isEmpty() ? 0 : size);
    if (!descriptors.isEmpty()) {
      MemorySegment control = msghdr.msg_control(header).reinterpret(size);
      cmsghdr.cmsg_len(control, size);
      cmsghdr.cmsg_level(control, Linux.SOL_SOCKET);
      cmsghdr.cmsg_type(control, Linux.SCM_RIGHTS);
      for (int i = 0; i < descriptors.size(); i++) {
        control.set(JAVA_INT, cmsghdr.sizeof() + (long) i * Integer.BYTES, descriptors.get(i));
      }
    }
    try {
      long result = syscall(s, Call.SENDMSG, fd, header.address(), flags);
      check(result, s, Call.SENDMSG, fd, message, descriptors, flags);
      message.position(message.position() + (int) result);
      return (int) result;
    } finally {
      Reference.reachabilityFence(message);
    }
  }

  @Override
  public List<Integer> recvmsg(int fd, ByteBuffer message) throws ErrnoException {
    Scratch s = Scratch.begin();
    int room = (int) cmsghdr.sizeof() + MAX_PASSED * Integer.BYTES;
    MemorySegment header = messageHeader(s, message, room);
    MemorySegment control = msghdr.msg_control(header).reinterpret(room);
    List<Integer> descriptors = new ArrayList<>();
    try {
      long result = syscall(s, Call.RECVMSG, fd, header.address(), Linux.MSG_CMSG_CLOEXEC);
      check(result, s, Call.RECVMSG, fd, message);
      long filled =
          msghdr.msg_controllen(header) < cmsghdr.sizeof() ? 0 : cmsghdr.cmsg_len(control);
      for (long at = cmsghdr.sizeof(); at + Integer.BYTES <= filled; at += Integer.BYTES) {
        descriptors.add(control.get(JAVA_INT, at));
      }
      message.position(message.position() + (int) result);
    } finally {
      Reference.reachabilityFence(message);
    }
    if ((msghdr.msg_flags(header) & Linux.MSG_CTRUNC) != 0) {
      for (int descriptor : descriptors) {
        close(descriptor);
      }
      throw new ErrnoException(
          Call.RECVMSG.symbol(), () -> Call.RECVMSG.arguments(fd, message), Errno.EMFILE);
    }
    return descriptors;
  }

  /** With one buffer, and so much room for what goes beside it. */
  private static MemorySegment messageHeader(Scratch s, ByteBuffer message, int room) {
    MemorySegment header = s.reserve(msghdr.sizeof()).fill((byte) 0);
    MemorySegment part = s.reserve(iovec.sizeof());
    iovec.iov_base(part, MemorySegment.ofAddress(address(message)));
    iovec.iov_len(part, message.remaining());
    msghdr.msg_iov(header, part);
    msghdr.msg_iovlen(header, 1);
    if (room > 0) {
      msghdr.msg_control(header, s.reserve(room));
      msghdr.msg_controllen(header, room);
    }
    return header;
  }

  // ---- extended attributes ------------------------------------------------------------------

  @Override
  public Optional<byte[]> getxattr(OsPath path, String name, boolean follow) throws ErrnoException {
    Call call = follow ? Call.GETXATTR : Call.LGETXATTR;
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment value = s.reserve(size);
      long result = syscall(s, call, s.path(path), s.string(name), value.address(), size);
      if (!isTooSmall(result, s, size)) {
        return attribute(result, s, value, call, path, name);
      }
    }
  }

  @Override
  public Optional<byte[]> fgetxattr(int fd, String name) throws ErrnoException {
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment value = s.reserve(size);
      long result = syscall(s, Call.FGETXATTR, fd, s.string(name), value.address(), size);
      if (!isTooSmall(result, s, size)) {
        return attribute(result, s, value, Call.FGETXATTR, fd, name);
      }
    }
  }

  private static boolean isTooSmall(long result, Scratch s, int size) {
    return result == -1 && s.errno() == Errno.ERANGE && size < LARGEST_RESULT_BYTES;
  }

  private static Optional<byte[]> attribute(
      long result, Scratch s, MemorySegment value, Call call, Object file, String name)
      throws ErrnoException {
    if (result == -1 && s.errno() == Errno.ENODATA) {
      return Optional.empty();
    }
    check(result, s, call, file, name);
    return Optional.of(value.asSlice(0, result).toArray(JAVA_BYTE));
  }

  @Override
  public void setxattr(OsPath path, String name, byte[] value, int flags, boolean follow)
      throws ErrnoException {
    Call call = follow ? Call.SETXATTR : Call.LSETXATTR;
    Scratch s = Scratch.begin();
    long result =
        syscall(s, call, s.path(path), s.string(name), s.bytes(value), value.length, flags, 0);
    check(result, s, call, path, name, value, flags);
  }

  @Override
  public void fsetxattr(int fd, String name, byte[] value, int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result =
        syscall(s, Call.FSETXATTR, fd, s.string(name), s.bytes(value), value.length, flags, 0);
    check(result, s, Call.FSETXATTR, fd, name, value, flags);
  }

  @Override
  public List<String> listxattr(OsPath path, boolean follow) throws ErrnoException {
    Call call = follow ? Call.LISTXATTR : Call.LLISTXATTR;
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment names = s.reserve(size);
      long result = syscall(s, call, s.path(path), names.address(), size);
      if (!isTooSmall(result, s, size)) {
        check(result, s, call, path);
        return attributeNames(names.asSlice(0, result).toArray(JAVA_BYTE));
      }
    }
  }

  @Override
  public List<String> flistxattr(int fd) throws ErrnoException {
    for (int size = INITIAL_RESULT_BYTES; ; size *= 4) {
      Scratch s = Scratch.begin();
      MemorySegment names = s.reserve(size);
      long result = syscall(s, Call.FLISTXATTR, fd, names.address(), size);
      if (!isTooSmall(result, s, size)) {
        check(result, s, Call.FLISTXATTR, fd);
        return attributeNames(names.asSlice(0, result).toArray(JAVA_BYTE));
      }
    }
  }

  private static List<String> attributeNames(byte[] names) {
    List<String> result = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < names.length; i++) {
      if (names[i] == 0) {
        result.add(OsPath.decode(names, start, i - start));
        start = i + 1;
      }
    }
    return result;
  }

  @Override
  public void removexattr(OsPath path, String name, boolean follow) throws ErrnoException {
    Call call = follow ? Call.REMOVEXATTR : Call.LREMOVEXATTR;
    Scratch s = Scratch.begin();
    long result = syscall(s, call, s.path(path), s.string(name));
    check(result, s, call, path, name);
  }

  @Override
  public void fremovexattr(int fd, String name) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FREMOVEXATTR, fd, s.string(name));
    check(result, s, Call.FREMOVEXATTR, fd, name);
  }

  // ---- the process --------------------------------------------------------------------------

  @Override
  public void unshare(int flags) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.UNSHARE, flags);
    check(result, s, Call.UNSHARE, flags);
  }

  @Override
  public void fchdir(int fd) throws ErrnoException {
    Scratch s = Scratch.begin();
    long result = syscall(s, Call.FCHDIR, fd);
    check(result, s, Call.FCHDIR, fd);
  }

  @Override
  public int geteuid() {
    return (int) syscall(Scratch.begin(), Call.GETEUID);
  }

  // ---- the one way into the kernel, and the one way out of an error ---------------------------

  private static long syscall(Scratch s, Call call) {
    return syscall(s, call, 0, 0, 0, 0, 0, 0);
  }

  private static long syscall(Scratch s, Call call, long a) {
    return syscall(s, call, a, 0, 0, 0, 0, 0);
  }

  private static long syscall(Scratch s, Call call, long a, long b) {
    return syscall(s, call, a, b, 0, 0, 0, 0);
  }

  private static long syscall(Scratch s, Call call, long a, long b, long c) {
    return syscall(s, call, a, b, c, 0, 0, 0);
  }

  private static long syscall(Scratch s, Call call, long a, long b, long c, long d) {
    return syscall(s, call, a, b, c, d, 0, 0);
  }

  /** syscall(2); -1 when it failed, and the errno is then in the scratch memory. */
  private static long syscall(
      Scratch s, Call call, long a, long b, long c, long d, long e, long f) {
    try {
      return (long)
          Native.SYSCALL.invokeExact(s.errnoSlot(), (long) call.number(), a, b, c, d, e, f);
    } catch (RuntimeException | Error thrown) {
      throw thrown;
    } catch (Throwable impossible) {
      throw new AssertionError(impossible);
    }
  }

  /**
   * The result of a call that succeeded.
   *
   * @param arguments of the Java method, in the order in which {@link Call} names them
   * @throws ErrnoException when the result is -1
   */
  private static long check(long result, Scratch s, Call call, Object... arguments)
      throws ErrnoException {
    if (result == -1) {
      throw new ErrnoException(call.symbol(), text(call, arguments), s.errno());
    }
    return result;
  }

  /** The arguments' text, made later; at once where it shows a buffer that will change. */
  private static Supplier<String> text(Call call, Object[] arguments) {
    if (call == Call.WRITE || call == Call.SENDTO) {
      String now = call.arguments(arguments);
      return () -> now;
    }
    return () -> call.arguments(arguments);
  }
}
