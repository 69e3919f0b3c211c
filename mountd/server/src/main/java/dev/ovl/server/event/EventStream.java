package dev.ovl.server.event;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The changes that one listener has not yet taken. Changes never wait for a listener: one that is
 * too slow loses some and is told how many.
 */
public final class EventStream implements Consumer<Change>, AutoCloseable {
  private static final int MAX_WAITING = 4096;

  private final Changes changes;
  private final Deque<Change> waiting = new ArrayDeque<>();
  private long lost;

  /** Listens until it is closed. */
  public EventStream(Changes changes) {
    this.changes = changes;
    changes.listen(this);
  }

  @Override
  public synchronized void accept(Change change) {
    if (waiting.size() < MAX_WAITING) {
      waiting.add(change);
      notifyAll();
    } else {
      lost++;
    }
  }

  /** The next change, waited for; absent when there was none in time. */
  public synchronized Optional<Change> next(Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (waiting.isEmpty()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        return Optional.empty();
      }
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
    return Optional.of(waiting.remove());
  }

  /** How many were lost since this was last asked. */
  public synchronized long takeLost() {
    long count = lost;
    lost = 0;
    return count;
  }

  @Override
  public void close() {
    changes.leave(this);
  }
}
