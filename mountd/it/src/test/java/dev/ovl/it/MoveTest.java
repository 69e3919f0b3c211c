package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code ovlctl mv}, as a user types it. */
class MoveTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  private Ovlctl ovlctl;

  /** Two file systems, {@code here} and {@code there}. */
  @BeforeEach
  void twoFileSystems() throws Exception {
    Requires.root();
    ovlctl = Ovlctl.of(scratch);
    new LinuxSyscalls().mount(OsPath.of("x"), scratch.mkdirs("there"), "tmpfs", 0, new byte[0]);
    scratch.mkdirs("here");
  }

  private Result shell(String script) {
    return ovlctl.shell(script);
  }

  @Test
  void asMvDoes() {
    shell("cd here && mkdir -p a/b && echo x > a/b/f && echo y > g && echo z > h").fine();
    // one to a new name, several into a directory, -t, -T
    assertEquals("", shell("ovlctl mv here/a there/a").fine().out());
    shell("cd here && ovlctl mv g h ../there && test ! -e g && test -e ../there/h").fine();
    shell("ovlctl mv -t here there/g there/h && test -e here/g").fine();
    shell("mkdir here/a && ovlctl mv -T there/a here/a && test -e here/a/b/f").fine();
    shell("ovlctl mv here/a there/ && test -e there/a/b/f").fine();
    // a name of any bytes
    shell("n=$(printf 'n\\377\\n.') && echo > here/\"$n\" && ovlctl mv here/\"$n\" there").fine();
    shell("test -e there/\"$(printf 'n\\377\\n.')\"").fine();
    // ordinary renames as well
    shell("ovlctl mv there/a/b there/c && test -e there/c/f").fine();
  }

  @Test
  void whatIsRefusedIsToldInALine() {
    shell("echo x > here/f; echo y > there/f; mkdir -p here/d/s there/d/full").fine();
    World before = World.of(scratch);
    String place = scratch.path() + "/";
    assertEquals(
        "mv " + place + "here/f: " + place + "there/f: File exists (EEXIST)",
        ovlctl.run("mv", "-n", "here/f", "there/f").failed(1));
    assertEquals(
        "mv " + place + "here/d: " + place + "there/d: Directory not empty (ENOTEMPTY)",
        ovlctl.run("mv", "-T", "here/d", "there/d").failed(1));
    assertEquals(
        "mv " + place + "here/d: " + place + "there/f: Not a directory (ENOTDIR)",
        ovlctl.run("mv", "here/d", "there/f").failed(1));
    assertEquals(
        "mv " + place + "here/none: " + place + "here/none: No such file or directory (ENOENT)",
        ovlctl.run("mv", "here/none", "there").failed(1));
    assertEquals(
        "mv: " + place + "there/f: several sources need a directory (ENOTDIR)",
        ovlctl.run("mv", "here/f", "here/d", "there/f").failed(1));
    assertEquals("mv: the destination is missing", ovlctl.run("mv", "here/f").failed(2));
    assertEquals("mv: -T takes one source", ovlctl.run("mv", "-T", "a", "b", "c").failed(2));
    assertEquals(
        "mv: --recover takes directories and no other option of mv",
        ovlctl.run("mv", "--recover", "-n", "there").failed(2));
    before.assertUnchanged(World.of(scratch), "what was refused");
    // one that fails does not stop the others
    Result some = ovlctl.run("mv", "here/none", "here/f", "there/d").ended(1);
    assertTrue(some.errorLine().startsWith("mv " + place + "here/none: "));
    shell("test -e there/d/f").fine();
  }

  @Test
  void itTellsWhatItDoesAndWouldDo() {
    shell("mkdir -p here/d/e && echo 12345 > here/d/f && echo > here/g").fine();
    String place = scratch.path() + "/";
    World before = World.of(scratch);
    assertEquals(
        place + "here/d: would copy 3 files, 6 bytes to " + place + "there/d, and remove them here",
        ovlctl.run("--dry-run", "mv", "here/d", "there").ended(0).errorLine());
    assertEquals(
        place + "here/g: would rename to " + place + "here/x",
        ovlctl.run("--dry-run", "mv", "here/g", "here/x").ended(0).errorLine());
    before.assertUnchanged(World.of(scratch), "a dry run");
    Result moved = ovlctl.run("mv", "--json", "here/d", "here/g", "there").fine();
    assertEquals(
        List.of(
            Map.of(
                "source",
                place + "here/d",
                "destination",
                place + "there/d",
                "how",
                "copied",
                "files",
                3L,
                "bytes",
                6L),
            Map.of(
                "source",
                place + "here/g",
                "destination",
                place + "there/g",
                "how",
                "copied",
                "files",
                1L,
                "bytes",
                1L)),
        moved.lines().stream().map(JsonText::parse).toList());
  }

  @Test
  void whoeverMayNotIsToldBeforeAnythingIsCopied() {
    Requires.program("setpriv");
    shell(
            """
            chmod 755 . .. && chmod 777 here && mkdir -m 777 there/d && mkdir -m 1777 here/sticky
            echo x > here/sticky/roots && mkdir -p here/own/shut && chown -R 1234:1234 here/own
            chown 0:0 here/own/shut && touch here/own/shut/f && chmod -R a+rwX there
            """)
        .fine();
    World before = World.of(scratch);
    String user =
        "setpriv --reuid 1234 --regid 1234 --clear-groups "
            + Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString());
    Result sticky = shell(user + " mv here/sticky/roots there/d");
    assertTrue(sticky.failed(1).endsWith("/here/sticky/roots: Operation not permitted (EPERM)"));
    Result shut = shell(user + " mv here/own there/d");
    assertTrue(shut.failed(1).endsWith(": Permission denied (EACCES)"), shut::toString);
    Result parent = shell(user + " mv here/own/shut/f there/d");
    assertTrue(parent.failed(1).endsWith("/own/shut: Permission denied (EACCES)"));
    before.assertUnchanged(World.of(scratch), "what was refused");
    shell("chown -R 1234:1234 here/own && " + user + " mv here/own there/d").fine();
    assertEquals("1234 1234\n", shell("stat -c '%u %g' there/d/own/shut/f").fine().out());
  }

  @Test
  void killedAtAnyMomentEitherIsWhole() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Ovlctl installed = ovlctl.installed();
    int undone = 0;
    for (int i = 0; i < 12; i++) {
      String message = "seed " + seed + ", kill " + i;
      shell(
              """
              rm -rf here/* there/* && mkdir here/from && cd here/from && mkdir -p t/{a,b,c}/{d,e}
              for d in t/*/*; do for f in {1..300}; do echo $d $f > $d/$f; done; done
              ln t/a/d/1 t/b/link && chmod 4711 t/c/e/7 && truncate -s 1M t/holes
              """)
          .fine();
      Trees.Snapshot whole = Trees.snapshotWithTimes(scratch.resolve("here/from/t"));
      String program = Dist.tree().resolve("bin/ovlctl").toString();
      Ovlctl.Started started = installed.start(program, "mv", "here/from/t", "there/t");
      // every other one when the copy has its name, so that the source is going
      Path copy = Path.of(scratch.resolve("there/t").toString());
      while (i % 2 == 1 && started.process().isAlive() && !Files.exists(copy)) {
        Thread.onSpinWait();
      }
      started.process().waitFor(random.nextInt(i % 2 == 1 ? 30 : 1000), TimeUnit.MILLISECONDS);
      started.process().destroyForcibly().waitFor();
      installed.run("mv", "--recover", "there").ended(0);
      boolean moved = List.of().equals(names("here/from"));
      if (!moved) {
        undone++;
        assertEquals(List.of(), names("there"), message);
      } else {
        assertEquals(List.of("t"), names("there"), message);
      }
      Trees.assertSame(
          whole, Trees.snapshotWithTimes(scratch.resolve(moved ? "there/t" : "here/from/t")));
      if (!moved) {
        installed.run("mv", "here/from/t", "there/t").fine();
        Trees.assertSame(whole, Trees.snapshotWithTimes(scratch.resolve("there/t")));
      }
    }
    System.out.println("MoveTest: undone " + undone + " of 12, seed " + seed);
  }

  @Test
  void theNextMoveEndsWhatWasCutShort() throws Exception {
    shell("mkdir -p here/t && dd if=/dev/zero of=here/t/big bs=1M count=200 status=none").fine();
    Ovlctl.Started started =
        ovlctl.start(Dist.tree().resolve("bin/ovlctl").toString(), "mv", "here/t", "there/t");
    // as soon as the copy has begun
    while (started.process().isAlive() && names("there").isEmpty()) {
      Thread.onSpinWait();
    }
    started.process().destroyForcibly().waitFor();
    shell("echo x > here/f").fine();
    Result next = ovlctl.run("mv", "here/f", "there").ended(0);
    String place = scratch.path() + "/";
    assertTrue(
        next.err().isEmpty() // killed before the journal had its name
            || next.errorLine()
                .matches(
                    "mv: an earlier move of "
                        + place
                        + "here/t to "
                        + place
                        + "there/t was (undone|finished)"),
        next::toString);
    List<String> there = names("there");
    assertTrue(there.equals(List.of("f")) || there.equals(List.of("f", "t")), there::toString);
  }

  @Test
  void interruptedItUndoes() throws Exception {
    shell("mkdir -p here/t && dd if=/dev/zero of=here/t/big bs=1M count=400 status=none").fine();
    World before = World.of(scratch);
    Ovlctl.Started started =
        ovlctl.start(Dist.tree().resolve("bin/ovlctl").toString(), "mv", "here/t", "there/t");
    while (started.process().isAlive()
        && names("there").stream().noneMatch(name -> name.endsWith(".json"))) {
      Thread.onSpinWait();
    }
    started.process().destroy();
    assertTrue(started.process().waitFor(30, TimeUnit.SECONDS));
    if (names("there").isEmpty()) {
      before.assertUnchanged(World.of(scratch), "an interrupted move");
    } else {
      assertEquals(List.of("t"), names("there"), "it came too late");
      assertEquals(List.of(), names("here"));
    }
  }

  private List<String> names(String directory) {
    return shell("ls -A " + directory).fine().lines();
  }
}
