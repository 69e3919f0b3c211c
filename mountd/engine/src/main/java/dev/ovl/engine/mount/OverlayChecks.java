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
import java.util.List;
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

  /**
   * Checks lowers and upper.
   *
   * @param lowers topmost first
   * @throws EngineException the first reason found why the kernel would refuse
   */
  public void check(List<OsPath> lowers, Optional<OverlayMount.Upper> upper)
      throws EngineException, ErrnoException {
    List<GivenDirectory> places = new ArrayList<>();
    for (OsPath lower : lowers) {
      places.add(look("lower", lower));
    }
    GivenDirectory.refuseOverlaps(places, "lowers", Errno.ELOOP, Errno.ELOOP);
    if (upper.isPresent()) {
      checkUpper(places, upper.get());
    }
  }

  private GivenDirectory look(String role, OsPath path) throws EngineException, ErrnoException {
    return GivenDirectory.look(sys, role, path);
  }

  private void checkUpper(List<GivenDirectory> lowers, OverlayMount.Upper given)
      throws EngineException, ErrnoException {
    GivenDirectory upper = look("upper", given.directory());
    GivenDirectory work = look("work", given.work());
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
    for (GivenDirectory lower : lowers) {
      if (lower.stat().sameFile(upper.stat())) {
        throw EngineException.failed(
            "upper is also a lower: " + upper.given().quoted(), Errno.ELOOP);
      }
      if (lower.stat().sameFile(work.stat())) {
        throw EngineException.failed("work is also a lower: " + work.given().quoted(), Errno.ELOOP);
      }
      for (GivenDirectory writable : List.of(upper, work)) {
        if (lower.stat().sameFileSystem(writable.stat())
            && lower.resolved().startsWith(writable.resolved())) {
          throw EngineException.failed(lower + " lies inside " + writable, Errno.ELOOP);
        }
      }
    }
    refuseUnknownTypes(upper);
    refuseUsedWork(work);
  }

  private static String pair(GivenDirectory one, GivenDirectory other) {
    return one.given().quoted() + ", " + other.given().quoted();
  }

  /** An upper's file system must tell file types in directory listings (d_type). */
  private void refuseUnknownTypes(GivenDirectory upper) throws EngineException, ErrnoException {
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
  private void refuseUsedWork(GivenDirectory work) throws EngineException, ErrnoException {
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
   * What is mounted in one of these directories. Mounts of the host's are locked together in a user
   * namespace, and the kernel shows no part of them alone.
   */
  private Optional<OsPath> mountedIn(List<OsPath> directories) throws ErrnoException {
    List<MountEntry> mounts = new MountTable(sys).all();
    for (OsPath directory : directories) {
      OsPath resolved = files.resolve(directory).orElse(directory);
      for (MountEntry mount : mounts) {
        if (mount.point().startsWith(resolved) && !mount.point().equals(resolved)) {
          return Optional.of(mount.point());
        }
      }
    }
    return Optional.empty();
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
    if (failure.errno() == Errno.EINVAL && mount.options().value("userxattr").isPresent()) {
      Optional<OsPath> inside = mountedIn(mount.lowers());
      if (inside.isPresent()) {
        return EngineException.failed(
            "without root nothing lies over a directory of the host in which something is mounted: "
                + inside.get().quoted(),
            failure.refusal());
      }
    }
    if (failure.messages().isEmpty()) {
      return EngineException.unexpected(failure.refusal());
    }
    return EngineException.failed(
        "the kernel refused the overlay: " + String.join("; ", failure.messages()),
        failure.refusal());
  }
}
