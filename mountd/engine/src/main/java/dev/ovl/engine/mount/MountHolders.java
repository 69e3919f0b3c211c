package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Who keeps a mount busy: the processes whose directory, root, program, open files or mappings lie
 * on it.
 *
 * <p>Found by mount id through the magic links of /proc, so a file is attributed to the mount by
 * which it was opened, whatever its device number.
 */
public final class MountHolders {
  private static final int ATTEMPTS = 20;
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final Syscalls sys;
  private final Files files;
  private final MountTable mounts;
  private final Processes processes;

  /**
   * @param sys what to call
   * @param mounts how ids are to be compared
   * @param processes all processes
   */
  public MountHolders(Syscalls sys, MountTable mounts, Processes processes) {
    this.sys = sys;
    this.files = new Files(sys);
    this.mounts = mounts;
    this.processes = processes;
  }

  /**
   * A process that uses a mount.
   *
   * @param use {@code cwd}, {@code root}, {@code exe}, {@code fd 3} or {@code mapped}
   * @param path of the file in use, as /proc shows it
   * @param namespace inode number of its mount namespace, 0 when it may not be seen
   */
  public record Holder(int pid, String command, String use, OsPath path, long namespace) {
    /** One phrase: {@code pid 12 (bash, cwd /mnt, mnt:[4026531841])}. */
    @Override
    public String toString() {
      return "pid "
          + pid
          + " ("
          + OsPath.quoted(command)
          + ", "
          + use
          + " "
          + path.quoted()
          + ", mnt:["
          + namespace
          + "])";
    }
  }

  /**
   * Unmounts, and says who holds the mount when it is busy. Where nobody does, or not the same as a
   * moment ago, it is tried again: whoever looks at a mount, this library included, holds it for
   * some microseconds.
   *
   * <p>It is unmounted by the kernel's own name for its place: the name that somebody gave may be a
   * link, which UMOUNT_NOFOLLOW refuses.
   *
   * @param flags of umount2(2)
   * @throws EngineException it is in use (EBUSY), by whom
   */
  public void unmount(MountEntry mount, int flags) throws EngineException, ErrnoException {
    unmount(mount.point().quoted(), () -> sys.umount2(mount.point(), flags), () -> who(mount));
  }

  /** Unmounts once. */
  interface Unmounting {
    void run() throws EngineException, ErrnoException;
  }

  /** Tells who keeps a mount busy, in words. */
  interface Asking {
    Optional<String> who() throws EngineException, ErrnoException;
  }

  /**
   * As {@link #unmount(MountEntry, int)}, of a mount that is unmounted in some other way.
   *
   * @param place for messages
   */
  void unmount(String place, Unmounting unmounting, Asking asking)
      throws EngineException, ErrnoException {
    Optional<String> before = Optional.empty();
    for (int attempt = 1; ; attempt++) {
      try {
        unmounting.run();
        return;
      } catch (ErrnoException e) {
        if (!e.is(Errno.EBUSY)) {
          throw e;
        }
        Optional<String> who = asking.who();
        if ((who.isPresent() && who.equals(before)) || attempt == ATTEMPTS) {
          throw EngineException.failed(
              place + " is in use, " + who.orElse("by the kernel or a process that cannot be seen"),
              e);
        }
        if (who.isEmpty()) {
          LockSupport.parkNanos(PAUSE_NANOS);
        }
        before = who;
      }
    }
  }

  /** What is mounted inside a mount, or else who uses it. */
  private Optional<String> who(MountEntry mount) throws ErrnoException {
    Optional<String> inside = inside(mount, mounts.all());
    return inside.isPresent() ? inside : users(mount.id());
  }

  /** What of these is mounted inside a mount, in words. */
  static Optional<String> inside(MountEntry mount, List<MountEntry> all) {
    String points =
        all.stream()
            .filter(entry -> entry.parent() == mount.id())
            .map(entry -> entry.point().quoted())
            .collect(Collectors.joining(", "));
    return points.isEmpty() ? Optional.empty() : Optional.of("mounted inside it: " + points);
  }

  /** Who uses a mount, in words. */
  Optional<String> users(long mountId) throws ErrnoException {
    List<Holder> users = of(Set.of(mountId));
    return users.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "by " + users.stream().map(Holder::toString).collect(Collectors.joining(", ")));
  }

  /** What to ask statx(2) for to learn the id of a mount, {@link MountTable#idMask}. */
  int idMask() throws ErrnoException {
    return mounts.idMask();
  }

  /** The users of any of these mounts, one entry a process: its first use. */
  public List<Holder> of(Set<Long> mountIds) throws ErrnoException {
    List<Holder> holders = new ArrayList<>();
    for (int pid : processes.pids()) {
      firstUse(pid, mountIds).ifPresent(holders::add);
    }
    return holders;
  }

  private Optional<Holder> firstUse(int pid, Set<Long> mountIds) throws ErrnoException {
    for (String link : List.of("cwd", "root", "exe")) {
      if (isOn(pid, link, mountIds)) {
        return Optional.of(holder(pid, link, link));
      }
    }
    for (OsPath fd : processes.list(pid, "fd")) {
      if (isOn(pid, "fd/" + fd, mountIds)) {
        return Optional.of(holder(pid, "fd " + fd, "fd/" + fd));
      }
    }
    for (OsPath range : processes.list(pid, "map_files")) {
      if (isOn(pid, "map_files/" + range, mountIds)) {
        return Optional.of(holder(pid, "mapped", "map_files/" + range));
      }
    }
    return Optional.empty();
  }

  private boolean isOn(int pid, String link, Set<Long> mountIds) throws ErrnoException {
    int mask = mounts.idMask();
    try {
      Statx file =
          sys.statx(Linux.AT_FDCWD, Processes.path(pid, link), Linux.AT_STATX_DONT_SYNC, mask);
      return (file.mask() & mask) != 0 && mountIds.contains(file.mountId());
    } catch (ErrnoException e) {
      return Processes.<Boolean>absent(e).orElse(false);
    }
  }

  private Holder holder(int pid, String use, String link) throws ErrnoException {
    return new Holder(
        pid,
        processes.command(pid),
        use,
        files.readLink(Processes.path(pid, link)).orElse(OsPath.EMPTY),
        processes.mountNamespace(pid).orElse(0L));
  }
}
