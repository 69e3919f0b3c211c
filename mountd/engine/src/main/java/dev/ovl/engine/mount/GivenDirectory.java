package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A directory that somebody named for a mount, as it was found.
 *
 * @param role what it is to be, for people: "lower", "branch"
 * @param given as it was named
 * @param resolved without links
 * @param stat with the mount's id
 */
public record GivenDirectory(String role, OsPath given, OsPath resolved, Statx stat) {

  /**
   * Looks at the directory itself, without links.
   *
   * @throws EngineException it is not there, cannot be reached or is no directory
   */
  public static GivenDirectory look(Syscalls sys, String role, OsPath path)
      throws EngineException, ErrnoException {
    Files files = new Files(sys);
    try (Fd fd = files.openPath(path)) {
      Statx stat =
          sys.statx(
              fd.number(),
              OsPath.EMPTY,
              Linux.AT_EMPTY_PATH,
              Linux.STATX_BASIC_STATS | Linux.STATX_MNT_ID);
      if (!stat.isDirectory()) {
        throw EngineException.failed(role + " is not a directory: " + path.quoted(), Errno.ENOTDIR);
      }
      return new GivenDirectory(role, path, files.pathOf(fd), stat);
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ENOENT -> throw EngineException.failed(role + " does not exist: " + path.quoted(), e);
        case ENOTDIR, ELOOP, ENAMETOOLONG, EACCES ->
            throw EngineException.failed(
                role + " cannot be reached: " + path.quoted() + ": " + e.errno().message(), e);
        default -> throw e;
      }
    }
  }

  /**
   * Refuses directories of which two are the same, or one lies inside another on its file system.
   *
   * @param directories of one role
   * @param plural of the role
   * @param same what the kernel says to the first
   * @param inside what it says to the second
   */
  public static void refuseOverlaps(
      List<GivenDirectory> directories, String plural, Errno same, Errno inside)
      throws EngineException {
    Map<String, GivenDirectory> byInode = new HashMap<>();
    Map<OsPath, GivenDirectory> byPath = new HashMap<>();
    for (GivenDirectory directory : directories) {
      GivenDirectory other = byInode.put(directory.inode(), directory);
      if (other != null) {
        throw EngineException.failed(
            other.given().equals(directory.given())
                ? directory.role() + " is given twice: " + directory.given().quoted()
                : plural
                    + " are the same directory: "
                    + other.given().quoted()
                    + ", "
                    + directory.given().quoted(),
            same);
      }
      byPath.put(directory.resolved(), directory);
    }
    for (GivenDirectory directory : directories) {
      Optional<GivenDirectory> outer = directory.outer(byPath);
      if (outer.isPresent()) {
        throw EngineException.failed(directory + " lies inside " + outer.get(), inside);
      }
    }
  }

  private String inode() {
    return stat.devMajor() + ":" + stat.devMinor() + ":" + stat.inode();
  }

  /** The one among these, by path, that this directory lies beneath on the same file system. */
  private Optional<GivenDirectory> outer(Map<OsPath, GivenDirectory> directories) {
    OsPath path = resolved;
    while (!path.equals(path.parent())) {
      path = path.parent();
      GivenDirectory outer = directories.get(path);
      if (outer != null && outer.stat().sameFileSystem(stat)) {
        return Optional.of(outer);
      }
    }
    return Optional.empty();
  }

  /** Role and path, for people. */
  @Override
  public String toString() {
    return role + " " + given.quoted();
  }
}
