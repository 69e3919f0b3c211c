package dev.ovl.engine.usage;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Visits everything in a tree: openat2(2) by directory, getdents64(2), statx(2) by entry.
 *
 * <p>Follows no link and enters no mount: not another file system, and not a piece of the same one
 * that is bound there, for an overlay shows neither. The tree may change under the walk. What
 * vanishes between two calls was not there, what is moved meanwhile may be met twice or not at all.
 *
 * <p>However deep the tree, three descriptors are open and the Java stack stays flat: a directory
 * that waits is kept by its path, which is opened in parts where it is longer than the kernel
 * takes.
 */
final class TreeWalk {
  /** Bytes of a path that one call takes, its NUL not counted (PATH_MAX). */
  private static final int MAX_PATH = 4095;

  private static final long RESOLVE =
      Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_XDEV | Linux.RESOLVE_NO_SYMLINKS;

  private final Syscalls sys;
  private final Files files;

  TreeWalk(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /** Sees what the walk meets. */
  interface Visitor {
    /**
     * Called for every name once, and for the root as {@code .}; a directory comes before what is
     * in it.
     *
     * @param directory open for reading; it is closed when the walk leaves it
     */
    void visit(Fd directory, OsPath name, Statx stat) throws ErrnoException;
  }

  /**
   * Walks.
   *
   * @param stop asked before each entry
   * @return false when it was stopped
   * @throws ErrnoException ENOENT, ENOTDIR: there is no such root; EACCES: a directory is shut
   */
  boolean walk(OsPath root, Visitor visitor, BooleanSupplier stop) throws ErrnoException {
    Deque<OsPath> waiting = new ArrayDeque<>();
    try (Fd top = files.openDirectory(root)) {
      Statx rootStat = stat(top, OsPath.EMPTY).orElseThrow();
      visitor.visit(top, OsPath.DOT, rootStat);
      waiting.push(OsPath.DOT);
      while (!waiting.isEmpty()) {
        OsPath path = waiting.pop();
        Optional<Fd> opened = open(top, path);
        if (opened.isPresent()) {
          try (Fd directory = opened.get()) {
            if (!entries(directory, path, rootStat, visitor, stop, waiting)) {
              return false;
            }
          }
        }
      }
      return true;
    }
  }

  private boolean entries(
      Fd directory,
      OsPath path,
      Statx rootStat,
      Visitor visitor,
      BooleanSupplier stop,
      Deque<OsPath> waiting)
      throws ErrnoException {
    while (true) {
      List<DirectoryEntries.Entry> some;
      try {
        some = files.nextEntries(directory);
      } catch (ErrnoException e) {
        if (isGone(e)) {
          return true;
        }
        throw e;
      }
      if (some.isEmpty()) {
        return true;
      }
      for (DirectoryEntries.Entry entry : some) {
        if (stop.getAsBoolean()) {
          return false;
        }
        Optional<Statx> stat = stat(directory, entry.name());
        if (stat.isPresent() && !isMounted(stat.get(), rootStat)) {
          visitor.visit(directory, entry.name(), stat.get());
          if (stat.get().isDirectory()) {
            waiting.push(path.equals(OsPath.DOT) ? entry.name() : path.resolve(entry.name()));
          }
        }
      }
    }
  }

  /** A kernel before 5.8 does not tell mount points; there the device does. */
  private static boolean isMounted(Statx stat, Statx root) {
    return (stat.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) != 0 || !stat.sameFileSystem(root);
  }

  private Optional<Statx> stat(Fd directory, OsPath name) throws ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;
    try {
      return Optional.of(
          sys.statx(
              directory.number(),
              name,
              name.isEmpty() ? flags | Linux.AT_EMPTY_PATH : flags,
              Linux.STATX_BASIC_STATS));
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  private Optional<Fd> open(Fd top, OsPath path) throws ErrnoException {
    if (path.length() <= MAX_PATH) {
      return openBeneath(top, path, Linux.O_RDONLY);
    }
    List<OsPath> names = path.components();
    Optional<Fd> at = Optional.empty();
    try {
      int next = 0;
      while (true) {
        OsPath part = names.get(next++);
        while (next < names.size() && part.length() + 1 + names.get(next).length() <= MAX_PATH) {
          part = part.resolve(names.get(next++));
        }
        boolean last = next == names.size();
        Optional<Fd> deeper =
            openBeneath(at.orElse(top), part, last ? Linux.O_RDONLY : Linux.O_PATH);
        at.ifPresent(Fd::close);
        at = Optional.empty();
        if (last || deeper.isEmpty()) {
          return deeper;
        }
        at = deeper;
      }
    } finally {
      at.ifPresent(Fd::close);
    }
  }

  private Optional<Fd> openBeneath(Fd directory, OsPath path, int access) throws ErrnoException {
    long flags = (long) access | Linux.O_DIRECTORY | Linux.O_NOFOLLOW;
    try {
      OpenHow how = new OpenHow(flags, 0, RESOLVE);
      return Optional.of(new Fd(sys, sys.openat2(directory.number(), path, how)));
    } catch (ErrnoException e) {
      return absent(e);
    }
  }

  private static <T> Optional<T> absent(ErrnoException e) throws ErrnoException {
    if (isGone(e)) {
      return Optional.empty();
    }
    throw e;
  }

  /** Removed; or replaced by something else, a link (ELOOP) or a mount (EXDEV) among it. */
  private static boolean isGone(ErrnoException e) {
    return switch (e.errno()) {
      case ENOENT, ENOTDIR, ELOOP, EXDEV, ESTALE -> true;
      default -> false;
    };
  }
}
