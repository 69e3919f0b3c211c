package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks at the directories of an overlay for whatever the kernel would refuse, in words: the kernel
 * has one errno for many reasons.
 *
 * <p>Called before a definition is written, and after a mount has failed, to say why. A mount that
 * succeeds costs no checks.
 */
public final class OverlayChecks {
  private static final int ENTRIES_BYTES = 4096;

  private final Syscalls sys;
  private final Files files;

  /**
   * @param sys what to call
   */
  public OverlayChecks(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /** A directory that was looked at. */
  private record Place(String role, OsPath given, OsPath resolved, Statx stat) {}

  /**
   * Checks lowers and upper.
   *
   * @param lowers topmost first
   * @throws EngineException the first reason found why the kernel would refuse
   */
  public void check(List<OsPath> lowers, Optional<OverlayMount.Upper> upper)
      throws EngineException, ErrnoException {
    List<Place> places = new ArrayList<>();
    for (OsPath lower : lowers) {
      places.add(look("lower", lower));
    }
    refuseOverlaps(places);
    if (upper.isPresent()) {
      checkUpper(places, upper.get());
    }
  }

  /** The directory itself, without links. */
  private Place look(String role, OsPath path) throws EngineException, ErrnoException {
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
      return new Place(role, path, files.pathOf(fd), stat);
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

  private static void refuseOverlaps(List<Place> lowers) throws EngineException {
    Map<String, Place> byInode = new HashMap<>();
    Map<OsPath, Place> byPath = new HashMap<>();
    for (Place lower : lowers) {
      Place same = byInode.put(inode(lower.stat()), lower);
      if (same != null) {
        throw EngineException.failed(
            same.given().equals(lower.given())
                ? "lower is given twice: " + lower.given().quoted()
                : "lowers are the same directory: "
                    + same.given().quoted()
                    + ", "
                    + lower.given().quoted(),
            Errno.ELOOP);
      }
      byPath.put(lower.resolved(), lower);
    }
    for (Place lower : lowers) {
      Optional<Place> outer = ancestor(lower, byPath);
      if (outer.isPresent()) {
        throw EngineException.failed(
            "lower "
                + lower.given().quoted()
                + " lies inside lower "
                + outer.get().given().quoted(),
            Errno.ELOOP);
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

  private static String inode(Statx stat) {
    return stat.devMajor() + ":" + stat.devMinor() + ":" + stat.inode();
  }

  private void checkUpper(List<Place> lowers, OverlayMount.Upper given)
      throws EngineException, ErrnoException {
    Place upper = look("upper", given.directory());
    Place work = look("work", given.work());
    if (!upper.stat().sameFileSystem(work.stat())) {
      throw EngineException.failed(
          "upper and work are on different file systems: " + pair(upper, work), Errno.EXDEV);
    }
    if (upper.stat().mountId() != work.stat().mountId()) {
      throw EngineException.failed(
          "upper and work are on different mounts: " + pair(upper, work), Errno.EXDEV);
    }
    if (upper.stat().sameFile(work.stat())
        || upper.resolved().startsWith(work.resolved())
        || work.resolved().startsWith(upper.resolved())) {
      throw EngineException.failed(
          "upper and work lie inside each other: " + pair(upper, work), Errno.EINVAL);
    }
    if (files.fileSystemType(upper.given()) == Linux.OVERLAYFS_SUPER_MAGIC) {
      throw EngineException.failed(
          "upper is itself on an overlay, which the kernel does not take: "
              + upper.given().quoted(),
          Errno.EINVAL);
    }
    for (Place lower : lowers) {
      if (lower.stat().sameFile(upper.stat())) {
        throw EngineException.failed(
            "upper is also a lower: " + upper.given().quoted(), Errno.ELOOP);
      }
      if (lower.stat().sameFile(work.stat())) {
        throw EngineException.failed("work is also a lower: " + work.given().quoted(), Errno.ELOOP);
      }
      for (Place writable : List.of(upper, work)) {
        if (lower.stat().sameFileSystem(writable.stat())
            && lower.resolved().startsWith(writable.resolved())) {
          throw EngineException.failed(
              "lower "
                  + lower.given().quoted()
                  + " lies inside "
                  + writable.role()
                  + " "
                  + writable.given().quoted(),
              Errno.ELOOP);
        }
      }
    }
    refuseUnknownTypes(upper);
    refuseUsedWork(work);
  }

  private static String pair(Place one, Place other) {
    return one.given().quoted() + ", " + other.given().quoted();
  }

  /** An upper's file system must tell file types in directory listings (d_type). */
  private void refuseUnknownTypes(Place upper) throws EngineException, ErrnoException {
    try (Fd fd = files.openDirectory(upper.given())) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(ENTRIES_BYTES);
      if (sys.getdents64(fd.number(), buffer) <= 0) {
        return;
      }
      for (DirectoryEntries.Entry entry : new DirectoryEntries(buffer)) {
        if (entry.type() == Linux.DT_UNKNOWN) {
          throw EngineException.failed(
              "upper's file system does not tell file types (d_type): " + upper.given().quoted(),
              Errno.EOPNOTSUPP);
        }
      }
    }
  }

  /**
   * What overlayfs itself left there after an earlier mount is fine; anything else is somebody's.
   */
  private void refuseUsedWork(Place work) throws EngineException, ErrnoException {
    for (OsPath name : files.list(work.given())) {
      boolean ours = name.equals(OsPath.of("work")) || name.equals(OsPath.of("index"));
      if (!ours || files.lstat(work.given().resolve(name)).filter(Statx::isDirectory).isEmpty()) {
        throw EngineException.failed(
            "work is not empty: " + work.given().resolve(name).quoted(), Errno.ENOTEMPTY);
      }
    }
  }

  /**
   * Checks where a mount would go.
   *
   * @throws EngineException it does not exist or is no directory
   */
  public void checkTarget(OsPath target) throws EngineException, ErrnoException {
    look("target", target);
  }

  /**
   * Says why the kernel refused a mount.
   *
   * @return what the checks find, else what the kernel said
   */
  public EngineException explain(OverlayMount mount, MountFailure failure) throws ErrnoException {
    try {
      checkTarget(mount.target());
      check(mount.lowers(), mount.upper());
    } catch (EngineException reason) {
      return reason;
    }
    if (failure.errno() == Errno.EPERM) {
      return EngineException.failed("mounting needs root (CAP_SYS_ADMIN)", failure.refusal());
    }
    if (failure.errno() == Errno.ENODEV) {
      return EngineException.failed(
          "this kernel has no overlay file system (modprobe overlay)", failure.refusal());
    }
    if (failure.errno() == Errno.ELOOP) {
      return EngineException.failed(
          "lowers, upper or work lie inside each other, perhaps through a bind mount",
          failure.refusal());
    }
    if (failure.messages().isEmpty()) {
      return EngineException.unexpected(failure.refusal());
    }
    return EngineException.failed(
        "the kernel refused the overlay: " + String.join("; ", failure.messages()),
        failure.refusal());
  }
}
