package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code ovlctl try}, over this very system. The scratch directory is a mount of its own in it. */
@Timeout(120)
@ParameterizedClass
@EnumSource(names = {"IN_PROCESS", "HANDED_OVER"})
class TryTest {
  private static final Pattern KEPT = Pattern.compile("kept in stack (try-[0-9a-f]{8}(-[0-9]+)?):");

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;
  private Ovlctl ovlctl;
  private Path data;

  @BeforeEach
  void data() {
    Requires.overlay();
    ovlctl = hosting.ovlctl(host, Ovlctl.of(scratch).installed());
    ovlctl.shell("mkdir data && echo old > data/old && echo gone > data/gone").fine();
    data = Path.of(scratch.resolve("data").toString());
  }

  private Trees.Snapshot snapshot() throws Exception {
    return Trees.snapshotWithTimes(scratch.resolve("data"));
  }

  private static String kept(Result result) {
    Matcher matcher = KEPT.matcher(result.err());
    assertTrue(matcher.find(), result::toString);
    return matcher.group(1);
  }

  private void assertNoStacks() {
    assertEquals("[ ]\n", ovlctl.run("ls", "--json").fine().out());
    assertEquals("l\n", ovlctl.shell("ls root/overlay2").fine().out());
  }

  @Test
  void nothingChangesBeforeItIsTakenOver() throws Exception {
    Trees.Snapshot before = snapshot();
    Result tried =
        ovlctl
            .run(
                "try",
                "sh",
                "-c",
                "cat data/old; echo new > data/new; rm data/gone; ls data; exit 3")
            .ended(3);
    assertEquals("old\nnew\nold\n", tried.out());
    assertTrue(tried.err().contains("\nD " + data + "/gone\nA " + data + "/new\n"), tried::err);
    Trees.assertSame(before, snapshot());
    String name = kept(tried);
    assertTrue(ovlctl.run("changes", name).fine().out().contains("A /data/new\n"));
    ovlctl.run("merge", name).fine();
    assertEquals("new\n", Files.readString(data.resolve("new")));
    assertFalse(Files.exists(data.resolve("gone")));
    ovlctl.run("rm", name).fine();
    assertNoStacks();
  }

  @Test
  void whatIsCommittedIsThere() throws Exception {
    Result tried = ovlctl.run("try", "--commit", "sh", "-c", "echo new > data/old").ended(0);
    assertTrue(tried.err().endsWith("C " + data + "/old\n"), tried::err);
    assertEquals("new\n", Files.readString(data.resolve("old")));
    assertNoStacks();
    Result failed =
        ovlctl.run("try", "--commit", "sh", "-c", "echo worse > data/old; exit 4").ended(4);
    assertEquals("new\n", Files.readString(data.resolve("old")), "it failed");
    // that another is kept over the same directories is in nobody's way
    ovlctl.run("try", "--commit", "sh", "-c", "echo more > data/more").ended(0);
    assertEquals("more\n", Files.readString(data.resolve("more")));
    ovlctl.run("rm", kept(failed)).fine();
    assertNoStacks();
  }

  @Test
  void whatIsDiscardedNeverWas() throws Exception {
    Trees.Snapshot before = snapshot();
    ovlctl.run("try", "--discard", "rm", "-r", data.toString()).ended(0);
    Trees.assertSame(before, snapshot());
    assertNoStacks();
    assertEquals("", ovlctl.run("try", "true").fine().err());
    assertNoStacks();
    Path forbidden = Path.of("/etc/ovl-try-" + ProcessHandle.current().pid());
    ovlctl.run("try", "--discard", "touch", forbidden.toString()).ended(0);
    assertFalse(Files.exists(forbidden));
  }

  @Test
  void whatIsBesideIsReadOnly() throws Exception {
    Result tried =
        ovlctl
            .run("try", "--discard", "--over", "data", "sh", "-c", "touch data/x && touch other")
            .ended(1);
    assertTrue(tried.err().contains("Read-only file system"), tried::err);
    assertTrue(tried.err().endsWith("A " + data + "/x\n"), tried::err);
    assertFalse(Files.exists(data.resolve("x")));
  }

  @Test
  void whatIsMountedInItIsCovered() throws Exception {
    ovlctl
        .shell(
            "mkdir data/m data/s && mount -t tmpfs t data/m && mkdir data/m/in && echo 1 > data/m/f")
        .fine();
    try {
      String script = "echo 2 > data/m/f; echo 3 > data/m/in/g; cat data/m/f";
      Result tried = ovlctl.run("try", "--over", "data", "sh", "-c", script).ended(0);
      assertEquals("2\n", tried.out());
      assertEquals("1\n", Files.readString(data.resolve("m/f")));
      assertFalse(Files.exists(data.resolve("m/in/g")));
      ovlctl.run("rm", kept(tried)).fine();
      assertNoStacks();
      ovlctl.run("try", "--commit", "--over", "data", "sh", "-c", script).ended(0);
      assertEquals("2\n", Files.readString(data.resolve("m/f")));
      assertEquals("3\n", Files.readString(data.resolve("m/in/g")));
      assertNoStacks();
    } finally {
      ovlctl.shell("umount data/m").fine();
    }
  }

  @Test
  void programsReadIt() {
    Result tried =
        ovlctl.run("try", "--json", "--discard", "--over", "data", "touch", "data/x").ended(0);
    assertEquals(
        """
        {
          "status": 0,
          "outcome": "discarded",
          "stacks": [ ],
          "changes": [
            {
              "kind": "A",
              "path": "%s/x"
            }
          ]
        }
        """
            .formatted(data),
        tried.out());
  }

  @Test
  void onATerminalItAsks() throws Exception {
    Requires.program("script");
    answer("d\n", "no", 0);
    assertFalse(Files.exists(data.resolve("no")));
    assertNoStacks();
    answer("commit\n", "yes", 0);
    assertTrue(Files.exists(data.resolve("yes")));
    assertNoStacks();
    answer("\n", "kept", 0);
    assertFalse(Files.exists(data.resolve("kept")));
    assertTrue(ovlctl.run("ls").fine().out().contains("\ntry-"));
  }

  @Test
  void interruptedAtTheQuestionItKeepsAllAtOnce() throws Exception {
    Requires.program("script");
    long start = System.nanoTime();
    answer("\3", "kept", 125);
    assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(15), "nobody waits for a line");
    assertFalse(Files.exists(data.resolve("kept")));
    assertTrue(ovlctl.run("ls").fine().out().contains("\ntry-"));
  }

  /** Tries to make a file, and answers the question by keys. */
  private void answer(String answer, String file, int status) throws Exception {
    // exec: not every shell outlives an interruption that its child has handled
    String command =
        "export OVL_ROOT=%s OVL_RUN=%s OVL_CONFIG=/dev/null; cd %s && exec %s try --over data touch data/%s"
            .formatted(
                ovlctl.variable("OVL_ROOT"),
                ovlctl.variable("OVL_RUN"),
                scratch.path(),
                Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString()),
                file);
    // tests that a shell runs in the background ignore SIGINT, and so would all that they start
    Process process =
        new ProcessBuilder("env", "--default-signal=INT", "script", "-qec", command, "/dev/null")
            .redirectErrorStream(true)
            .start();
    StringBuilder seen = new StringBuilder();
    while (seen.indexOf("commit, discard or keep these changes? [c/d/K] ") < 0) {
      int read = process.getInputStream().read();
      assertTrue(read >= 0, seen::toString);
      seen.append((char) read);
    }
    process.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
    process.getInputStream().readAllBytes();
    assertEquals(status, process.waitFor(), seen::toString);
  }

  @Test
  void whatDoesNotStartLeavesNothing() {
    assertEquals(
        "try: cannot execute nosuch: No such file or directory (ENOENT)",
        ovlctl.run("try", "nosuch").failed(127));
    assertNoStacks();
    assertEquals(
        "try: lower does not exist: " + scratch.resolve("none") + " (ENOENT)",
        ovlctl.run("try", "--over", "none", "true").failed(125));
    assertNoStacks();
  }

  @Test
  void killedItLeavesWhatWasWritten() throws Exception {
    Trees.Snapshot before = snapshot();
    Ovlctl.Started started =
        ovlctl.start(
            Dist.tree().resolve("bin/ovlctl").toString(),
            "try",
            "--over",
            "data",
            "sh",
            "-c",
            "echo x > data/x; echo begun; sleep 7615");
    while (Files.size(started.out()) == 0) {
      assertTrue(started.process().isAlive());
      TimeUnit.MILLISECONDS.sleep(10);
    }
    started.process().destroyForcibly().waitFor();
    while (ProcessHandle.allProcesses()
        .anyMatch(p -> p.info().commandLine().orElse("").equals("sleep 7615"))) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    Trees.assertSame(before, snapshot());
    String name = ovlctl.shell("ovlctl ls | grep -o '^try-[0-9a-f]*'").fine().out().strip();
    assertEquals("A /x\n", ovlctl.run("changes", name).fine().out());
    ovlctl.run("rm", name).fine();
    assertNoStacks();
  }
}
