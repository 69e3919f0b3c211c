package dev.ovl.engine.mount;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.engine.file.Lookout;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.StatMount;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is remembered of one look is right at the next, whatever came and went between. */
@Tag("kernel")
class OverlayCensusTest {
  private static final int LOOKS = 300;

  /** More than three calls of listmount(2) tell. */
  private static final int MANY = 2000;

  private final NavigableMap<Long, String> mounts = new TreeMap<>();
  private final Random random = new Random(1);
  private long lastId = 1_000;
  private final Syscalls sys = kernel();
  private final MountTable table = new MountTable(sys);
  private final OverlayCensus census =
      new OverlayCensus(sys, table, new Processes(sys), new Lookout(sys));

  /** A kernel with these mounts and one mount namespace. */
  private Syscalls kernel() {
    Syscalls real = new LinuxSyscalls();
    return (Syscalls)
        Proxy.newProxyInstance(
            Syscalls.class.getClassLoader(),
            new Class<?>[] {Syscalls.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "listmount" -> after((long) arguments[2], (int) arguments[3]);
                  case "statmount" ->
                      mounts.containsKey((long) arguments[0])
                          ? described((long) arguments[0])
                          : call(real, method, arguments);
                  case "ioctl" -> throw new ErrnoException("ioctl", () -> "", Errno.ENOENT);
                  default -> call(real, method, arguments);
                });
  }

  private static Object call(Syscalls real, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(real, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private long[] after(long last, int limit) {
    return mounts.tailMap(last, false).keySet().stream()
        .limit(limit)
        .mapToLong(Long::longValue)
        .toArray();
  }

  private StatMount described(long id) {
    OsPath path = OsPath.of("/mnt/" + id);
    return new StatMount(
        -1,
        0,
        Math.toIntExact(id),
        0,
        0,
        id,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        Optional.of(mounts.get(id)),
        Optional.of(OsPath.ROOT),
        Optional.of(path),
        Optional.of(path),
        Optional.empty());
  }

  private void mount(int count) {
    for (int i = 0; i < count; i++) {
      lastId += 1 + random.nextInt(3);
      mounts.put(lastId, random.nextBoolean() ? "overlay" : "tmpfs");
    }
  }

  private void unmount(int count) {
    for (int i = 0; i < count && !mounts.isEmpty(); i++) {
      List<Long> ids = new ArrayList<>(mounts.keySet());
      mounts.remove(
          switch (random.nextInt(3)) {
            case 0 -> ids.getFirst();
            case 1 -> ids.getLast();
            default -> ids.get(random.nextInt(ids.size()));
          });
    }
  }

  private void assertSeen() throws ErrnoException {
    OverlayCensus.Snapshot now = census.snapshot();
    assertEquals(
        mounts.entrySet().stream()
            .filter(mount -> mount.getValue().equals("overlay"))
            .map(Map.Entry::getKey)
            .toList(),
        now.find(overlay -> true).stream().map(overlay -> overlay.mount().id()).toList());
    LongStream.rangeClosed(Math.max(0, lastId - 50), lastId)
        .forEach(id -> assertMounted(now, id, mounts.containsKey(id)));
  }

  private static void assertMounted(OverlayCensus.Snapshot now, long id, boolean expected) {
    try {
      assertEquals(expected, now.isMounted(new MountEntry.Device(0, Math.toIntExact(id))), "" + id);
    } catch (ErrnoException e) {
      throw new AssertionError(e);
    }
  }

  private void requireStatmount() throws ErrnoException {
    Requires.that(
        "statmount",
        table.uniqueIds()
            ? Optional.empty()
            : Optional.of("this kernel does not tell sources by statmount(2)"));
  }

  @Test
  void afterMountsCameAndWent() throws ErrnoException {
    requireStatmount();
    for (int look = 0; look < LOOKS; look++) {
      unmount(random.nextInt(4));
      mount(random.nextInt(4));
      assertSeen();
    }
  }

  @Test
  void ofMoreMountsThanOneCallLists() throws ErrnoException {
    requireStatmount();
    mount(MANY);
    assertSeen();
    unmount(random.nextInt(MANY));
    assertSeen();
    unmount(MANY);
    assertSeen();
  }
}
