package dev.ovl.engine.move;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every system call of a move fails once, and is the last one once. After a recovery the source or
 * the destination is whole, never a half of each, and nothing else is there; and the move succeeds
 * when it is repeated.
 */
class MoveFaultTest {
  private static final List<Errno> ERRNOS = List.of(Errno.EIO, Errno.ENOSPC, Errno.EINTR);

  /** Far more calls than any move here makes. */
  private static final int MANY = 4000;

  @RegisterExtension static final Scratch HERE = Scratch.tmpfs();
  @RegisterExtension static final Scratch THERE = Scratch.tmpfs();

  /** What is moved, and where. */
  enum Operation {
    RENAME(false) {
      @Override
      void prepare(TwoPlaces places, RichTree from, RichTree to) throws ErrnoException {
        directory(from);
      }
    },
    DIRECTORY(true) {
      @Override
      void prepare(TwoPlaces places, RichTree from, RichTree to) throws ErrnoException {
        directory(from);
      }
    },
    FILE(true) {
      @Override
      void prepare(TwoPlaces places, RichTree from, RichTree to) throws ErrnoException {
        from.file("it", "text");
        from.xattr("it", "trusted.x", new byte[] {1});
      }
    },
    OVER_A_FILE(true) {
      @Override
      void prepare(TwoPlaces places, RichTree from, RichTree to) throws ErrnoException {
        from.file("it", "new");
        to.file("it", "old and longer");
      }
    },
    OVER_AN_EMPTY_DIRECTORY(true) {
      @Override
      void prepare(TwoPlaces places, RichTree from, RichTree to) throws ErrnoException {
        directory(from);
        to.directory("it");
      }
    };

    private final boolean across;

    Operation(boolean across) {
      this.across = across;
    }

    abstract void prepare(TwoPlaces places, RichTree from, RichTree to) throws ErrnoException;

    private static void directory(RichTree tree) throws ErrnoException {
      tree.directory("it");
      tree.directory("it/d");
      tree.file("it/d/a", "a");
      tree.link("it/b", "it/d/a");
      tree.symlink("it/l", "d/a");
      tree.node("it/p", Linux.S_IFIFO | 0600, 0, 0);
      tree.xattr("it/d", "trusted.x", new byte[] {1, 2});
      tree.holes("it/holes", 300_000);
    }
  }

  private static TwoPlaces prepare(Operation operation) throws ErrnoException {
    HERE.empty();
    THERE.empty();
    TwoPlaces places =
        new TwoPlaces(HERE.resolve("from"), (operation.across ? THERE : HERE).resolve("to"));
    operation.prepare(places, new RichTree(places.from("")), new RichTree(places.to("")));
    return places;
  }

  /** Moves, with system calls of which one goes wrong. Returns how it failed. */
  private static Optional<Throwable> run(TwoPlaces places, Syscalls sys) {
    try {
      new CrossDeviceMove(sys).move(places.from("it"), places.to("it"), 0, MoveWatch.NONE);
      return Optional.empty();
    } catch (EngineException | Dead e) {
      return Optional.of(e);
    }
  }

  /** As the next process finds it. Returns what is wrong, if anything is. */
  private static Optional<String> check(
      TwoPlaces places, TwoPlaces.State before, Optional<Throwable> failure)
      throws EngineException, ErrnoException {
    CrossDeviceMove next = new CrossDeviceMove(new LinuxSyscalls());
    if (failure.isEmpty() && !places.state().isMoved(before)) {
      return Optional.of("succeeded, and is not done: " + places.state());
    }
    List<Recovery> recovered = next.recover(places.to());
    if (recovered.stream().anyMatch(r -> r.outcome() == Recovery.Outcome.FAILED)) {
      return Optional.of("recovery: " + recovered);
    }
    assertEquals(List.of(), next.recover(places.to()), "recovering twice");
    TwoPlaces.State now = places.state();
    if (now.isMoved(before)) {
      return Optional.empty();
    }
    if (!now.isSame(before)) {
      return Optional.of(
          "is neither as before nor as it should be, after " + recovered + ":\n" + now);
    }
    next.move(places.from("it"), places.to("it"), 0, MoveWatch.NONE);
    return places.state().isMoved(before) ? Optional.empty() : Optional.of("not repeated");
  }

  @ParameterizedTest
  @EnumSource
  void eachCallMayFail(Operation operation) throws Exception {
    List<String> failures = new ArrayList<>();
    for (Errno errno : ERRNOS) {
      for (int n = 1; n < MANY; n++) {
        TwoPlaces places = prepare(operation);
        TwoPlaces.State before = places.state();
        FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, errno);
        Leaks leaks = Leaks.beneath(HERE.path());
        Optional<Throwable> failure = run(places, sys);
        List<String> open = leaks.extra().stream().filter(l -> l.startsWith("fd ")).toList();
        Optional<String> wrong =
            open.isEmpty()
                ? check(places, before, failure)
                : Optional.of("descriptors left open: " + open);
        if (wrong.isPresent()) {
          failures.add(errno + " at " + sys.struck().orElseThrow() + ": " + wrong.get());
        }
        if (sys.struck().isEmpty()) {
          break;
        }
      }
    }
    assertNone(failures);
  }

  /** A failure in the middle is not left to the next process: what was begun is gone. */
  @ParameterizedTest
  @EnumSource
  void aFailureLeavesNothing(Operation operation) throws Exception {
    List<String> failures = new ArrayList<>();
    for (int n = 1; n < MANY; n++) {
      TwoPlaces places = prepare(operation);
      TwoPlaces.State before = places.state();
      FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(n, Errno.EIO);
      Optional<Throwable> failure = run(places, sys);
      TwoPlaces.State now = places.state();
      if (!now.isMoved(before) && !(failure.isPresent() && now.isSame(before))) {
        failures.add(sys.struck() + ": " + now);
      }
      if (sys.struck().isEmpty()) {
        break;
      }
    }
    assertNone(failures);
  }

  /** The process is no more. */
  private static final class Dead extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** A process that dies before a call: no call is made any more, but the kernel's closing. */
  private static final class Dying extends ObservedSyscalls {
    private final int last;
    private int calls;

    Dying(int last) {
      super(new LinuxSyscalls());
      this.last = last;
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (calls >= last && !invocation.name().equals("close")) {
        throw new Dead();
      }
      calls++;
      return invocation.perform();
    }
  }

  @ParameterizedTest
  @EnumSource
  void eachCallMayBeTheLast(Operation operation) throws Exception {
    List<String> failures = new ArrayList<>();
    boolean dead = true;
    for (int n = 0; dead; n++) {
      assertTrue(n < MANY);
      TwoPlaces places = prepare(operation);
      TwoPlaces.State before = places.state();
      Optional<Throwable> failure = run(places, new Dying(n));
      dead = failure.isPresent();
      int call = n;
      check(places, before, failure)
          .ifPresent(wrong -> failures.add("dead before call " + (call + 1) + ": " + wrong));
    }
    assertNone(failures);
  }

  /** Recovery itself dies, or one of its calls fails, and the next one ends it. */
  @ParameterizedTest
  @EnumSource(names = {"DIRECTORY", "OVER_A_FILE"})
  void recoveryMayDieToo(Operation operation) throws Exception {
    List<String> failures = new ArrayList<>();
    boolean dead = true;
    for (int n = 10; dead; n += 7) {
      TwoPlaces places = prepare(operation);
      TwoPlaces.State before = places.state();
      Optional<Throwable> failure = run(places, new Dying(n));
      dead = failure.isPresent();
      boolean again = dead;
      for (int m = 0; again; m += 3) {
        again = isDying(places.to(), m);
      }
      int call = n;
      check(places, before, failure)
          .ifPresent(wrong -> failures.add("dead before call " + (call + 1) + ": " + wrong));
    }
    assertNone(failures);
  }

  private static boolean isDying(OsPath directory, int last) throws ErrnoException {
    try {
      new CrossDeviceMove(new Dying(last)).recover(directory);
      return false;
    } catch (Dead e) {
      return true;
    }
  }

  private static void assertNone(List<String> failures) {
    if (!failures.isEmpty()) {
      fail(
          failures.size()
              + " do harm:\n"
              + String.join("\n", failures.subList(0, Math.min(10, failures.size()))));
    }
  }
}
