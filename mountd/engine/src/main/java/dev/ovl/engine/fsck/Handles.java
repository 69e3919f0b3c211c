package dev.ovl.engine.fsck;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds files by their handles, on the file systems of some directories. The kernel asks for the
 * uuid of the file system besides, which only Linux 6.9 and later tells; a handle of another one
 * leads to nothing as a rule, since it carries a generation number.
 */
final class Handles implements AutoCloseable {
  private final Syscalls sys;
  private final Map<String, Fd> roots = new LinkedHashMap<>();

  /** What became of a question. */
  sealed interface Found {
    record File(Statx stat) implements Found {}

    /** There is no such file any more. */
    record Nothing() implements Found {}

    /** It cannot be told: the file system has no handles, or the caller may not use them. */
    record Untold() implements Found {}
  }

  private Handles(Syscalls sys) {
    this.sys = sys;
  }

  /** Opens one directory of each file system. */
  static Handles on(Syscalls sys, List<OsPath> directories) throws ErrnoException {
    Handles handles = new Handles(sys);
    try {
      for (OsPath directory : directories) {
        int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
        Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, directory, flags, 0));
        Fd same;
        try {
          Statx stat = handles.stat(fd);
          same = handles.roots.putIfAbsent(stat.devMajor() + ":" + stat.devMinor(), fd);
        } catch (ErrnoException e) {
          fd.close();
          throw e;
        }
        if (same != null) {
          fd.close();
        }
      }
      return handles;
    } catch (ErrnoException e) {
      handles.close();
      throw e;
    }
  }

  /** True when all the directories are on the same file system as the others. */
  boolean areOn(Handles others) {
    return roots.size() == 1 && roots.keySet().equals(others.roots.keySet());
  }

  private Statx stat(Fd fd) throws ErrnoException {
    return sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_BASIC_STATS);
  }

  Found find(OriginHandle.Handle handle) throws ErrnoException {
    Found found = new Found.Nothing();
    for (Fd root : roots.values()) {
      try (Fd file =
          new Fd(
              sys,
              sys.open_by_handle_at(root.number(), handle.type(), handle.bytes(), Linux.O_PATH))) {
        return new Found.File(stat(file));
      } catch (ErrnoException e) {
        if (isUntold(e)) {
          found = new Found.Untold();
        } else if (!e.is(Errno.ESTALE)) {
          throw e;
        }
      }
    }
    return found;
  }

  /** EINVAL: not a size of handle of this file system. */
  private static boolean isUntold(ErrnoException e) {
    return switch (e.errno()) {
      case EPERM, EOPNOTSUPP, ENOSYS, EINVAL, EACCES -> true;
      default -> false;
    };
  }

  @Override
  public void close() {
    roots.values().forEach(Fd::close);
  }
}
