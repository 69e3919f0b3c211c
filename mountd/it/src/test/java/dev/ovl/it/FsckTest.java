package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code ovlctl fsck}, by either host, and {@code fsck.overlay}. */
@ParameterizedClass
@EnumSource
class FsckTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  @Parameter private Host host;
  private Ovlctl ovlctl;

  /** A stack on directories of the user's, with something copied up and something deleted. */
  @BeforeEach
  void web() {
    Requires.overlay();
    ovlctl = hosting.ovlctl(host);
    ovlctl
        .shell("mkdir -p lower/d upper work merged; echo 1 >lower/d/one; echo 2 >lower/two")
        .fine();
    ovlctl
        .run(
            "create", "web", "--lower", "lower", "--upper", "upper", "--work", "work", "--at",
            "merged", "--up")
        .fine();
    ovlctl.shell("echo 3 >>merged/d/one; rm merged/two").fine();
  }

  private String at(String name) {
    return scratch.resolve(name).toString();
  }

  private String options() {
    return "lowerdir=" + at("lower") + ",upperdir=" + at("upper") + ",workdir=" + at("work");
  }

  private Result helper(String... more) {
    String[] all = new String[more.length + 3];
    all[0] = "fsck.overlay";
    all[1] = "-o";
    all[2] = options();
    System.arraycopy(more, 0, all, 3, more.length);
    return ovlctl.run(all);
  }

  private void makeUselessWhiteout() {
    ovlctl.shell("mknod upper/d/none c 0 0").fine();
  }

  @Test
  void whatIsRightIsNotTold() {
    assertEquals("", ovlctl.run("fsck", "web").fine().out());
    ovlctl.run("down", "web").fine();
    assertEquals("", ovlctl.run("fsck", "web", "--lowers").fine().out());
    assertEquals("", ovlctl.run("fsck", "web", "--repair").fine().out());
    assertEquals(List.of(), ovlctl.run("fsck", "web", "--json").fine().json());
    assertEquals("", helper("-n").fine().out());
    assertEquals("", helper("-f", "-y").fine().out());
  }

  @Test
  void notesAreHarmlessAndRepaired() {
    ovlctl.run("down", "web").fine();
    makeUselessWhiteout();
    World before = World.of(scratch);
    String found =
        "note: "
            + at("upper/d/none")
            + ": a whiteout, and no layer below has the name\n    repair: remove it\n";
    assertEquals(found, ovlctl.run("fsck", "web").fine().out());
    assertEquals(found, ovlctl.run("fsck", "web", "--repair", "--dry-run").fine().out());
    Map<?, ?> told = JsonText.objects(ovlctl.run("fsck", "web", "--json").fine().json()).get(0);
    assertEquals("whiteout-useless", told.get("kind"));
    assertEquals("/d/none", told.get("path"));
    assertEquals("found", told.get("outcome"));
    before.assertUnchanged(World.of(scratch), "fsck without --repair");
    assertEquals(
        found.replace("    repair", "    repaired"),
        ovlctl.run("fsck", "web", "--repair").fine().out());
    assertEquals("", ovlctl.run("fsck", "web", "--repair").fine().out());
    ovlctl.run("up", "web").fine();
    assertEquals("1\n3\n", ovlctl.shell("cat merged/d/one; ls merged/two 2>&-").out());
  }

  @Test
  void problemsThatAreLeftAreAFailure() {
    ovlctl.run("down", "web").fine();
    ovlctl.shell("mkdir -p work/work/incompat/volatile").fine();
    Result found = ovlctl.run("fsck", "web", "--repair").ended(1);
    assertTrue(found.out().startsWith("problem: "), found::toString);
    assertTrue(found.out().contains("    not repaired: only its owner"), found::toString);
    helper("-y").ended(4);
    assertEquals("fsck nosuch: no such stack (ENOENT)", ovlctl.run("fsck", "nosuch").failed(1));
  }

  @Test
  void whileItIsUpNothingIsRepaired() {
    String refused = ovlctl.run("fsck", "web", "--repair").failed(1);
    assertEquals(
        "fsck web: is up on " + at("merged") + "; 'down' it before you repair it (EBUSY)", refused);
    ovlctl.shell("test ! -e merged/later; echo by hand >upper/later").fine();
    Result found = ovlctl.run("fsck", "web").ended(1);
    assertTrue(
        found.out().contains(at("upper/later") + ": the upper has it, and"), found::toString);
    String used = helper("-y").failed(8);
    assertTrue(used.contains("in use: ovl:web on " + at("merged")), used);
    Result looked = helper("-n").ended(4);
    assertTrue(looked.out().contains(at("upper/later")), looked::toString);
  }

  @Test
  void theHelperHasTheBitsOfFsck() {
    ovlctl.run("down", "web").fine();
    makeUselessWhiteout();
    // neither asked nor allowed: a note is left as it is
    assertEquals(1, helper("-n").fine().lines().size());
    assertEquals(1, helper().fine().lines().size());
    // depends on the lowers: not without asking
    helper("-p").fine();
    Result mended = helper("-y").ended(1);
    assertTrue(mended.out().endsWith("    repaired: remove it\n"), mended::toString);
    helper("-y").fine();
    ovlctl.shell("setfattr -x trusted.overlay.impure upper/d").fine();
    helper("-a").ended(1);
    ovlctl.run("fsck.overlay", "-n", "-y", "-o", options()).failed(16);
    ovlctl.run("fsck.overlay", "-o", "lowerdir=/,upperdir=/x").failed(16);
    ovlctl.run("fsck.overlay").failed(16);
    ovlctl.run("fsck.overlay", "--nosuch").failed(16);
  }

  @Test
  void onATerminalItAsks() {
    Requires.program("script");
    ovlctl.run("down", "web").fine();
    makeUselessWhiteout();
    String command = Ovlctl.quote(Ovlctl.program()) + " fsck.overlay -o " + options();
    String asked = "script -qec " + Ovlctl.quote(command) + " /dev/null";
    Result no = ovlctl.shell("echo n | " + asked).fine();
    assertTrue(no.out().contains("remove it? (y/n)"), no::toString);
    Result yes = ovlctl.shell("echo y | " + asked).ended(1);
    assertTrue(yes.out().contains("repaired: remove it"), yes::toString);
    helper("-n").fine();
  }

  @Test
  void namesInTheOptionsAreEscaped() {
    ovlctl.shell("mkdir 'lo,w:er' up wo && echo 1 >'lo,w:er/x'").fine();
    String lower = at("lo\\,w\\:er");
    String layers = "lowerdir=" + lower + ",upperdir=" + at("up") + ",workdir=" + at("wo");
    assertEquals("", ovlctl.run("fsck.overlay", "-y", "-o", layers).fine().out());
    ovlctl.shell("rm -r 'lo,w:er'").fine();
    Result missing = ovlctl.run("fsck.overlay", "-y", "-o", layers).ended(4);
    assertTrue(missing.out().contains("lo,w:er: there is no such directory"), missing::toString);
  }
}
