package dev.ovl.engine.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The one thread that changes its directory is the only one that does. */
@Tag("kernel")
class DirectoryThreadsTest {
  private static final OsPath CWD = OsPath.of("/proc/self/cwd");
  private static final OsPath THREAD = OsPath.of("/proc/thread-self");

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  private OsPath cwdOfThisThread() throws ErrnoException {
    return files.readLink(THREAD.resolve("cwd")).orElseThrow();
  }

  private String umaskOfThisThread() throws ErrnoException {
    return OsPath.decode(files.read(THREAD.resolve("status")).orElseThrow())
        .lines()
        .filter(line -> line.startsWith("Umask:"))
        .findFirst()
        .orElseThrow();
  }

  private int id() throws ErrnoException {
    String[] parts = files.readLink(THREAD).orElseThrow().toString().split("/");
    return Integer.parseInt(parts[parts.length - 1]);
  }

  /** Working directory and umask by thread. */
  private Map<Integer, String> threads() throws ErrnoException {
    Map<Integer, String> all = new TreeMap<>();
    OsPath tasks = OsPath.of("/proc/self/task");
    for (OsPath task : files.list(tasks)) {
      Optional<OsPath> cwd = files.readLink(tasks.resolve(task).resolve("cwd"));
      Optional<byte[]> status = files.read(tasks.resolve(task).resolve("status"));
      if (cwd.isPresent() && status.isPresent()) {
        String umask =
            OsPath.decode(status.get())
                .lines()
                .filter(line -> line.startsWith("Umask:"))
                .findFirst()
                .orElse("");
        all.put(Integer.valueOf(task.toString()), cwd.get() + " " + umask);
      }
    }
    return all;
  }

  /** That each thread but one is where the process is. */
  private void assertOthersUnchanged(int dedicated, String everyone) throws ErrnoException {
    Map<Integer, String> now = threads();
    now.remove(dedicated);
    now.values().removeIf(everyone::equals);
    assertEquals(Map.of(), now, "threads elsewhere than " + everyone);
  }

  @Test
  void onlyTheDedicatedThreadMoves() throws Exception {
    OsPath place = scratch.mkdirs("place");
    OsPath before = files.readLink(CWD).orElseThrow();
    String everyone = threads().get((int) ProcessHandle.current().pid());
    List<Integer> ids = new ArrayList<>();
    try (DirectoryThreads threads = new DirectoryThreads(sys);
        Fd directory = files.openPath(place)) {
      threads.run(
          directory,
          () -> {
            ids.add(id());
            assertEquals(place, cwdOfThisThread());
            assertEquals(before, files.readLink(CWD).orElseThrow());
            sys.mkdirat(Linux.AT_FDCWD, OsPath.of("made"), 0755);
            assertOthersUnchanged(id(), everyone);
          });
      assertNotEquals(id(), ids.get(0));
      assertTrue(files.lstat(place.resolve("made")).isPresent());
      assertEquals(before, cwdOfThisThread());
      assertOthersUnchanged(ids.get(0), everyone);
      // idle, it keeps no directory busy
      String idle = threads().get(ids.get(0));
      assertTrue(idle.startsWith("/ "), idle);

      threads.run(directory, () -> ids.add(id()));
      assertNotEquals(id(), ids.get(1));
      assertEquals(before, cwdOfThisThread());
    }
    assertEquals(before, files.readLink(CWD).orElseThrow());
  }

  @Test
  void threadsStartedMeanwhileAndLaterInheritNothing() throws Exception {
    OsPath place = scratch.mkdirs("place");
    OsPath before = files.readLink(CWD).orElseThrow();
    String umask = umaskOfThisThread();
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    try (DirectoryThreads threads = new DirectoryThreads(sys);
        Fd directory = files.openPath(place)) {
      Thread caller =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      threads.run(
                          directory,
                          () -> {
                            inside.countDown();
                            awaitUninterruptibly(leave);
                          });
                    } catch (ErrnoException e) {
                      throw new AssertionError(e);
                    }
                  });
      assertTrue(inside.await(10, TimeUnit.SECONDS));
      List<String> seen = new ArrayList<>();
      try {
        seen.addAll(seenByNewThreads());
      } finally {
        leave.countDown();
      }
      caller.join(10_000);
      seen.addAll(seenByNewThreads());
      seen.removeIf(text -> text.equals(before + " " + umask));
      assertEquals(List.of(), seen);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      assertTrue(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What a platform thread, a virtual one and workers of the common pool see. */
  private List<String> seenByNewThreads() throws Exception {
    List<CompletableFuture<String>> answers = new ArrayList<>();
    CompletableFuture<String> platform = new CompletableFuture<>();
    Thread.ofPlatform().start(() -> answer(platform));
    answers.add(platform);
    for (int i = 0; i < 8; i++) {
      CompletableFuture<String> virtual = new CompletableFuture<>();
      Thread.ofVirtual().start(() -> answer(virtual));
      answers.add(virtual);
      CompletableFuture<String> pooled = new CompletableFuture<>();
      ForkJoinPool.commonPool().execute(() -> answer(pooled));
      answers.add(pooled);
    }
    List<String> seen = new ArrayList<>();
    for (CompletableFuture<String> answer : answers) {
      seen.add(answer.get(10, TimeUnit.SECONDS));
    }
    return seen;
  }

  private void answer(CompletableFuture<String> to) {
    try {
      to.complete(cwdOfThisThread() + " " + umaskOfThisThread());
    } catch (ErrnoException e) {
      to.completeExceptionally(e);
    }
  }

  @Test
  void failuresComeThrough() throws Exception {
    OsPath place = scratch.mkdirs("place");
    OsPath before = files.readLink(CWD).orElseThrow();
    Leaks leaks = Leaks.beneath(scratch.path());
    IllegalStateException mine = new IllegalStateException("mine");
    AtomicReference<Integer> thread = new AtomicReference<>();
    try (DirectoryThreads threads = new DirectoryThreads(sys);
        Fd directory = files.openPath(place)) {
      ErrnoException refused =
          assertThrows(
              ErrnoException.class,
              () ->
                  threads.run(
                      directory,
                      () -> {
                        thread.set(id());
                        sys.unlinkat(Linux.AT_FDCWD, OsPath.of("none"), 0);
                      }));
      assertEquals(Errno.ENOENT, refused.errno());
      assertSame(
          mine,
          assertThrows(
              IllegalStateException.class,
              () ->
                  threads.run(
                      directory,
                      () -> {
                        throw mine;
                      })));
      assertTrue(threads().get(thread.get()).startsWith("/ "));
    }
    leaks.assertNone();
    assertEquals(before, files.readLink(CWD).orElseThrow());
  }

  @Test
  void anInterruptDoesNotCutAMountShort() throws Exception {
    OsPath place = scratch.mkdirs("place");
    try (DirectoryThreads threads = new DirectoryThreads(sys);
        Fd directory = files.openPath(place)) {
      Thread.currentThread().interrupt();
      threads.run(directory, () -> sys.mkdirat(Linux.AT_FDCWD, OsPath.of("made"), 0755));
      assertTrue(Thread.interrupted(), "the interrupt is kept");
      assertTrue(files.lstat(place.resolve("made")).isPresent());
    }
  }

  @Test
  void severalAtOnceHaveADirectoryEach() throws Exception {
    try (DirectoryThreads threads = new DirectoryThreads(sys)) {
      CountDownLatch allInside = new CountDownLatch(4);
      List<CompletableFuture<Void>> runs = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        OsPath place = scratch.mkdirs("place" + i);
        CompletableFuture<Void> run = new CompletableFuture<>();
        runs.add(run);
        Thread.ofPlatform()
            .start(
                () -> {
                  try (Fd directory = files.openPath(place)) {
                    threads.run(
                        directory,
                        () -> {
                          allInside.countDown();
                          awaitUninterruptibly(allInside);
                          assertEquals(place, cwdOfThisThread());
                        });
                    run.complete(null);
                  } catch (ErrnoException | RuntimeException | Error e) {
                    run.completeExceptionally(e);
                  }
                });
      }
      for (CompletableFuture<Void> run : runs) {
        run.get(10, TimeUnit.SECONDS);
      }
    }
  }

  @Test
  void mountsByNameLeaveTheProcessWhereItWas() throws Exception {
    Requires.overlay();
    OsPath base = scratch.mkdirs("base");
    scratch.mkdirs("base/a");
    scratch.mkdirs("base/b");
    OsPath target = scratch.mkdirs("target");
    OsPath before = files.readLink(CWD).orElseThrow();
    String umask = umaskOfThisThread();
    try (OverlayMounter mounter = new OverlayMounter(sys, scratch.resolve("nested"))) {
      for (MountMethod method : List.of(MountMethod.RELATIVE, MountMethod.FD)) {
        OverlayMount mount =
            new OverlayMount(
                OsPath.of("ovl:test"),
                List.of(base.resolve("a"), base.resolve("b")),
                Optional.empty(),
                MountOptions.NONE.readOnly(),
                target,
                Optional.empty(),
                Optional.of(
                    new OverlayMount.ShortNames(base, List.of(OsPath.of("a"), OsPath.of("b")))));
        mounter.mount(mount, mounter.plan(mount, Optional.of(method)));
        sys.umount2(target, 0);

        assertEquals(before, files.readLink(CWD).orElseThrow());
        assertEquals(umask, umaskOfThisThread());
        Map<Integer, String> others = threads();
        others.values().removeIf(text -> text.equals(before + " " + umask));
        assertTrue(others.size() <= 2, others::toString);
        assertTrue(
            others.values().stream().allMatch(t -> t.equals("/ " + umask)), others::toString);
        assertEquals(
            List.of(),
            seenByNewThreads().stream().filter(t -> !t.equals(before + " " + umask)).toList());
      }
    }
  }
}
