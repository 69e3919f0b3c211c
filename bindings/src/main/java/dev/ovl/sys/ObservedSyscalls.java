package dev.ovl.sys;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Passes every system call on to other {@link Syscalls}, through one method that a subclass writes:
 * it sees each call before it is made and may print it, count it, make it or not, and turn its
 * outcome into another.
 */
public abstract class ObservedSyscalls implements Syscalls {
  private final Syscalls sys;

  /**
   * @param sys what makes the calls
   */
  protected ObservedSyscalls(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Makes one call, or does not. A subclass that only looks ends with {@code return
   * invocation.perform()}.
   *
   * @param <T> what the Java method returns
   * @param invocation the call that is about to be made
   * @return what the caller gets; null where the method is void
   * @throws ErrnoException what the caller gets instead. {@code geteuid} cannot fail: there it ends
   *     as an {@link IllegalStateException}
   */
  protected abstract <T> T observe(Invocation<T> invocation) throws ErrnoException;

  /**
   * A call with its arguments, not yet made.
   *
   * @param <T> what the Java method returns
   */
  public static final class Invocation<T> {
    private final Call call;
    private final Object[] arguments;
    private final Action<T> action;

    private Invocation(Call call, Action<T> action, Object[] arguments) {
      this.call = call;
      this.arguments = arguments;
      this.action = action;
    }

    /** The C name: {@code "mount"}, {@code "lgetxattr"}. */
    public String name() {
      return call.symbol();
    }

    /**
     * The arguments as strace prints them, without parentheses. Buffers are shown as they are now:
     * ask before {@link #perform} to see what is written.
     */
    public String arguments() {
      return call.arguments(arguments);
    }

    /**
     * Makes the call.
     *
     * @return its result, null where the method is void
     * @throws ErrnoException when it fails
     */
    public T perform() throws ErrnoException {
      return action.perform();
    }

    /** A result of {@link #perform} as strace prints it after the equals sign. */
    public String result(T value) {
      return call.result(value);
    }

    /** The error that the call would fail with. */
    public ErrnoException failure(Errno errno) {
      String now = arguments();
      return new ErrnoException(name(), () -> now, errno);
    }
  }

  /** Makes a call. */
  private interface Action<T> {
    T perform() throws ErrnoException;
  }

  /** Makes a call that returns nothing. */
  private interface Task {
    void perform() throws ErrnoException;
  }

  private <T> T call(Call call, Action<T> action, Object... arguments) throws ErrnoException {
    return observe(new Invocation<>(call, action, arguments));
  }

  private void run(Call call, Task task, Object... arguments) throws ErrnoException {
    Action<Void> action =
        () -> {
          task.perform();
          return null;
        };
    observe(new Invocation<>(call, action, arguments));
  }

  private <T> T infallible(Call call, Action<T> action) {
    try {
      return call(call, action);
    } catch (ErrnoException e) {
      throw new IllegalStateException("the call cannot fail", e);
    }
  }

  // ---- mounts ---------------------------------------------------------------------------------

  @Override
  public void mount(OsPath source, OsPath target, String fstype, long flags, byte[] data)
      throws ErrnoException {
    run(
        Call.MOUNT,
        () -> sys.mount(source, target, fstype, flags, data),
        source,
        target,
        fstype,
        flags,
        data);
  }

  @Override
  public void umount2(OsPath target, int flags) throws ErrnoException {
    run(Call.UMOUNT2, () -> sys.umount2(target, flags), target, flags);
  }

  @Override
  public int fsopen(String fstype, int flags) throws ErrnoException {
    return call(Call.FSOPEN, () -> sys.fsopen(fstype, flags), fstype, flags);
  }

  @Override
  public void fsconfig(int fd, int command, String key, byte[] value, int aux)
      throws ErrnoException {
    run(
        Call.FSCONFIG,
        () -> sys.fsconfig(fd, command, key, value, aux),
        fd,
        command,
        key,
        value,
        aux);
  }

  @Override
  public int fsmount(int fd, int flags, int attributes) throws ErrnoException {
    return call(Call.FSMOUNT, () -> sys.fsmount(fd, flags, attributes), fd, flags, attributes);
  }

  @Override
  public int fspick(int dirfd, OsPath path, int flags) throws ErrnoException {
    return call(Call.FSPICK, () -> sys.fspick(dirfd, path, flags), dirfd, path, flags);
  }

  @Override
  public void move_mount(int fromDirfd, OsPath from, int toDirfd, OsPath to, int flags)
      throws ErrnoException {
    run(
        Call.MOVE_MOUNT,
        () -> sys.move_mount(fromDirfd, from, toDirfd, to, flags),
        fromDirfd,
        from,
        toDirfd,
        to,
        flags);
  }

  @Override
  public int open_tree(int dirfd, OsPath path, int flags) throws ErrnoException {
    return call(Call.OPEN_TREE, () -> sys.open_tree(dirfd, path, flags), dirfd, path, flags);
  }

  @Override
  public void mount_setattr(int dirfd, OsPath path, int flags, MountAttr attributes)
      throws ErrnoException {
    run(
        Call.MOUNT_SETATTR,
        () -> sys.mount_setattr(dirfd, path, flags, attributes),
        dirfd,
        path,
        flags,
        attributes);
  }

  @Override
  public StatMount statmount(long mountId, long namespaceId, long mask) throws ErrnoException {
    return call(
        Call.STATMOUNT,
        () -> sys.statmount(mountId, namespaceId, mask),
        mountId,
        namespaceId,
        mask);
  }

  @Override
  public long[] listmount(long mountId, long namespaceId, long lastId, int limit)
      throws ErrnoException {
    return call(
        Call.LISTMOUNT,
        () -> sys.listmount(mountId, namespaceId, lastId, limit),
        mountId,
        namespaceId,
        lastId,
        limit);
  }

  @Override
  public boolean ustat(int major, int minor) throws ErrnoException {
    return call(Call.USTAT, () -> sys.ustat(major, minor), major, minor);
  }

  // ---- files by name --------------------------------------------------------------------------

  @Override
  public int openat(int dirfd, OsPath path, int flags, int mode) throws ErrnoException {
    return call(Call.OPENAT, () -> sys.openat(dirfd, path, flags, mode), dirfd, path, flags, mode);
  }

  @Override
  public int openat2(int dirfd, OsPath path, OpenHow how) throws ErrnoException {
    return call(Call.OPENAT2, () -> sys.openat2(dirfd, path, how), dirfd, path, how);
  }

  @Override
  public int open_by_handle_at(int mountFd, int type, byte[] handle, int flags)
      throws ErrnoException {
    return call(
        Call.OPEN_BY_HANDLE_AT,
        () -> sys.open_by_handle_at(mountFd, type, handle, flags),
        mountFd,
        type,
        handle,
        flags);
  }

  @Override
  public OsPath readlinkat(int dirfd, OsPath path) throws ErrnoException {
    return call(Call.READLINKAT, () -> sys.readlinkat(dirfd, path), dirfd, path);
  }

  @Override
  public Statx statx(int dirfd, OsPath path, int flags, int mask) throws ErrnoException {
    return call(Call.STATX, () -> sys.statx(dirfd, path, flags, mask), dirfd, path, flags, mask);
  }

  @Override
  public Statfs statfs(OsPath path) throws ErrnoException {
    return call(Call.STATFS, () -> sys.statfs(path), path);
  }

  @Override
  public Statfs fstatfs(int fd) throws ErrnoException {
    return call(Call.FSTATFS, () -> sys.fstatfs(fd), fd);
  }

  @Override
  public void mknodat(int dirfd, OsPath path, int mode, int major, int minor)
      throws ErrnoException {
    run(
        Call.MKNODAT,
        () -> sys.mknodat(dirfd, path, mode, major, minor),
        dirfd,
        path,
        mode,
        major,
        minor);
  }

  @Override
  public void mkdirat(int dirfd, OsPath path, int mode) throws ErrnoException {
    run(Call.MKDIRAT, () -> sys.mkdirat(dirfd, path, mode), dirfd, path, mode);
  }

  @Override
  public void linkat(int oldDirfd, OsPath oldPath, int newDirfd, OsPath newPath, int flags)
      throws ErrnoException {
    run(
        Call.LINKAT,
        () -> sys.linkat(oldDirfd, oldPath, newDirfd, newPath, flags),
        oldDirfd,
        oldPath,
        newDirfd,
        newPath,
        flags);
  }

  @Override
  public void symlinkat(OsPath target, int dirfd, OsPath path) throws ErrnoException {
    run(Call.SYMLINKAT, () -> sys.symlinkat(target, dirfd, path), target, dirfd, path);
  }

  @Override
  public void unlinkat(int dirfd, OsPath path, int flags) throws ErrnoException {
    run(Call.UNLINKAT, () -> sys.unlinkat(dirfd, path, flags), dirfd, path, flags);
  }

  @Override
  public void renameat2(int oldDirfd, OsPath oldPath, int newDirfd, OsPath newPath, int flags)
      throws ErrnoException {
    run(
        Call.RENAMEAT2,
        () -> sys.renameat2(oldDirfd, oldPath, newDirfd, newPath, flags),
        oldDirfd,
        oldPath,
        newDirfd,
        newPath,
        flags);
  }

  @Override
  public void fchownat(int dirfd, OsPath path, int uid, int gid, int flags) throws ErrnoException {
    run(
        Call.FCHOWNAT,
        () -> sys.fchownat(dirfd, path, uid, gid, flags),
        dirfd,
        path,
        uid,
        gid,
        flags);
  }

  @Override
  public void faccessat2(int dirfd, OsPath path, int mode, int flags) throws ErrnoException {
    run(Call.FACCESSAT2, () -> sys.faccessat2(dirfd, path, mode, flags), dirfd, path, mode, flags);
  }

  @Override
  public void fchmodat(int dirfd, OsPath path, int mode) throws ErrnoException {
    run(Call.FCHMODAT, () -> sys.fchmodat(dirfd, path, mode), dirfd, path, mode);
  }

  @Override
  public void utimensat(int dirfd, OsPath path, Timestamp access, Timestamp modification, int flags)
      throws ErrnoException {
    run(
        Call.UTIMENSAT,
        () -> sys.utimensat(dirfd, path, access, modification, flags),
        dirfd,
        path,
        access,
        modification,
        flags);
  }

  // ---- open files -----------------------------------------------------------------------------

  @Override
  public void close(int fd) throws ErrnoException {
    run(Call.CLOSE, () -> sys.close(fd), fd);
  }

  @Override
  public int read(int fd, ByteBuffer buffer) throws ErrnoException {
    return call(Call.READ, () -> sys.read(fd, buffer), fd, buffer);
  }

  @Override
  public int write(int fd, ByteBuffer buffer) throws ErrnoException {
    return call(Call.WRITE, () -> sys.write(fd, buffer), fd, buffer);
  }

  @Override
  public int getdents64(int fd, ByteBuffer buffer) throws ErrnoException {
    return call(Call.GETDENTS64, () -> sys.getdents64(fd, buffer), fd, buffer);
  }

  @Override
  public long lseek(int fd, long offset, int whence) throws ErrnoException {
    return call(Call.LSEEK, () -> sys.lseek(fd, offset, whence), fd, offset, whence);
  }

  @Override
  public void ftruncate(int fd, long length) throws ErrnoException {
    run(Call.FTRUNCATE, () -> sys.ftruncate(fd, length), fd, length);
  }

  @Override
  public void fchmod(int fd, int mode) throws ErrnoException {
    run(Call.FCHMOD, () -> sys.fchmod(fd, mode), fd, mode);
  }

  @Override
  public long copy_file_range(int from, int to, long length) throws ErrnoException {
    return call(
        Call.COPY_FILE_RANGE, () -> sys.copy_file_range(from, to, length), from, to, length);
  }

  @Override
  public void fsync(int fd) throws ErrnoException {
    run(Call.FSYNC, () -> sys.fsync(fd), fd);
  }

  @Override
  public void syncfs(int fd) throws ErrnoException {
    run(Call.SYNCFS, () -> sys.syncfs(fd), fd);
  }

  @Override
  public boolean flock(int fd, int operation) throws ErrnoException {
    return call(Call.FLOCK, () -> sys.flock(fd, operation), fd, operation);
  }

  @Override
  public int ioctl(int fd, long request, long argument) throws ErrnoException {
    return call(Call.IOCTL, () -> sys.ioctl(fd, request, argument), fd, request, argument);
  }

  @Override
  public int ioctl(int fd, long request, ByteBuffer argument) throws ErrnoException {
    return call(Call.IOCTL_BUFFER, () -> sys.ioctl(fd, request, argument), fd, request, argument);
  }

  @Override
  public CacheStat cachestat(int fd, long offset, long length) throws ErrnoException {
    return call(Call.CACHESTAT, () -> sys.cachestat(fd, offset, length), fd, offset, length);
  }

  @Override
  public int poll(int fd, int events, int timeoutMillis) throws ErrnoException {
    return call(Call.POLL, () -> sys.poll(fd, events, timeoutMillis), fd, events, timeoutMillis);
  }

  // ---- sockets --------------------------------------------------------------------------------

  @Override
  public int socket(int domain, int type, int protocol) throws ErrnoException {
    return call(Call.SOCKET, () -> sys.socket(domain, type, protocol), domain, type, protocol);
  }

  @Override
  public void bind(int fd, UnixAddress address) throws ErrnoException {
    run(Call.BIND, () -> sys.bind(fd, address), fd, address);
  }

  @Override
  public void listen(int fd, int backlog) throws ErrnoException {
    run(Call.LISTEN, () -> sys.listen(fd, backlog), fd, backlog);
  }

  @Override
  public int accept4(int fd, int flags) throws ErrnoException {
    return call(Call.ACCEPT4, () -> sys.accept4(fd, flags), fd, flags);
  }

  @Override
  public void shutdown(int fd, int how) throws ErrnoException {
    run(Call.SHUTDOWN, () -> sys.shutdown(fd, how), fd, how);
  }

  @Override
  public byte[] getsockopt(int fd, int level, int option) throws ErrnoException {
    return call(Call.GETSOCKOPT, () -> sys.getsockopt(fd, level, option), fd, level, option);
  }

  @Override
  public int sendto(int fd, ByteBuffer message, int flags, UnixAddress address)
      throws ErrnoException {
    return call(
        Call.SENDTO, () -> sys.sendto(fd, message, flags, address), fd, message, flags, address);
  }

  @Override
  public int sendmsg(int fd, ByteBuffer message, List<Integer> descriptors, int flags)
      throws ErrnoException {
    return call(
        Call.SENDMSG,
        () -> sys.sendmsg(fd, message, descriptors, flags),
        fd,
        message,
        descriptors,
        flags);
  }

  @Override
  public List<Integer> recvmsg(int fd, ByteBuffer message) throws ErrnoException {
    return call(Call.RECVMSG, () -> sys.recvmsg(fd, message), fd, message);
  }

  // ---- extended attributes --------------------------------------------------------------------

  @Override
  public Optional<byte[]> getxattr(OsPath path, String name, boolean follow) throws ErrnoException {
    return call(
        follow ? Call.GETXATTR : Call.LGETXATTR,
        () -> sys.getxattr(path, name, follow),
        path,
        name);
  }

  @Override
  public Optional<byte[]> fgetxattr(int fd, String name) throws ErrnoException {
    return call(Call.FGETXATTR, () -> sys.fgetxattr(fd, name), fd, name);
  }

  @Override
  public void setxattr(OsPath path, String name, byte[] value, int flags, boolean follow)
      throws ErrnoException {
    run(
        follow ? Call.SETXATTR : Call.LSETXATTR,
        () -> sys.setxattr(path, name, value, flags, follow),
        path,
        name,
        value,
        flags);
  }

  @Override
  public void fsetxattr(int fd, String name, byte[] value, int flags) throws ErrnoException {
    run(Call.FSETXATTR, () -> sys.fsetxattr(fd, name, value, flags), fd, name, value, flags);
  }

  @Override
  public List<String> listxattr(OsPath path, boolean follow) throws ErrnoException {
    return call(follow ? Call.LISTXATTR : Call.LLISTXATTR, () -> sys.listxattr(path, follow), path);
  }

  @Override
  public List<String> flistxattr(int fd) throws ErrnoException {
    return call(Call.FLISTXATTR, () -> sys.flistxattr(fd), fd);
  }

  @Override
  public void removexattr(OsPath path, String name, boolean follow) throws ErrnoException {
    run(
        follow ? Call.REMOVEXATTR : Call.LREMOVEXATTR,
        () -> sys.removexattr(path, name, follow),
        path,
        name);
  }

  @Override
  public void fremovexattr(int fd, String name) throws ErrnoException {
    run(Call.FREMOVEXATTR, () -> sys.fremovexattr(fd, name), fd, name);
  }

  // ---- the process ----------------------------------------------------------------------------

  @Override
  public void unshare(int flags) throws ErrnoException {
    run(Call.UNSHARE, () -> sys.unshare(flags), flags);
  }

  @Override
  public void fchdir(int fd) throws ErrnoException {
    run(Call.FCHDIR, () -> sys.fchdir(fd), fd);
  }

  @Override
  public int geteuid() {
    return infallible(Call.GETEUID, sys::geteuid);
  }
}
