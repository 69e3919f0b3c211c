package dev.ovl.engine.tree;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Opens and looks at what lies beneath an open directory while others may change it: no link is
 * followed, no mount entered, and what is gone is an answer.
 */
public final class Beneath {
  /** Bytes of a path that one call takes, its NUL not counted (PATH_MAX). */
  private static final int MAX_PATH = 4095;

  private static final long RESOLVE =
      Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_XDEV | Linux.RESOLVE_NO_SYMLINKS;

  private final Syscalls sys;

  /**
   * @param sys what to call
   */
  public Beneath(Syscalls sys) {
    this.sys = sys;
  }

  /**
   * Whether something is mounted there. A kernel before 5.8 does not tell mount points; there the
   * device does, which within one overlay may differ from file to file.
   *
   * @param root of the tree
   */
  public static boolean isMounted(Statx stat, Statx root) {
    return (stat.attributesMask() & Linux.STATX_ATTR_MOUNT_ROOT) != 0
        ? (stat.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) != 0
        : !stat.sameFileSystem(root);
  }

  /** statx(2) of a name, or of the directory itself by the empty one. */
  Optional<Statx> stat(Fd directory, OsPath name) throws ErrnoException {
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

  /**
   * Opens a directory for reading by its path from {@code top}, however long that is. What is read
   * is not seen in its time of access, as far as the caller may hide it.
   */
  Optional<Fd> open(Fd top, OsPath path) throws ErrnoException {
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY;
    try {
      return open(top, path, flags | Linux.O_NOATIME);
    } catch (ErrnoException e) {
      if (e.is(Errno.EPERM)) {
        return open(top, path, flags);
      }
      throw e;
    }
  }

  /**
   * Opens a file by its path from {@code top}, however long that is; empty when it is not there, or
   * not to be reached without a link or a mount.
   *
   * @param top a directory; O_PATH will do
   * @param flags O_ flags; O_NOFOLLOW is added
   */
  public Optional<Fd> open(Fd top, OsPath path, int flags) throws ErrnoException {
    List<OsPath> parts = parts(path);
    Optional<Fd> at = Optional.empty();
    for (int i = 0; i < parts.size(); i++) {
      boolean last = i == parts.size() - 1;
      int access = last ? flags : Linux.O_PATH | Linux.O_DIRECTORY;
      Optional<Fd> above = at;
      try {
        at = openBeneath(above.orElse(top), parts.get(i), access);
      } finally {
        above.ifPresent(Fd::close);
      }
      if (at.isEmpty()) {
        return at;
      }
    }
    return at;
  }

  /** The path in pieces that a call takes, of whole components; mostly one. */
  static List<OsPath> parts(OsPath path) {
    if (path.length() <= MAX_PATH) {
      return List.of(path);
    }
    List<OsPath> parts = new ArrayList<>();
    OsPath part = OsPath.EMPTY;
    for (OsPath name : path.components()) {
      if (!part.isEmpty() && part.length() + 1 + name.length() > MAX_PATH) {
        parts.add(part);
        part = OsPath.EMPTY;
      }
      part = part.resolve(name);
    }
    parts.add(part);
    return parts;
  }

  private Optional<Fd> openBeneath(Fd directory, OsPath path, int access) throws ErrnoException {
    try {
      OpenHow how = new OpenHow((long) access | Linux.O_NOFOLLOW, 0, RESOLVE);
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
  public static boolean isGone(ErrnoException e) {
    return switch (e.errno()) {
      case ENOENT, ENOTDIR, ELOOP, EXDEV, ESTALE -> true;
      default -> false;
    };
  }
}
