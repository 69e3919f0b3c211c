package dev.ovl.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Container;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mounting in the mount namespace of another process: each system call fails once. */
@Timeout(120)
class ElsewhereTest {
  private static final Path PROGRAM =
      Path.of(System.getProperty("ovl.native.dir")).resolve("test/elsewhere");
  private static final int MANY = 20;
  private static final long PATIENCE_SECONDS = 30;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private Container container;
  private String source;

  @BeforeAll
  static void needs() {
    Requires.root();
    Requires.program("busybox");
    Requires.program("nsenter");
  }

  @BeforeEach
  void container() throws Exception {
    LinuxSyscalls sys = new LinuxSyscalls();
    for (String name : List.of("place", "source", "source/in")) {
      sys.mkdirat(Linux.AT_FDCWD, scratch.resolve(name), 0755);
    }
    source = scratch.resolve("source").toString();
    container = Container.start(scratch.resolve("place"));
  }

  @AfterEach
  void end() {
    container.close();
  }

  private record Result(int status, String err) {}

  private Result run(List<String> by, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(by);
    command.addAll(List.of(PROGRAM.toString(), container.pid() + ""));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(key -> key.startsWith("LD_"));
    // what is checked besides cannot be while it is traced
    builder.environment().put("ASAN_OPTIONS", by.isEmpty() ? "" : "detect_leaks=0");
    Process process = builder.start();
    process.getOutputStream().close();
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "it hangs");
    byte[] err = process.getErrorStream().readAllBytes();
    return new Result(process.exitValue(), new String(err, StandardCharsets.UTF_8).strip());
  }

  private long mounts() {
    return container.mounts().stream().filter(line -> line.contains(" /mnt ")).count();
  }

  private static String here() throws Exception {
    return Files.readString(Path.of("/proc/self/mountinfo"));
  }

  @Test
  void itIsSeenThereAlone() throws Exception {
    String before = here();
    assertEquals(new Result(0, ""), run(List.of(), "attach", source, "/mnt"));
    assertEquals("in\n", container.sh("ls /mnt"));
    assertEquals(1, mounts());
    assertTrue(
        container.mounts().stream()
            .noneMatch(line -> line.matches(".* /mnt .*(shared|master):.*")));
    assertEquals(before, here());
    assertEquals(new Result(0, ""), run(List.of(), "unmount", "/mnt"));
    assertEquals(0, mounts());
    int invalid = Errno.EINVAL.number();
    assertEquals(new Result(1, "umount2: " + invalid), run(List.of(), "unmount", "/mnt"));
    assertEquals(before, here());
  }

  @ParameterizedTest
  @ValueSource(strings = {"socketpair", "clone", "setns", "move_mount", "mount_setattr"})
  void whatCannotBeAttachedIsNot(String call) throws Exception {
    Requires.program("strace");
    String before = here();
    boolean struck = true;
    int n = 1;
    for (; struck && n < MANY; n++) {
      Result result = run(strace(call, n), "attach", source, "/mnt");
      struck = wasStruck();
      Result expected =
          struck ? new Result(1, call + ": " + Errno.EIO.number()) : new Result(0, "");
      assertEquals(expected, result);
      assertEquals(struck ? 0 : 1, mounts(), call);
      assertEquals(before, here());
    }
    assertTrue(n > 2 && n < MANY, "calls: " + n);
  }

  @ParameterizedTest
  @ValueSource(strings = {"socketpair", "clone", "setns", "fchdir", "chroot", "umount2"})
  void whatCannotBeUnmountedStays(String call) throws Exception {
    Requires.program("strace");
    assertEquals(new Result(0, ""), run(List.of(), "attach", source, "/mnt"));
    boolean struck = true;
    int n = 1;
    for (; struck && n < MANY; n++) {
      Result result = run(strace(call, n), "unmount", "/mnt");
      struck = wasStruck();
      Result expected =
          struck ? new Result(1, call + ": " + Errno.EIO.number()) : new Result(0, "");
      assertEquals(expected, result);
      assertEquals(struck ? 1 : 0, mounts(), call);
    }
    assertTrue(n > 2 && n < MANY, "calls: " + n);
  }

  private OsPath log() {
    return scratch.resolve("log");
  }

  private boolean wasStruck() throws Exception {
    return Files.readString(Path.of(log().toString())).contains("(INJECTED)");
  }

  private List<String> strace(String call, int n) {
    String inject = "inject=" + call + ":error=EIO:when=" + n;
    return List.of(
        "strace", "-f", "-qqq", "-o", log().toString(), "-e", "trace=" + call, "-e", inject);
  }
}
