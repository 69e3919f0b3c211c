package dev.ovl.engine.file;

import dev.ovl.sys.ErrnoException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits for work in another thread that must be seen to its end. */
public final class Uninterrupted {
  private Uninterrupted() {}

  /**
   * Waits even when interrupted, since system calls under way cannot be called back; the
   * interruption stands afterwards.
   *
   * @return what the work gave
   * @throws ErrnoException what the work threw
   */
  public static <T> T await(Future<T> work) throws ErrnoException {
    try {
      return within(work, Long.MAX_VALUE);
    } catch (TimeoutException e) {
      throw new IllegalStateException("three centuries are over", e);
    }
  }

  /**
   * As {@link #await(Future)}, but not longer than this.
   *
   * @return what the work gave, which is not null; empty when it goes on
   */
  public static <T> Optional<T> await(Future<T> work, Duration atMost) throws ErrnoException {
    try {
      return Optional.of(within(work, atMost.toNanos()));
    } catch (TimeoutException e) {
      return Optional.empty();
    }
  }

  private static <T> T within(Future<T> work, long nanos) throws ErrnoException, TimeoutException {
    boolean interrupted = false;
    long start = System.nanoTime();
    try {
      while (true) {
        try {
          return work.get(nanos - (System.nanoTime() - start), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          switch (e.getCause()) {
            case ErrnoException failure -> throw failure;
            case RuntimeException failure -> throw failure;
            case Error failure -> throw failure;
            default -> throw new IllegalStateException(e.getCause());
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
