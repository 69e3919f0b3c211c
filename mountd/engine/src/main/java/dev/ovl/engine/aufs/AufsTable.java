package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the kernel says of aufs: its version, its limit, and the branches of what is mounted.
 *
 * <p>Branches are in {@code /sys/fs/aufs/si_<id>/br<n>}, or, where the module was loaded with
 * {@code brs=0}, among the mount's options.
 */
public final class AufsTable {
  /** The file system type. */
  public static final String TYPE = "aufs";

  private static final OsPath SYSFS = OsPath.of("/sys/fs/aufs");
  private static final OsPath VERSION = OsPath.of("/sys/module/aufs/version");
  private static final Pattern LIMIT = Pattern.compile("CONFIG_AUFS_BRANCH_MAX_([0-9]+)=y");
  private static final int ATTEMPTS = 100;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final Files files;
  private final MountTable mounts;

  /**
   * @param sys what to call
   * @param mounts what is mounted
   */
  public AufsTable(Syscalls sys, MountTable mounts) {
    this.files = new Files(sys);
    this.mounts = mounts;
  }

  /** The version of aufs in this kernel; empty when it is not there, not loaded or tells none. */
  public Optional<String> version() throws ErrnoException {
    return files.read(VERSION).map(text -> OsPath.decode(text).strip());
  }

  /** How many branches one mount takes; empty when the kernel does not tell. */
  public OptionalInt maxBranches() throws ErrnoException {
    Optional<byte[]> config = files.read(SYSFS.resolve("config"));
    Matcher limit = LIMIT.matcher(config.map(OsPath::decode).orElse(""));
    return limit.find() ? OptionalInt.of(Integer.parseInt(limit.group(1))) : OptionalInt.empty();
  }

  /** True for a mount of aufs. */
  public static boolean isAufs(MountEntry mount) {
    return mount.type().equals(TYPE);
  }

  /**
   * What an aufs is made of now.
   *
   * <p>It is held open meanwhile: to read what /sys/fs/aufs has of one that is just being mounted
   * or unmounted crashes the kernel (aufs 6.1, a null pointer in sysaufs_si_show).
   *
   * @return empty when it is no aufs, was unmounted meanwhile, or is covered by another mount
   * @throws EngineException the kernel shows the branches nowhere
   */
  public Optional<AufsState> of(MountEntry mount) throws EngineException, ErrnoException {
    if (!isAufs(mount)) {
      return Optional.empty();
    }
    try (Fd held = files.openPath(mount.point())) {
      // a mount read from mountinfo holds the options that it had then
      Optional<MountEntry> now =
          mounts
              .at(mount.point())
              .filter(entry -> entry.id() == mount.id() && entry.device().equals(mount.device()));
      return now.isPresent() ? ofHeld(now.get()) : Optional.empty();
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private Optional<AufsState> ofHeld(MountEntry mount) throws EngineException, ErrnoException {
    Optional<AufsText.Shown> found = mounts.options(mount).flatMap(AufsText::shown);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    AufsText.Shown shown = found.get();
    OsPath directory = SYSFS.resolve("si_" + shown.id());
    List<AufsBranch> branches = shown.branches().isEmpty() ? branches(directory) : shown.branches();
    if (branches.isEmpty()) {
      if (mounts.byId(mount.id()).isEmpty()) {
        return Optional.empty();
      }
      throw EngineException.failed(
          "the kernel does not show the branches of "
              + mount.point().quoted()
              + ": neither in "
              + directory.quoted()
              + " nor among the mount's options");
    }
    Optional<OsPath> xino = shown.xino();
    if (xino.isEmpty()) {
      xino = read(directory.resolve("xi_path")).flatMap(AufsText::path);
    }
    return Optional.of(new AufsState(shown.id(), branches, xino, shown.others()));
  }

  private List<AufsBranch> branches(OsPath directory) throws ErrnoException {
    List<AufsBranch> branches = new ArrayList<>();
    while (true) {
      Optional<byte[]> text = read(directory.resolve("br" + branches.size()));
      if (text.isEmpty()) {
        return branches;
      }
      branches.add(AufsText.branch(text.get()));
    }
  }

  /**
   * Whether an aufs that is mounted in this mount namespace writes to a directory. (/sys/fs/aufs
   * has those of all namespaces, but see {@link #of}.)
   */
  public boolean isWritten(OsPath directory) throws EngineException, ErrnoException {
    return has(directory, AufsState::writable);
  }

  /** Whether an aufs that is mounted in this mount namespace has a directory as a branch. */
  public boolean isBranch(OsPath directory) throws EngineException, ErrnoException {
    return has(directory, AufsState::branches);
  }

  private boolean has(OsPath directory, Function<AufsState, List<AufsBranch>> which)
      throws EngineException, ErrnoException {
    OsPath resolved = files.resolve(directory).orElse(directory);
    for (MountEntry mount : mounts.all()) {
      Optional<AufsState> state = of(mount);
      if (state.isPresent()
          && which.apply(state.get()).stream().anyMatch(b -> b.directory().equals(resolved))) {
        return true;
      }
    }
    return false;
  }

  /** The kernel says EBUSY rather than wait while the mount is being changed. */
  private Optional<byte[]> read(OsPath file) throws ErrnoException {
    for (int attempt = 1; ; attempt++) {
      try {
        return files.read(file);
      } catch (ErrnoException e) {
        if (!e.is(Errno.EBUSY) || attempt == ATTEMPTS) {
          throw e;
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
