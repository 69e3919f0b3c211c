package dev.ovl.it.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import dev.ovl.it.Mountd;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * 64 clients on 1000 stacks of one daemon. For half a minute; for ten with {@code
 * -Dovl.load.seconds=600}. What they ask is decided by a seed, which is printed and can be given:
 * {@code -Dovl.load.seed=42}. The order in which the daemon gets it is not.
 */
class DaemonLoadTest {
  private static final int CLIENTS = 64;
  private static final int STACKS = 1000;

  /** To look at everything after a round takes as long as a short one. */
  private static final int MIN_ROUND_SECONDS = 10;

  private static final int MAX_ROUNDS = 12;

  /**
   * By how much the heap may differ: more of the stacks are up at times, caches fill. A hundred
   * bytes a request would be more after half a minute.
   */
  private static final long HEAP_SLACK_BYTES = 2 << 20;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @BeforeEach
  void overlay() {
    Requires.overlay();
  }

  /** What a daemon has that nobody is connected to. */
  private record Idle(List<String> threads, List<String> descriptors) {
    static Idle of(Footprint daemon) {
      return new Idle(
          daemon.threads().stream()
              // the JVM starts and ends these when it likes
              .filter(name -> !name.startsWith("C1 Compiler"))
              .toList(),
          daemon.descriptors());
    }

    boolean hasConnections() {
      return threads.stream().anyMatch(name -> name.matches("(request|worker)-.*"))
          || Collections.frequency(descriptors, "socket") > 1;
    }

    /** Waits until the last connection and the threads for it are gone. */
    static Idle await(Footprint daemon) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      Idle now = of(daemon);
      while (now.hasConnections() && System.nanoTime() < end) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        now = of(daemon);
      }
      return now;
    }
  }

  /** All that it does at least once, so that what it keeps for good is there. */
  private static void warmUp(Footprint daemon, Load load) throws HostException {
    try (HttpHost host = daemon.daemon().client()) {
      host.about();
      for (String method : List.of("classic", "relative", "lowerdir+", "fd")) {
        StackState.Shape shape =
            new StackState.Shape(
                List.of("L0"), StackState.Upper.OWN, false, List.of(), Optional.of(method));
        host.create(load.site().draft("warm", shape), true, false);
        host.down("warm", false, false);
        host.remove("warm", false, false);
      }
      host.list();
      host.probe();
    }
    daemon.liveHeapBytes();
  }

  @Test
  void everyAnswerHoldsAndNothingLeaks() throws HostException {
    long seconds = Long.getLong("ovl.load.seconds", 30);
    long seed = Long.getLong("ovl.load.seed", System.nanoTime());
    System.out.println("DaemonLoadTest seed " + seed + ", " + seconds + " s");
    try (Mountd daemon = Mountd.start(scratch, Map.of());
        Load load = new Load(scratch, daemon, CLIENTS, STACKS, seed)) {
      Footprint footprint = new Footprint(daemon);
      warmUp(footprint, load);
      Idle idle = Idle.await(footprint);
      long empty = footprint.liveHeapBytes();

      List<Long> heap = work(footprint, load, seconds);
      System.out.println(
          "DaemonLoadTest %d answers; heap %d KiB, then %s; resident %d KiB"
              .formatted(
                  load.answered(),
                  empty / 1024,
                  heap.stream().map(bytes -> bytes / 1024).toList(),
                  footprint.residentKib()));
      List<Long> earlier = heap.subList(0, (heap.size() + 1) / 2);
      List<Long> later = heap.subList(heap.size() / 2, heap.size());
      assertTrue(
          Collections.min(later) <= Collections.min(earlier) + HEAP_SLACK_BYTES,
          () -> "the heap grows: " + heap);

      load.close();
      assertEquals(List.of(), Audit.mountPoints(Path.of(scratch.path().toString())));
      assertEquals(idle, Idle.await(footprint), daemon::threadDump);
      assertTrue(
          footprint.liveHeapBytes() <= empty + HEAP_SLACK_BYTES,
          () -> "without stacks it had " + empty + " bytes, and now\n" + footprint.heapHistogram());
    }
  }

  /** Returns the live bytes of the heap after each round, and removes all stacks in the end. */
  private static List<Long> work(Footprint daemon, Load load, long seconds) throws HostException {
    List<Long> heap = new ArrayList<>();
    try (HttpHost host = daemon.daemon().client()) {
      host.about();
      load.populate(daemon.daemon());
      long round = Math.max(MIN_ROUND_SECONDS, seconds / MAX_ROUNDS);
      for (long rest = seconds; rest > 0; rest -= round) {
        load.round(daemon.daemon(), Duration.ofSeconds(Math.min(rest, round)));
        load.check(host);
        heap.add(daemon.liveHeapBytes());
      }
      load.removeAll(host);
    }
    return heap;
  }
}
