package dev.ovl.engine.move;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Uninterrupted;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Syscalls;
import java.util.Optional;
import java.util.concurrent.FutureTask;

/**
 * Writes a file system to the disk (syncfs(2)) while a copy grows in it, so that little is left to
 * wait for when the copy is complete. On an overlay nothing less will do: sync_file_range(2) does
 * nothing there.
 *
 * <p>For one thread, beside which there is another for each round.
 */
final class Writeback implements AutoCloseable {
  /** Less is on the disk in a moment. */
  private static final long STEP_BYTES = 32L << 20;

  private final Syscalls sys;
  private final Fd directory;
  private Optional<FutureTask<Boolean>> round = Optional.empty();
  private long written;

  /**
   * @param directory on the file system; stays open
   */
  Writeback(Syscalls sys, Fd directory) {
    this.sys = sys;
    this.directory = directory;
  }

  /**
   * So many more bytes are to be on the disk some time.
   *
   * @throws EngineException what came before could not be written
   */
  void written(long bytes) throws EngineException {
    written += bytes;
    if (written < STEP_BYTES || (round.isPresent() && !round.get().isDone())) {
      return;
    }
    try {
      close();
    } catch (ErrnoException e) {
      throw EngineException.unexpected(e);
    }
    written = 0;
    FutureTask<Boolean> next =
        new FutureTask<>(
            () -> {
              sys.syncfs(directory.number());
              return true;
            });
    round = Optional.of(next);
    Thread.ofPlatform().daemon().name("ovl-writeback").start(next);
  }

  /**
   * Waits for the round that is under way.
   *
   * @throws ErrnoException of syncfs(2), which tells of an error once
   */
  @Override
  public void close() throws ErrnoException {
    Optional<FutureTask<Boolean>> last = round;
    round = Optional.empty();
    if (last.isPresent()) {
      Uninterrupted.await(last.get());
    }
  }
}
