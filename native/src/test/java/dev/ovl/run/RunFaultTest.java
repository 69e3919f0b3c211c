package dev.ovl.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each call of a system call fails once, in every process that makes so many of them: strace(1)
 * does that. Then the command has run, or it has not and that is told; and nothing is left.
 */
@Timeout(300)
class RunFaultTest {
  private static final int NOT_STARTED = 125;
  private static final int NOT_EXECUTABLE = 126;

  /** It could not get what it passes on. */
  private static final int OF_THE_PROGRAM = 2;

  private static final int MANY = 100;
  private static final long PATIENCE_SECONDS = 30;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private Tree tree;

  @BeforeEach
  void tree() throws Exception {
    Requires.program("strace");
    tree = Tree.in(scratch.path());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "open_tree",
        "move_mount",
        "fsopen",
        "fsconfig",
        "fsmount",
        "mount",
        "mount_setattr",
        "umount2",
        "pivot_root",
        "chroot",
        "openat2",
        "mknodat",
        "mkdirat",
        "symlinkat",
        "fchdir",
        "chdir",
        "clone",
        "socketpair",
        "pipe2",
        "signalfd4",
        "prctl",
        "ioctl",
        "setsid",
        "dup2",
        "setgroups",
        "setgid",
        "setuid",
        "execve",
        "poll"
      })
  void leavesNothing(String call) throws Exception {
    Path log = Path.of(scratch.path().toString(), "log");
    Path source = Path.of(scratch.path().toString(), "source");
    Files.createDirectories(source);
    String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
    int n = 1;
    boolean struck = true;
    // the first execve is strace's own
    for (int skipped = call.equals("execve") ? 1 : 0; struck && n < MANY; n++) {
      String inject = "inject=" + call + ":error=EIO:when=" + (n + skipped);
      List<String> strace =
          List.of(
              "strace", "-f", "-qqq", "-o", log.toString(), "-e", "trace=" + call, "-e", inject);
      Process process =
          tree.start(
              strace, "-n", "-t", "-u", "1:1", "-v", source + ":/srv/x:ro", "sh", "-c", "echo ran");
      assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), () -> inject + " hangs");
      Tree.Result result = Tree.end(process);
      struck = Files.readString(log).contains("(INJECTED)");
      String what = inject + ": " + result;
      if (result.status() == 0) {
        assertEquals("ran", result.out().strip(), what);
      } else if (result.status() != OF_THE_PROGRAM) {
        assertEquals(call.equals("execve") ? NOT_EXECUTABLE : NOT_STARTED, result.status(), what);
        assertTrue(result.err().contains("failure: "), what);
        assertTrue(result.err().strip().endsWith(": " + Errno.EIO.number()), what);
      }
      assertEquals(mounts, Files.readString(Path.of("/proc/self/mountinfo")), inject);
    }
    assertTrue(n < MANY, "no end of calls");
  }
}
