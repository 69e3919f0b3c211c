package dev.ovl.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class LeaksTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();

  @Test
  void findsNothingWhereNothingIsLeft() throws Exception {
    Leaks leaks = Leaks.beneath(scratch.path());
    scratch.mkdirs("a");
    new Fd(sys, sys.openat(Linux.AT_FDCWD, scratch.path(), Linux.O_PATH, 0)).close();
    leaks.assertNone();
  }

  @Test
  void namesMountsAndDescriptors() throws Exception {
    Leaks leaks = Leaks.beneath(scratch.path());
    OsPath point = scratch.mkdirs("a");
    sys.mount(OsPath.of("ovl-test"), point, "tmpfs", 0, new byte[0]);
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, scratch.path(), Linux.O_PATH, 0))) {
      List<String> extra = leaks.extra();
      assertEquals(2, extra.size(), extra.toString());
      assertEquals("fd " + fd.number() + " " + scratch.path(), extra.get(0));
      assertTrue(extra.get(1).startsWith("mount ") && extra.get(1).contains(point + " "));
      assertThrows(AssertionError.class, leaks::assertNone);
    }
  }

  @Test
  void namesThreadsWhereAskedFor() throws Exception {
    Leaks leaks = Leaks.withThreads(scratch.path());
    CountDownLatch end = new CountDownLatch(1);
    Thread thread = Thread.ofPlatform().name("left").start(() -> await(end));
    assertEquals(List.of("thread " + thread.threadId() + " left"), leaks.extra());
    end.countDown();
    thread.join();
    leaks.assertNone();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
