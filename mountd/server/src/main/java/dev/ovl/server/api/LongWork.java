package dev.ovl.server.api;

import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.Watch;
import dev.ovl.server.http.HttpAnswer;
import dev.ovl.server.http.HttpRequest;
import dev.ovl.server.work.Lanes;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Work that takes as long as it takes, and whose answer is sent while it goes on.
 *
 * <p>It is done in its lane, by a thread of the lanes'; the thread of the connection waits for what
 * it gives, a few pieces ahead, and sends that. There is no deadline: it ends when it is done, or
 * soon after the client has gone away or the daemon is to end, since it asks {@link #isCancelled}.
 * By the rule of {@link Lanes} it counts as one of the workers for its first three seconds only, so
 * that no number of long downloads keeps others from being served.
 */
final class LongWork<T> implements Watch, AutoCloseable {
  private static final int MAX_PIECES = 4;
  private static final int PIECE_BYTES = 64 * 1024;

  /** How often it is looked whether the client is still there, and told how far the work is. */
  private static final long LOOK_MILLIS = 500;

  /** Wakes the thread of the connection. */
  private static final byte[] NOTHING = {};

  private final HttpRequest.Client client;
  private final boolean joined;
  private final Lanes.Begun<T> task;
  private final BlockingQueue<byte[]> pieces = new ArrayBlockingQueue<>(MAX_PIECES);
  private final CountDownLatch begun = new CountDownLatch(1);
  private volatile Far far = new Far(0, 0);
  private volatile boolean abandoned;
  private volatile boolean ready;
  private boolean withdrawn;

  /** What is done. */
  interface Job<T> {
    /**
     * Does it.
     *
     * @param body takes the answer's body, if there is one
     */
    T run(Watch watch, Body body) throws HostException;
  }

  /** Takes an answer's body; waits while the client is slow to read it. */
  interface Body extends WritableByteChannel {
    /** Takes some bytes. False when nobody wants them any more. */
    boolean take(byte[] bytes);
  }

  /** How far it is. */
  record Far(long entries, long bytes) {}

  /** What is told of that while it goes on. */
  interface Telling {
    /** The line, with its newline. */
    byte[] line(Far far);
  }

  /**
   * Begins.
   *
   * @param joined it works with the connection, which must not end before it
   * @throws Lanes.Full too much waits in the lane
   */
  LongWork(
      Lanes lanes, String lane, int width, HttpRequest.Client client, boolean joined, Job<T> job)
      throws Lanes.Full {
    this.client = client;
    this.joined = joined;
    this.task =
        lanes.begin(
            lane,
            width,
            () -> {
              try (Pieces out = new Pieces()) {
                return job.run(this, out);
              }
            });
    task.onEnd(
        () -> {
          begun.countDown();
          // where there is no room nobody waits
          var _ = pieces.offer(NOTHING);
        });
  }

  // ---- for the work -------------------------------------------------------------------------

  @Override
  public void begun() {
    ready = true;
    begun.countDown();
  }

  @Override
  public void at(long entries, long bytes) {
    far = new Far(entries, bytes);
  }

  @Override
  public boolean isCancelled() {
    return abandoned;
  }

  /** Cuts what is written into pieces, and waits while too many of them are unsent. */
  private final class Pieces implements Body {
    private final ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);

    @Override
    public boolean take(byte[] bytes) {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining() && !abandoned) {
        fill(rest);
      }
      return !abandoned;
    }

    private void fill(ByteBuffer from) {
      int length = Math.min(piece.remaining(), from.remaining());
      piece.put(from.slice(from.position(), length));
      from.position(from.position() + length);
      if (!piece.hasRemaining()) {
        pass();
      }
    }

    private void pass() {
      byte[] bytes = new byte[piece.flip().remaining()];
      piece.get(bytes).clear();
      try {
        while (!abandoned && !pieces.offer(bytes, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          // the client is slow
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        abandoned = true;
      }
    }

    @Override
    public int write(ByteBuffer from) throws ClosedChannelException {
      int length = from.remaining();
      while (from.hasRemaining()) {
        if (abandoned) {
          throw new ClosedChannelException();
        }
        fill(from);
      }
      return length;
    }

    @Override
    public boolean isOpen() {
      return !abandoned;
    }

    /** Passes on what is left. */
    @Override
    public void close() {
      if (piece.position() > 0) {
        pass();
      }
    }
  }

  // ---- for the connection -------------------------------------------------------------------

  /**
   * Waits until the work is under way, so that an answer can begin.
   *
   * @throws HostException it failed before
   */
  void awaitBegun() throws HostException {
    boolean whole = false;
    try {
      while (!begun.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (!look()) {
          throw gone();
        }
      }
      if (!ready) {
        var _ = result();
      }
      whole = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw gone();
    } finally {
      if (!whole) {
        close();
      }
    }
  }

  /**
   * Waits until the work has ended.
   *
   * @throws HostException nobody waits for it any more
   */
  void awaitEnd() throws HostException {
    boolean ended = false;
    try {
      while (!task.isDone()) {
        // what it gives first is that it ends
        var _ = pieces.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (!task.isDone() && !look()) {
          throw gone();
        }
      }
      ended = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw gone();
    } finally {
      if (!ended) {
        close();
      }
    }
  }

  /** Nobody reads this, unless the daemon is ending. */
  private static HostException gone() {
    return new HostException(
        Failure.of(Failure.Kind.UNAVAILABLE, "the daemon ends; it was not done (ECANCELED)"));
  }

  /** False when the work was abandoned, since nobody waits for it. */
  private boolean look() {
    task.look();
    if (!client.isOpen()) {
      abandon();
    }
    return !abandoned;
  }

  private void abandon() {
    if (!abandoned) {
      abandoned = true;
      withdrawn = task.withdraw();
    }
  }

  /**
   * Sends what the work gives until it ends.
   *
   * @param telling what is sent, too, now and then, to a client that reads
   * @return false: it was abandoned
   */
  boolean send(HttpAnswer.LineSink sink, Optional<Telling> telling) {
    Far told = new Far(0, 0);
    try {
      while (true) {
        boolean done = task.isDone();
        byte[] piece = done ? pieces.poll() : pieces.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        if (piece != null && piece.length > 0) {
          if (!sink.write(piece)) {
            abandon();
            return false;
          }
        } else if (done) {
          return true;
        } else if (!look()) {
          return false;
        } else if (telling.isPresent() && !told.equals(far) && sink.isReady()) {
          told = far;
          sink.write(telling.get().line(told));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      abandon();
      return false;
    }
  }

  /**
   * What the work gave, which has ended.
   *
   * @throws HostException it failed
   */
  T result() throws HostException {
    try {
      return task.result();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case HostException refused -> throw refused;
        case RuntimeException defect -> throw defect;
        case Error defect -> throw defect;
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  /** Ends it, if it has not ended. */
  @Override
  public void close() {
    if (task.isDone()) {
      return;
    }
    abandon();
    if (joined && !withdrawn) {
      join();
    }
  }

  private void join() {
    boolean interrupted = false;
    while (!task.isDone()) {
      try {
        var _ = pieces.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        // the connection must not end before what works with it
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
