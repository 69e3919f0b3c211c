package dev.ovl.engine.file;

import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * What the engine does with files and directories, by byte names and over {@link Syscalls}.
 *
 * <p>An absent file is an answer here ({@link Optional}, {@code false}), every other errno an
 * {@link ErrnoException}. Stateless but for the syscalls; for any number of threads.
 */
public final class Files {
  private static final int BUFFER_BYTES = 64 * 1024;

  /**
   * Making a direct buffer costs more than reading a small file into it. Used within one method
   * only.
   */
  private static final ThreadLocal<ByteBuffer> BUFFER =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(BUFFER_BYTES));

  private final Syscalls sys;

  /**
   * @param sys what to call
   */
  public Files(Syscalls sys) {
    this.sys = sys;
  }

  /** statx(2) of the path, following links; empty when there is nothing (ENOENT, ENOTDIR). */
  public Optional<Statx> stat(OsPath path) throws ErrnoException {
    return statx(path, 0);
  }

  /** statx(2) of the path itself, not of what a link points to. */
  public Optional<Statx> lstat(OsPath path) throws ErrnoException {
    return statx(path, Linux.AT_SYMLINK_NOFOLLOW);
  }

  private Optional<Statx> statx(OsPath path, int flags) throws ErrnoException {
    try {
      return Optional.of(sys.statx(Linux.AT_FDCWD, path, flags, Linux.STATX_BASIC_STATS));
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  private static <T> Optional<T> absent(ErrnoException e) throws ErrnoException {
    if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
      return Optional.empty();
    }
    throw e;
  }

  /** The magic number of the file system that holds the path (linux/magic.h). */
  public long fileSystemType(OsPath path) throws ErrnoException {
    return sys.statfs(path).type();
  }

  /** Opens a directory, or anything else, as a place (O_PATH). */
  public Fd openPath(OsPath path) throws ErrnoException {
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_PATH, 0));
  }

  /** Opens a directory for reading. */
  public Fd openDirectory(OsPath path) throws ErrnoException {
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_RDONLY | Linux.O_DIRECTORY, 0));
  }

  /** The absolute path without symbolic links, as /proc knows it; empty when nothing is there. */
  public Optional<OsPath> resolve(OsPath path) throws ErrnoException {
    try (Fd fd = openPath(path)) {
      return Optional.of(pathOf(fd));
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  /** Where an open descriptor's file lies now. */
  public OsPath pathOf(Fd fd) throws ErrnoException {
    return sys.readlinkat(Linux.AT_FDCWD, procPath(fd));
  }

  /** The name in /proc by which this thread reaches an open descriptor. */
  public static OsPath procPath(Fd fd) {
    return OsPath.of("/proc/self/fd/" + fd.number());
  }

  /** The whole content of a file; empty when there is none. */
  public Optional<byte[]> read(OsPath path) throws ErrnoException {
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_RDONLY, 0))) {
      return Optional.of(readAll(fd));
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  private byte[] readAll(Fd fd) throws ErrnoException {
    ByteBuffer buffer = BUFFER.get();
    byte[] content = new byte[0];
    while (sys.read(fd.number(), buffer.clear()) > 0) {
      int length = content.length;
      int more = buffer.flip().remaining();
      content = Arrays.copyOf(content, length + more);
      buffer.get(content, length, more);
    }
    return content;
  }

  /** The target of a symbolic link; empty when there is no such name or it is no link. */
  public Optional<OsPath> readLink(OsPath path) throws ErrnoException {
    try {
      return Optional.of(sys.readlinkat(Linux.AT_FDCWD, path));
    } catch (ErrnoException e) {
      return e.is(Errno.EINVAL) ? Optional.empty() : absent(e);
    }
  }

  /** Makes a symbolic link; false when the name is taken. */
  public boolean symlink(OsPath target, OsPath path) throws ErrnoException {
    try {
      sys.symlinkat(target, Linux.AT_FDCWD, path);
      return true;
    } catch (ErrnoException e) {
      return exists(e);
    }
  }

  /**
   * Makes one directory with exactly these permissions, whatever the umask; false when the name is
   * taken.
   */
  public boolean mkdir(OsPath path, int permissions) throws ErrnoException {
    try {
      sys.mkdirat(Linux.AT_FDCWD, path, permissions);
    } catch (ErrnoException e) {
      return exists(e);
    }
    try {
      sys.fchmodat(Linux.AT_FDCWD, path, permissions);
      return true;
    } catch (ErrnoException e) {
      try {
        rmdir(path);
      } catch (ErrnoException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private static boolean exists(ErrnoException e) throws ErrnoException {
    if (e.is(Errno.EEXIST)) {
      return false;
    }
    throw e;
  }

  /**
   * Gives a directory the owner, the group and the permissions of another one. It stays the
   * caller's where that one's are none of this user namespace.
   */
  public void setOwnerAndMode(OsPath directory, Statx like) throws ErrnoException {
    try {
      sys.fchownat(Linux.AT_FDCWD, directory, like.uid(), like.gid(), Linux.AT_SYMLINK_NOFOLLOW);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
    }
    sys.fchmodat(Linux.AT_FDCWD, directory, like.permissions());
  }

  /** Makes the directory and its missing parents, each with these permissions. */
  public void mkdirs(OsPath path, int permissions) throws ErrnoException {
    try {
      mkdir(path, permissions);
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT) || path.parent().equals(path)) {
        throw e;
      }
      mkdirs(path.parent(), permissions);
      mkdir(path, permissions);
    }
  }

  /** The names in a directory, sorted by bytes; none when it does not exist. */
  public List<OsPath> list(OsPath directory) throws ErrnoException {
    try (Fd fd = openDirectory(directory)) {
      return list(fd);
    } catch (ErrnoException e) {
      return Files.<List<OsPath>>absent(e).orElse(List.of());
    }
  }

  /** The names in a directory that is open for reading, from where that stands, sorted by bytes. */
  public List<OsPath> list(Fd directory) throws ErrnoException {
    List<OsPath> names = new ArrayList<>();
    for (List<DirectoryEntries.Entry> some = nextEntries(directory);
        !some.isEmpty();
        some = nextEntries(directory)) {
      some.forEach(entry -> names.add(entry.name()));
    }
    Collections.sort(names);
    return names;
  }

  /**
   * The next entries of a directory that is open for reading, as many as one call gives, without
   * {@code .} and {@code ..}; none at its end.
   */
  public List<DirectoryEntries.Entry> nextEntries(Fd directory) throws ErrnoException {
    ByteBuffer buffer = BUFFER.get();
    List<DirectoryEntries.Entry> entries = new ArrayList<>();
    while (entries.isEmpty() && sys.getdents64(directory.number(), buffer.clear()) > 0) {
      new DirectoryEntries(buffer).forEach(entries::add);
    }
    return entries;
  }

  /**
   * Replaces a small file as a whole: temporary file in the same directory, fsync, rename, fsync of
   * the directory. A crash leaves the old content or the new, never a mixture; at most a temporary
   * file remains (its name starts with {@code .tmp-}).
   */
  public void replace(OsPath path, byte[] content, int permissions) throws ErrnoException {
    replace(path, content, permissions, true);
    sync(path.parent());
  }

  /**
   * As {@link #replace} without the fsyncs: for what does not outlive the boot. Other processes
   * still see the old content or the new.
   */
  public void replaceVolatile(OsPath path, byte[] content, int permissions) throws ErrnoException {
    replace(path, content, permissions, false);
  }

  private void replace(OsPath path, byte[] content, int permissions, boolean durable)
      throws ErrnoException {
    OsPath temporary = temporary(path);
    try {
      write(temporary, content, permissions, durable);
      rename(temporary, path);
    } catch (ErrnoException e) {
      try {
        remove(temporary);
      } catch (ErrnoException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /**
   * As {@link #replace} where there is no such file yet.
   *
   * @return false when there is one; it stays as it is
   */
  public boolean createWhole(OsPath path, byte[] content, int permissions) throws ErrnoException {
    OsPath temporary = temporary(path);
    try {
      write(temporary, content, permissions, true);
      sys.renameat2(Linux.AT_FDCWD, temporary, Linux.AT_FDCWD, path, Linux.RENAME_NOREPLACE);
    } catch (ErrnoException e) {
      try {
        remove(temporary);
      } catch (ErrnoException second) {
        e.addSuppressed(second);
      }
      if (e.is(Errno.EEXIST)) {
        return false;
      }
      throw e;
    }
    sync(path.parent());
    return true;
  }

  /**
   * Writes a new small file.
   *
   * @param durable whether its content is made so; its name is not in any case
   */
  public void create(OsPath path, byte[] content, int permissions, boolean durable)
      throws ErrnoException {
    write(path, content, permissions, durable);
  }

  /**
   * The temporary file that replaces this one. Always the same name, since whoever replaces a file
   * holds its lock; so what a crash left is found again.
   */
  public static OsPath temporary(OsPath path) {
    return path.parent().resolve(OsPath.of(TEMPORARY_PREFIX + path.fileName()));
  }

  /** How the names of temporary files begin. */
  public static final String TEMPORARY_PREFIX = ".tmp-";

  private void write(OsPath path, byte[] content, int permissions, boolean durable)
      throws ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC | Linux.O_NOFOLLOW;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, flags, permissions))) {
      ByteBuffer buffer = BUFFER.get();
      for (int done = 0; done < content.length; ) {
        int part = Math.min(content.length - done, BUFFER_BYTES);
        buffer.clear().put(content, done, part).flip();
        while (buffer.hasRemaining()) {
          sys.write(fd.number(), buffer);
        }
        done += part;
      }
      if (durable) {
        sys.fsync(fd.number());
      }
      fd.closeWritten();
    }
  }

  /** renameat2(2) without flags. */
  public void rename(OsPath from, OsPath to) throws ErrnoException {
    sys.renameat2(Linux.AT_FDCWD, from, Linux.AT_FDCWD, to, 0);
  }

  /** Makes the entries of a directory durable. */
  public void sync(OsPath directory) throws ErrnoException {
    try (Fd fd = openDirectory(directory)) {
      sys.fsync(fd.number());
    }
  }

  /** Writes out the whole file system that holds the path. */
  public void syncFileSystem(OsPath path) throws ErrnoException {
    try (Fd fd = openDirectory(path)) {
      sys.syncfs(fd.number());
    }
  }

  /** Removes a name that is not a directory; false when it is not there. */
  public boolean remove(OsPath path) throws ErrnoException {
    return unlink(path, 0);
  }

  /** Removes an empty directory; false when it is not there. ENOTEMPTY, EBUSY (a mount point). */
  public boolean rmdir(OsPath path) throws ErrnoException {
    return unlink(path, Linux.AT_REMOVEDIR);
  }

  private boolean unlink(OsPath path, int flags) throws ErrnoException {
    try {
      sys.unlinkat(Linux.AT_FDCWD, path, flags);
      return true;
    } catch (ErrnoException e) {
      return Files.<Boolean>absent(e).orElse(false);
    }
  }

  /**
   * Removes a directory and all beneath it, but never what lies beneath a mount point: one inside
   * fails with EXDEV or EBUSY and stays. Symbolic links are removed, not followed. Nothing happens
   * when it does not exist.
   */
  public void removeTree(OsPath directory) throws ErrnoException {
    try (Fd parent = openDirectory(directory.parent())) {
      removeTree(parent, directory.fileName());
    } catch (ErrnoException e) {
      absent(e);
    }
  }

  /** Removes a name in an open directory, with all beneath it; nothing happens without one. */
  public void removeAny(Fd directory, OsPath name) throws ErrnoException {
    try {
      sys.unlinkat(directory.number(), name, 0);
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case EISDIR -> removeTree(directory, name);
        case ENOENT -> {}
        default -> throw e;
      }
    }
  }

  /**
   * As {@link #removeTree(OsPath)}, of a name in an open directory. A tree of any depth goes: what
   * lies deeper than {@value #REMOVAL_DEPTH} directories is moved up first, so that neither
   * descriptors nor the stack run out.
   */
  public void removeTree(Fd parent, OsPath name) throws ErrnoException {
    OpenHow how =
        new OpenHow(
            (long) Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW,
            0,
            Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_XDEV);
    int opened;
    try {
      opened = sys.openat2(parent.number(), name, how);
    } catch (ErrnoException e) {
      absent(e);
      return;
    }
    try (Fd top = new Fd(sys, opened)) {
      new Removal(top, how).run();
    }
    sys.unlinkat(parent.number(), name, Linux.AT_REMOVEDIR);
  }

  private static final int REMOVAL_DEPTH = 100;

  /** Empties a directory. */
  private final class Removal {
    private final Fd top;
    private final OpenHow how;
    private long moved;

    Removal(Fd top, OpenHow how) {
      this.top = top;
      this.how = how;
    }

    void run() throws ErrnoException {
      long before;
      do {
        before = moved;
        sys.lseek(top.number(), 0, Linux.SEEK_SET);
        empty(top, 1);
      } while (moved > before);
    }

    private void empty(Fd directory, int depth) throws ErrnoException {
      for (OsPath entry : list(directory)) {
        try {
          sys.unlinkat(directory.number(), entry, 0);
        } catch (ErrnoException e) {
          if (!e.is(Errno.EISDIR)) {
            throw e;
          }
          if (depth == REMOVAL_DEPTH) {
            moveUp(directory, entry);
          } else {
            remove(directory, entry, depth);
          }
        }
      }
    }

    private void remove(Fd parent, OsPath name, int depth) throws ErrnoException {
      try (Fd directory = new Fd(sys, sys.openat2(parent.number(), name, how))) {
        empty(directory, depth + 1);
      }
      sys.unlinkat(parent.number(), name, Linux.AT_REMOVEDIR);
    }

    private void moveUp(Fd directory, OsPath entry) throws ErrnoException {
      while (true) {
        OsPath to = OsPath.of(TEMPORARY_PREFIX + moved++);
        try {
          sys.renameat2(directory.number(), entry, top.number(), to, Linux.RENAME_NOREPLACE);
          return;
        } catch (ErrnoException e) {
          if (!e.is(Errno.EEXIST)) {
            throw e;
          }
        }
      }
    }
  }
}
