package dev.ovl.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HungFileSystemTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();

  private Statx stat(OsPath path) throws ErrnoException {
    return sys.statx(Linux.AT_FDCWD, path, 0, Linux.STATX_BASIC_STATS);
  }

  /** Asks in a thread of its own, which then waits in the kernel. */
  private CompletableFuture<Statx> hangingStat(OsPath path) throws Exception {
    CompletableFuture<Statx> answer = new CompletableFuture<>();
    Thread asking =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    answer.complete(stat(path));
                  } catch (ErrnoException e) {
                    answer.completeExceptionally(e);
                  }
                });
    assertTrue(!asking.join(Duration.ofMillis(100)), "it was answered");
    return answer;
  }

  @Test
  void answersHangsAndAnswers() throws Exception {
    Leaks leaks = Leaks.beneath(scratch.path());
    OsPath point = scratch.mkdirs("point");
    try (HungFileSystem hung = new HungFileSystem("one", "two")) {
      hung.mount(point);
      List<String> names = new ArrayList<>();
      FileTree.list(sys, point).forEach(name -> names.add(name.toString()));
      assertEquals(List.of("one", "two"), names);
      assertTrue(stat(point.resolve("two")).isDirectory());
      assertEquals(List.of(), FileTree.list(sys, point.resolve("two")));
      assertEquals(Linux.S_IFDIR | 0755, stat(point).mode());

      hung.hang();
      CompletableFuture<Statx> name = hangingStat(point.resolve("one"));
      CompletableFuture<Statx> root = hangingStat(point);
      hung.answer();
      assertTrue(name.get(20, TimeUnit.SECONDS).isDirectory());
      assertTrue(root.get(20, TimeUnit.SECONDS).isDirectory());

      hung.hang();
      CompletableFuture<Statx> never = hangingStat(point.resolve("one"));
      hung.close();
      assertEquals(Errno.ENOTCONN, refusal(never).errno());
    }
    leaks.assertNone();
  }

  private static ErrnoException refusal(CompletableFuture<Statx> answer) throws Exception {
    try {
      throw new AssertionError("answered: " + answer.get(20, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      return (ErrnoException) e.getCause();
    }
  }

  /** A process of its own, which hangs in a file system of its own. */
  static final class Hanging {
    private Hanging() {}

    public static void main(String[] arguments) throws Exception {
      OsPath point = OsPath.of(arguments[0]);
      HungFileSystem hung = new HungFileSystem("one");
      hung.mount(point);
      hung.hang();
      System.out.println("hangs");
      new LinuxSyscalls().statx(Linux.AT_FDCWD, point.resolve("one"), 0, Linux.STATX_BASIC_STATS);
    }
  }

  private Process hangingProcess(OsPath point) throws Exception {
    Process process =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Hanging.class.getName(),
                point.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertEquals("hangs", process.inputReader().readLine());
    return process;
  }

  @Test
  void aProcessThatIsKilledEnds() throws Exception {
    OsPath point = scratch.mkdirs("point");
    Process process = hangingProcess(point);
    process.destroyForcibly();
    assertTrue(process.waitFor(20, TimeUnit.SECONDS), "it hangs");
    try {
      throw new AssertionError("still there: " + stat(point));
    } catch (ErrnoException e) {
      assertEquals(Errno.ENOTCONN, e.errno());
    }
  }

  @Test
  void aProcessThatIsToldToEndEnds() throws Exception {
    OsPath point = scratch.mkdirs("point");
    Process process = hangingProcess(point);
    process.destroy();
    assertTrue(process.waitFor(20, TimeUnit.SECONDS), "it hangs");
  }
}
