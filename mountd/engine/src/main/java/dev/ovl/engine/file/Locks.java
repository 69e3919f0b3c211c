package dev.ovl.engine.file;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Exclusive locks on objects under the root, between threads and between processes.
 *
 * <p>Each lock is an flock(2) on a file of the object, taken through a descriptor of its own,
 * behind a lock of this process: threads of one process queue without polling, and processes
 * exclude each other whatever their run directory. flock dies with the process, so nothing stale
 * remains. POSIX locks (and so FileChannel.lock) will not do: they vanish when any descriptor of
 * the file is closed.
 *
 * <p>A lock file may be removed by its holder together with the object; who then waited for it
 * notices that its name leads elsewhere and starts again.
 */
public final class Locks {
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final Syscalls sys;
  private final Files files;
  private final Duration patience;
  private final ConcurrentHashMap<OsPath, ReentrantLock> inProcess = new ConcurrentHashMap<>();

  /**
   * @param sys what to call
   * @param patience how long to wait for a lock before giving up
   */
  public Locks(Syscalls sys, Duration patience) {
    this.sys = sys;
    this.files = new Files(sys);
    this.patience = patience;
  }

  /** What removes the file of a lock at the end of work that may fail. */
  public interface Passing extends AutoCloseable {
    @Override
    void close() throws ErrnoException;
  }

  /** A lock that is held until it is closed. */
  public final class Held implements AutoCloseable {
    private final OsPath file;
    private final ReentrantLock queue;
    private final Fd fd;

    private Held(OsPath file, ReentrantLock queue, Fd fd) {
      this.file = file;
      this.queue = queue;
      this.fd = fd;
    }

    /** Removes the lock file: the object is gone. The lock stays held until it is closed. */
    public void removeFile() throws ErrnoException {
      files.remove(file);
    }

    @Override
    public void close() {
      fd.close();
      release(file, queue);
    }
  }

  /**
   * Takes the lock, creating its file when there is none.
   *
   * @param file a regular file that is only ever locked
   * @param what the object's name, for the message
   * @throws EngineException when the lock is not free in time
   * @throws ErrnoException the file cannot be opened
   */
  public Held acquire(OsPath file, String what) throws EngineException, ErrnoException {
    return acquire(file, patience)
        .orElseThrow(
            () ->
                EngineException.failed(
                    what + " is locked by another ovl process for " + patience.toSeconds() + " s",
                    Errno.EAGAIN));
  }

  /**
   * Takes the lock if it is free now.
   *
   * @throws ErrnoException the file cannot be opened
   */
  public Optional<Held> tryAcquire(OsPath file) throws ErrnoException {
    return acquire(file, Duration.ZERO);
  }

  /**
   * True when nobody holds the lock, in this process or another. Makes no file; what is true may be
   * otherwise the next moment.
   */
  public boolean isFree(OsPath file) throws ErrnoException {
    int flags = Linux.O_RDWR | Linux.O_NOFOLLOW;
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, file, flags, 0))) {
      return sys.flock(fd.number(), Linux.LOCK_SH | Linux.LOCK_NB);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return true;
      }
      throw e;
    }
  }

  private Optional<Held> acquire(OsPath file, Duration wait) throws ErrnoException {
    long deadline = System.nanoTime() + wait.toNanos();
    Optional<ReentrantLock> entered = enter(file, deadline);
    if (entered.isEmpty()) {
      return Optional.empty();
    }
    ReentrantLock queue = entered.get();
    boolean held = false;
    try {
      while (true) {
        Fd fd = open(file);
        try {
          if (!lock(fd, deadline)) {
            return Optional.empty();
          }
          if (isStill(file, fd)) {
            held = true;
            return Optional.of(new Held(file, queue, fd));
          }
        } finally {
          if (!held) {
            fd.close();
          }
        }
      }
    } finally {
      if (!held) {
        release(file, queue);
      }
    }
  }

  private Fd open(OsPath file) throws ErrnoException {
    int flags = Linux.O_RDWR | Linux.O_CREAT | Linux.O_NOFOLLOW;
    return new Fd(sys, sys.openat(Linux.AT_FDCWD, file, flags, 0600));
  }

  private Optional<ReentrantLock> enter(OsPath file, long deadline) {
    while (true) {
      ReentrantLock queue = inProcess.computeIfAbsent(file, f -> new ReentrantLock(true));
      try {
        if (!queue.tryLock(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
          return Optional.empty();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Optional.empty();
      }
      if (queue.equals(inProcess.get(file))) {
        return Optional.of(queue);
      }
      queue.unlock();
    }
  }

  private void release(OsPath file, ReentrantLock queue) {
    if (!queue.hasQueuedThreads()) {
      inProcess.remove(file, queue);
    }
    queue.unlock();
  }

  private boolean lock(Fd fd, long deadline) throws ErrnoException {
    while (!sys.flock(fd.number(), Linux.LOCK_EX | Linux.LOCK_NB)) {
      if (System.nanoTime() >= deadline || Thread.currentThread().isInterrupted()) {
        return false;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return true;
  }

  private boolean isStill(OsPath file, Fd fd) throws ErrnoException {
    Statx opened = sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO);
    return files.lstat(file).filter(opened::sameFile).isPresent();
  }
}
