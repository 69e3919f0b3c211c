package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.DirectMounts;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.ObservedSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.StatMount;
import dev.ovl.sys.Statx;
import dev.ovl.testkit.HungFileSystem;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A file system that does not answer holds up the operations on the stack that lies on it, and no
 * others.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("kernel")
@Tag("slow")
class HungFileSystemTest {
  private static final long PATIENCE_SECONDS = 20;

  @RegisterExtension
  @Order(1)
  final StackLab lab = new StackLab();

  @RegisterExtension
  @Order(2)
  final HungFileSystem hung = new HungFileSystem("lower", "target", "upper");

  private static final StackName BUSY = new StackName("busy");

  private final Map<String, Started> started = new LinkedHashMap<>();

  /** Something that goes on in a thread of its own. */
  private record Started(Thread thread, FutureTask<?> task) {}

  private Started start(String what, Callable<?> work) {
    FutureTask<?> task = new FutureTask<>(work);
    Started one = new Started(Thread.ofPlatform().daemon().name("test " + what).start(task), task);
    started.put(what, one);
    return one;
  }

  /** Waits until everything started has come to its end without a failure. */
  private void assertAllEnd() throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    List<String> blocked = new ArrayList<>();
    for (Map.Entry<String, Started> one : started.entrySet()) {
      Thread thread = one.getValue().thread();
      thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
      if (thread.isAlive()) {
        blocked.add(one.getKey() + stackOf(thread));
      }
    }
    assertTrue(blocked.isEmpty(), () -> "blocked: " + String.join("\n", blocked));
    for (Map.Entry<String, Started> one : started.entrySet()) {
      try {
        one.getValue().task().get();
      } catch (Exception e) {
        throw new AssertionError(one.getKey() + " failed", e.getCause());
      }
    }
    started.clear();
  }

  private static String stackOf(Thread thread) {
    return Arrays.stream(thread.getStackTrace())
        .map(frame -> "\n    at " + frame)
        .collect(Collectors.joining());
  }

  // ---- the stack that hangs -----------------------------------------------------------------

  /** What of it lies on the file system that hangs. */
  enum Part {
    LOWER,
    TARGET,
    UPPER
  }

  private StackName hangingStack(Part part) throws Exception {
    OsPath point = lab.directory("hung");
    hung.mount(point);
    OsPath upper = point.resolve("upper");
    lab.mountTmpfs(upper);
    StackLab.Spec spec =
        switch (part) {
          case LOWER -> lab.stack("hangs", point.resolve("lower"));
          case TARGET -> lab.stack("hangs", lab.layer("a")).at(point.resolve("target"));
          // overlayfs takes no upper on FUSE, but one behind it
          case UPPER ->
              lab.stack("hangs", lab.layer("a"))
                  .upper(
                      lab.directory(upper.resolve("upper")), lab.directory(upper.resolve("work")));
        };
    return spec.create().name();
  }

  // ---- the others ---------------------------------------------------------------------------

  private StackLab.Spec other(String name) throws ErrnoException {
    return lab.stack(name, lab.layer("lower-" + name));
  }

  private StackLab.Spec otherWithUpper(String name) throws ErrnoException {
    return other(name)
        .upper(
            lab.directory("uppers/" + name + "/upper"), lab.directory("uppers/" + name + "/work"))
        .at(lab.directory("targets/" + name));
  }

  /** The operations on other stacks, each on one that nothing else uses. */
  private Map<String, Callable<?>> others(Stacks stacks) throws Exception {
    Map<String, Callable<?>> operations = new LinkedHashMap<>();
    StackRequest create = other("create").request();
    StackRequest createWithUpper = otherWithUpper("create-upper").request();
    operations.put("create", () -> stacks.create(create));
    operations.put("create with upper", () -> stacks.create(createWithUpper));
    OverlayMount.Upper upper =
        new OverlayMount.Upper(lab.directory("uppers/set/u"), lab.directory("uppers/set/w"));
    otherWithUpper("set").create();
    operations.put("set", () -> stacks.set(StackLab.name("set"), change(Optional.of(upper))));
    other("clone").create();
    operations.put(
        "clone",
        () ->
            stacks.copy(StackLab.name("clone"), StackLab.name("cloned"), change(Optional.empty())));
    for (boolean withUpper : List.of(false, true)) {
      String suffix = withUpper ? " with upper" : "";
      for (String verb : List.of("up", "down", "rm", "rm-force", "questions")) {
        String name = verb + (withUpper ? "-upper" : "");
        (withUpper ? otherWithUpper(name) : other(name)).create();
        if (verb.equals("down") || verb.equals("rm-force") || verb.equals("questions")) {
          lab.up(name);
        }
      }
      String end = withUpper ? "-upper" : "";
      operations.put("up" + suffix, () -> stacks.up(StackLab.name("up" + end), false));
      operations.put("down" + suffix, () -> down(stacks, StackLab.name("down" + end)));
      operations.put("rm" + suffix, () -> remove(stacks, StackLab.name("rm" + end), false));
      operations.put(
          "rm --force" + suffix, () -> remove(stacks, StackLab.name("rm-force" + end), true));
      StackName asked = StackLab.name("questions" + end);
      operations.put("state" + suffix, () -> stacks.state(asked));
      operations.put("summary" + suffix, () -> stacks.summary(asked));
      operations.put("report" + suffix, () -> stacks.report(asked));
    }
    operations.put("names", stacks::names);
    operations.put("summaries", stacks::summaries);
    operations.put("namesByDependency", stacks::namesByDependency);
    operations.put("recover", () -> recover(stacks));
    addDirectMounts(operations);
    return operations;
  }

  private static StackChange change(Optional<OverlayMount.Upper> upper) {
    return new StackChange(
        Optional.empty(),
        upper,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private static boolean down(Stacks stacks, StackName name)
      throws EngineException, ErrnoException {
    stacks.down(name, false);
    return true;
  }

  private static boolean remove(Stacks stacks, StackName name, boolean force)
      throws EngineException, ErrnoException {
    stacks.remove(name, force);
    return true;
  }

  private static boolean recover(Stacks stacks) throws EngineException, ErrnoException {
    stacks.recover();
    return true;
  }

  private void addDirectMounts(Map<String, Callable<?>> operations) throws ErrnoException {
    OsPath lower = lab.layer("direct");
    OverlayMount.Upper upper =
        new OverlayMount.Upper(lab.directory("uppers/d/u"), lab.directory("uppers/d/w"));
    OverlayMount mount =
        new OverlayMount(
            OsPath.of("direct"),
            List.of(lower),
            Optional.of(upper),
            MountOptions.NONE,
            lab.directory("targets/direct"),
            Optional.empty(),
            Optional.empty());
    operations.put(
        "mount and umount",
        () -> {
          try (DirectMounts direct = new DirectMounts(lab.sys, lab.run())) {
            direct.mount(mount, Optional.empty());
            direct.umount(mount.target(), false);
            return true;
          }
        });
  }

  // ---- tests --------------------------------------------------------------------------------

  /** Operations on the stack that hangs, each in a thread of its own, wherever they get stuck. */
  private List<Started> operateOn(StackName name, OsPath target, Stacks stacks, boolean up) {
    List<Started> operations = new ArrayList<>();
    operations.add(start("look into it", () -> lab.files.stat(target.resolve("a"))));
    operations.add(start("state", () -> stacks.state(name)));
    operations.add(start("report", () -> stacks.report(name)));
    operations.add(start("check set", () -> check(stacks, name)));
    operations.add(start("up or down", () -> up ? down(stacks, name) : stacks.up(name, false)));
    started.clear();
    return operations;
  }

  private static boolean check(Stacks stacks, StackName name)
      throws EngineException, ErrnoException {
    stacks.checkSet(name, change(Optional.empty()));
    return true;
  }

  @ParameterizedTest
  @CsvSource({
    "LOWER,  false, false, false",
    "LOWER,  false, false, true",
    "LOWER,  true,  false, false",
    "LOWER,  true,  true,  true",
    "TARGET, false, false, false",
    "TARGET, false, false, true",
    "TARGET, true,  false, false",
    "TARGET, true,  true,  true",
    "UPPER,  false, false, false",
    "UPPER,  false, false, true",
    "UPPER,  true,  false, false",
    "UPPER,  true,  true,  true",
  })
  void othersGoOn(Part part, boolean up, boolean known, boolean busy) throws Exception {
    StackName name = hangingStack(part);
    if (up) {
      lab.up(name.text());
    }
    // one that knows what was mounted before, or one that has seen nothing yet
    Stacks stacks = known ? lab.stacks() : lab.stacks(lab.sys, lab.root(), lab.run());
    Map<String, Callable<?>> others = others(stacks);
    OsPath target = lab.stacks().report(name).target();
    hung.hang();
    List<Started> stuck = busy ? operateOn(name, target, stacks, up) : List.of();
    others.forEach(this::start);
    assertAllEnd();

    // a mounted upper is reached through nothing any more
    if (busy && !(up && part == Part.UPPER)) {
      assertTrue(stuck.stream().anyMatch(one -> one.thread().isAlive()), "nothing was stuck");
    }
    hung.answer();
    for (Started one : stuck) {
      one.thread().join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
      assertTrue(!one.thread().isAlive(), () -> "still hangs" + stackOf(one.thread()));
    }
    // whatever became of it, its lock is free
    lab.stacks().remove(name, true);
    assertTrue(!lab.stacks().names().contains(name));
  }

  @ParameterizedTest
  @CsvSource({"LOWER, false", "LOWER, true", "TARGET, false", "UPPER, false", "UPPER, true"})
  void othersGoOnBesideADeadOne(Part part, boolean up) throws Exception {
    StackName name = hangingStack(part);
    if (up) {
      lab.up(name.text());
    }
    Stacks stacks = lab.stacks(lab.sys, lab.root(), lab.run());
    Map<String, Callable<?>> others = others(stacks);
    hung.die();
    others.forEach(this::start);
    assertAllEnd();
  }

  /**
   * The overlays of others on this machine are not there: one whose options hide its upper would
   * have the kernel asked, whatever is under test.
   */
  private final class OnlyOurOverlays extends ObservedSyscalls {
    OnlyOurOverlays() {
      super(lab.sys);
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      T result = invocation.perform();
      if (result instanceof StatMount mount
          && mount.type().equals(Optional.of("overlay"))
          && mount.point().filter(lab::isInside).isEmpty()) {
        throw new ErrnoException("statmount", invocation::arguments, Errno.ENOENT);
      }
      return result;
    }
  }

  @Test
  void anUpperBehindItIsStillRefused() throws Exception {
    StackName name = hangingStack(Part.UPPER);
    lab.up(name.text());
    // the same directories by a way that does not hang
    OsPath way = lab.directory("way");
    lab.bind(lab.path("hung/upper"), way);
    StackLab.Spec second =
        other("second").upper(way.resolve("upper"), way.resolve("work")).at(lab.directory("t"));
    Stacks fresh = lab.stacks(new OnlyOurOverlays(), lab.root(), lab.run());
    hung.hang();
    Started refused =
        start(
            "create",
            () -> assertThrows(EngineException.class, () -> fresh.create(second.request())));
    assertAllEnd();
    String message = ((EngineException) refused.task().get()).getMessage();
    assertTrue(
        message.startsWith("upper or work is in use by another overlay: ovl:hangs on "), message);
    // nor by the very names
    Started waits =
        start(
            "create by name",
            () ->
                assertThrows(
                    EngineException.class,
                    () ->
                        fresh.create(
                            other("third")
                                .upper(lab.path("hung/upper/upper"), lab.path("hung/upper/work"))
                                .at(lab.path("t"))
                                .request())));
    started.clear();
    hung.answer();
    assertEquals(Optional.of(Errno.EBUSY), ((EngineException) waits.task().get()).errno());
  }

  /** The file system hangs as soon as somebody is about to take a lock. */
  private final class HangsAtLock extends ObservedSyscalls {
    private final CountDownLatch hangs = new CountDownLatch(1);

    HangsAtLock() {
      super(lab.sys);
    }

    @Override
    protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
      if (invocation.name().equals("openat") && invocation.arguments().contains("root.lock")) {
        hung.hang();
        T lock = invocation.perform();
        hangs.countDown();
        return lock;
      }
      return invocation.perform();
    }
  }

  @Test
  void nothingHangsWithTheLockOfAllInItsHands() throws Exception {
    OsPath point = lab.directory("hung");
    hung.mount(point);
    OsPath behind = point.resolve("upper");
    lab.mountTmpfs(behind);
    StackRequest hanging =
        other("hangs")
            .upper(lab.directory(behind.resolve("upper")), lab.directory(behind.resolve("work")))
            .at(lab.directory("targets/hangs"))
            .request();
    StackRequest request = otherWithUpper("create").request();
    StackRequest first = otherWithUpper("first").request();
    lab.stacks().create(first);
    // where no overlay is mounted, nothing is asked of the upper under the lock
    lab.up("first");
    HangsAtLock hangsAtLock = new HangsAtLock();
    Stacks atLock = lab.stacks(hangsAtLock, lab.root(), lab.run());
    Started late =
        start(
            "create that hangs",
            () -> assertThrows(EngineException.class, () -> atLock.create(hanging)));
    assertTrue(hangsAtLock.hangs.await(PATIENCE_SECONDS, TimeUnit.SECONDS), "no lock");
    Stacks other = lab.stacks(lab.sys, lab.root(), lab.run());
    start("create", () -> other.create(request));
    assertAllEnd();
    assertEquals(Optional.of(Errno.ETIMEDOUT), ((EngineException) late.task().get()).errno());
    assertEquals(List.of(StackLab.name("create"), StackLab.name("first")), lab.stacks().names());
  }

  @Test
  void aNumberThatIsNowThatOfAHungOne() throws Exception {
    OsPath point = lab.directory("hung");
    hung.mount(point);
    Statx device = lab.files.stat(point).orElseThrow();
    for (String name : List.of("up", "down", "rm")) {
      OsPath target = other(name).up();
      lab.umount(target);
      rewriteRecord(name, device);
    }
    hung.hang();
    Stacks stacks = lab.stacks();
    start("up", () -> stacks.up(StackLab.name("up"), false));
    start("down", () -> down(stacks, StackLab.name("down")));
    start("rm", () -> remove(stacks, StackLab.name("rm"), false));
    assertAllEnd();
    lab.assertUp("up");
    assertEquals(List.of(StackLab.name("down"), StackLab.name("up")), lab.stacks().names());
  }

  /** Device numbers are given again: the stack's earlier mount had that one. */
  private void rewriteRecord(String name, Statx device) throws ErrnoException {
    OsPath records = lab.run().resolve("stacks");
    OsPath record = records.resolve(lab.files.list(records).get(0)).resolve(name);
    lab.write(
        record,
        lab.read(record)
            .replaceFirst("(\"deviceMajor\": *)[0-9]+", "$1" + device.devMajor())
            .replaceFirst("(\"deviceMinor\": *)[0-9]+", "$1" + device.devMinor()));
    assertTrue(lab.read(record).contains("" + device.devMinor()), lab.read(record));
  }

  @Test
  void aProcessInItIsNoObstacleToNamingAnother() throws Exception {
    OsPath point = lab.directory("hung");
    hung.mount(point);
    lab.sleeper(Optional.of(point.resolve("lower")), "sleep", "1000");
    OsPath target = other("busy").up();
    Process user = lab.sleeper(Optional.of(target), "sleep", "1000");
    hung.hang();
    Started refused =
        start(
            "down",
            () -> assertThrows(EngineException.class, () -> lab.stacks().down(BUSY, false)));
    assertAllEnd();
    String message = ((EngineException) refused.task().get()).getMessage();
    assertTrue(message.contains("pid " + user.pid() + " (sleep, cwd "), message);
  }

  @ParameterizedTest
  @EnumSource(Part.class)
  void aListLacksNobodyElse(Part part) throws Exception {
    StackName name = hangingStack(part);
    lab.up(name.text());
    other("up").up();
    other("down").create();
    Stacks stacks = lab.stacks(lab.sys, lab.root(), lab.run());
    hung.hang();
    Started listing = start("summaries", stacks::summaries);
    assertAllEnd();
    List<String> seen = new ArrayList<>();
    for (Object one : (List<?>) listing.task().get()) {
      seen.add(
          switch ((StackListing) one) {
            case StackListing.Told told ->
                told.name() + (told.summary().state().mounted().isPresent() ? " up" : " down");
            case StackListing.Untold untold -> untold.name() + " " + untold.why().errno();
          });
    }
    String hanging = part == Part.TARGET ? "hangs Optional[ETIMEDOUT]" : "hangs up";
    assertEquals(List.of("down down", hanging, "up up"), seen);
  }
}
