package dev.ovl.server.work;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Work is done in line within a lane, side by side elsewhere, and nothing waits for ever. */
@Timeout(60)
class LanesTest {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final Duration SHORT = Duration.ofMillis(50);

  private final ExecutorService callers = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    callers.shutdownNow();
  }

  /** Work that begins, and ends when it is told to. */
  private static final class Held implements Callable<String> {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch end = new CountDownLatch(1);

    @Override
    public String call() throws InterruptedException {
      begun.countDown();
      end.await();
      return "done";
    }

    boolean isBegun() {
      return begun.getCount() == 0;
    }
  }

  private <T> CompletableFuture<T> start(
      Lanes lanes, String lane, int width, Duration deadline, Callable<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return lanes.run(lane, width, deadline, work);
          } catch (Lanes.Full | Lanes.Late | ExecutionException e) {
            throw new CompletionException(e);
          }
        },
        callers);
  }

  private static void awaitLoad(Lanes lanes, int load) throws InterruptedException {
    while (lanes.load() != load) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
  }

  @Test
  void aLaneGoesInLine() throws Exception {
    Lanes lanes = new Lanes(8, 100);
    List<Integer> order = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger atOnce = new AtomicInteger();
    Held first = new Held();
    List<CompletableFuture<?>> all = new ArrayList<>();
    all.add(start(lanes, "a", 1, LONG, first));
    first.begun.await();
    for (int i = 0; i < 50; i++) {
      int number = i;
      all.add(
          start(
              lanes,
              "a",
              1,
              LONG,
              () -> {
                assertEquals(1, atOnce.incrementAndGet());
                order.add(number);
                return atOnce.decrementAndGet();
              }));
      // one after the other into the lane
      awaitLoad(lanes, i + 2);
    }
    first.end.countDown();
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
    List<Integer> sorted = new ArrayList<>(order);
    Collections.sort(sorted);
    assertEquals(sorted, order);
    assertEquals(50, order.size());
    awaitLoad(lanes, 0);
  }

  @Test
  void lanesGoSideBySideUpToTheWorkers() throws Exception {
    Lanes lanes = new Lanes(2, 100);
    Held a = new Held();
    Held b = new Held();
    Held c = new Held();
    CompletableFuture<String> ofA = start(lanes, "a", 1, LONG, a);
    CompletableFuture<String> ofB = start(lanes, "b", 1, LONG, b);
    a.begun.await();
    b.begun.await();
    CompletableFuture<String> ofC = start(lanes, "c", 1, LONG, c);
    awaitLoad(lanes, 3);
    assertFalse(c.isBegun());
    a.end.countDown();
    assertEquals("done", ofA.get());
    c.begun.await();
    b.end.countDown();
    c.end.countDown();
    assertEquals("done", ofB.get());
    assertEquals("done", ofC.get());
  }

  @Test
  void aWideLaneTakesSeveralAtOnce() throws Exception {
    Lanes lanes = new Lanes(8, 100);
    List<Held> held = List.of(new Held(), new Held(), new Held());
    List<CompletableFuture<String>> results =
        held.stream().map(work -> start(lanes, "a", 2, LONG, work)).toList();
    awaitLoad(lanes, 3);
    while (held.stream().filter(Held::isBegun).count() < 2) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertEquals(2, held.stream().filter(Held::isBegun).count());
    held.forEach(work -> work.end.countDown());
    for (CompletableFuture<String> result : results) {
      assertEquals("done", result.get());
    }
  }

  @Test
  void workThatIsNotBegunInTimeIsNeverDone() throws Exception {
    Lanes lanes = new Lanes(8, 100);
    Held held = new Held();
    CompletableFuture<String> first = start(lanes, "a", 1, LONG, held);
    held.begun.await();
    Held never = new Held();
    Lanes.Late late = assertThrows(Lanes.Late.class, () -> lanes.run("a", 1, SHORT, never));
    assertFalse(late.begun());
    assertEquals(1, lanes.load());
    held.end.countDown();
    first.get();
    assertEquals("next", lanes.run("a", 1, LONG, () -> "next"));
    assertFalse(never.isBegun());
  }

  /** It waits for a worker then, not for its lane. */
  @Test
  void workThatFindsNoWorkerIsTakenBackToo() throws Exception {
    Lanes lanes = new Lanes(1, 100);
    Held held = new Held();
    CompletableFuture<String> first = start(lanes, "a", 1, LONG, held);
    held.begun.await();
    Held never = new Held();
    assertFalse(assertThrows(Lanes.Late.class, () -> lanes.run("b", 1, SHORT, never)).begun());
    held.end.countDown();
    first.get();
    assertEquals("next", lanes.run("b", 1, LONG, () -> "next"));
    assertFalse(never.isBegun());
    awaitLoad(lanes, 0);
  }

  @Test
  void workThatIsNotDoneInTimeGoesOnAndKeepsItsLane() throws Exception {
    Lanes lanes = new Lanes(8, 100);
    Held held = new Held();
    Lanes.Late late = assertThrows(Lanes.Late.class, () -> lanes.run("a", 1, SHORT, held));
    assertTrue(late.begun());
    assertFalse(
        assertThrows(Lanes.Late.class, () -> lanes.run("a", 1, SHORT, () -> "second")).begun());
    held.end.countDown();
    assertEquals("third", lanes.run("a", 1, LONG, () -> "third"));
  }

  @Test
  void whatIsStuckNoLongerCountsAsWorker() throws Exception {
    Lanes lanes = new Lanes(1, 100);
    Held stuck = new Held();
    CompletableFuture<String> first = start(lanes, "a", 1, LONG, stuck);
    stuck.begun.await();
    // its caller has still patience, but another stack gets its turn
    assertEquals("other", lanes.run("b", 1, LONG, () -> "other"));
    assertFalse(first.isDone());
    stuck.end.countDown();
    first.get();
  }

  /** However long it waited before it was begun, and also when its caller waits no more. */
  @Test
  void whatGetsStuckAfterAWaitCountsNoLongerEither() throws Exception {
    Lanes lanes = new Lanes(1, 100);
    Held slow = new Held();
    CompletableFuture<String> first = start(lanes, "a", 1, LONG, slow);
    slow.begun.await();
    Held stuck = new Held();
    CompletableFuture<String> second = start(lanes, "a", 1, LONG, stuck);
    awaitLoad(lanes, 2);
    // the second waits longer than it takes to be called stuck
    assertEquals("other", lanes.run("b", 1, LONG, () -> "other"));
    TimeUnit.SECONDS.sleep(1);
    slow.end.countDown();
    first.get();
    stuck.begun.await();
    assertEquals("other", lanes.run("b", 1, LONG, () -> "other"));

    Held left = new Held();
    assertTrue(assertThrows(Lanes.Late.class, () -> lanes.run("c", 1, SHORT, left)).begun());
    assertEquals("other", lanes.run("b", 1, LONG, () -> "other"));
    stuck.end.countDown();
    left.end.countDown();
    second.get();
    awaitLoad(lanes, 0);
  }

  @Test
  void aLaneThatIsFullSaysSo() throws Exception {
    Lanes lanes = new Lanes(8, 2);
    Held held = new Held();
    List<CompletableFuture<String>> taken = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      taken.add(start(lanes, "a", 1, LONG, held));
    }
    awaitLoad(lanes, 3);
    assertThrows(Lanes.Full.class, () -> lanes.run("a", 1, LONG, () -> "more"));
    assertEquals("other", lanes.run("b", 1, LONG, () -> "other"), "others are not concerned");
    held.end.countDown();
    for (CompletableFuture<String> result : taken) {
      assertEquals("done", result.get());
    }
    assertEquals("again", lanes.run("a", 1, LONG, () -> "again"));
  }

  @Test
  void workWithoutADeadlineIsBegunInItsLane() throws Exception {
    Lanes lanes = new Lanes(8, 1);
    Held first = new Held();
    CountDownLatch told = new CountDownLatch(1);
    Lanes.Begun<String> begun = lanes.begin("a", 1, first);
    begun.onEnd(told::countDown);
    Lanes.Begun<String> waiting = lanes.begin("a", 1, () -> "never");
    assertThrows(Lanes.Full.class, () -> lanes.begin("a", 1, () -> "too much"));
    first.begun.await();
    assertFalse(begun.withdraw(), "it is under way");
    assertTrue(waiting.withdraw());
    assertFalse(begun.isDone());
    first.end.countDown();
    told.await();
    assertTrue(begun.isDone());
    assertEquals("done", begun.result());
    awaitLoad(lanes, 0);
    assertFalse(waiting.isDone(), "it was taken back");

    IllegalStateException thrown = new IllegalStateException();
    Lanes.Begun<String> failing =
        lanes.begin(
            "a",
            1,
            () -> {
              throw thrown;
            });
    assertEquals(thrown, assertThrows(ExecutionException.class, failing::result).getCause());
  }

  /** Like work with a deadline: somebody has to look. */
  @Test
  void workWithoutADeadlineIsNoWorkersForLong() throws Exception {
    Lanes lanes = new Lanes(1, 1);
    Held held = new Held();
    Lanes.Begun<String> begun = lanes.begin("a", 1, held);
    held.begun.await();
    CompletableFuture<String> other = start(lanes, "b", 1, LONG, () -> "served");
    while (!other.isDone()) {
      begun.look();
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertEquals("served", other.get());
    assertFalse(begun.isDone());
    held.end.countDown();
    assertEquals("done", begun.result());
  }

  @Test
  void whatWorkThrowsReachesTheCaller() {
    Lanes lanes = new Lanes(1, 1);
    IllegalStateException thrown = new IllegalStateException();
    ExecutionException e =
        assertThrows(
            ExecutionException.class,
            () ->
                lanes.run(
                    "a",
                    1,
                    LONG,
                    () -> {
                      throw thrown;
                    }));
    assertEquals(thrown, e.getCause());
    assertEquals(0, lanes.load());
  }

  @Test
  void whoIsInterruptedWaitsNoMore() throws Exception {
    Lanes lanes = new Lanes(1, 1);
    Held held = new Held();
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    lanes.run("a", 1, LONG, held);
                  } catch (Lanes.Late e) {
                    interrupted.complete(Thread.currentThread().isInterrupted());
                  } catch (Lanes.Full | ExecutionException e) {
                    interrupted.completeExceptionally(e);
                  }
                });
    held.begun.await();
    caller.interrupt();
    assertTrue(interrupted.get());
    held.end.countDown();
  }
}
