package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code ovlctl merge}, of which somebody has enough. */
class MergeTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  private Ovlctl ovlctl;

  @BeforeEach
  void installed() {
    Requires.overlay();
    ovlctl = Ovlctl.of(scratch).installed().with("OVL_HOST", "none");
  }

  /** A stack over many files, with changes of all kinds, down. */
  private void create() {
    ovlctl
        .shell(
            """
            rm -rf lower merged && mkdir lower merged && cd lower && mkdir -p t/{a,b,c}/{d,e}
            for d in t/*/*; do for f in {1..300}; do echo $d $f > $d/$f; done; done
            ln t/a/d/1 t/b/link && chmod 4711 t/c/e/7 && truncate -s 1M t/holes
            """)
        .fine();
    ovlctl
        .run(
            "create",
            "web",
            "--lower",
            "lower",
            "--at",
            "merged",
            "--up",
            "-o",
            "redirect_dir=on,metacopy=on")
        .fine();
    ovlctl
        .shell(
            """
            cd merged/t && mv a moved && mv b/d a && chown -R 1234 c && rm -r b/e && mkdir b/e
            for f in {1..300}; do echo new $f > b/e/$f; echo changed > moved/d/$f; done
            rm moved/e/1?? && ln moved/e/1 b/linked && mkfifo b/fifo && ln -s nowhere b/l
            """)
        .fine();
    ovlctl.run("down", "web").fine();
  }

  private Trees.Snapshot shown() throws Exception {
    ovlctl.run("up", "web").fine();
    Trees.Snapshot shown = Trees.snapshotWithTimes(scratch.resolve("merged"));
    ovlctl.run("down", "web").fine();
    return shown;
  }

  @Test
  void killedAtAnyMomentTheStackShowsTheSame() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int unfinished = 0;
    for (int i = 0; i < 10; i++) {
      create();
      Trees.Snapshot before = shown();
      Ovlctl.Started started =
          ovlctl.start(Dist.tree().resolve("bin/ovlctl").toString(), "merge", "web");
      started.process().waitFor(200 + random.nextInt(1000), TimeUnit.MILLISECONDS);
      started.process().destroyForcibly().waitFor();
      String message = "seed " + seed + ", kill " + i;
      assertEquals("", String.join("\n", shown().differences(before)), message);
      if (!ovlctl.run("changes", "web").fine().out().isEmpty()) {
        unfinished++;
      }
      ovlctl.run("merge", "web").fine();
      assertEquals("", String.join("\n", shown().differences(before)), message);
      Trees.Snapshot lower = Trees.snapshotWithTimes(scratch.resolve("lower"));
      assertEquals("", String.join("\n", lower.differences(before)), message);
      assertEquals("", ovlctl.run("changes", "web").fine().out(), message);
      ovlctl.run("rm", "web").fine();
    }
    System.out.println("MergeTest: unfinished " + unfinished + " of 10, seed " + seed);
  }

  @Test
  void interruptedItSaysThatAnotherGoesOn() throws Exception {
    create();
    Trees.Snapshot before = shown();
    Ovlctl.Started started =
        ovlctl.start(Dist.tree().resolve("bin/ovlctl").toString(), "merge", "web");
    while (started.process().isAlive()
        && ovlctl.shell("ls root/journal/web.merge").err().contains("No such")) {
      Thread.onSpinWait();
    }
    started.process().destroy();
    assertTrue(started.process().waitFor(30, TimeUnit.SECONDS));
    assertEquals("", String.join("\n", shown().differences(before)));
    ovlctl.run("merge", "web").fine();
    assertEquals("", String.join("\n", shown().differences(before)));
  }
}
