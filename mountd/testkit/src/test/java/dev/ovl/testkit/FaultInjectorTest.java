package dev.ovl.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class FaultInjectorTest {
  @RegisterExtension final Scratch scratch = Scratch.directory();

  /** Three calls: mkdirat, openat, close. */
  private void operation(Syscalls sys) throws ErrnoException {
    sys.mkdirat(Linux.AT_FDCWD, scratch.resolve("d"), 0700);
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, scratch.path(), Linux.O_PATH, 0))) {
      sys.geteuid();
      fd.closeWritten();
    }
  }

  @Test
  void countsWhatItPassesOn() throws Exception {
    FaultInjector sys = new FaultInjector(new LinuxSyscalls());
    operation(sys);
    assertEquals(
        List.of("mkdirat", "openat", "close"),
        sys.calls().stream().map(FaultInjector.Seen::name).toList());
    assertEquals(Optional.empty(), sys.struck());
    assertTrue(sys.calls().get(0).arguments().contains("/d\", 0700"), sys.calls().toString());
  }

  @Test
  void countsOnlyWhatFits() throws Exception {
    FaultInjector sys = new FaultInjector(new LinuxSyscalls(), "openat"::equals);
    operation(sys);
    assertEquals(1, sys.calls().size());
  }

  @Test
  void failsWithoutDoing() {
    FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(1, Errno.ENOSPC);
    ErrnoException thrown = assertThrows(ErrnoException.class, () -> operation(sys));
    assertEquals(Errno.ENOSPC, thrown.errno());
    assertEquals("mkdirat", sys.struck().orElseThrow().name());
    assertThrows(
        ErrnoException.class,
        () -> new LinuxSyscalls().openat(Linux.AT_FDCWD, scratch.resolve("d"), Linux.O_PATH, 0));
  }

  @Test
  void closesAndThenSaysThatItFailed() {
    Leaks leaks = Leaks.beneath(scratch.path());
    FaultInjector sys = new FaultInjector(new LinuxSyscalls()).failAt(3, Errno.EIO);
    assertEquals(Errno.EIO, assertThrows(ErrnoException.class, () -> operation(sys)).errno());
    leaks.assertNone();
  }

  /** Its own main class is the process that dies. */
  @Test
  void endsTheProcessBeforeOrAfterTheCall() throws Exception {
    assertEquals(FaultInjector.KILLED, dying("before"));
    assertEquals(List.of(), FileTree.list(new LinuxSyscalls(), scratch.path()));
    assertEquals(FaultInjector.KILLED, dying("after"));
    assertEquals(List.of(OsPath.of("d")), FileTree.list(new LinuxSyscalls(), scratch.path()));
  }

  private int dying(String when) throws Exception {
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Dying.class.getName(),
            when,
            scratch.resolve("d").toString())
        .inheritIO()
        .start()
        .waitFor();
  }

  /** Makes a directory with its last breath. */
  static final class Dying {
    private Dying() {}

    public static void main(String[] args) throws Exception {
      FaultInjector sys = new FaultInjector(new LinuxSyscalls());
      if (args[0].equals("before")) {
        sys.killBefore(1);
      } else {
        sys.killAfter(1);
      }
      try {
        sys.mkdirat(Linux.AT_FDCWD, OsPath.of(args[1]), 0700);
      } finally {
        System.exit(3);
      }
    }
  }
}
