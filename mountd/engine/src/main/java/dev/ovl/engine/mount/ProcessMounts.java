package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.jni.MountNamespaces;
import dev.ovl.jni.NativeLibraryException;
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
import java.util.Map;
import java.util.Optional;

/**
 * The mounts of another process's mount namespace, as it sees them: mounting there, and unmounting.
 *
 * <p>The process is looked up once. What is done later is done to it or fails, though its id may be
 * another one's by then. All names are seen from its root directory, and none leads out of that.
 */
public final class ProcessMounts implements AutoCloseable {
  private static final OsPath PROC = OsPath.of("/proc");
  private static final OsPath NAMESPACE = OsPath.of("ns/mnt");

  /** Renames of directories above the one that is looked up make the kernel unsure about "..". */
  private static final int ATTEMPTS = 100;

  private final Syscalls sys;
  private final Files files;
  private final Processes processes;
  private final int pid;
  private final Fd process;
  private final Fd namespace;
  private final Fd root;

  private ProcessMounts(Syscalls sys, int pid, Fd process, Fd namespace, Fd root) {
    this.sys = sys;
    this.files = new Files(sys);
    this.processes = new Processes(sys);
    this.pid = pid;
    this.process = process;
    this.namespace = namespace;
    this.root = root;
  }

  /**
   * Looks a process up.
   *
   * @param pid in this process's pid namespace
   * @throws EngineException there is no such process (ESRCH); /proc is of another pid namespace;
   *     this process may not look into it (EACCES, EPERM)
   */
  public static ProcessMounts of(Syscalls sys, int pid) throws EngineException, ErrnoException {
    OsPath self = sys.readlinkat(Linux.AT_FDCWD, PROC.resolve("self"));
    if (!self.toString().equals(String.valueOf(ProcessHandle.current().pid()))) {
      throw EngineException.failed("/proc is of another pid namespace: process ids mean nothing");
    }
    List<Fd> open = new ArrayList<>();
    boolean whole = false;
    try {
      OsPath directory = PROC.resolve(String.valueOf(pid));
      int path = Linux.O_PATH | Linux.O_DIRECTORY;
      open.add(new Fd(sys, sys.openat(Linux.AT_FDCWD, directory, path, 0)));
      int process = open.getFirst().number();
      open.add(new Fd(sys, sys.openat(process, NAMESPACE, Linux.O_RDONLY, 0)));
      open.add(new Fd(sys, sys.openat(process, OsPath.of("root"), path, 0)));
      whole = true;
      return new ProcessMounts(sys, pid, open.get(0), open.get(1), open.get(2));
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ENOENT, ESRCH ->
            throw EngineException.failed("there is no process " + pid, Errno.ESRCH);
        case EACCES, EPERM -> throw EngineException.failed("cannot look into process " + pid, e);
        default -> throw e;
      }
    } finally {
      if (!whole) {
        open.forEach(Fd::close);
      }
    }
  }

  /** For messages: {@code "the mount namespace of pid 12"}. */
  @Override
  public String toString() {
    return "the mount namespace of pid " + pid;
  }

  /** Whether it is this process's namespace. */
  public boolean isHere() throws ErrnoException {
    return number() == files.stat(PROC.resolve("self").resolve(NAMESPACE)).orElseThrow().inode();
  }

  /** Its inode number. */
  private long number() throws ErrnoException {
    return sys.statx(namespace.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO)
        .inode();
  }

  /**
   * All mounts that the process sees, older ones first; with ids that are given again when a mount
   * has ended.
   *
   * @throws EngineException the process has ended
   */
  public List<MountEntry> all() throws EngineException, ErrnoException {
    try {
      OsPath file = Files.procPath(process).resolve("mountinfo");
      return Mountinfo.parse(files.read(file).orElse(new byte[0]));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ESRCH) || e.is(Errno.EINVAL)) {
        throw EngineException.failed("process " + pid + " has ended", Errno.ESRCH);
      }
      throw e;
    }
  }

  // ---- mounting -----------------------------------------------------------------------------

  /**
   * A directory of the namespace.
   *
   * @param on the mount that it lies on
   * @param isRoot whether it is the root directory of that
   */
  public record Target(Fd directory, MountEntry on, boolean isRoot) implements AutoCloseable {
    @Override
    public void close() {
      directory.close();
    }
  }

  /**
   * Opens a directory. Links are followed, and mean what they mean to the process.
   *
   * @param path absolute
   * @throws EngineException there is none
   */
  public Target target(OsPath path) throws EngineException, ErrnoException {
    Fd directory = open(path);
    boolean whole = false;
    try {
      int mask = Linux.STATX_MNT_ID;
      Statx found = sys.statx(directory.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, mask);
      MountEntry on =
          all().stream()
              .filter(mount -> mount.id() == found.mountId())
              .findFirst()
              .orElseThrow(
                  () -> EngineException.failed(quoted(path) + " cannot be found", Errno.ENOENT));
      boolean isRoot = (found.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) != 0;
      whole = true;
      return new Target(directory, on, isRoot);
    } finally {
      if (!whole) {
        directory.close();
      }
    }
  }

  private String quoted(OsPath path) {
    return path.quoted() + " in " + this;
  }

  private Fd open(OsPath path) throws EngineException, ErrnoException {
    OpenHow how = new OpenHow(Linux.O_PATH | Linux.O_DIRECTORY, 0, Linux.RESOLVE_IN_ROOT);
    for (int attempt = 1; ; attempt++) {
      try {
        return new Fd(sys, sys.openat2(root.number(), path, how));
      } catch (ErrnoException e) {
        switch (e.errno()) {
          case EAGAIN -> {
            if (attempt == ATTEMPTS) {
              throw e;
            }
          }
          case ENOENT, ENOTDIR, ELOOP, EACCES ->
              throw EngineException.failed("there is no directory " + quoted(path), e);
          case ENOSYS -> throw EngineException.failed("that takes Linux 5.6", e);
          default -> throw e;
        }
      }
    }
  }

  /**
   * Refuses a target on a mount that is shared with other namespaces: what is attached to it would
   * appear there as well (mount_namespaces(7)).
   */
  public void refuseShared(Target target) throws EngineException, ErrnoException {
    if (target.on().peerGroup() == 0) {
      return;
    }
    long ours = number();
    for (Map.Entry<Long, List<Integer>> other : processes.byMountNamespace().entrySet()) {
      if (other.getKey() != ours) {
        Optional<Integer> who = follower(target.on(), other.getValue());
        if (who.isPresent()) {
          throw EngineException.failed(
              quoted(target.on().point())
                  + " is shared with mnt:["
                  + other.getKey()
                  + "] of pid "
                  + who.get()
                  + " ("
                  + processes.command(who.get())
                  + "), where all that is mounted on it appears, too; 'mount --make-private' it",
              Errno.EINVAL);
        }
      }
    }
  }

  /** The first of these processes of one namespace that tells, if it has a peer or slave of it. */
  private Optional<Integer> follower(MountEntry shared, List<Integer> pids) throws ErrnoException {
    for (int each : pids) {
      Optional<byte[]> text = processes.read(each, "mountinfo");
      if (text.isPresent() && text.get().length > 0) {
        boolean follows = Mountinfo.parse(text.get()).stream().anyMatch(m -> m.follows(shared));
        return follows ? Optional.of(each) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /**
   * Attaches a mount. What is mounted in it later is nobody else's business.
   *
   * @param tree a mount that is attached nowhere
   */
  public void attach(Fd tree, Target target) throws EngineException {
    try {
      MountNamespaces.attach(namespace, tree, target.directory());
    } catch (NativeLibraryException e) {
      throw EngineException.failed(e.getMessage());
    } catch (ErrnoException e) {
      throw EngineException.failed(
          "cannot be attached in " + this + ": " + e.call() + ": " + e.errno().message(), e);
    }
  }

  // ---- unmounting ---------------------------------------------------------------------------

  /**
   * Unmounts.
   *
   * @param mount of {@link #all}
   * @param holders who may be asked who uses it
   * @param flags of umount2(2)
   * @throws EngineException it is in use (EBUSY), by whom; it cannot be unmounted
   */
  public void unmount(MountEntry mount, MountHolders holders, int flags)
      throws EngineException, ErrnoException {
    try {
      holders.unmount(
          quoted(mount.point()), () -> unmount(mount.point(), flags), () -> who(mount, holders));
    } catch (ErrnoException e) {
      throw EngineException.failed(
          quoted(mount.point()) + " cannot be unmounted: " + e.call() + ": " + e.errno().message(),
          e);
    }
  }

  private void unmount(OsPath point, int flags) throws EngineException, ErrnoException {
    try {
      MountNamespaces.unmount(namespace, root, point, flags);
    } catch (NativeLibraryException e) {
      throw EngineException.failed(e.getMessage());
    }
  }

  private Optional<String> who(MountEntry mount, MountHolders holders)
      throws EngineException, ErrnoException {
    Optional<String> inside = MountHolders.inside(mount, all());
    if (inside.isPresent()) {
      return inside;
    }
    long id;
    try (Target seen = target(mount.point())) {
      int fd = seen.directory().number();
      id = sys.statx(fd, OsPath.EMPTY, Linux.AT_EMPTY_PATH, holders.idMask()).mountId();
    }
    return holders.users(id);
  }

  @Override
  public void close() {
    root.close();
    namespace.close();
    process.close();
  }
}
