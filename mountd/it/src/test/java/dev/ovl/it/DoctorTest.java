package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code ovlctl doctor}. */
class DoctorTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private Ovlctl ovlctl;

  @BeforeEach
  void aStack() {
    Requires.overlay();
    Requires.root();
    ovlctl = Ovlctl.of(scratch);
    ovlctl.shell("mkdir lower merged && ovlctl create web --lower lower --at merged --up").fine();
  }

  @Test
  void aSoundInstallation() {
    World before = World.of(scratch);
    Result doctor = ovlctl.run("doctor").fine();
    assertTrue(
        doctor.lines().stream().anyMatch(l -> l.startsWith("ok: kernel and root: Linux ")),
        doctor::toString);
    assertTrue(doctor.lines().contains("ok: stacks: 1 up, 0 down"), doctor::toString);
    assertTrue(doctor.lines().contains("ok: leftovers: none"), doctor::toString);
    assertFalse(doctor.out().contains("problem: "), doctor::toString);
    before.assertUnchanged(World.of(scratch), "doctor");
  }

  @Test
  void leftoversAreNamedAndSwept() {
    ovlctl.run("down", "web").fine();
    String id = "0123456789abcdef".repeat(4);
    ovlctl
        .shell(
            "mkdir -p root/overlay2/"
                + id
                + "/diff && echo x >root/overlay2/"
                + id
                + "/diff/f && ln -s lost root/overlay2/"
                + id
                + "/stack && ln -s /nowhere root/overlay2/l/AAAAAAAAAAAAAAAAAAAAAAAAAA"
                + " && echo junk >root/stacks/bad.json")
        .fine();
    World before = World.of(scratch);
    Result doctor = ovlctl.run("doctor").ended(1);
    assertEquals("", doctor.err());
    assertTrue(doctor.out().contains("problem: stack bad: "), doctor::toString);
    before.assertUnchanged(World.of(scratch), "doctor");

    // while a definition cannot be read nobody knows whose a layer is
    ovlctl.run("doctor", "--sweep-data").ended(1);
    ovlctl.shell("test -e root/overlay2/" + id + "/diff/f && rm root/stacks/bad.json").fine();

    String named = ovlctl.run("doctor").fine().out();
    assertTrue(named.contains("root/overlay2/" + id), named);
    assertTrue(named.contains("'ovlctl doctor --sweep-data'"), named);
    assertTrue(named.contains("AAAAAAAAAAAAAAAAAAAAAAAAAA"), named);

    ovlctl.run("doctor", "--sweep", "--dry-run").fine();
    ovlctl.run("doctor", "--sweep").fine();
    ovlctl.shell("test -e root/overlay2/" + id + "/diff/f").fine();
    ovlctl.shell("test ! -L root/overlay2/l/AAAAAAAAAAAAAAAAAAAAAAAAAA").fine();
    ovlctl.run("doctor", "--sweep-data").fine();
    ovlctl.shell("test ! -e root/overlay2/" + id).fine();
    ovlctl.run("up", "web").fine();
  }

  @Test
  @SuppressWarnings("unchecked") // what JSON is made of
  void asJson() {
    ovlctl.shell("mkdir -p run && rm -f run/mountd.sock && echo >run/mountd.sock").fine();
    List<Map<String, Object>> findings =
        (List<Map<String, Object>>) ovlctl.run("doctor", "--json").ended(1).json();
    List<Map<String, Object>> daemon =
        findings.stream().filter(finding -> finding.get("subject").equals("daemon")).toList();
    assertEquals(2, daemon.size(), findings::toString);
    for (Map<String, Object> finding : daemon) {
      assertEquals("problem", finding.get("severity"));
      assertTrue(finding.containsKey("remedy"), finding::toString);
    }
  }
}
