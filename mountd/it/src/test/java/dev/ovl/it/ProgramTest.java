package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What ovlctl is as a program, whatever carries out its commands. */
class ProgramTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();
  private Ovlctl ovlctl;

  @BeforeEach
  void directories() {
    Requires.overlay();
    ovlctl = Ovlctl.of(scratch);
    ovlctl
        .shell(
            """
            mkdir lower lower2 upper work merged &&
            echo low > lower/a && echo low > lower/b && echo low2 > lower2/c
            """)
        .fine();
  }

  private Map<?, ?> inspect(String name) {
    return JsonText.objects(ovlctl.run("inspect", "--json", name).fine().json()).get(0);
  }

  private void createWeb() {
    ovlctl
        .run(
            "create", "web", "--lower", "lower", "--upper", "upper", "--work", "work", "--at",
            "merged")
        .fine();
  }

  @Test
  void traceShowsTheSystemCalls() {
    createWeb();
    Result up = ovlctl.run("--trace", "up", "web").ended(0);
    assertEquals(scratch.resolve("merged") + "\n", up.out());
    assertTrue(
        up.err().lines().anyMatch(line -> line.matches("mount\\(\"ovl:web\", .*\\) = 0")),
        up::toString);
    Result failed = ovlctl.run("--trace", "umount", "lower").ended(1);
    assertTrue(failed.err().endsWith("is not mounted (EINVAL)\n"), failed::toString);
  }

  /** Each verb's help is looked at in the CLI's own tests. */
  @Test
  void helpAndColour() {
    assertTrue(ovlctl.run("version", "--json").fine().json() instanceof Map<?, ?>);
    Result help = ovlctl.run("--help").fine();
    assertTrue(help.out().startsWith("Usage: ovlctl "), help::toString);
    Result verb = ovlctl.run("create", "--help").fine();
    assertTrue(verb.out().startsWith("Usage: ovlctl create "), verb::toString);
    String escape = "\u001b[";
    assertFalse(help.out().contains(escape));
    assertTrue(ovlctl.run("--color", "always", "--help").fine().out().contains(escape));
  }

  @Test
  void onATerminalColourIsOnUnlessNoColorIsSet() {
    Requires.program("script");
    String help = "script -qec '" + Ovlctl.program() + " --help' /dev/null";
    assertTrue(ovlctl.shell(help).ended(0).out().contains("\u001b["));
    assertFalse(ovlctl.with("NO_COLOR", "1").shell(help).ended(0).out().contains("\u001b["));
  }

  @Test
  void usageErrorsAreOneLine() {
    assertEquals("a verb is missing (try 'ovlctl --help')", ovlctl.run().failed(2));
    assertTrue(ovlctl.run("nosuch").failed(2).contains("'nosuch'"));
    assertTrue(ovlctl.run("ls", "--nosuch").failed(2).startsWith("ls: Unknown option: '--nosuch'"));
    assertTrue(ovlctl.run("create").failed(2).startsWith("create: "));
    assertTrue(ovlctl.run("status").failed(2).startsWith("status: "));
    assertTrue(ovlctl.run("--host", "tcp://x", "ls").failed(2).contains("tcp://x"));
    assertTrue(ovlctl.run("--host", "unix://x", "ls").failed(2).contains("unix://x"));
    assertTrue(ovlctl.run("--host", "unix:///x", "--trace", "ls").failed(2).contains("--trace"));
    assertTrue(ovlctl.run("--root", "", "ls").failed(2).contains("empty"));
  }

  @Test
  void itMayBeCalledThroughALink() {
    ovlctl.shell(
        "mkdir bin && ln -s '" + Ovlctl.program() + "' 'bin/my ctl' && ln -s 'my ctl' bin/o");
    assertTrue(ovlctl.shell("./bin/o version").fine().out().startsWith("ovlctl "));
    assertTrue(ovlctl.shell("PATH=$PWD/bin:$PATH; o version").fine().out().startsWith("ovlctl "));
    assertTrue(ovlctl.shell("cd bin && './my ctl' version").fine().out().startsWith("ovlctl "));
  }

  @Test
  void aReaderThatIsGoneIsNoDisaster() {
    createWeb();
    Result closed = ovlctl.shell("ovlctl ls >&-");
    assertTrue(closed.status() == 1 && closed.err().lines().count() == 1, closed::toString);
    Result full = ovlctl.shell("ovlctl up web >/dev/full");
    assertTrue(full.status() == 1, full::toString);
    assertTrue(full.errorLine().contains("No space left"), full::toString);
    Result gone = ovlctl.shell("ovlctl inspect --json web | true; exit ${PIPESTATUS[1]}").ended(0);
    assertFalse(gone.err().contains("Exception"), gone::toString);
    assertEquals("up", inspect("web").get("state"), "the work itself was done");
  }

  @Test
  void aFreshRootStaysAway() {
    ovlctl = ovlctl.with("OVL_ROOT", scratch.resolve("fresh").toString());
    World before = World.of(scratch);
    assertTrue(ovlctl.run("create", "x", "--lower", "nosuch").failed(1).contains("(ENOENT)"));
    assertTrue(ovlctl.run("up", "nosuch").failed(1).contains("no such stack"));
    assertTrue(ovlctl.run("rm", "nosuch").failed(1).contains("no such stack"));
    ovlctl = ovlctl.with("OVL_ROOT", scratch.resolve("lower/a").toString());
    assertTrue(ovlctl.run("create", "x", "--lower", "lower").failed(1).contains("lower/a"));
    before.assertUnchanged(World.of(scratch), "what was refused");
  }
}
