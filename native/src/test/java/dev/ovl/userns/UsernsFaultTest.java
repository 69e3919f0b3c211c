package dev.ovl.userns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each call of a system call fails once, in every process that makes so many of them: strace(1)
 * does that. Then Java runs in a namespace, or it runs without and knows why; and nothing waits.
 */
@Timeout(300)
class UsernsFaultTest {
  private static final int NOT_EXECUTABLE = 126;
  private static final int MANY = 200;
  private static final long PATIENCE_SECONDS = 30;

  @RegisterExtension final Scratch scratch = Scratch.directory();
  private OrdinaryUser user;

  @BeforeAll
  static void needs() {
    Requires.root();
    Requires.program("setpriv");
    Requires.program("strace");
    Requires.program("python3");
  }

  @BeforeEach
  void user() throws Exception {
    user = OrdinaryUser.in(scratch.path());
    Path log = Files.createFile(user.resolve("log"));
    Files.setAttribute(log, "unix:uid", OrdinaryUser.UID);
    // no script: a shell would go on where a call of its own fails
    Files.copy(Path.of("/bin/echo"), user.resolve("bin/java"), StandardCopyOption.REPLACE_EXISTING);
  }

  @ParameterizedTest
  @ValueSource(strings = {"unshare", "mount", "openat", "write", "read", "execve", "getcwd"})
  void makingOne(String call) throws Exception {
    failEach(call);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"unshare", "pipe2", "clone", "dup2", "write", "read", "openat", "wait4", "access"})
  void makingOneWithRanges(String call) throws Exception {
    String range = OrdinaryUser.UID + ":100000:65536\n";
    user.file("subids/subuid", range);
    user.file("subids/subgid", range);
    // they map nothing, and whoever is nobody can execute scripts all the same
    user.script("newuidmap", "exit 0");
    user.script("newgidmap", "exit 0");
    failEach(call);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "socket",
        "connect",
        "getsockopt",
        "pidfd_open",
        "recvfrom",
        "setns",
        "chdir",
        "getcwd",
        "openat"
      })
  void enteringTheDaemons(String call) throws Exception {
    user.with("OVL_RUN", user.resolve("rt").toString());
    Files.createDirectory(user.resolve("rt"));
    Files.setAttribute(user.resolve("rt"), "unix:uid", OrdinaryUser.UID);
    user.file(
        "listen.py",
        """
        import socket, sys
        listening = socket.socket(socket.AF_UNIX)
        listening.bind('rt/mountd.sock')
        listening.listen(1000)
        print(flush=True)
        sys.stdin.read()
        """);
    user.script("listener", "exec python3 listen.py");
    Process daemon =
        user.execute(
            List.of(),
            List.of(
                user.resolve("bin/ovl-userns").toString(),
                user.resolve("bin/listener").toString()));
    try {
      daemon.inputReader().readLine();
      failEach(call);
    } finally {
      daemon.getOutputStream().close();
      daemon.waitFor();
    }
  }

  private void failEach(String call) throws Exception {
    String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
    Path log = user.resolve("log");
    int n = 1;
    boolean struck = true;
    // the first execve is strace's own
    for (int skipped = call.equals("execve") ? 1 : 0; struck && n < MANY; n++) {
      String inject = "inject=" + call + ":error=EIO:when=" + (n + skipped);
      List<String> strace =
          List.of(
              "strace", "-f", "-qqq", "-o", log.toString(), "-e", "trace=" + call, "-e", inject);
      Process process = user.start(strace, "ls");
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        // what strace leaves when it is killed goes on
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        fail(inject + " hangs");
      }
      OrdinaryUser.Result result = OrdinaryUser.end(process);
      struck = Files.readString(log).contains("(INJECTED)");
      String what = inject + ": " + result;
      if (result.status() == 0) {
        assertTrue(
            result
                .out()
                .matches("-Dovl.namespace=(own|daemon|none .+) -cp x dev.ovl.cli.Main ls\n"),
            () -> what);
      } else if (call.equals("execve")) {
        assertEquals(NOT_EXECUTABLE, result.status(), what);
      } else {
        // the dynamic linker's, or that of what stands for Java
        assertTrue(result.err().strip().lines().count() >= 1, what);
      }
      assertEquals(mounts, Files.readString(Path.of("/proc/self/mountinfo")), inject);
    }
    assertTrue(n < MANY, "no end of calls");
  }
}
