package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code ovlctl run}, as it is installed. */
@ParameterizedClass
@EnumSource(names = {"IN_PROCESS", "HANDED_OVER"})
class RunTest {
  private static final long PATIENCE_SECONDS = 30;

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;
  private Ovlctl ovlctl;

  @BeforeEach
  void stack() {
    Requires.overlay();
    Requires.program("busybox");
    ovlctl = hosting.ovlctl(host, Ovlctl.of(scratch).installed());
    ovlctl
        .shell(
            """
            mkdir -p lower/{bin,proc,sys,dev,tmp,etc} && cp /bin/busybox lower/bin
            for a in sh cat echo env id ls ps sleep touch tty stty; do ln -s busybox lower/bin/$a; done
            echo root:x:0:0::/root:/bin/sh > lower/etc/passwd
            echo web:x:1000:1001::/home/web:/bin/sh >> lower/etc/passwd
            """)
        .fine();
    ovlctl.run("create", "web", "--lower", "lower").fine();
  }

  @Test
  void itIsTheRootDirectory() {
    assertEquals(
        "bin\ndev\netc\nproc\nsys\ntmp\n", ovlctl.run("run", "web", "--", "ls", "/").fine().out());
    ovlctl.run("run", "web", "--", "sh", "-c", "echo x > /made; exit 7").ended(7);
    assertEquals("A /made\n", ovlctl.run("changes", "web").fine().out());
    ovlctl.run("status", "web").ended(3);
    ovlctl.run("run", "--rm", "web", "--", "sh", "-c", "[ ! -e /made ] && touch /gone").fine();
    assertEquals("A /made\n", ovlctl.run("changes", "web").fine().out());
    assertEquals("1\n", ovlctl.shell("ls root/overlay2 | grep -vxc l").fine().out());
  }

  @Test
  void itsEnvironmentIsAsked() {
    Ovlctl with = ovlctl.with("PASSED", "on").with("KEPT", "here");
    assertEquals(
        """
        HOME=/home/web
        PASSED=on
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        SET=a=b
        """,
        with.shell("ovlctl run web -u web -e PASSED -e SET=a=b -e UNSET -- /bin/env | sort")
            .fine()
            .out());
    assertEquals(
        "/tmp\n", ovlctl.run("run", "web", "-w", "/tmp", "--", "sh", "-c", "pwd").fine().out());
    ovlctl.shell("mkdir data && echo d > data/f").fine();
    assertEquals(
        "d\nread-only\n",
        ovlctl
            .run(
                "run",
                "-v",
                "data:/srv/x:ro",
                "web",
                "--",
                "sh",
                "-c",
                "cat /srv/x/f; touch /srv/x/g 2>/dev/null || echo read-only")
            .fine()
            .out());
    assertEquals("piped\n", ovlctl.shell("echo piped | ovlctl run web -- cat").fine().out());
  }

  @Test
  void whatCannotBeRunIsToldInALine() {
    assertEquals(
        "run web: cannot execute nosuch: No such file or directory (ENOENT)",
        ovlctl.run("run", "web", "--", "nosuch").failed(127));
    assertEquals(
        "run web: cannot execute /etc: Permission denied (EACCES)",
        ovlctl.run("run", "web", "--", "/etc").failed(126));
    assertEquals(
        "run web: cannot enter /none: No such file or directory (ENOENT)",
        ovlctl.run("run", "web", "-w", "/none", "--", "ls").failed(125));
    assertEquals(
        "run other: no such stack (ENOENT)", ovlctl.run("run", "other", "--", "ls").failed(125));
    assertEquals(
        "run web: there is no user who in it",
        ovlctl.run("run", "web", "-u", "who", "--", "ls").failed(125));
    assertEquals(
        "run web: a volume is SOURCE:TARGET or SOURCE:TARGET:ro, not data",
        ovlctl.run("run", "web", "-v", "data", "--", "ls").failed(125));
    assertTrue(
        ovlctl.run("run", "web", "ls", "-l").failed(125).startsWith("run: Unknown option: '-l'"));
    assertEquals(
        "run web: would run sh -c 'rm x'",
        ovlctl.run("--dry-run", "run", "web", "--", "sh", "-c", "rm x").ended(0).errorLine());
  }

  @Test
  void aLibraryThatIsMissingOrAnothersIsTold() throws Exception {
    Requires.program("gcc");
    Requires.program("make");
    Ovlctl alone = ovlctl.with("OVL_HOST", "none");
    Path copy = Dist.tree().resolveSibling("broken");
    Path library = copy.resolve("lib/libovl-jni.so");
    String remove = "rm -rf " + Ovlctl.quote(copy.toString());
    String run = Ovlctl.quote(copy.resolve("bin/ovlctl").toString()) + " run web -- ls";
    try {
      ovlctl.shell(remove + " && cp -al " + Ovlctl.quote(Dist.tree() + "") + " " + copy).fine();
      Files.delete(library);
      assertEquals("run web: there is no " + library, alone.shell(run).ended(125).errorLine());
      Files.copy(copy.resolve("lib/libovl-exdev.so"), library);
      assertTrue(
          alone.shell(run).ended(125).errorLine().startsWith("run web: cannot load " + library));
      String make =
          "make --silent -C %s/native BUILD=%s JAVA_HOME=%s VERSION=0.0 libovl-jni.so"
              .formatted(
                  Ovlctl.CHECKOUT, scratch.path(), Ovlctl.quote(System.getProperty("java.home")));
      ovlctl.shell(make + " && mv libovl-jni.so " + Ovlctl.quote(library.toString())).fine();
      assertEquals(
          "run web: "
              + library
              + " is of another build: it is version 0.0, and this is "
              + System.getProperty("ovl.dist.version"),
          alone.shell(run).ended(125).errorLine());
    } finally {
      ovlctl.shell(remove).fine();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "INT", "QUIT", "TERM", "USR1", "USR2"})
  void signalsGoThrough(String signal) throws Exception {
    Ovlctl.Started started =
        ovlctl.start(
            Dist.tree().resolve("bin/ovlctl").toString(),
            "run",
            "web",
            "--",
            "sh",
            "-c",
            "trap 'echo got; exit 9' " + signal + "; touch /ready; while :; do sleep 0.05; done");
    Path upper = upper();
    waitFor(() -> Files.exists(upper.resolve("ready")));
    // the program begins to listen right after the command began
    TimeUnit.MILLISECONDS.sleep(300);
    ovlctl.shell("kill -" + signal + " " + started.process().pid()).fine();
    assertTrue(started.process().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    assertEquals(9, started.process().exitValue());
    assertEquals("got\n", Files.readString(started.out()));
  }

  private Path upper() throws Exception {
    try (Stream<Path> layers = Files.list(Path.of(scratch.resolve("root/overlay2").toString()))) {
      return layers.filter(layer -> !layer.endsWith("l")).findFirst().orElseThrow().resolve("diff");
    }
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void waitFor(Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.holds()) {
      assertTrue(System.nanoTime() < deadline, "it did not come about");
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--quiet", "--rm"})
  void killedAtAnyMomentItLeavesNothing(String option) throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    System.out.println("RunTest seed " + seed);
    for (int i = 0; i < 20; i++) {
      Ovlctl.Started started =
          ovlctl.start(
              Dist.tree().resolve("bin/ovlctl").toString(),
              "run",
              option,
              "web",
              "--",
              "sh",
              "-c",
              "sleep 7513 & sleep 7514");
      started.process().waitFor(random.nextInt(900), TimeUnit.MILLISECONDS);
      started.process().destroyForcibly().waitFor();
      waitFor(() -> !isAnybodyLeft());
    }
    // whoever comes next finds what the last one made to throw away
    ovlctl.run("create", "next", "--lower", "lower").fine();
    assertEquals("2\n", ovlctl.shell("ls root/overlay2 | grep -vxc l").fine().out());
    assertEquals(
        "", ovlctl.shell("ls -A root/journal; ls -A root/stacks | grep run- || :").fine().out());
    ovlctl.run("run", "web", "--", "touch", "/works").fine();
  }

  /** A process of the command, or any with its mount. */
  private boolean isAnybodyLeft() throws Exception {
    String lower = scratch.resolve("lower").toString();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path process :
          processes.filter(p -> p.getFileName().toString().matches("[0-9]+")).toList()) {
        try {
          if (Files.readString(process.resolve("cmdline")).matches("(?s)sleep\\x00751[34]\\x00")
              || Files.readString(process.resolve("mountinfo")).contains(lower + ",")) {
            return true;
          }
        } catch (IOException e) {
          // it ended while it was looked at
        }
      }
    }
    return false;
  }
}
