package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.GivenDirectory;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
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

  /**
   * Checks branches.
   *
   * @param branches topmost first
   * @throws EngineException the first reason found why the kernel would refuse, or why it must not
   *     be asked
   */
  public void check(List<AufsBranch> branches) throws EngineException, ErrnoException {
    for (AufsBranch branch : branches) {
      AufsText.checkName(branch.directory());
    }
    checkTogether(branches);
    for (AufsBranch branch : branches) {
      refuseFileSystem(branch);
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
    checkTogether(branches);
    refuseFileSystem(added);
  }

  /** That they are not too many, and none is or lies inside another. */
  private void checkTogether(List<AufsBranch> branches) throws EngineException, ErrnoException {
    OptionalInt limit = table.maxBranches();
    if (limit.isPresent() && branches.size() > limit.getAsInt()) {
      throw tooMany(branches.size(), limit);
    }
    List<GivenDirectory> directories = new ArrayList<>();
    for (AufsBranch branch : branches) {
      directories.add(GivenDirectory.look(sys, "branch", branch.directory()));
    }
    GivenDirectory.refuseOverlaps(directories, "branches", Errno.EEXIST, Errno.EINVAL);
  }

  private EngineException tooMany(int branches, OptionalInt limit) {
    return EngineException.failed(
        branches
            + " branches are too many"
            + (limit.isPresent() ? ": this kernel's aufs takes " + limit.getAsInt() : ""),
        Errno.ENOSPC);
  }

  private void refuseFileSystem(AufsBranch branch) throws EngineException, ErrnoException {
    long type = files.fileSystemType(branch.directory());
    Optional<String> refused =
        type == Linux.OVERLAYFS_SUPER_MAGIC ? Optional.of("overlay") : refused(type);
    if (type == Linux.BTRFS_SUPER_MAGIC && !branch.permission().isWritable()) {
      refused = Optional.empty();
    }
    if (refused.isPresent()) {
      throw EngineException.failed(
          "branch is on "
              + refused.get()
              + ", which aufs does not go with: "
              + branch.directory().quoted(),
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
   * @param directory that need not exist yet
   * @throws EngineException it is on one of these
   */
  public void checkBacking(OsPath directory) throws EngineException, ErrnoException {
    OsPath existing = directory;
    while (files.stat(existing).isEmpty()) {
      existing = existing.parent();
    }
    Optional<String> refused = refused(files.fileSystemType(existing));
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
