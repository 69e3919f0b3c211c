package dev.ovl.engine.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Makes, changes and ends mounts of aufs.
 *
 * <table>
 * <caption>System calls by operation</caption>
 * <tr><th>operation</th><th>calls</th></tr>
 * <tr><td>mount</td><td>mount {@code br:…}; for each further 64 branches or 4095 bytes
 *     mount(MS_REMOUNT) {@code append:…,append:…}</td></tr>
 * <tr><td>change</td><td>pseudo-links; mount(MS_REMOUNT) {@code add: del: mod:}</td></tr>
 * <tr><td>unmount</td><td>pseudo-links, umount2</td></tr>
 * </table>
 *
 * <p>A change that aufs takes and ignores, as it does with a branch that it has or has not, is a
 * failure here. After a failed mount nothing is mounted. For any number of threads.
 */
public final class AufsMounter {
  private static final int ATTEMPTS = 5;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final OsPath SHARED_MEMORY = OsPath.of("/dev/shm");
  private static final OsPath NO_SOURCE = OsPath.of("none");
  private static final int NAME_DIGITS = 16;

  /** Flags that a remount sets anew, and that statfs(2) gives in the same bits. */
  private static final long KEPT_FLAGS =
      Linux.MS_RDONLY | Linux.MS_NOSUID | Linux.MS_NODEV | Linux.MS_NOEXEC | Linux.MS_SYNCHRONOUS;

  private static final long ST_NOSYMFOLLOW = 0x2000;

  private final Syscalls sys;
  private final Files files;
  private final MountTable mounts;
  private final MountHolders holders;
  private final OsPath run;
  private final AufsTable table;
  private final AufsChecks checks;
  private final PseudoLinks links;
  private final RandomBytes random;
  private volatile boolean knowsDirperm1 = true;

  /**
   * @param sys what to call
   * @param mounts what is mounted
   * @param holders who keeps mounts busy
   * @param run a directory for what ends with the boot, for the file of inode numbers, which has a
   *     name for a moment only; made when needed. Where it is on no tmpfs and /dev/shm is, that one
   *     is taken
   */
  public AufsMounter(Syscalls sys, MountTable mounts, MountHolders holders, OsPath run) {
    this.sys = sys;
    this.files = new Files(sys);
    this.mounts = mounts;
    this.holders = holders;
    this.run = run;
    this.table = new AufsTable(sys, mounts);
    this.checks = new AufsChecks(sys, table);
    this.links = new PseudoLinks(sys);
    this.random = new RandomBytes(sys);
  }

  /**
   * Makes the mount. What its options do not tell is {@code dio}, {@code dirperm1} where the kernel
   * has it, and an {@code xino} file on a tmpfs.
   *
   * @throws EngineException a branch that aufs cannot be told or does not take, too many of them,
   *     no aufs in this kernel; nothing is mounted
   */
  public void mount(AufsMount mount) throws EngineException, ErrnoException {
    AufsOptions options = mount.options().withDefault("dio", "dio");
    if (!options.tells("xino")) {
      options = options.withDefault("xino", "xino=" + xino());
    }
    boolean asks = knowsDirperm1 && !options.tells("dirperm1");
    AufsOptions asked = asks ? options.withDefault("dirperm1", "dirperm1") : options;
    List<byte[]> calls = AufsText.calls(mount.branches(), asked.aufsWords());
    try {
      try {
        begin(mount, calls.getFirst());
      } catch (ErrnoException e) {
        if (!asks || !e.is(Errno.EINVAL)) {
          throw e;
        }
        calls = AufsText.calls(mount.branches(), options.aufsWords());
        begin(mount, calls.getFirst());
        knowsDirperm1 = false;
      }
    } catch (ErrnoException e) {
      checkTarget(mount.target());
      throw checks.explain(mount.branches(), e);
    }
    try {
      finish(mount, calls.subList(1, calls.size()));
    } catch (ErrnoException | EngineException e) {
      try {
        sys.umount2(mount.target(), Linux.MNT_DETACH);
      } catch (ErrnoException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  private void begin(AufsMount mount, byte[] data) throws ErrnoException {
    sys.mount(mount.source(), mount.target(), AufsTable.TYPE, mount.options().msFlags(), data);
  }

  private void checkTarget(OsPath target) throws EngineException, ErrnoException {
    if (files.stat(target).filter(stat -> stat.isDirectory()).isEmpty()) {
      throw EngineException.failed("target is not a directory: " + target.quoted(), Errno.ENOTDIR);
    }
  }

  /** Appends what did not fit the first call, and sets the propagation. */
  private void finish(AufsMount mount, List<byte[]> batches)
      throws EngineException, ErrnoException {
    for (byte[] batch : batches) {
      try {
        remount(mount.target(), mount.options().msFlags(), batch);
      } catch (ErrnoException e) {
        throw checks.explain(mount.branches(), e);
      }
    }
    if (!batches.isEmpty()) {
      // a branch that is there already, by another name, is not appended and no error
      int found = stateAt(mount.target()).branches().size();
      if (found != mount.branches().size()) {
        checks.check(mount.branches());
        throw EngineException.failed(
            "aufs took " + found + " of " + mount.branches().size() + " branches");
      }
    }
    if (mount.propagation().isPresent()) {
      sys.mount(NO_SOURCE, mount.target(), "", mount.propagation().get().ms(), new byte[0]);
    }
  }

  private AufsState stateAt(OsPath target) throws EngineException, ErrnoException {
    Optional<MountEntry> mounted = mounts.at(target);
    return state(
        mounted.orElseThrow(
            () -> EngineException.failed("nothing is mounted on " + target.quoted())));
  }

  private AufsState state(MountEntry mount) throws EngineException, ErrnoException {
    return table
        .of(mount)
        .orElseThrow(
            () -> EngineException.failed("no aufs is mounted on " + mount.point().quoted()));
  }

  private void remount(OsPath point, long flags, byte[] data) throws ErrnoException {
    sys.mount(NO_SOURCE, point, AufsTable.TYPE, Linux.MS_REMOUNT | flags, data);
  }

  /**
   * Where aufs is to keep its inode numbers: a name nobody else uses, since a file that is there is
   * refused. The kernel takes the name away at once, so there is nothing to clean up.
   */
  private OsPath xino() throws EngineException, ErrnoException {
    files.mkdirs(run, 0700);
    OsPath directory = isOnTmpfs(run) || !isOnTmpfs(SHARED_MEMORY) ? run : SHARED_MEMORY;
    if (directory.contains(',')) {
      throw EngineException.failed(
          "aufs takes no path with a comma for its file of inode numbers: " + directory.quoted());
    }
    return directory.resolve(".aufs.xino-" + random.hex(NAME_DIGITS));
  }

  private boolean isOnTmpfs(OsPath directory) throws ErrnoException {
    try {
      return files.fileSystemType(directory) == Linux.TMPFS_MAGIC;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  // ---- unmounting ---------------------------------------------------------------------------

  /**
   * Makes pseudo-links real and unmounts. What is busy is tried five times in half a second, since
   * aufs itself holds a mount while it removes large directories behind a caller's back.
   *
   * @param flags of umount2(2); with MNT_DETACH, pseudo-links that cannot be made real are no
   *     reason to fail
   * @throws EngineException it is in use (EBUSY), by whom; pseudo-links could not be made real
   */
  public void unmount(MountEntry mount, int flags) throws EngineException, ErrnoException {
    boolean detach = (flags & Linux.MNT_DETACH) != 0;
    for (int attempt = 1; ; attempt++) {
      try {
        flush(mount);
      } catch (EngineException e) {
        if (!detach) {
          throw e;
        }
      }
      try {
        holders.unmount(mount, flags);
        return;
      } catch (EngineException e) {
        if (attempt == ATTEMPTS || !e.errno().equals(Optional.of(Errno.EBUSY))) {
          throw e;
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /**
   * Makes pseudo-links real: names of a hard-linked file that aufs alone knows to belong together.
   * Other processes meanwhile get EAGAIN from it; where there are none, nothing happens.
   *
   * @throws EngineException they could not be made real, and why
   */
  public void flush(MountEntry mount) throws EngineException, ErrnoException {
    for (int attempt = 1; ; attempt++) {
      Optional<AufsState> state = table.of(mount);
      if (state.isEmpty() || (flags(mount) & Linux.MS_RDONLY) != 0) {
        return;
      }
      try {
        links.flush(mount, state.get());
        return;
      } catch (ErrnoException e) {
        if (attempt == ATTEMPTS || !isPassing(e)) {
          throw EngineException.failed(
              "hard links in " + mount.point().quoted() + " could not be completed", e);
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** True for what may be different a moment later. */
  private static boolean isPassing(ErrnoException e) {
    return e.is(Errno.EBUSY) || e.is(Errno.EINVAL) || e.is(Errno.EAGAIN);
  }

  // ---- live changes -------------------------------------------------------------------------

  /**
   * Adds a branch to a mounted aufs.
   *
   * @param index where it will be, 0 for the top, at most the number of branches
   * @throws EngineException the branch cannot be told or is not taken, is there already, lies
   *     inside another; no such index; nothing has changed
   */
  public void add(MountEntry mount, int index, AufsBranch branch)
      throws EngineException, ErrnoException {
    List<AufsBranch> before = state(mount).branches();
    if (index < 0 || index > before.size()) {
      throw EngineException.usage(
          "there is no place " + index + " among " + before.size() + " branches");
    }
    byte[] data = AufsText.change("add:" + index + ":", branch);
    List<AufsBranch> after = new ArrayList<>(before);
    after.add(index, branch);
    // one that is there already would be passed over without a word
    checks.checkAdded(after, branch);
    change(mount, data, after);
    OsPath added = resolved(branch.directory());
    if (indexOf(state(mount).branches(), added).isEmpty()) {
      throw EngineException.failed("aufs did not take branch " + branch);
    }
  }

  /**
   * Removes a branch from a mounted aufs; the directory and what aufs keeps in it stay.
   *
   * @throws EngineException it is no branch, or the last one; EBUSY: files of it are in use
   */
  public void remove(MountEntry mount, OsPath directory) throws EngineException, ErrnoException {
    byte[] data = AufsText.removal(directory);
    List<AufsBranch> before = state(mount).branches();
    OsPath resolved = resolved(directory);
    int index = existing(mount, before, resolved);
    if (before.size() == 1) {
      throw EngineException.failed(
          "the last branch of "
              + mount.point().quoted()
              + " cannot be removed: "
              + directory.quoted(),
          Errno.EBUSY);
    }
    List<AufsBranch> after = new ArrayList<>(before);
    after.remove(index);
    change(mount, data, after);
    if (indexOf(state(mount).branches(), resolved).isPresent()) {
      throw EngineException.failed("aufs did not give up branch " + directory.quoted());
    }
  }

  /**
   * Gives a branch of a mounted aufs another permission.
   *
   * @throws EngineException it is no branch; the kernel does not know the permission or refuses it
   */
  public void modify(MountEntry mount, AufsBranch branch) throws EngineException, ErrnoException {
    byte[] data = AufsText.change("mod:", branch);
    List<AufsBranch> before = state(mount).branches();
    OsPath resolved = resolved(branch.directory());
    int index = existing(mount, before, resolved);
    List<AufsBranch> after = new ArrayList<>(before);
    after.set(index, branch);
    change(mount, data, after);
    List<AufsBranch> now = state(mount).branches();
    Optional<Integer> place = indexOf(now, resolved);
    if (place.isEmpty() || !now.get(place.get()).permission().equals(branch.permission())) {
      throw EngineException.failed(
          "aufs did not take permission "
              + branch.permission().text()
              + " for branch "
              + branch.directory().quoted()
              + place.map(i -> ", which has " + now.get(i).permission().text()).orElse(""));
    }
  }

  private void change(MountEntry mount, byte[] data, List<AufsBranch> after)
      throws EngineException, ErrnoException {
    for (int attempt = 1; ; attempt++) {
      flush(mount);
      try {
        remount(mount.point(), flags(mount), data);
        return;
      } catch (ErrnoException e) {
        boolean busy = e.is(Errno.EBUSY) || e.is(Errno.EAGAIN);
        if (!busy) {
          throw checks.explain(after, e);
        }
        if (attempt == ATTEMPTS) {
          throw EngineException.failed(inUse(mount), e);
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private String inUse(MountEntry mount) throws ErrnoException {
    String who =
        holders.of(Set.of(mount.id())).stream()
            .map(MountHolders.Holder::toString)
            .collect(Collectors.joining(", "));
    return "files of the branch are in use"
        + (who.isEmpty()
            ? ", by the kernel or a process that cannot be seen"
            : "; this mount is used by " + who);
  }

  private int existing(MountEntry mount, List<AufsBranch> branches, OsPath directory)
      throws EngineException {
    return indexOf(branches, directory)
        .orElseThrow(
            () ->
                EngineException.failed(
                    directory.quoted() + " is no branch of " + mount.point().quoted(),
                    Errno.ENOENT));
  }

  private static Optional<Integer> indexOf(List<AufsBranch> branches, OsPath directory) {
    for (int i = 0; i < branches.size(); i++) {
      if (branches.get(i).directory().equals(directory)) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  /** As the kernel shows branches: without links. */
  private OsPath resolved(OsPath directory) throws EngineException, ErrnoException {
    return files
        .resolve(directory)
        .orElseThrow(
            () ->
                EngineException.failed(
                    "branch does not exist: " + directory.quoted(), Errno.ENOENT));
  }

  /** The flags of a mount that a remount would take back if they were not given again. */
  private long flags(MountEntry mount) throws ErrnoException {
    long shown = sys.statfs(mount.point()).flags();
    return (shown & KEPT_FLAGS) | ((shown & ST_NOSYMFOLLOW) != 0 ? Linux.MS_NOSYMFOLLOW : 0);
  }
}
