package dev.ovl.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.Errno;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class RunTest {
  private static final int NOT_STARTED = 125;
  private static final int NOT_EXECUTABLE = 126;
  private static final int NOT_FOUND = 127;
  private static final int SIGNALLED = 128;
  private static final int TERM = 15;
  private static final int KILL = 9;
  private static final long PATIENCE_SECONDS = 20;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private Tree tree;

  @BeforeEach
  void tree() throws Exception {
    tree = Tree.in(scratch.path());
  }

  // ---- statuses -----------------------------------------------------------------------------

  @Test
  void theStatusIsTheCommands() throws Exception {
    assertEquals("said\n", tree.sh("echo said"));
    tree.run("sh", "-c", "exit 7").ended(7);
    tree.run("sh", "-c", "kill -TERM $$").ended(SIGNALLED + TERM);
    tree.run("sh", "-c", "kill -KILL $$").ended(SIGNALLED + KILL);
  }

  @Test
  void aCommandThatCannotRunIsTold() throws Exception {
    refused(NOT_FOUND, "cannot execute: nosuch: " + Errno.ENOENT.number(), "nosuch");
    refused(NOT_FOUND, "cannot execute: /bin/nosuch: " + Errno.ENOENT.number(), "/bin/nosuch");
    refused(NOT_EXECUTABLE, "cannot execute: /etc: " + Errno.EACCES.number(), "/etc");
    Files.writeString(tree.resolve("bin/plain"), "no program");
    refused(NOT_EXECUTABLE, "cannot execute: plain: " + Errno.EACCES.number(), "plain");
    refused(NOT_STARTED, "cannot enter: /no: " + Errno.ENOENT.number(), "-w", "/no", "ls");
  }

  private void refused(int status, String problem, String... words) throws Exception {
    Tree.Result result = tree.run(words);
    assertEquals("failure: " + problem + "\n", result.err());
    assertEquals(status, result.status());
    assertEquals("", result.out());
  }

  @Test
  void itIsLookedForWhereThePathSays() throws Exception {
    Files.createDirectories(tree.resolve("own"));
    Files.writeString(tree.resolve("own/tool"), "#!/bin/sh\necho own $1");
    assertTrue(tree.resolve("own/tool").toFile().setExecutable(true));
    assertEquals("own x\n", tree.run("-e", "PATH=/no:/own", "tool", "x").ended(0).out());
    assertEquals("own x\n", tree.run("-e", "PATH=:/no", "-w", "/own", "tool", "x").ended(0).out());
    refused(NOT_FOUND, "cannot execute: ls: " + Errno.ENOENT.number(), "-e", "PATH=/own", "ls");
  }

  // ---- the world ----------------------------------------------------------------------------

  @Test
  void theTreeIsTheRootDirectory() throws Exception {
    Path sibling = Path.of(scratch.path().toString(), "sibling");
    Files.createDirectories(sibling);
    assertEquals("bin\ndev\netc\nproc\nsys\ntmp\n", tree.sh("ls /"));
    assertEquals("bin\ndev\netc\nproc\nsys\ntmp\n", tree.sh("ls /../.."));
    List<String> mounts = tree.sh("cat /proc/self/mountinfo").lines().toList();
    TreeSet<String> points = new TreeSet<>();
    mounts.forEach(line -> points.add(line.split(" ")[4]));
    points.removeIf(point -> point.startsWith("/sys/fs/cgroup"));
    assertEquals(
        List.of("/", "/dev", "/dev/pts", "/dev/shm", "/proc", "/sys"), List.copyOf(points));
    assertTrue(mounts.stream().noneMatch(line -> line.contains("shared:")), mounts::toString);
  }

  @Test
  void itHasTheDevicesOfAContainer() throws Exception {
    assertEquals(
        "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n",
        tree.sh("echo $(ls /dev)"));
    assertEquals("x\n", tree.sh("echo gone > /dev/null; echo x > /dev/stdout"));
    assertEquals("/proc/self/fd\n", tree.sh("readlink /dev/fd"));
    assertEquals("", tree.sh("touch /dev/shm/x"));
    assertEquals("ro\n", tree.sh("grep ' /sys ' /proc/mounts | grep -o ' ro,' | grep -o ro"));
    assertFalse(Files.exists(tree.resolve("dev/null")), "nothing is made in the tree");
  }

  @Test
  void aDirectoryThatIsMissingIsToldAndNotMade() throws Exception {
    Files.delete(tree.resolve("proc"));
    Files.delete(tree.resolve("dev"));
    Tree.Result result = tree.run("sh", "-c", "echo fine");
    assertEquals("fine\n", result.out());
    assertEquals(
        """
        note: there is no directory /proc to mount it on: : 0
        note: there is no directory /dev to make devices in: : 0
        """,
        result.err());
    assertFalse(Files.exists(tree.resolve("proc")));
  }

  /** Copies of shared mounts are their peers. */
  @Test
  void whatIsMountedInsideIsNotMountedOutside() throws Exception {
    Path source = Path.of(scratch.path().toString(), "source");
    Files.createDirectories(source.resolve("inner"));
    bash("mount --make-rshared " + scratch.path() + "; mount --bind " + source + " " + source);
    try {
      String before = Files.readString(Path.of("/proc/self/mountinfo"));
      tree.run("-v", source + ":/srv", "-v", "/tmp:/srv/inner", "ls", "/proc/self").ended(0);
      assertEquals(before, Files.readString(Path.of("/proc/self/mountinfo")));
      assertEquals(List.of(), names(source.resolve("inner")));
    } finally {
      bash("umount " + source);
    }
  }

  private static void bash(String script) throws Exception {
    assertEquals(0, new ProcessBuilder("/bin/bash", "-ec", script).inheritIO().start().waitFor());
  }

  @Test
  void aLinkOutOfTheTreeLeadsNowhere() throws Exception {
    Files.delete(tree.resolve("dev"));
    Files.createSymbolicLink(tree.resolve("dev"), Path.of("/../../../../../../tmp/devices"));
    Files.createDirectories(tree.resolve("tmp/devices"));
    assertEquals("", tree.sh("[ -c /tmp/devices/null ]"));
  }

  @Test
  void processesAreItsOwn() throws Exception {
    assertEquals("1 ovl-init\n2 sh\n", tree.sh("echo \"1 $(cat /proc/1/comm)\"; echo \"$$ sh\""));
  }

  @Test
  void nothingOfTheCallersIsOpen() throws Exception {
    Process process =
        tree.start(
            List.of("/bin/bash", "-c", "exec 7</dev/null 9</ 200>/dev/null; exec \"$@\"", "bash"),
            "sh",
            "-c",
            "echo $(ls /proc/self/fd); ls -l /proc/1/fd");
    List<String> lines = Tree.end(process).ended(0).out().lines().toList();
    // 3 is the directory that ls reads
    assertEquals("0 1 2 3", lines.getFirst());
    assertTrue(lines.stream().noneMatch(line -> line.endsWith("/dev/null")), lines::toString);
  }

  @Test
  void signalsAreAsInANewProcess() throws Exception {
    Process process =
        tree.start(
            List.of("/bin/bash", "-c", "trap '' INT QUIT USR1 PIPE; exec \"$@\"", "bash"),
            "cat",
            "/proc/self/status");
    List<String> lines =
        Tree.end(process)
            .ended(0)
            .out()
            .lines()
            .filter(line -> line.matches("Sig(Blk|Ign):.*"))
            .toList();
    assertEquals(List.of("SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"), lines);
  }

  // ---- what is asked for --------------------------------------------------------------------

  @Test
  void volumesShowWhatTheHostHas() throws Exception {
    Path source = Path.of(scratch.path().toString(), "source");
    Files.createDirectories(source);
    Files.writeString(source.resolve("file"), "of the host");
    String file = source.resolve("file").toString();
    Tree.Result result =
        tree.run(
            "-v",
            source + ":/srv/deep/er",
            "-v",
            file + ":/etc/file:ro",
            "-v",
            source + ":/tmp:ro",
            "sh",
            "-c",
            "cat /srv/deep/er/file /etc/file; echo x > /srv/deep/er/new;"
                + " touch /tmp/no /etc/file 2>/dev/null; echo $?");
    assertEquals("of the hostof the host1\n", result.ended(0).out());
    assertEquals("x\n", Files.readString(source.resolve("new")));
    assertFalse(Files.exists(source.resolve("no")));
    assertTrue(Files.isDirectory(tree.resolve("srv/deep/er")), "made");
    assertEquals("", Files.readString(tree.resolve("etc/file")));
  }

  @Test
  void aVolumeStaysInTheTree() throws Exception {
    Path source = Path.of(scratch.path().toString(), "source");
    Path outside = Path.of(scratch.path().toString(), "outside");
    Files.createDirectories(source);
    Files.createDirectories(outside);
    Files.createSymbolicLink(tree.resolve("out"), outside);
    refused(
        NOT_STARTED,
        "cannot mount a volume on: /out/x: " + Errno.EEXIST.number(),
        "-v",
        source + ":/out/x",
        "ls");
    assertEquals(List.of(), names(outside));
    refused(
        NOT_STARTED,
        "cannot mount a volume on: /bin/sh: " + Errno.ENOTDIR.number(),
        "-v",
        source + ":/bin/sh",
        "ls");
  }

  private static List<String> names(Path directory) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void itRunsAsTheUser() throws Exception {
    assertEquals("uid=1234 gid=5678\n", tree.run("-u", "1234:5678", "id").ended(0).out());
    assertEquals(
        "Groups:\t \n", tree.run("-u", "1234:5678", "grep", "Groups", "/proc/self/status").out());
  }

  @Test
  void aNetworkOfItsOwnHasALoopbackDeviceThatIsUp() throws Exception {
    String own = tree.run("-n", "ip", "-o", "address").ended(0).out();
    assertTrue(own.lines().allMatch(line -> line.contains(" lo ")), own);
    assertTrue(own.contains("127.0.0.1/8"), own);
    assertEquals(tree.sh("ls /sys/class/net"), tree.run("ls", "/sys/class/net").ended(0).out());
    assertEquals("lo\n", tree.run("-n", "ls", "/sys/class/net").ended(0).out());
  }

  // ---- in a user namespace ------------------------------------------------------------------

  /** Root of a user namespace that has this one id. */
  private Tree.Result inside(String before, String... words) throws Exception {
    return Tree.end(
        tree.start(
            List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                before + "exec unshare --user --map-root-user --mount \"$@\"",
                "sh"),
            words));
  }

  @Test
  void whatRootOfAUserNamespaceCannotMakeIsTheHosts() throws Exception {
    assertEquals(
        "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero\nuid=0 gid=0\n",
        inside("", "sh", "-c", "echo x > /dev/null; echo $(ls /dev); id").ended(0).out());
    assertEquals(
        tree.sh("ls /sys/class/net /sys"),
        inside("", "sh", "-c", "ls /sys/class/net /sys").ended(0).out());
    assertEquals("1\n", inside("", "sh", "-c", "touch /sys/x 2>&-; echo $?").ended(0).out());
    assertEquals("lo\n", inside("", "-n", "ls", "/sys/class/net").ended(0).out());
    assertEquals("/dev/pts/0\n", inside("", "-t", "tty").out().replace("\r", ""));
    assertFalse(Files.exists(tree.resolve("dev/null")), "nothing is made in the tree");
  }

  @Test
  void whatTheKernelDoesNotAllowThereIsToldInALine() throws Exception {
    assertEquals(
        "failure: cannot become a user whom this user namespace does not have: : "
            + Errno.EINVAL.number()
            + "\n",
        inside("", "-u", "1:1", "id").err());
    assertEquals(
        "failure: cannot mount /proc where something hides parts of the host's: : "
            + Errno.EPERM.number()
            + "\n",
        inside("mount -t tmpfs none /proc/sys; ", "ls").err());
  }

  // ---- ends ---------------------------------------------------------------------------------

  @Test
  void whatItLeavesRunningEndsWithIt() throws Exception {
    long start = System.nanoTime();
    tree.run("sh", "-c", "sleep 7200 > /dev/null 2>&1 & exit 3").ended(3);
    assertEquals(0, sleepers("7200"));
    assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS));
  }

  private static long sleepers(String argument) {
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().arguments().isPresent())
        .filter(process -> List.of(process.info().arguments().get()).contains(argument))
        .count();
  }

  @Test
  void orphansAreReaped() throws Exception {
    String states =
        tree.sh(
            "for i in 1 2 3 4 5 6 7 8; do (sleep 0.05 &) ; done; sleep 0.4;"
                + " cat /proc/[0-9]*/stat");
    assertTrue(states.lines().noneMatch(line -> line.contains(") Z ")), states);
  }

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "INT", "QUIT", "TERM", "USR1", "USR2"})
  void signalsGoThrough(String signal) throws Exception {
    Process process =
        tree.start(
            "sh",
            "-c",
            "trap 'echo got; exit 9' " + signal + "; echo ready; while :; do sleep 0.05; done");
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    assertEquals("ready", out.readLine());
    // until the program has begun to wait it is not one to send signals to
    TimeUnit.MILLISECONDS.sleep(200);
    signal(process, signal);
    assertEquals("got", out.readLine());
    assertEquals(9, process.waitFor());
  }

  private static void signal(Process process, String signal) throws Exception {
    new ProcessBuilder("/bin/bash", "-c", "kill -" + signal + " " + process.pid())
        .start()
        .waitFor();
  }

  /** The parent-death signal would follow a thread; this follows the process. */
  @Test
  void itDiesWithWhoeverRunsIt() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Files.writeString(tree.resolve("of-the-tree"), "");
    System.out.println("RunTest seed " + seed);
    for (int i = 0; i < 20; i++) {
      Process process = tree.start("sh", "-c", "sleep 7300 & sleep 7301");
      TimeUnit.MICROSECONDS.sleep(random.nextInt(30_000));
      process.destroyForcibly().waitFor();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (sleepers("7300") + sleepers("7301") > 0 || namespacesLeft()) {
        assertTrue(System.nanoTime() < deadline, "something is left");
        TimeUnit.MILLISECONDS.sleep(10);
      }
    }
  }

  /** Whether any process has the tree as root directory. */
  private boolean namespacesLeft() throws Exception {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      return processes
          .filter(process -> process.getFileName().toString().matches("[0-9]+"))
          .anyMatch(process -> Files.exists(process.resolve("root/of-the-tree")));
    }
  }

  // ---- terminals ----------------------------------------------------------------------------

  @Test
  void aTerminalIsItsOwn() throws Exception {
    Requires.program("script");
    Files.writeString(
        tree.resolve("bin/talk"),
        """
        #!/bin/sh
        trap 'echo interrupted' INT
        tty
        stty size
        [ -c /dev/console ] && echo console
        read line
        echo "read $line"
        sleep 7400
        exit 3
        """);
    assertTrue(tree.resolve("bin/talk").toFile().setExecutable(true));
    Process process =
        new ProcessBuilder(
                "script",
                "-qec",
                "stty rows 33 cols 99; exec "
                    + System.getProperty("ovl.native.dir")
                    + "/test/run "
                    + tree.resolve("")
                    + " -t talk",
                "/dev/null")
            .redirectErrorStream(true)
            .start();
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      until(out, "/dev/pts/0");
      until(out, "33 99");
      until(out, "console");
      type(process, "typed\n");
      until(out, "read typed");
      // sleep must have begun, for whom the interruption is
      TimeUnit.MILLISECONDS.sleep(300);
      type(process, "\003");
      until(out, "interrupted");
    }
    assertEquals(3, process.waitFor());
  }

  private static void type(Process process, String text) throws Exception {
    process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
  }

  private static void until(BufferedReader out, String wanted) throws Exception {
    StringBuilder seen = new StringBuilder();
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.strip().endsWith(wanted)) {
        return;
      }
      seen.append(line).append('\n');
    }
    throw new AssertionError("no line " + wanted + " in\n" + seen);
  }
}
