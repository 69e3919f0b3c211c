package dev.ovl.engine.file;

import dev.ovl.sys.ErrnoException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

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
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return work.get();
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
