package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Uninterrupted;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that has a mount namespace of its own and stands in an empty tmpfs which nobody else
 * sees. Both vanish with the thread: there is nothing to clean up, even after a crash.
 *
 * <p>Detached mounts alone would do only since Linux 6.15; before, overlay takes no layer that is
 * attached nowhere.
 *
 * <p>What runs there does system calls and nothing else: a thread started from it would inherit its
 * namespace, directory and umask for good. The namespace holds copies of all mounts while it lasts,
 * fractions of a second; unmounting a shared mount elsewhere unmounts its copy too.
 */
public final class PrivateMountNamespace {
  private static final byte[] NO_DATA = {};
  private static final OsPath PROC = OsPath.of("/proc");
  private static final OsPath POINT = OsPath.of("made");
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(200);

  private final Syscalls sys;
  private final Files files;

  /**
   * @param sys what to call
   */
  public PrivateMountNamespace(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /** The directory of this thread in /proc, {@code 12/task/34}, and what came out. */
  private record Ended<T>(OsPath thread, T value) {}

  /**
   * Runs the work in such a thread and waits until the thread and its namespace are gone.
   *
   * @param work system calls with names relative to the tmpfs
   * @throws ErrnoException the namespace or the tmpfs could not be had: EPERM without
   *     CAP_SYS_ADMIN, ENOSYS for fsopen(2) before Linux 5.2
   */
  public <T> T call(Callable<T> work) throws ErrnoException {
    // the first call of a process allocates native memory and with it may start the JVM's cleaner
    // thread, which must not be a child of that thread
    sys.geteuid();
    FutureTask<Ended<T>> task =
        new FutureTask<>(
            () -> {
              OsPath thread = sys.readlinkat(Linux.AT_FDCWD, PROC.resolve("thread-self"));
              enter();
              return new Ended<>(thread, work.call());
            });
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("ovl-private")
            .inheritInheritableThreadLocals(false)
            .unstarted(task);
    thread.start();
    Ended<T> ended = Uninterrupted.await(task);
    awaitEnd(PROC.resolve(ended.thread()));
    return ended.value();
  }

  /** Makes a mount by calls that attach it to a directory. */
  interface Making {
    /**
     * @param target an existing directory, as an absolute path
     */
    void on(OsPath target) throws MountFailure, ErrnoException;
  }

  private record Made(Optional<Fd> mount, Optional<MountFailure> failure) {}

  /** Makes a mount there, and has it attached nowhere: it ends with the descriptor. */
  Fd detached(Making making) throws MountFailure, ErrnoException {
    Made made =
        call(
            () -> {
              sys.mkdirat(Linux.AT_FDCWD, POINT, 0700);
              try (Fd here = files.openDirectory(OsPath.DOT)) {
                OsPath target = Files.procPath(here).resolve(POINT);
                making.on(target);
                int flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC;
                int copy = sys.open_tree(Linux.AT_FDCWD, target, flags);
                return new Made(Optional.of(new Fd(sys, copy)), Optional.empty());
              } catch (MountFailure failure) {
                return new Made(Optional.empty(), Optional.of(failure));
              }
            });
    if (made.failure().isPresent()) {
      throw made.failure().get();
    }
    return made.mount().orElseThrow();
  }

  private void enter() throws ErrnoException {
    sys.unshare(Linux.CLONE_FS | Linux.CLONE_NEWNS);
    OsPath point = privateMountPoint();
    try (MountContext context = new MountContext(sys, "tmpfs");
        Fd tmpfs = context.set("mode", "0700").mount()) {
      sys.move_mount(
          tmpfs.number(), OsPath.EMPTY, Linux.AT_FDCWD, point, Linux.MOVE_MOUNT_F_EMPTY_PATH);
      sys.fchdir(tmpfs.number());
    }
  }

  /**
   * Where a mount is seen in this namespace alone. What is mounted over the root directory hides
   * nothing: names still begin below it. Beneath chroot(2) the root directory is often no mount.
   */
  private OsPath privateMountPoint() throws ErrnoException {
    try {
      makePrivate(OsPath.ROOT);
      return OsPath.ROOT;
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL)) {
        throw e;
      }
      makePrivate(PROC);
      return PROC;
    }
  }

  private void makePrivate(OsPath mount) throws ErrnoException {
    sys.mount(OsPath.of("none"), mount, "", Linux.MS_PRIVATE, NO_DATA);
  }

  /**
   * Java's join ends before the kernel's thread does, and the namespace ends with the latter. It
   * does so whether that can be seen or not.
   */
  private void awaitEnd(OsPath thread) {
    long start = System.nanoTime();
    while (isThere(thread) && System.nanoTime() - start < PATIENCE_NANOS) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private boolean isThere(OsPath thread) {
    try {
      return files.lstat(thread).isPresent();
    } catch (ErrnoException e) {
      // what was made is the caller's already, who must get it
      return false;
    }
  }
}
