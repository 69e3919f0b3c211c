package dev.ovl.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** User namespaces that a child holds for a moment: no child is left, and no descriptor. */
@Timeout(60)
class UserNamespacesTest {
  private static final String MAP = "0 100000 65536\n";
  private static final int THREADS = 8;
  private static final int EACH = 25;

  private final LinuxSyscalls sys = new LinuxSyscalls();
  private Set<Long> children;

  @BeforeEach
  void children() {
    Requires.root();
    children = childrenNow();
  }

  private static Set<Long> childrenNow() {
    Set<Long> pids = new HashSet<>();
    ProcessHandle.current().children().forEach(child -> pids.add(child.pid()));
    return pids;
  }

  @AfterEach
  void noChildIsLeft() {
    assertEquals(children, childrenNow());
  }

  private static String own() throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/self/ns/user")).toString();
  }

  @Test
  void eachIsAnotherOne() throws Exception {
    Leaks leaks = Leaks.beneath(OsPath.of("/proc/none"));
    try (Fd one = UserNamespaces.map(sys, MAP, MAP);
        Fd other = UserNamespaces.map(sys, MAP, MAP)) {
      Set<String> names = new HashSet<>(Set.of(own(), name(one), name(other)));
      assertEquals(3, names.size(), names::toString);
    }
    leaks.assertNone();
  }

  private static String name(Fd namespace) throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/self/fd/" + namespace.number())).toString();
  }

  @Test
  void whatTheKernelDoesNotTakeIsRefused() throws Exception {
    Leaks leaks = Leaks.beneath(OsPath.of("/proc/none"));
    for (List<String> maps :
        List.of(List.of("x\n", MAP), List.of(MAP, "x\n"), List.of("0 0 1\n".repeat(999), MAP))) {
      ErrnoException e =
          assertThrows(
              ErrnoException.class, () -> UserNamespaces.map(sys, maps.get(0), maps.get(1)));
      assertTrue(e.is(Errno.EINVAL), e::getMessage);
    }
    leaks.assertNone();
  }

  /** A child that kept another's end of a pipe would wait for that one, and that one for it. */
  @Test
  void manyAtOnceDoNotWaitForEachOther() throws Exception {
    Leaks leaks = Leaks.beneath(OsPath.of("/proc/none"));
    Callable<Void> worker =
        () -> {
          for (int i = 0; i < EACH; i++) {
            UserNamespaces.map(sys, MAP, MAP).close();
          }
          return null;
        };
    ExecutorService pool = Executors.newFixedThreadPool(THREADS);
    try {
      for (Future<Void> done : pool.invokeAll(Collections.nCopies(THREADS, worker))) {
        done.get();
      }
    } finally {
      pool.shutdownNow();
    }
    leaks.assertNone();
  }
}
