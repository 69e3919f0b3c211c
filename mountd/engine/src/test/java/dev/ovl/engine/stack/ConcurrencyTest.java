package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.EngineException.Kind;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Several at once: threads, objects and processes, on the same stacks and on different ones. */
class ConcurrencyTest {
  private static final long SECONDS = 2;
  private static final List<MountMethod> METHODS = List.of(MountMethod.values());

  @RegisterExtension final StackLab lab = new StackLab();

  /** What one worker does; a failure ends the test. */
  private interface Work {
    void run(int worker) throws Exception;
  }

  private static void atOnce(int workers, Work work) throws InterruptedException {
    CountDownLatch start = new CountDownLatch(1);
    Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < workers; i++) {
      int worker = i;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      start.await();
                      work.run(worker);
                    } catch (Throwable e) {
                      failures.add(e);
                    }
                  }));
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join(TimeUnit.SECONDS.toMillis(60));
      assertTrue(!thread.isAlive(), "a worker hangs");
    }
    if (!failures.isEmpty()) {
      throw new AssertionError(failures.size() + " workers failed", failures.peek());
    }
  }

  private void assertNothingLeft(List<String> mounts) throws Exception {
    assertEquals(mounts, lab.mountLines());
    assertEquals(List.of(), lab.stacks().names());
    assertEquals(List.of("l"), lab.names(lab.root().resolve("overlay2")));
    assertEquals(List.of(), lab.names(lab.root().resolve("overlay2/l")));
    assertEquals(List.of(), lab.names(lab.root().resolve("journal")));
    assertEquals(List.of(), lab.names(lab.root().resolve("stacks")));
  }

  @Test
  void exactlyOneCreateWins() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    List<String> mounts = lab.mountLines();
    List<Stacks> objects = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      objects.add(lab.stacks(lab.sys, lab.root(), lab.path("run" + i % 2)));
    }
    for (int round = 0; round < 10; round++) {
      AtomicInteger won = new AtomicInteger();
      AtomicInteger lost = new AtomicInteger();
      StackRequest request = lab.stack("web" + round, lower).request();
      atOnce(
          8,
          worker -> {
            try {
              objects.get(worker % 4).create(request);
              won.incrementAndGet();
            } catch (EngineException e) {
              assertEquals("a stack of that name exists (EEXIST)", e.getMessage());
              lost.incrementAndGet();
            }
          });
      assertEquals(1, won.get());
      assertEquals(7, lost.get());
      StackName name = StackLab.name("web" + round);
      assertEquals(1, lab.report(name.text()).definition().lowers().size());

      // and one mount, however many go up
      atOnce(8, worker -> objects.get(worker % 4).up(name, false));
      assertEquals(mounts.size() + 1, lab.mountLines().size());
      atOnce(8, worker -> objects.get(worker % 4).down(name, false));
      assertEquals(mounts, lab.mountLines());

      AtomicInteger removed = new AtomicInteger();
      atOnce(
          8,
          worker -> {
            try {
              objects.get(worker % 4).remove(name, false);
              removed.incrementAndGet();
            } catch (EngineException e) {
              assertEquals(Kind.NO_SUCH_STACK, e.kind(), e.getMessage());
            }
          });
      assertEquals(1, removed.get());
    }
    assertNothingLeft(mounts);
  }

  @Test
  void theFirstStacksOfARoot() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    for (int round = 0; round < 20; round++) {
      OsPath root = lab.path("fresh" + round);
      Stacks one = lab.stacks(lab.sys, root, lab.run());
      Stacks two = lab.stacks(lab.sys, root, lab.run());
      atOnce(
          8,
          worker ->
              (worker % 2 == 0 ? one : two).create(lab.stack("web" + worker, lower).request()));
      assertEquals(8, one.names().size());
      assertEquals(
          List.of(), lab.names(root).stream().filter(name -> name.startsWith(".tmp")).toList());
    }
  }

  @Test
  void oneUpperHasOneOwner() throws Exception {
    assertOneUpperHasOneOwner();
  }

  private void assertOneUpperHasOneOwner() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    OsPath upper = lab.directory("upper");
    OsPath work = lab.directory("work");
    Stacks one = lab.stacks(lab.sys, lab.root(), lab.run());
    Stacks two = lab.stacks(lab.sys, lab.root(), lab.path("run2"));
    for (int round = 0; round < 10; round++) {
      AtomicInteger won = new AtomicInteger();
      int n = round;
      atOnce(
          6,
          worker -> {
            try {
              (worker % 2 == 0 ? one : two)
                  .create(lab.stack("web" + n + "-" + worker, lower).upper(upper, work).request());
              won.incrementAndGet();
            } catch (EngineException e) {
              assertTrue(
                  e.getMessage().startsWith("upper or work belongs to stack web"), e::getMessage);
            }
          });
      assertEquals(1, won.get());
      assertEquals(1, lab.stacks().names().size());
      lab.remove(lab.stacks().names().get(0).text());
    }
  }

  @Test
  void oneUpperHasOneOwnerBesideAMountThatHidesItsUpper() throws Exception {
    // its options show numbers, so that each creation asks the kernel whether the upper is in use
    Stacks elsewhere = lab.stacks(lab.sys, lab.path("root2"), lab.path("run3"));
    StackRequest hiding =
        lab.stack("hiding", lab.layer("b"))
            .upper(lab.directory("upper2"), lab.directory("work2"))
            .method(MountMethod.FD)
            .request();
    elsewhere.create(hiding);
    elsewhere.up(hiding.name(), false);
    assertOneUpperHasOneOwner();
  }

  @Test
  void differentStacksGoOnSideBySide() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    List<String> mounts = lab.mountLines();
    Stacks one = lab.stacks();
    Stacks two = lab.stacks(lab.sys, lab.root(), lab.run());
    atOnce(
        8,
        worker -> {
          Stacks stacks = worker % 2 == 0 ? one : two;
          MountMethod method = METHODS.get(worker % 4);
          for (int i = 0; i < 8; i++) {
            StackName name = StackLab.name("web" + worker);
            stacks.create(lab.stack(name.text(), lower).method(method).request());
            OsPath merged = stacks.up(name, false);
            lab.write(merged.resolve("file"), name.text());
            assertTrue(stacks.state(name) instanceof StackState.Up);
            assertEquals(
                name.text(),
                lab.read(stacks.report(name).upper().orElseThrow().directory().resolve("file")));
            stacks.down(name, false);
            stacks.remove(name, false);
          }
        });
    assertNothingLeft(mounts);
    assertEquals("1", lab.read(lower.resolve("file")));
  }

  /** What may be said when another one was quicker. */
  private static boolean isExpected(EngineException e) {
    return e.kind() == Kind.NO_SUCH_STACK
        || e.errno().equals(Optional.of(Errno.EEXIST))
        || e.getMessage().contains("'down' it before you remove it");
  }

  /** Random operations on three names; true invariants are all that is asked for. */
  private static void disturb(Stacks stacks, OsPath lower, Random random, long end)
      throws Exception {
    while (System.nanoTime() < end) {
      StackName name = StackName.of("shared" + random.nextInt(3));
      try {
        switch (random.nextInt(6)) {
          case 0 ->
              stacks.create(
                  new StackRequest(
                      name,
                      List.of(lower),
                      false,
                      Optional.empty(),
                      Optional.empty(),
                      MountOptions.NONE,
                      Optional.empty(),
                      Optional.of(METHODS.get(random.nextInt(4)))));
          case 1, 2 -> stacks.up(name, false);
          case 3 -> stacks.down(name, false);
          case 4 -> stacks.remove(name, random.nextBoolean());
          default -> {
            for (StackName each : stacks.names()) {
              stacks.report(each);
            }
          }
        }
      } catch (EngineException e) {
        if (!isExpected(e)) {
          throw e;
        }
      }
    }
  }

  private void assertWholeAndRemove(List<String> mounts) throws Exception {
    Stacks stacks = lab.stacks();
    for (StackName name : stacks.names()) {
      StackReport report = stacks.report(name);
      boolean mounted = report.state() instanceof StackState.Up;
      assertEquals(mounted ? 1 : 0, lab.mountsOn(report.target()).size(), name.text());
      assertTrue(lab.exists(report.upper().orElseThrow().directory()), name.text());
      stacks.up(name, false);
      assertEquals("1", lab.read(report.target().resolve("file")));
      stacks.down(name, false);
      stacks.remove(name, false);
    }
    stacks.recover();
    assertNothingLeft(mounts);
  }

  @Test
  void anythingAtOnceOnTheSameStacks() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    List<String> mounts = lab.mountLines();
    Stacks one = lab.stacks();
    Stacks two = lab.stacks(lab.sys, lab.root(), lab.path("run2"));
    long seed = System.nanoTime();
    System.out.println("ConcurrencyTest seed " + seed);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    atOnce(
        6, worker -> disturb(worker % 2 == 0 ? one : two, lower, new Random(seed + worker), end));
    assertWholeAndRemove(mounts);
  }

  /** A process of its own: root, run directory, lower, seed. */
  static final class Disturber {
    private Disturber() {}

    public static void main(String[] arguments) throws Exception {
      try (Stacks stacks =
          new Stacks(new LinuxSyscalls(), OsPath.of(arguments[0]), OsPath.of(arguments[1]))) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        disturb(stacks, OsPath.of(arguments[2]), new Random(Long.parseLong(arguments[3])), end);
      }
    }
  }

  /** Starts a class of this file in a JVM of its own. */
  private Process java(Class<?> main, OsPath output, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "exec \"$@\" >" + output + " 2>&1", "sh"));
    command.add(System.getProperty("java.home") + "/bin/java");
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return lab.start(Optional.empty(), command.toArray(String[]::new));
  }

  @Test
  void anythingAtOnceByTwoProcesses() throws Exception {
    OsPath lower = lab.layer("a", "file=1");
    List<String> mounts = lab.mountLines();
    long seed = System.nanoTime();
    System.out.println("ConcurrencyTest seed " + seed);
    OsPath output = lab.path("output");
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      processes.add(
          java(
              Disturber.class,
              OsPath.of(output + "" + i),
              lab.root().toString(),
              lab.path("run" + i).toString(),
              lower.toString(),
              String.valueOf(seed + i)));
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    disturb(lab.stacks(), lower, new Random(seed + 2), end);
    for (int i = 0; i < 2; i++) {
      assertTrue(processes.get(i).waitFor(60, TimeUnit.SECONDS), "a process hangs");
      assertEquals(0, processes.get(i).exitValue(), lab.read(OsPath.of(output + "" + i)));
    }
    assertWholeAndRemove(mounts);
  }

  @Test
  void anAnswerIsOfOneMoment() throws Exception {
    OsPath one = lab.layer("a", "file=1");
    OsPath two = lab.layer("b", "file=2");
    StackName name = lab.stack("web", one).create().name();
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.run());
    StackChange change =
        new StackChange(
            Optional.of(List.of(one, two)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    AtomicInteger changes = new AtomicInteger();
    // between the look at the definition and that at the mounts it gets another lower and goes up
    Stacks stacks =
        lab.stacks(
            new ObservedSyscalls(lab.sys) {
              @Override
              protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
                if (invocation.name().equals("listmount") && changes.getAndIncrement() == 0) {
                  try {
                    other.set(name, change);
                    other.up(name, false);
                  } catch (EngineException e) {
                    throw new AssertionError(e);
                  }
                }
                return invocation.perform();
              }
            },
            lab.root(),
            lab.run());
    StackSummary summary = stacks.summary(name);
    assertTrue(changes.get() > 0, "nothing was asked");
    assertTrue(summary.state() instanceof StackState.Up);
    assertEquals(2, summary.definition().lowers().size());
  }

  @Test
  void exactlyOneProcessCreates() throws Exception {
    // threads and processes lock in different ways: this is what flock is for
    OsPath lower = lab.layer("a", "file=1");
    lab.stack("first", lower).create();
    OsPath output = lab.path("out");
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      processes.add(
          java(
              Creator.class,
              OsPath.of(output + "" + i),
              lab.root().toString(),
              lab.path("run" + i).toString(),
              lower.toString()));
    }
    int won = 0;
    for (int i = 0; i < 3; i++) {
      assertTrue(processes.get(i).waitFor(60, TimeUnit.SECONDS), "a process hangs");
      String text = lab.read(OsPath.of(output + "" + i));
      assertEquals(0, processes.get(i).exitValue(), text);
      won += (int) text.lines().filter("won"::equals).count();
    }
    assertEquals(20, won);
    assertEquals(21, lab.stacks().names().size());
  }

  /** Creates twenty stacks and says which of them it was that did. */
  static final class Creator {
    private Creator() {}

    public static void main(String[] arguments) throws Exception {
      try (Stacks stacks =
          new Stacks(new LinuxSyscalls(), OsPath.of(arguments[0]), OsPath.of(arguments[1]))) {
        for (int i = 0; i < 20; i++) {
          try {
            stacks.create(
                new StackRequest(
                    StackName.of("web" + i),
                    List.of(OsPath.of(arguments[2])),
                    false,
                    Optional.empty(),
                    Optional.empty(),
                    MountOptions.NONE,
                    Optional.empty(),
                    Optional.empty()));
            System.out.println("won");
          } catch (EngineException e) {
            if (!e.errno().equals(Optional.of(Errno.EEXIST))) {
              throw e;
            }
          }
        }
      }
    }
  }
}
