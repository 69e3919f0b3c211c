package dev.ovl.sys;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The kernel, one method a system call, under its C name.
 *
 * <p>Paths are bytes ({@link OsPath}). Flags and constants come from {@link Linux}. A descriptor is
 * an {@code int} here, {@link Linux#AT_FDCWD} where the call takes it; callers wrap what they open
 * in an {@link Fd}. Buffers are direct {@link ByteBuffer}s: a call works from position to limit and
 * advances the position by what was done. No method retries, except that EINTR is returned to the
 * caller like any other errno.
 *
 * <p>Every method throws {@link ErrnoException} with the errno that the manual page of the call
 * documents; the javadoc names those which callers usually meet. Implementations may be used by
 * many threads at once.
 *
 * @see LinuxSyscalls the real one
 * @see TracingSyscalls prints each call
 */
public interface Syscalls {

  // ---- mounts -------------------------------------------------------------------------------

  /**
   * mount(2).
   *
   * @param fstype empty for remounts and propagation changes (passed as NULL)
   * @param flags MS_ flags
   * @param data the option string without its NUL, at most 4095 bytes: the kernel would cut more
   *     <em>silently</em>. Empty is passed as NULL
   * @throws IllegalArgumentException when data is longer than 4095 bytes; the kernel is not asked
   */
  void mount(OsPath source, OsPath target, String fstype, long flags, byte[] data)
      throws ErrnoException;

  /** umount2(2). EBUSY: in use; EINVAL: not a mount point. */
  void umount2(OsPath target, int flags) throws ErrnoException;

  /** fsopen(2). ENODEV: no such file system type. Returns a descriptor. */
  int fsopen(String fstype, int flags) throws ErrnoException;

  /**
   * fsconfig(2).
   *
   * @param command FSCONFIG_…
   * @param key empty where the command takes none (passed as NULL)
   * @param value a path or string without its NUL; empty is NULL unless the command is
   *     FSCONFIG_SET_STRING, FSCONFIG_SET_PATH or FSCONFIG_SET_PATH_EMPTY. 255 bytes at most for
   *     FSCONFIG_SET_STRING (EINVAL)
   * @param aux the command's number: a descriptor for FSCONFIG_SET_FD
   */
  void fsconfig(int fd, int command, String key, byte[] value, int aux) throws ErrnoException;

  /** fsmount(2). Returns the descriptor of a detached mount. */
  int fsmount(int fd, int flags, int attributes) throws ErrnoException;

  /** fspick(2). Returns a descriptor. */
  int fspick(int dirfd, OsPath path, int flags) throws ErrnoException;

  /** move_mount(2). */
  void move_mount(int fromDirfd, OsPath from, int toDirfd, OsPath to, int flags)
      throws ErrnoException;

  /** open_tree(2). Returns a descriptor. */
  int open_tree(int dirfd, OsPath path, int flags) throws ErrnoException;

  /** mount_setattr(2). */
  void mount_setattr(int dirfd, OsPath path, int flags, MountAttr attributes) throws ErrnoException;

  /**
   * statmount(2).
   *
   * @param mountId the unique 64-bit id (STATX_MNT_ID_UNIQUE, listmount)
   * @param namespaceId the mount namespace's id, 0 for the caller's
   * @param mask STATMOUNT_… what is wanted; the kernel gives what it knows
   * @throws ErrnoException ENOENT: no such mount; ENOSYS: kernel before 6.8
   */
  StatMount statmount(long mountId, long namespaceId, long mask) throws ErrnoException;

  /**
   * listmount(2).
   *
   * @param mountId list what lies beneath this mount; {@link Linux#LSMT_ROOT} for the whole
   *     namespace
   * @param namespaceId the mount namespace's id, 0 for the caller's
   * @param lastId continue after this id, 0 to begin
   * @param limit how many ids at most
   * @return unique mount ids, ascending; empty when there are no more
   * @throws ErrnoException ENOSYS: kernel before 6.8
   */
  long[] listmount(long mountId, long namespaceId, long lastId, int limit) throws ErrnoException;

  /**
   * ustat(2), only for its answer whether a superblock with this device number is alive anywhere.
   */
  boolean ustat(int major, int minor) throws ErrnoException;

  // ---- files by name ------------------------------------------------------------------------

  /** openat(2). O_CLOEXEC is always added. */
  int openat(int dirfd, OsPath path, int flags, int mode) throws ErrnoException;

  /** openat2(2). O_CLOEXEC is always added. EAGAIN: RESOLVE_IN_ROOT raced with a rename; retry. */
  int openat2(int dirfd, OsPath path, OpenHow how) throws ErrnoException;

  /**
   * open_by_handle_at(2). O_CLOEXEC is always added.
   *
   * @param mountFd anything open on the file system, but not with O_PATH
   * @param type of the handle, as the file system numbers them
   * @param handle 128 bytes at most (EINVAL)
   * @throws ErrnoException ESTALE: there is no such file any more, or the handle is another file
   *     system's; EPERM: only who has CAP_DAC_READ_SEARCH may; EOPNOTSUPP: it has no handles
   */
  int open_by_handle_at(int mountFd, int type, byte[] handle, int flags) throws ErrnoException;

  /** readlinkat(2): the whole target, however long. EINVAL: not a symbolic link. */
  OsPath readlinkat(int dirfd, OsPath path) throws ErrnoException;

  /** statx(2). */
  Statx statx(int dirfd, OsPath path, int flags, int mask) throws ErrnoException;

  /** statfs(2). */
  Statfs statfs(OsPath path) throws ErrnoException;

  /** fstatfs(2). */
  Statfs fstatfs(int fd) throws ErrnoException;

  /** mknodat(2). */
  void mknodat(int dirfd, OsPath path, int mode, int major, int minor) throws ErrnoException;

  /** mkdirat(2). */
  void mkdirat(int dirfd, OsPath path, int mode) throws ErrnoException;

  /** linkat(2). */
  void linkat(int oldDirfd, OsPath oldPath, int newDirfd, OsPath newPath, int flags)
      throws ErrnoException;

  /** symlinkat(2). */
  void symlinkat(OsPath target, int dirfd, OsPath path) throws ErrnoException;

  /** unlinkat(2). */
  void unlinkat(int dirfd, OsPath path, int flags) throws ErrnoException;

  /** renameat2(2). EXDEV: across file systems or overlay layers. */
  void renameat2(int oldDirfd, OsPath oldPath, int newDirfd, OsPath newPath, int flags)
      throws ErrnoException;

  /** fchownat(2); -1 leaves an owner as it is. */
  void fchownat(int dirfd, OsPath path, int uid, int gid, int flags) throws ErrnoException;

  /**
   * faccessat2(2): returns when all that is asked for is permitted. EACCES, EROFS, EPERM
   * (immutable): it is not. ENOSYS: Linux before 5.8.
   *
   * @param mode R_OK, W_OK, X_OK
   * @param flags AT_EACCESS: of the effective user; AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH
   */
  void faccessat2(int dirfd, OsPath path, int mode, int flags) throws ErrnoException;

  /** fchmodat(2), which follows symbolic links. */
  void fchmodat(int dirfd, OsPath path, int mode) throws ErrnoException;

  /** utimensat(2). A nanosecond field may be UTIME_NOW or UTIME_OMIT. */
  void utimensat(int dirfd, OsPath path, Timestamp access, Timestamp modification, int flags)
      throws ErrnoException;

  // ---- open files ---------------------------------------------------------------------------

  /** close(2). The descriptor is gone whatever this throws. */
  void close(int fd) throws ErrnoException;

  /** read(2). Returns the number of bytes, 0 at the end. */
  int read(int fd, ByteBuffer buffer) throws ErrnoException;

  /** write(2). Returns the number of bytes, which may be less than there were. */
  int write(int fd, ByteBuffer buffer) throws ErrnoException;

  /**
   * getdents64(2): the next raw entries, to be read with {@link DirectoryEntries}. Returns the
   * number of bytes, 0 at the end.
   */
  int getdents64(int fd, ByteBuffer buffer) throws ErrnoException;

  /** lseek(2). ENXIO: no data or hole beyond the offset. */
  long lseek(int fd, long offset, int whence) throws ErrnoException;

  /** ftruncate(2). */
  void ftruncate(int fd, long length) throws ErrnoException;

  /** fchmod(2). */
  void fchmod(int fd, int mode) throws ErrnoException;

  /**
   * copy_file_range(2) from where one file's offset stands to where the other's does; both move.
   *
   * @param length bytes at most
   * @return the number of bytes, 0 at the end of the file
   * @throws ErrnoException EXDEV, EINVAL, EOPNOTSUPP, ENOSYS, ETXTBSY: not between these files
   */
  long copy_file_range(int from, int to, long length) throws ErrnoException;

  /** fsync(2). */
  void fsync(int fd) throws ErrnoException;

  /** syncfs(2). */
  void syncfs(int fd) throws ErrnoException;

  /** flock(2). Returns false where LOCK_NB is given and another open file holds the lock. */
  boolean flock(int fd, int operation) throws ErrnoException;

  /** ioctl(2) with a number or nothing as its argument. Returns what the call returned. */
  int ioctl(int fd, long request, long argument) throws ErrnoException;

  /** ioctl(2) with a buffer (its bytes from position to limit), which the kernel may fill. */
  int ioctl(int fd, long request, ByteBuffer argument) throws ErrnoException;

  /**
   * cachestat(2): how much of a file is in the page cache.
   *
   * @param offset first byte of the range
   * @param length bytes of the range, 0 for all up to the end of the file
   * @throws ErrnoException ENOSYS: kernel before 6.5. EBADF: an O_PATH descriptor. EPERM: the
   *     caller may not write the file (not asked by the first kernels that have the call)
   */
  CacheStat cachestat(int fd, long offset, long length) throws ErrnoException;

  /**
   * poll(2) on one descriptor.
   *
   * @param events POLLIN, POLLPRI, POLLOUT; the others are told unasked
   * @param timeoutMillis 0: do not wait; negative: wait for ever. Interrupting the thread does not
   *     end the wait
   * @return the events that are there, 0 when there was none in time
   */
  int poll(int fd, int events, int timeoutMillis) throws ErrnoException;

  // ---- sockets ------------------------------------------------------------------------------

  /** socket(2). SOCK_CLOEXEC is always added. Returns a descriptor. */
  int socket(int domain, int type, int protocol) throws ErrnoException;

  /**
   * bind(2).
   *
   * @throws ErrnoException EADDRINUSE: the name is taken, if only by a socket file that nobody
   *     listens to; EINVAL: the address is longer than 108 bytes
   */
  void bind(int fd, UnixAddress address) throws ErrnoException;

  /** listen(2). */
  void listen(int fd, int backlog) throws ErrnoException;

  /**
   * accept4(2). SOCK_CLOEXEC is always added. Returns a descriptor.
   *
   * @param flags SOCK_NONBLOCK or 0
   * @throws ErrnoException EAGAIN: nobody waits, and the socket is non-blocking; EMFILE, ENFILE:
   *     the peer goes on waiting
   */
  int accept4(int fd, int flags) throws ErrnoException;

  /**
   * shutdown(2): a thread that waits in a read(2) of the socket is woken.
   *
   * @param how SHUT_RD or SHUT_RDWR
   */
  void shutdown(int fd, int how) throws ErrnoException;

  /**
   * getsockopt(2): the whole value, however long; {@link Peer} reads those that say who is at the
   * other end. ENOPROTOOPT: no such option; ENODATA: SO_PEERGROUPS of a socket without a peer.
   */
  byte[] getsockopt(int fd, int level, int option) throws ErrnoException;

  /**
   * sendto(2). Returns the number of bytes, all of them for a datagram.
   *
   * @throws ErrnoException ENOENT, ECONNREFUSED: nobody listens there; EAGAIN: its queue is full
   *     (MSG_DONTWAIT); EINVAL: the address is longer than 108 bytes
   */
  int sendto(int fd, ByteBuffer message, int flags, UnixAddress address) throws ErrnoException;

  /**
   * sendmsg(2) of bytes, with descriptors for the other end of a unix socket (SCM_RIGHTS of
   * unix(7)). Returns the number of bytes; the descriptors go with the first of them.
   *
   * @param message not empty where there are descriptors
   * @param descriptors open ones, 253 at most; they stay the caller's
   * @throws ErrnoException EPIPE: the other end is closed; EINVAL: too many descriptors;
   *     ETOOMANYREFS
   */
  int sendmsg(int fd, ByteBuffer message, List<Integer> descriptors, int flags)
      throws ErrnoException;

  /**
   * recvmsg(2) from a unix socket: bytes, into a buffer, and the descriptors that came with them
   * (SCM_RIGHTS of unix(7)), which are the caller's from now on, with close-on-exec.
   *
   * @param message at whose position what was received begins, and which it moves: by nothing at
   *     the end
   * @return descriptors, mostly none
   * @throws ErrnoException EMFILE: this process cannot have so many, and got none; ECONNRESET
   */
  List<Integer> recvmsg(int fd, ByteBuffer message) throws ErrnoException;

  // ---- extended attributes ------------------------------------------------------------------

  /** getxattr(2), or lgetxattr(2) unless {@code follow}. Empty where there is none (ENODATA). */
  Optional<byte[]> getxattr(OsPath path, String name, boolean follow) throws ErrnoException;

  /** fgetxattr(2). Empty where there is none (ENODATA). */
  Optional<byte[]> fgetxattr(int fd, String name) throws ErrnoException;

  /** setxattr(2), or lsetxattr(2) unless {@code follow}. */
  void setxattr(OsPath path, String name, byte[] value, int flags, boolean follow)
      throws ErrnoException;

  /** fsetxattr(2). */
  void fsetxattr(int fd, String name, byte[] value, int flags) throws ErrnoException;

  /** listxattr(2), or llistxattr(2) unless {@code follow}. */
  List<String> listxattr(OsPath path, boolean follow) throws ErrnoException;

  /** flistxattr(2). */
  List<String> flistxattr(int fd) throws ErrnoException;

  /** removexattr(2), or lremovexattr(2) unless {@code follow}. */
  void removexattr(OsPath path, String name, boolean follow) throws ErrnoException;

  /** fremovexattr(2). */
  void fremovexattr(int fd, String name) throws ErrnoException;

  // ---- the process --------------------------------------------------------------------------

  /** unshare(2): of the calling <em>thread</em> for CLONE_FS and CLONE_NEWNS. */
  void unshare(int flags) throws ErrnoException;

  /** fchdir(2). In a process whose threads share their directory this changes it for all. */
  void fchdir(int fd) throws ErrnoException;

  /** geteuid(2). */
  int geteuid();
}
