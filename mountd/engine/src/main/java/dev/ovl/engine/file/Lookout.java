package dev.ovl.engine.file;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Looks at what an operation has nothing to do with but must compare itself to: directories of
 * other stacks and mounts. They may lie on a file system that does not answer (a network's, or
 * FUSE), which is no reason for the operation to wait, least of all with a lock in its hands.
 *
 * <p>What the kernel knows by heart it is asked at once (RESOLVE_CACHED, AT_STATX_DONT_SYNC); that
 * is nearly everything, as a mount keeps the names that lead to its directories. Everything else is
 * asked by a thread that may be left alone with it. While that thread waits, others who ask the
 * same are not answered either, so that each silence is waited for once; and when {@value
 * #MOST_SILENT} threads are left alone, nothing is asked any more that the kernel does not know by
 * heart.
 *
 * <p>For any number of threads.
 */
public final class Lookout implements AutoCloseable {
  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
  private static final int MOST_SILENT = 32;
  private static final long IDLE_SECONDS = 20;

  private final Syscalls sys;
  private final ThreadPoolExecutor pool;
  private final ConcurrentHashMap<Object, Asked<?>> asked = new ConcurrentHashMap<>();

  /** The subjects of questions that were not answered in time, and are not yet. */
  private final Set<Object> silent = ConcurrentHashMap.newKeySet();

  private volatile boolean cachedLookups = true;

  /**
   * @param sys what to call
   */
  public Lookout(Syscalls sys) {
    this.sys = sys;
    this.pool =
        new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            work -> Thread.ofPlatform().daemon().name("ovl-lookout").unstarted(work));
  }

  /** What is seen of a path. */
  public sealed interface Seen {
    /** A file or directory. */
    record Found(Statx stat) implements Seen {}

    /** Nothing is there (ENOENT, ENOTDIR). */
    record Nothing() implements Seen {}

    /**
     * It cannot be told.
     *
     * @param error what the file system says instead; empty when it does not answer in time
     */
    record Untold(Optional<ErrnoException> error) implements Seen {}

    /** What was found; empty when nothing was, or it cannot be told. */
    default Optional<Statx> found() {
      return this instanceof Found found ? Optional.of(found.stat()) : Optional.empty();
    }
  }

  /** A question to the kernel. */
  public interface Question<T> {
    /** Asks, and may wait for the answer for good. */
    T ask() throws ErrnoException;
  }

  /**
   * @param since by System.nanoTime()
   */
  private record Asked<T>(FutureTask<T> task, long since) {}

  private record Subject(OsPath path, int mask) {}

  /**
   * statx(2) of a path, following links, with what the kernel has at hand (AT_STATX_DONT_SYNC):
   * inode, device and mount are always right.
   *
   * @param mask STATX_…
   */
  public Seen look(OsPath path, int mask) {
    Optional<Seen> known = byHeart(path, mask);
    if (known.isPresent()) {
      return known.get();
    }
    try {
      return ask(
              new Subject(path, mask),
              () -> sys.statx(Linux.AT_FDCWD, path, Linux.AT_STATX_DONT_SYNC, mask))
          .<Seen>map(Seen.Found::new)
          .orElse(new Seen.Untold(Optional.empty()));
    } catch (ErrnoException e) {
      return refused(e);
    }
  }

  private static Seen refused(ErrnoException e) {
    return e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)
        ? new Seen.Nothing()
        : new Seen.Untold(Optional.of(e));
  }

  /** What the kernel says without asking a file system; empty when it would have to. */
  private Optional<Seen> byHeart(OsPath path, int mask) {
    if (!cachedLookups) {
      return Optional.empty();
    }
    OpenHow how = new OpenHow(Linux.O_PATH, 0, Linux.RESOLVE_CACHED);
    try (Fd fd = new Fd(sys, sys.openat2(Linux.AT_FDCWD, path, how))) {
      int flags = Linux.AT_EMPTY_PATH | Linux.AT_STATX_DONT_SYNC;
      return Optional.of(new Seen.Found(sys.statx(fd.number(), OsPath.EMPTY, flags, mask)));
    } catch (ErrnoException e) {
      return switch (e.errno()) {
        case EAGAIN -> Optional.empty();
        // kernel before 5.12, or a sandbox that does not know openat2
        case EINVAL, ENOSYS, EPERM -> {
          cachedLookups = false;
          yield Optional.empty();
        }
        default -> Optional.of(refused(e));
      };
    }
  }

  /**
   * Asks, and waits for the answer for a moment.
   *
   * @param subject what is asked, to tell questions apart
   * @return empty when there is no answer in time
   */
  public <T> Optional<T> ask(Object subject, Question<T> question) throws ErrnoException {
    if (silent.size() >= MOST_SILENT && !asked.containsKey(subject)) {
      return Optional.empty();
    }
    Asked<?> one = asked.computeIfAbsent(subject, s -> begin(s, question));
    // equal subjects are asked by equal questions
    @SuppressWarnings("unchecked")
    FutureTask<T> task = (FutureTask<T>) one.task();
    long left = one.since() + PATIENCE_NANOS - System.nanoTime();
    Optional<T> answer = Uninterrupted.await(task, Duration.ofNanos(Math.max(0, left)));
    if (answer.isEmpty()) {
      silent.add(subject);
      if (task.isDone()) {
        silent.remove(subject);
      }
    }
    return answer;
  }

  /**
   * Asks what concerns the caller alone, and waits no longer than this: for whoever holds up others
   * meanwhile.
   *
   * @return empty when there is no answer in time
   */
  public <T> Optional<T> within(Duration patience, Question<T> question) throws ErrnoException {
    FutureTask<T> task = new FutureTask<>(question::ask);
    pool.execute(task);
    return Uninterrupted.await(task, patience);
  }

  private <T> Asked<T> begin(Object subject, Question<T> question) {
    FutureTask<T> task =
        new FutureTask<>(question::ask) {
          @Override
          protected void done() {
            // the next who asks may get another answer
            asked.remove(subject);
            silent.remove(subject);
          }
        };
    pool.execute(task);
    return new Asked<>(task, System.nanoTime());
  }

  /** Lets idle threads end; who waits in the kernel goes on waiting. */
  @Override
  public void close() {
    pool.shutdown();
  }
}
