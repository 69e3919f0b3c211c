package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code ovlctl demo}. */
class DemoTest {
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

  private List<String> mounts() {
    return World.mountsBeneath(List.of(scratch.path()));
  }

  private void createWeb() {
    ovlctl
        .run(
            "create", "web", "--lower", "lower", "--upper", "upper", "--work", "work", "--at",
            "merged")
        .fine();
  }

  @Test
  void demoHoldsItsClaimsAndCleansUp() {
    ovlctl.shell("mkdir tmp").fine();
    Ovlctl here = ovlctl.with("TMPDIR", scratch.resolve("tmp").toString());
    World before = World.of(scratch);
    Result demo = here.run("demo").ended(0);
    assertTrue(demo.errorLine().matches("demo: all [0-9]+ claims hold"), demo::toString);
    assertTrue(
        demo.lines().stream()
            .anyMatch(
                line -> line.matches("c--------- [0-9]+ root root 0, 0 .* upperdir/both\\.txt")),
        demo::toString);
    assertTrue(demo.out().contains("overlay ovl:demo"), demo::toString);
    before.assertUnchanged(World.of(scratch), "demo");

    List<Map<?, ?>> claims = JsonText.objects(here.run("demo", "--json").ended(0).json());
    assertTrue(claims.size() > 10);
    assertTrue(claims.stream().allMatch(claim -> claim.get("ok").equals(true)));
    assertTrue(claims.stream().allMatch(claim -> claim.get("step") instanceof String));
    assertTrue(here.run("demo", "--dry-run").fine().lines().size() > 5);
    before.assertUnchanged(World.of(scratch), "demo --dry-run");
    assertTrue(here.shell("ovlctl demo 2>&- | true; exit ${PIPESTATUS[0]}").status() < 2);
    before.assertUnchanged(World.of(scratch), "demo without a reader");
  }

  @Test
  void demoMayBeKept() {
    ovlctl.shell("mkdir tmp").fine();
    Ovlctl here = ovlctl.with("TMPDIR", scratch.resolve("tmp").toString());
    World before = World.of(scratch);
    Result kept = here.run("demo", "--keep").ended(0);
    assertEquals(1, mounts().size());
    String remove =
        kept.err()
            .lines()
            .filter(line -> line.contains("to remove it: "))
            .findFirst()
            .orElseThrow()
            .replaceFirst(".*to remove it: ", "");
    ovlctl.shell(remove).fine();
    before.assertUnchanged(World.of(scratch), "the removal");
  }

  @Test
  void demoWorksWhereTheTemporaryDirectoryIsAnOverlay() {
    createWeb();
    ovlctl.run("up", "web").fine();
    OsPath merged = scratch.resolve("merged");
    List<String> before = mounts();
    Result demo = ovlctl.with("TMPDIR", merged.toString()).run("demo").ended(0);
    assertTrue(demo.out().contains("mount -t tmpfs"), demo::toString);
    assertEquals(before, mounts());
    assertEquals("a\nb\n", ovlctl.shell("ls merged").fine().out());
  }

  /** The trace is more than a pipe holds, so that the demo waits while the signal is sent. */
  @Test
  void demoCleansUpWhenItIsStopped() {
    // what is traced after the first mount is more than a pipe holds: the demo waits for the reader
    String deep = "d".repeat(250) + "/" + "d".repeat(250);
    ovlctl.shell("mkdir -p " + deep + " && mkfifo trace").fine();
    World before = World.of(scratch);
    for (String signal : List.of("INT", "TERM")) {
      Result stopped =
          ovlctl
              .with("TMPDIR", scratch.resolve(deep).toString())
              .shell(
                  """
                  set -m  # a background job does not ignore SIGINT then
                  %s demo --trace 2>trace & pid=$!
                  exec 3<trace
                  while read -r line <&3; do
                    case $line in 'mount("ovl:demo"'*) break ;; esac
                  done
                  kill -%s $pid
                  tail -n 1 <&3 >&2
                  wait $pid
                  """
                      .formatted(Ovlctl.quote(Ovlctl.program()), signal))
              .ended(1);
      assertTrue(
          stopped.errorLine().startsWith("demo: interrupted before step"), stopped::toString);
      assertFalse(stopped.out().contains("Forget the stack"), stopped::toString);
      before.assertUnchanged(World.of(scratch), "SIG" + signal);
    }
  }
}
