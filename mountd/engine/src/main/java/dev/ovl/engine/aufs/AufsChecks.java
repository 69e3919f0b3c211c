package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Looks at the branches of an aufs for whatever the kernel would refuse, in words: it says EINVAL
 * to almost everything.
 *
 * <p>Called before a definition is written, and after a mount has failed, to say why. A mount that
 * succeeds costs no checks.
 */
public final class AufsChecks {
  private final Syscalls sys;
  private final Files files;
  private final AufsTable table;

  /**
   * @param sys what to call
   * @param table knows the kernel's limit
   */
  public AufsChecks(Syscalls sys, AufsTable table) {
    this.sys = sys;
    this.files = new Files(sys);
    this.table = table;
  }

  /** A branch that was looked at. */
  private record Place(AufsBranch branch, OsPath resolved, Statx stat) {
    String quoted() {
      return branch.directory().quoted();
    }
  }

  /**
   * Checks branches.
   *
   * @param branches topmost first
   * @throws EngineException the first reason found why the kernel would refuse, or why it must not
   *     be asked
   */
  public void check(List<AufsBranch> branches) throws EngineException, ErrnoException {
    OptionalInt limit = table.maxBranches();
    if (limit.isPresent() && branches.size() > limit.getAsInt()) {
      throw tooMany(branches.size(), limit);
    }
    List<Place> places = new ArrayList<>();
    for (AufsBranch branch : branches) {
      AufsText.checkName(branch.directory());
      places.add(look(branch));
    }
    refuseOverlaps(places);
    for (Place place : places) {
      refuseFileSystem(place);
    }
  }

  /**
   * As {@link #check}, for branches of which all but one are mounted already: their paths may be
   * such as cannot be said, and where they lie is settled.
   *
   * @param branches with the new one
   */
  void checkAdded(List<AufsBranch> branches, AufsBranch added)
      throws EngineException, ErrnoException {
    OptionalInt limit = table.maxBranches();
    if (limit.isPresent() && branches.size() > limit.getAsInt()) {
      throw tooMany(branches.size(), limit);
    }
    List<Place> places = new ArrayList<>();
    for (AufsBranch branch : branches) {
      places.add(look(branch));
    }
    refuseOverlaps(places);
    refuseFileSystem(look(added));
  }

  private EngineException tooMany(int branches, OptionalInt limit) {
    return EngineException.failed(
        branches
            + " branches are too many"
            + (limit.isPresent() ? ": this kernel's aufs takes " + limit.getAsInt() : ""),
        Errno.ENOSPC);
  }

  /** The directory itself, without links. */
  private Place look(AufsBranch branch) throws EngineException, ErrnoException {
    OsPath path = branch.directory();
    try (Fd fd = files.openPath(path)) {
      Statx stat =
          sys.statx(
              fd.number(),
              OsPath.EMPTY,
              Linux.AT_EMPTY_PATH,
              Linux.STATX_BASIC_STATS | Linux.STATX_MNT_ID);
      if (!stat.isDirectory()) {
        throw EngineException.failed("branch is not a directory: " + path.quoted(), Errno.ENOTDIR);
      }
      return new Place(branch, files.pathOf(fd), stat);
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ENOENT -> throw EngineException.failed("branch does not exist: " + path.quoted(), e);
        case ENOTDIR, ELOOP, ENAMETOOLONG, EACCES ->
            throw EngineException.failed(
                "branch cannot be reached: " + path.quoted() + ": " + e.errno().message(), e);
        default -> throw e;
      }
    }
  }

  private static void refuseOverlaps(List<Place> places) throws EngineException {
    Map<String, Place> byInode = new HashMap<>();
    Map<OsPath, Place> byPath = new HashMap<>();
    for (Place place : places) {
      Statx stat = place.stat();
      Place same = byInode.put(stat.devMajor() + ":" + stat.devMinor() + ":" + stat.inode(), place);
      if (same != null) {
        throw EngineException.failed(
            same.branch().directory().equals(place.branch().directory())
                ? "branch is given twice: " + place.quoted()
                : "branches are the same directory: " + same.quoted() + ", " + place.quoted(),
            Errno.EEXIST);
      }
      byPath.put(place.resolved(), place);
    }
    for (Place place : places) {
      Optional<Place> outer = ancestor(place, byPath);
      if (outer.isPresent()) {
        throw EngineException.failed(
            "branch " + place.quoted() + " lies inside branch " + outer.get().quoted(),
            Errno.EINVAL);
      }
    }
  }

  /** The place among these that the directory lies beneath, on the same file system. */
  private static Optional<Place> ancestor(Place inner, Map<OsPath, Place> places) {
    OsPath path = inner.resolved();
    while (!path.equals(path.parent())) {
      path = path.parent();
      Place outer = places.get(path);
      if (outer != null && outer.stat().sameFileSystem(inner.stat())) {
        return Optional.of(outer);
      }
    }
    return Optional.empty();
  }

  private void refuseFileSystem(Place place) throws EngineException, ErrnoException {
    long type = files.fileSystemType(place.resolved());
    Optional<String> refused =
        type == Linux.OVERLAYFS_SUPER_MAGIC ? Optional.of("overlay") : refused(type);
    if (type == Linux.BTRFS_SUPER_MAGIC && !place.branch().permission().isWritable()) {
      refused = Optional.empty();
    }
    if (refused.isPresent()) {
      throw EngineException.failed(
          "branch is on " + refused.get() + ", which aufs does not go with: " + place.quoted(),
          Errno.EINVAL);
    }
  }

  private static Optional<String> refused(long type) {
    if (type == Linux.AUFS_SUPER_MAGIC) {
      return Optional.of("aufs");
    }
    if (type == Linux.BTRFS_SUPER_MAGIC) {
      return Optional.of("btrfs");
    }
    if (type == Linux.ECRYPTFS_SUPER_MAGIC) {
      return Optional.of("ecryptfs");
    }
    return Optional.empty();
  }

  /**
   * Checks whether layers can be kept in a directory: not on aufs, btrfs or ecryptfs.
   *
   * @throws EngineException it is on one of these
   */
  public void checkBacking(OsPath directory) throws EngineException, ErrnoException {
    Optional<String> refused = refused(files.fileSystemType(directory));
    if (refused.isPresent()) {
      throw EngineException.failed(
          "aufs does not keep layers on " + refused.get() + ": " + directory.quoted(),
          Errno.EINVAL);
    }
  }

  /**
   * Says why the kernel refused a mount or a change of one.
   *
   * @param branches what was to be mounted
   * @return what the checks find, else what the kernel said
   */
  EngineException explain(List<AufsBranch> branches, ErrnoException refusal) throws ErrnoException {
    switch (refusal.errno()) {
      case EPERM -> {
        return EngineException.failed("mounting needs root (CAP_SYS_ADMIN)", refusal);
      }
      case ENODEV -> {
        return EngineException.failed("this kernel has no aufs (modprobe aufs)", refusal);
      }
      case ENOSPC, E2BIG -> {
        return tooMany(branches.size(), table.maxBranches());
      }
      default -> {}
    }
    try {
      check(branches);
    } catch (EngineException reason) {
      return reason;
    }
    if (refusal.is(Errno.EINVAL)) {
      return EngineException.failed(
          "aufs refused it; the kernel's log says why (dmesg): " + refusal.getMessage(), refusal);
    }
    return EngineException.unexpected(refusal);
  }
}
