package dev.ovl.server.event;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Peer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A listener gets each change once and in order, or is told how many it lost. */
@Timeout(60)
class EventStreamTest {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final int ROOM = 4096;

  private final Changes changes = new Changes();

  private static Change change(int number) {
    return new Change(
        Instant.EPOCH,
        "up",
        "s" + number,
        new Peer(1, 0, 0, List.of()),
        Duration.ZERO,
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void changesComeInOrderToEachListener() throws InterruptedException {
    try (EventStream one = new EventStream(changes);
        EventStream two = new EventStream(changes)) {
      changes.tell(change(1));
      changes.tell(change(2));
      for (EventStream stream : List.of(one, two)) {
        assertEquals(Optional.of(change(1)), stream.next(Duration.ZERO));
        assertEquals(Optional.of(change(2)), stream.next(Duration.ZERO));
        assertEquals(Optional.empty(), stream.next(Duration.ZERO));
        assertEquals(0, stream.takeLost());
      }
    }
  }

  @Test
  void aListenerIsWokenByAChange() throws Exception {
    try (EventStream stream = new EventStream(changes)) {
      CompletableFuture<Optional<Change>> next =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return stream.next(LONG);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      changes.tell(change(1));
      assertEquals(Optional.of(change(1)), next.get());
    }
  }

  @Test
  void aSlowListenerLosesTheLatestAndIsTold() throws InterruptedException {
    try (EventStream stream = new EventStream(changes)) {
      for (int i = 0; i < ROOM + 7; i++) {
        changes.tell(change(i));
      }
      assertEquals(7, stream.takeLost());
      assertEquals(0, stream.takeLost(), "told once");
      for (int i = 0; i < ROOM; i++) {
        assertEquals(Optional.of(change(i)), stream.next(Duration.ZERO));
      }
      assertTrue(stream.next(Duration.ZERO).isEmpty());
      changes.tell(change(9));
      assertEquals(Optional.of(change(9)), stream.next(Duration.ZERO), "it goes on");
    }
  }

  @Test
  void whoLeftHearsNothing() throws InterruptedException {
    EventStream stream = new EventStream(changes);
    stream.close();
    changes.tell(change(1));
    assertTrue(stream.next(Duration.ZERO).isEmpty());
  }
}
