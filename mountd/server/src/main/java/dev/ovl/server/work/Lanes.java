package dev.ovl.server.work;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Carries out work in threads of its own, with a deadline. Work of one lane goes in line; lanes go
 * side by side, up to a number of workers.
 *
 * <p>A system call on a file system that hangs cannot be called back. Its thread is lost until the
 * file system comes back, and with it its lane; so what waits in that lane holds no thread, and
 * work that takes too long no longer counts as one of the workers.
 */
public final class Lanes {
  /** Longer work does not count. */
  private static final Duration STUCK = Duration.ofSeconds(3);

  /** After so long without work a thread ends: an idle daemon is to be small. */
  private static final Duration IDLE = Duration.ofSeconds(10);

  private final int workers;
  private final int maxWaiting;
  private final ExecutorService threads =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          IDLE.toSeconds(),
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().name("worker-", 1).daemon().factory());

  // all below under the lock of this object
  private final Map<String, Lane> lanes = new HashMap<>();
  private final Deque<Task<?>> ready = new ArrayDeque<>();
  private int counted;

  /**
   * @param workers how much is carried out at the same time
   * @param maxWaiting how much may wait in one lane
   */
  public Lanes(int workers, int maxWaiting) {
    this.workers = workers;
    this.maxWaiting = maxWaiting;
  }

  /** Work that was not done within its deadline. */
  public static final class Late extends Exception {
    private static final long serialVersionUID = 1L;
    private final boolean begun;

    private Late(boolean begun) {
      this.begun = begun;
    }

    /** Whether it was begun, so that it may still be done; else it never will be. */
    public boolean begun() {
      return begun;
    }
  }

  /** Too much waits already. */
  public static final class Full extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private static final class Lane {
    private final Deque<Task<?>> waiting = new ArrayDeque<>();
    private int running;
  }

  private final class Task<T> implements Runnable {
    private final String laneName;
    private final int width;
    private final Callable<T> work;
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private boolean begun;
    private long begunAt;
    private boolean countsAsWorker;

    Task(String laneName, int width, Callable<T> work) {
      this.laneName = laneName;
      this.width = width;
      this.work = work;
    }

    @Override
    public void run() {
      try {
        T value = work.call();
        ended(this);
        result.complete(value);
      } catch (Throwable e) {
        ended(this);
        result.completeExceptionally(e);
      }
    }
  }

  /**
   * Carries out work and waits for it.
   *
   * @param lane what it concerns
   * @param width how much of that lane may go on at the same time
   * @param deadline how long the caller waits
   * @return what the work gave
   * @throws Full too much waits in the lane; the work is not done
   * @throws Late the deadline is over
   * @throws ExecutionException the work threw something
   */
  public <T> T run(String lane, int width, Duration deadline, Callable<T> work)
      throws Full, Late, ExecutionException {
    long end = System.nanoTime() + deadline.toNanos();
    Task<T> task = new Task<>(lane, width, work);
    enter(task);
    try {
      while (true) {
        long left = end - System.nanoTime();
        try {
          return task.result.get(Math.min(left, STUCK.toNanos()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          if (left <= STUCK.toNanos()) {
            throw late(task);
          }
          lookWhetherStuck(task);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw late(task);
    }
  }

  /**
   * Begins work without a deadline, and does not wait for it.
   *
   * @param lane what it concerns
   * @param width how much of that lane may go on at the same time
   * @throws Full too much waits in the lane; the work is not done
   */
  public <T> Begun<T> begin(String lane, int width, Callable<T> work) throws Full {
    Task<T> task = new Task<>(lane, width, work);
    enter(task);
    return new Begun<>(task);
  }

  /** Work that {@link #begin} has put into its lane. */
  public final class Begun<T> {
    private final Task<T> task;

    private Begun(Task<T> task) {
      this.task = task;
    }

    /** Does something when it has come to its end; not when it is withdrawn. */
    public void onEnd(Runnable action) {
      var _ = task.result.whenComplete((value, failure) -> action.run());
    }

    /** Whether it has come to its end. */
    public boolean isDone() {
      return task.result.isDone();
    }

    /** To be called every second or so: work that takes long does not count as a worker's. */
    public void look() {
      lookWhetherStuck(task);
    }

    /** Takes it back if it was not begun: it will never be done then. */
    public boolean withdraw() {
      return withdrawn(task);
    }

    /**
     * What the work gave, which is done.
     *
     * @throws ExecutionException the work threw something
     */
    public T result() throws ExecutionException {
      try {
        return task.result.join();
      } catch (CompletionException e) {
        throw new ExecutionException(e.getCause());
      }
    }
  }

  /** Nobody waits for the task any more, nor looks whether it is stuck. */
  private synchronized Late late(Task<?> task) {
    countNoMore(task);
    return new Late(!withdrawn(task));
  }

  /** By the time since it was begun: it may have waited in its lane for long before. */
  private synchronized void lookWhetherStuck(Task<?> task) {
    if (task.begun && System.nanoTime() - task.begunAt >= STUCK.toNanos()) {
      countNoMore(task);
    }
  }

  private synchronized void enter(Task<?> task) throws Full {
    Lane lane = lanes.computeIfAbsent(task.laneName, name -> new Lane());
    if (lane.running < task.width) {
      lane.running++;
      ready.add(task);
      startReady();
    } else if (lane.waiting.size() < maxWaiting) {
      lane.waiting.add(task);
    } else {
      throw new Full();
    }
  }

  private synchronized void startReady() {
    while (counted < workers && !ready.isEmpty()) {
      Task<?> task = ready.remove();
      task.begun = true;
      task.begunAt = System.nanoTime();
      task.countsAsWorker = true;
      counted++;
      threads.execute(task);
    }
  }

  private synchronized void ended(Task<?> task) {
    countNoMore(task);
    leave(task);
  }

  private synchronized void countNoMore(Task<?> task) {
    if (task.countsAsWorker) {
      task.countsAsWorker = false;
      counted--;
      startReady();
    }
  }

  /** The next of the lane takes the place. */
  private synchronized void leave(Task<?> task) {
    Lane lane = lanes.get(task.laneName);
    lane.running--;
    if (!lane.waiting.isEmpty()) {
      lane.running++;
      ready.add(lane.waiting.remove());
    } else if (lane.running == 0) {
      lanes.remove(task.laneName);
    }
    startReady();
  }

  /** Takes back work that was not begun. */
  private synchronized boolean withdrawn(Task<?> task) {
    if (task.begun) {
      return false;
    }
    Lane lane = lanes.get(task.laneName);
    if (!lane.waiting.remove(task)) {
      ready.remove(task);
      leave(task);
    }
    return true;
  }

  /** How much is under way or waits. */
  public synchronized int load() {
    int load = 0;
    for (Lane lane : lanes.values()) {
      load += lane.running + lane.waiting.size();
    }
    return load;
  }
}
