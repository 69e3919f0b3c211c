package dev.ovl.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.cli.output.Output;
import dev.ovl.cli.session.Cancellation;
import dev.ovl.cli.session.FixedPlace;
import dev.ovl.cli.session.Session;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** However the walk-through ends, nothing of it stays. */
class WalkThroughTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private Leaks leaks;

  @BeforeEach
  void needs() {
    Requires.overlay();
    leaks = Leaks.beneath(scratch.path());
  }

  private WalkThrough walk(Syscalls sys) {
    return walk(sys, new Cancellation());
  }

  private WalkThrough walk(Syscalls sys, Cancellation cancellation) {
    Session session =
        new Session(
            new ByteArrayInputStream(new byte[0]),
            out,
            err,
            new FixedPlace(scratch.path()),
            Map.of(),
            new Session.Terminal(false, false, false),
            cancellation);
    return new WalkThrough(sys, new Output(session, false), false, cancellation);
  }

  private void assertNothingStays() throws ErrnoException {
    leaks.assertNone();
    assertEquals(1, Trees.snapshot(scratch.path()).nodes().size(), "nothing but the directory");
    assertEquals("", OsPath.decode(err.toByteArray()));
  }

  @Test
  void allClaimsHold() throws EngineException, ErrnoException {
    int claims = walk(new LinuxSyscalls()).run(scratch.path(), false);
    List<String> lines = OsPath.decode(out.toByteArray()).lines().toList();
    assertEquals(claims, lines.stream().filter(line -> line.startsWith("ok: ")).count());
    assertEquals(
        WalkThrough.titles().size(),
        lines.stream().filter(line -> line.matches("[0-9]\\. .*")).count());
    assertNothingStays();
  }

  @Test
  void aKernelWithoutOverlayIsToldInOneLine() throws ErrnoException {
    FaultInjector sys = new FaultInjector(new LinuxSyscalls(), "mount"::equals);
    sys.failAt(1, Errno.ENODEV);
    EngineException told =
        assertThrows(EngineException.class, () -> walk(sys).run(scratch.path(), false));
    assertEquals(
        "this kernel has no overlay file system (modprobe overlay) (ENODEV)", told.getMessage());
    assertNothingStays();
  }

  @Test
  void aClaimThatDoesNotHoldIsNamed() throws ErrnoException {
    // the deletion is only pretended
    Syscalls sys =
        new ObservedSyscalls(new LinuxSyscalls()) {
          @Override
          protected <T> T observe(Invocation<T> call) throws ErrnoException {
            boolean deletion =
                call.name().equals("unlinkat") && call.arguments().contains("merged/both.txt");
            return deletion ? null : call.perform();
          }
        };
    EngineException told =
        assertThrows(EngineException.class, () -> walk(sys).run(scratch.path(), false));
    assertTrue(
        told.getMessage().startsWith("this claim does not hold: merged/both.txt is gone; found: "),
        told::getMessage);
    assertNothingStays();
  }

  @Test
  void theUserMayStopAtAnyTime() throws EngineException, ErrnoException {
    FaultInjector counting = new FaultInjector(new LinuxSyscalls(), "openat"::equals);
    walk(counting).run(scratch.path(), false);
    int calls = counting.calls().size();
    for (int quarter = 0; quarter <= 3; quarter++) {
      Cancellation stop = new Cancellation();
      Syscalls sys = stopping(stop, 1 + quarter * calls / 4);
      EngineException told =
          assertThrows(EngineException.class, () -> walk(sys, stop).run(scratch.path(), false));
      assertTrue(told.getMessage().startsWith("interrupted before "), told::getMessage);
      assertNothingStays();
    }
  }

  /** Cancels at the n-th openat(2). */
  private static Syscalls stopping(Cancellation stop, int n) {
    AtomicInteger seen = new AtomicInteger();
    return new ObservedSyscalls(new LinuxSyscalls()) {
      @Override
      protected <T> T observe(Invocation<T> call) throws ErrnoException {
        if (call.name().equals("openat") && seen.incrementAndGet() == n) {
          stop.request();
        }
        return call.perform();
      }
    };
  }

  /** Every call that changes something fails once, except those by which the demo cleans up. */
  @Test
  void nothingStaysAfterAnyFailure() throws EngineException, ErrnoException {
    List<String> changing =
        List.of(
            "mkdirat", "fchmodat", "mount", "write", "fsync", "renameat2", "symlinkat", "flock");
    FaultInjector counting = new FaultInjector(new LinuxSyscalls(), changing::contains);
    walk(counting).run(scratch.path(), false);
    int calls = counting.calls().size();
    assertTrue(calls > 10, () -> calls + " calls");
    for (int n = 2; n <= calls; n++) {
      FaultInjector sys = new FaultInjector(new LinuxSyscalls(), changing::contains);
      sys.failAt(n, Errno.EIO);
      Exception told = assertThrows(Exception.class, () -> walk(sys).run(scratch.path(), false));
      assertTrue(told.getMessage().contains("EIO"), n + ": " + told);
      assertNothingStays();
    }
  }
}
