package dev.ovl.it.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackEntry;
import dev.ovl.it.Mountd;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.HungFileSystem;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * One stack that cannot get on, since its file system hangs or another process has its lock: what
 * concerns it waits its turn and is answered in time, what concerns others goes on.
 */
class DaemonHungTest {
  private static final Duration DEADLINE = Duration.ofSeconds(2);
  private static final Duration WATCHDOG = Duration.ofSeconds(1);

  /** Far more than anything here takes that does not hang. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int HAMMERING = 100;

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final HungFileSystem hung = new HungFileSystem("lower", "target");

  private final Syscalls sys = new LinuxSyscalls();

  @BeforeEach
  void overlay() {
    Requires.overlay();
  }

  /** What of the stack lies on the file system that hangs. */
  enum Part {
    LOWER,
    TARGET
  }

  private StackDraft draft(String name, OsPath lower, Optional<OsPath> target) {
    return new StackDraft(
        name,
        Optional.empty(),
        List.of(lower.toString()),
        List.of(),
        Optional.empty(),
        false,
        Optional.empty(),
        Optional.empty(),
        target.map(OsPath::toString),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        false);
  }

  /**
   * Creates {@code stuck}, which is down, and {@code a} and {@code b}, of which {@code b} is up.
   */
  private void createStacks(Mountd daemon, Part part) throws Exception {
    OsPath point = scratch.mkdirs("hung");
    hung.mount(point);
    OsPath lower = scratch.mkdirs("lower");
    try (HttpHost host = client(daemon)) {
      host.create(
          part == Part.LOWER
              ? draft("stuck", point.resolve("lower"), Optional.empty())
              : draft("stuck", lower, Optional.of(point.resolve("target"))),
          false,
          false);
      host.create(draft("a", lower, Optional.empty()), false, false);
      host.create(draft("b", lower, Optional.empty()), true, false);
    }
  }

  private static HttpHost client(Mountd daemon) throws HostException {
    HttpHost host = daemon.client();
    host.about();
    return host;
  }

  private Mountd start(Watchdog watchdog) {
    return Mountd.start(
        scratch,
        watchdog.environment(WATCHDOG),
        "--request-timeout",
        String.valueOf(DEADLINE.toSeconds()));
  }

  /** All that others may want while one is stuck. */
  private static void useOthers(HttpHost host) throws HostException {
    host.up("a", false, false);
    assertTrue(host.status("a").up());
    assertTrue(host.inspect("b").up());
    List<StackEntry> entries = host.list();
    assertEquals(
        List.of("a", "b", "stuck"), entries.stream().map(StackEntry::name).sorted().toList());
    for (StackEntry entry : entries) {
      if (!entry.name().equals("stuck")) {
        assertTrue(assertInstanceOf(StackEntry.Known.class, entry).summary().up(), entry::name);
      }
    }
    assertEquals(3, host.namesByDependency().size());
    host.down("a", false, false);
    host.copy("b", copyAs("c"), false);
    host.remove("c", false, false);
  }

  private static dev.ovl.api.StackCopy copyAs(String name) {
    return new dev.ovl.api.StackCopy(
        name,
        new dev.ovl.api.StackPatch(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  private static <T> FutureTask<T> start(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  /** Why a request was refused, with a connection of its own. */
  private interface Ask {
    void of(HttpHost host) throws HostException;
  }

  private static Failure refused(Mountd daemon, Ask ask) throws HostException {
    try (HttpHost host = client(daemon)) {
      return assertThrows(HostException.class, () -> ask.of(host)).failure();
    }
  }

  private static <T> T result(FutureTask<T> task, Mountd daemon) throws Exception {
    try {
      return task.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (java.util.concurrent.TimeoutException e) {
      throw new AssertionError("hangs\n" + daemon.threadDump(), e);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }

  @ParameterizedTest
  @EnumSource
  void requestsToItEndInTimeAndOthersGoOn(Part part) throws Exception {
    try (Watchdog watchdog = new Watchdog(scratch.resolve("notify"));
        Mountd daemon = start(watchdog);
        HttpHost host = client(daemon)) {
      createStacks(daemon, part);
      hung.hang();

      FutureTask<Failure> up = start(() -> refused(daemon, h -> h.up("stuck", false, false)));
      useOthers(host);
      Failure begun = result(up, daemon);
      assertEquals(
          new Failure(
              Failure.Kind.TIMEOUT,
              "was not done within 2 s and goes on: a file system may hang (ETIMEDOUT)",
              begun.errno()),
          begun);
      assertEquals(
          "was not begun within 2 s: others that concern it are before it (ETIMEDOUT)",
          refused(daemon, h -> h.remove("stuck", true, false)).message());
      useOthers(host);
      watchdog.awaitLife(PATIENCE);

      hung.answer();
      // what had begun goes on and holds; what had not is never done
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!host.status("stuck").up() && System.nanoTime() < end) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      }
      assertTrue(host.status("stuck").up(), daemon::threadDump);
      host.down("stuck", false, false);
      assertFalse(host.status("stuck").up());
      removeAll(host);
    }
  }

  private void removeAll(HttpHost host) throws HostException {
    for (StackEntry entry : host.list()) {
      host.remove(entry.name(), true, false);
    }
    Path point = Path.of(scratch.resolve("hung").toString());
    assertEquals(List.of(point.toString()), Audit.mountPoints(Path.of(scratch.path().toString())));
  }

  /** Asks again and again of the stack that is stuck; tells what else was answered than in time. */
  private static void hammer(Mountd daemon, int number, Queue<String> odd, AtomicInteger answers) {
    try (HttpHost host = client(daemon)) {
      for (int i = 0; i < 3; i++) {
        try {
          switch ((number + i) % 4) {
            case 0 -> host.up("stuck", false, false);
            case 1 -> host.down("stuck", false, false);
            case 2 -> host.status("stuck");
            default -> host.inspect("stuck");
          }
        } catch (HostException e) {
          if (e.failure().kind() != Failure.Kind.TIMEOUT) {
            odd.add(e.failure().toString());
          }
        }
        answers.incrementAndGet();
      }
    } catch (HostException e) {
      odd.add(e.failure().toString());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aHundredClientsOfItDoNotKeepOthersOut(Part part) throws Exception {
    try (Watchdog watchdog = new Watchdog(scratch.resolve("notify"));
        Mountd daemon = start(watchdog)) {
      createStacks(daemon, part);
      hung.hang();
      Queue<String> odd = new ConcurrentLinkedQueue<>();
      AtomicInteger answers = new AtomicInteger();
      List<FutureTask<Void>> hammering = new ArrayList<>();
      for (int i = 0; i < HAMMERING; i++) {
        int number = i;
        hammering.add(
            start(
                () -> {
                  hammer(daemon, number, odd, answers);
                  return null;
                }));
      }
      int rounds = 0;
      try (HttpHost host = client(daemon)) {
        while (!hammering.stream().allMatch(FutureTask::isDone)) {
          useOthers(host);
          rounds++;
        }
        watchdog.awaitLife(PATIENCE);
        for (FutureTask<Void> one : hammering) {
          result(one, daemon);
        }
        assertEquals(List.of(), List.copyOf(odd));
        assertEquals(HAMMERING * 3, answers.get());
        // three deadlines of two seconds: others got many times as much done
        assertTrue(rounds > 3, "rounds of others: " + rounds);
        hung.answer();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end && !answersAgain(host)) {
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        host.down("stuck", false, false);
        removeAll(host);
      }
    }
  }

  private static boolean answersAgain(HttpHost host) throws HostException {
    try {
      host.status("stuck");
      return true;
    } catch (HostException e) {
      assertEquals(Failure.Kind.TIMEOUT, e.failure().kind());
      return false;
    }
  }

  // ---- a lock that another process has ------------------------------------------------------

  private Fd lockedByAnother(String stack) throws ErrnoException {
    OsPath file = scratch.resolve("root/stacks/." + stack + ".lock");
    Fd lock = new Fd(sys, sys.openat(Linux.AT_FDCWD, file, Linux.O_RDWR | Linux.O_CREAT, 0600));
    assertTrue(sys.flock(lock.number(), Linux.LOCK_EX | Linux.LOCK_NB));
    return lock;
  }

  @Test
  void oneStackIsSerialisedAndOthersGoSideBySide() throws Exception {
    try (Mountd daemon = Mountd.start(scratch, Map.of());
        HttpHost host = client(daemon)) {
      OsPath lower = scratch.mkdirs("lower");
      host.create(draft("stuck", lower, Optional.empty()), true, false);
      host.create(draft("a", lower, Optional.empty()), false, false);
      host.create(draft("b", lower, Optional.empty()), true, false);
      List<FutureTask<Boolean>> removals = new ArrayList<>();
      Fd lock = lockedByAnother("stuck");
      try {
        for (int i = 0; i < 8; i++) {
          removals.add(start(() -> removes(daemon, "stuck")));
        }
        // each of these begins and ends while the others are under way
        useOthers(host);
        assertTrue(host.status("stuck").up());
        assertTrue(removals.stream().noneMatch(FutureTask::isDone));
      } finally {
        lock.close();
      }
      int done = 0;
      for (FutureTask<Boolean> removal : removals) {
        done += result(removal, daemon) ? 1 : 0;
      }
      assertEquals(1, done);
      assertEquals(
          Failure.Kind.NO_SUCH_STACK,
          assertThrows(HostException.class, () -> host.status("stuck")).failure().kind());
    }
  }

  /** Whether it was this request that removed the stack. */
  private static boolean removes(Mountd daemon, String stack) throws HostException {
    try (HttpHost host = client(daemon)) {
      host.remove(stack, true, false);
      return true;
    } catch (HostException e) {
      assertEquals(Failure.Kind.NO_SUCH_STACK, e.failure().kind(), e.getMessage());
      return false;
    }
  }
}
