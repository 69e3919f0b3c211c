package dev.ovl.engine.mount;

import dev.ovl.engine.file.Uninterrupted;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads that have a working directory of their own (unshare(CLONE_FS)), for mounts whose options
 * hold names relative to it.
 *
 * <p>Such a thread does prepared system calls and nothing else: a thread started from it, a carrier
 * of virtual threads or a worker of the common pool included, would inherit its directory and umask
 * for good. One is enough for sequential work; concurrent work gets more, so that a file system
 * that hangs holds up nobody else. Idle ones stand in the root directory, where they keep nothing
 * busy, and end after a while.
 */
final class DirectoryThreads implements AutoCloseable {
  private static final long IDLE_SECONDS = 20;

  private final Syscalls sys;
  private final ThreadPoolExecutor pool;

  DirectoryThreads(Syscalls sys) {
    this.sys = sys;
    this.pool =
        new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            DirectoryThreads::thread);
  }

  private static Thread thread(Runnable work) {
    return Thread.ofPlatform().daemon().name("ovl-directory").unstarted(work);
  }

  /** What runs in the directory: system calls with names relative to it. */
  interface Action {
    void run() throws ErrnoException;
  }

  /**
   * Runs the action in a thread whose working directory is {@code directory}, and waits for it,
   * even when interrupted: a mount under way cannot be called back.
   */
  void run(Fd directory, Action action) throws ErrnoException {
    FutureTask<Void> task =
        new FutureTask<>(
            () -> {
              sys.unshare(Linux.CLONE_FS);
              sys.fchdir(directory.number());
              try {
                action.run();
              } finally {
                leave();
              }
              return null;
            });
    pool.execute(task);
    Uninterrupted.await(task);
  }

  private void leave() {
    try (Fd root =
        new Fd(sys, sys.openat(Linux.AT_FDCWD, OsPath.ROOT, Linux.O_PATH | Linux.O_DIRECTORY, 0))) {
      sys.fchdir(root.number());
    } catch (ErrnoException e) {
      // the action is done and its outcome stands; the thread goes elsewhere with the next one or
      // ends soon
    }
  }

  @Override
  public void close() {
    pool.shutdown();
  }
}
