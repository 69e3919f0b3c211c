package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the installed {@code ovlctl} hands over to a daemon and what it does itself, in Java; and
 * that nobody notices a difference.
 */
@Timeout(180)
class HandoverTest {
  /** With such a word among its options Java ends before it has begun, with status 1. */
  private static final String NO_JAVA = "-XX:ThereIsNoSuchOption";

  private static final String PROGRAM = Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString());

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private Ovlctl ovlctl;
  private Mountd daemon;

  @BeforeEach
  void daemon() {
    Requires.overlay();
    ovlctl = Ovlctl.of(scratch).installed();
    daemon = hosting.daemon(ovlctl);
    ovlctl.shell("mkdir lower merged && echo low > lower/a").fine();
    ovlctl.run("create", "web", "--lower", "lower", "--at", "merged").fine();
  }

  private Ovlctl withoutJava() {
    return ovlctl.with("OVL_JAVA_OPTIONS", NO_JAVA);
  }

  // ---- what is handed over ------------------------------------------------------------------

  @Test
  void noJavaIsStartedForWhatTheDaemonCanDo() {
    Ovlctl handing = withoutJava();
    assertEquals("web: down\n", handing.run("status", "web").ended(3).out());
    assertEquals(scratch.resolve("merged") + "\n", handing.run("up", "web").fine().out());
    handing.shell("echo new > merged/n").fine();
    assertEquals("A /n\n", handing.run("changes", "web").fine().out());
    handing.run("down", "web").fine();
    assertTrue(handing.run("version").fine().out().startsWith("ovlctl "));
    assertTrue(handing.run("status", "--help").fine().out().startsWith("Usage: ovlctl status"));
    assertEquals(
        "a verb is missing (try 'ovlctl --help')", handing.run().failed(2), "usage errors too");
    assertEquals("web: down\n", handing.in(scratch.resolve("lower")).run("status", "web").out());
    assertEquals(
        "web: down\n",
        handing.without("OVL_ROOT").in(scratch.path()).run("--root", "root", "status", "web").out(),
        "by its own directory");
    assertTrue(daemon.log().contains(" down web: done in "), daemon::log);
  }

  @Test
  void theLogNamesTheClientAndNotTheDaemon() {
    String pid =
        withoutJava()
            .shell("%s up web > /dev/null & echo $!; wait $!".formatted(PROGRAM))
            .fine()
            .out()
            .strip();
    assertTrue(
        daemon.log().lines().anyMatch(line -> line.endsWith(" by uid 0 pid " + pid)), daemon::log);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--host none status web",
        "--host unix://$OVL_RUN/mountd.sock status web",
        "--root other status web",
        "--trace status web",
        "demo --dry-run",
        "doctor",
        "mv nothing nowhere",
        "layer apply base /dev/stdin",
        "layer apply base /proc/self/fd/0"
      })
  void whatTheDaemonCannotDoInItsStead(String arguments) {
    assertEquals(1, withoutJava().shell("ovlctl " + arguments).status(), arguments);
    Result done = ovlctl.shell("ovlctl " + arguments);
    assertTrue(!done.err().contains("Unrecognized VM option"), done::toString);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "unshare --mount",
        "unshare --pid --fork --mount-proc",
        "unshare --user --map-root-user",
        "setpriv --reuid 1234 --clear-groups",
        "unshare --root=/proc/self/root/./usr/.."
      })
  void whoeverLivesInAnotherWorldDoesItThemselves(String world) {
    Requires.program("unshare");
    Requires.program("setpriv");
    boolean same = world.contains("--root");
    assertEquals(
        same ? 3 : 1,
        withoutJava().shell(world + " " + PROGRAM + " status web").status(),
        same ? "the same root directory" : world);
  }

  @Test
  void anotherBuildDoesItItself() {
    Path tree = Dist.tree();
    ovlctl
        .shell(
            """
            mkdir -p other/bin other/lib && cp %1$s/bin/ovlctl other/bin &&
              ln -s %1$s/lib/* other/lib && ln -s %1$s/runtime other &&
              rm other/lib/build-id && echo 0 > other/lib/build-id
            """
                .formatted(Ovlctl.quote(tree.toString())))
        .fine();
    assertEquals(1, withoutJava().shell("other/bin/ovlctl status web").status());
    ovlctl.shell("cp %s/lib/build-id other/lib".formatted(tree)).fine();
    assertEquals(3, withoutJava().shell("other/bin/ovlctl status web").status());
  }

  @Test
  void whereTheDaemonIsGoneItIsDoneHere() {
    daemon.kill();
    ovlctl.shell("test -S run/cli.sock").fine();
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out());
    hosting.daemon(ovlctl);
    assertEquals("web: down\n", withoutJava().run("status", "web").ended(3).out());
  }

  // ---- nobody notices -----------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ovlctl ls",
        "ovlctl ls >&-",
        "ovlctl ls <&-",
        "ovlctl ls 2>&-",
        "ovlctl nonsense 2>&-",
        "ovlctl status web nosuch",
        "ovlctl ls >/dev/full",
        "ovlctl inspect --json web | head -1; echo ${PIPESTATUS[0]}",
        "{ ovlctl inspect web; echo $? >&2; } | true",
        "cd lower && ovlctl create two --lower . && ovlctl inspect --json two | grep lower",
        "ovlctl completion bash | sha256sum",
        "ovlctl layer create base --json && tar -C lower -c . | ovlctl layer apply base -",
        "echo nothing | ovlctl layer apply nosuch -",
        "ovlctl --help | tail -3",
        "NO_COLOR= ovlctl --color always --help | head -c 100",
        "ovlctl diff web | tar -t",
        "ovlctl $'st\\xffatus'"
      })
  void itIsAsIfItHadBeenDoneHere(String script) {
    Result here = ovlctl.with("OVL_HOST", "none").shell(script);
    String reset = "ovlctl rm two; ovlctl layer rm base; true";
    ovlctl.with("OVL_HOST", "none").shell(reset);
    Result there = withoutJava().shell(script);
    assertEquals(here.status(), there.status(), there::toString);
    assertEquals(here.out(), there.out());
    assertEquals(here.err(), there.err());
  }

  /** When it is done, the daemon has nothing of its client's open any more. */
  @Test
  void whereTheStreamsLeadToCanBeUnmountedAtOnce() {
    withoutJava()
        .shell(
            """
            mkdir sub
            for i in $(seq 50); do
              mount -t tmpfs sub sub && ovlctl ls >sub/out </dev/null && umount sub || exit 97
            done
            """)
        .fine();
  }

  @Test
  void fiftyAtOnce() {
    Result all =
        withoutJava()
            .shell(
                """
                for i in $(seq 50); do
                  { ovlctl create s$i --lower lower --up && ovlctl down s$i && ovlctl rm s$i &&
                      echo done; } >out.$i 2>&1 &
                done
                wait
                cat out.* | grep -v /merged | sort | uniq -c
                """);
    assertEquals("50 done", all.fine().out().strip());
    assertEquals(List.of("web"), names());
  }

  private List<String> names() {
    return ovlctl.shell("ovlctl ls | tail -n +2 | cut -d' ' -f1").fine().lines();
  }

  // ---- ends ---------------------------------------------------------------------------------

  /** More than lies in buffers between two processes. */
  private void createLarge() {
    ovlctl
        .shell(
            """
            mkdir tree && head -c 8000000 /dev/urandom >tree/big && tar -C tree -cf tree.tar . &&
              ovlctl layer create base && ovlctl layer apply base tree.tar && mkfifo slow
            """)
        .fine();
  }

  private void awaitNothingUnderWay() {
    daemon.await(
        () ->
            ovlctl
                    .shell(
                        "curl -s --unix-socket run/mountd.sock http://localhost/v1/metrics |"
                            + " grep -q '^ovl_requests_in_progress 0$'")
                    .status()
                == 0,
        "has nothing under way");
  }

  @Test
  void aReaderWhoDoesNotReadKeepsNobodyOut() {
    Requires.program("curl");
    createLarge();
    withoutJava()
        .shell(
            """
            ovlctl layer diff base >slow & client=$!
            exec 5<slow
            head -c 100 <&5 >/dev/null
            ovlctl status web; ovlctl up web && ovlctl down web && ovlctl layer inspect base || exit 1
            kill -9 $client
            wait $client
            [ $? = 137 ]
            """)
        .ended(0);
    awaitNothingUnderWay();
  }

  @Test
  void aDaemonThatIsKilledIsOneLine() {
    createLarge();
    Result diff =
        withoutJava()
            .shell(
                """
                { ovlctl layer diff base; echo $? >status; } >slow & job=$!
                exec 5<slow
                head -c 100 <&5 >/dev/null
                kill -9 %d
                cat <&5 >rest
                wait $job
                exit $(cat status)
                """
                    .formatted(daemon.pid()));
    assertEquals(
        "the daemon ended: what was asked for may be done or not", diff.ended(1).errorLine());
  }

  /** A daemon that is to end tells its clients before it does. */
  @Test
  void aDaemonThatEndsWellFinishesWhatItBegan() {
    Requires.program("flock");
    Result up =
        withoutJava()
            .shell(
                """
                exec 9<root/stacks/.web.lock && flock 9 || exit 99
                ovlctl up web 9<&- & client=$!
                sleep 1
                kill -TERM %d
                sleep 1
                exec 9<&-
                wait $client
                """
                    .formatted(daemon.pid()));
    assertEquals(scratch.resolve("merged") + "\n", up.fine().out());
    assertEquals(
        "web: up on " + scratch.resolve("merged") + "\n", ovlctl.run("status", "web").out());
  }

  /** By signal, and what the process in Java does of it. */
  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP", "KILL"})
  void whoeverWantsToStopStops(String signal) {
    createLarge();
    Result here = upload(ovlctl.with("OVL_HOST", "none"), signal);
    Result there = upload(withoutJava(), signal);
    assertEquals(here.status(), there.status(), () -> here + "\n" + there);
    awaitNothingUnderWay();
    ovlctl.shell("! [ -e root/overlay2/next/.tmp-diff ]").fine();
  }

  private static Result upload(Ovlctl by, String signal) {
    return by.shell(
        """
        ovlctl layer create next >/dev/null || exit 97
        { head -c 4000000 tree.tar; exec sleep 100; } >slow & holder=$!
        set -m
        %s layer apply next <slow & client=$!
        until [ -e root/overlay2/next/.tmp-diff ]; do sleep 0.02; done
        kill -%s $client
        wait $client
        status=$?
        kill $holder
        ovlctl layer rm next || [ $status = 137 ] || exit 98
        exit $status
        """
            .formatted(PROGRAM, signal));
  }

  @Test
  void aProgramOutlivesTheDaemon() throws Exception {
    Requires.program("busybox");
    ovlctl
        .shell(
            """
            mkdir -p lower/{bin,proc,sys,dev} && cp /bin/busybox lower/bin &&
              ln -s busybox lower/bin/sh && ln -s busybox lower/bin/sleep
            """)
        .fine();
    Result run =
        withoutJava()
            .shell(
                """
                ovlctl run web -- sh -c 'echo begun; sleep 2; echo ended; exit 7' >out & client=$!
                until grep -q begun out; do kill -0 $client || exit 98; sleep 0.05; done
                kill -TERM %d
                wait $client
                """
                    .formatted(daemon.pid()));
    run.ended(7);
    assertEquals("begun\nended\n", Files.readString(Path.of(scratch.resolve("out").toString())));
  }
}
