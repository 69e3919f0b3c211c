package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code ovlctl mount.ovl}, called as mount(8) calls a helper: {@code SPEC DIR -o OPT,…}. */
class MountHelperTest {
  private static final int WRONG_CALL = 1;
  private static final int NOT_MOUNTED = 32;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private Ovlctl ovlctl;

  @BeforeEach
  void aStack() {
    Requires.overlay();
    // as at early boot, when nobody listens and no variable tells the root
    ovlctl = Ovlctl.of(scratch).with("OVL_HOST", "unix:///nobody/listens");
    ovlctl.shell("mkdir lower upper work merged other && echo a > lower/a").fine();
    ovlctl.run("--host", "none", "create", "web", "--lower", "lower").fine();
  }

  private Result helper(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "mount.ovl";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return ovlctl.run(all);
  }

  private String at(String name) {
    return scratch.resolve(name).toString();
  }

  private List<String> mounts() {
    return World.mountsBeneath(List.of(scratch.path()));
  }

  @Test
  void aStackIsMountedWhereFstabSays() {
    assertEquals("", helper("web", at("merged"), "-o", "rw").fine().out());
    assertEquals("a\n", ovlctl.shell("ls merged").fine().out());
    // mount -a does it again
    helper("web", at("merged"), "-o", "rw,nofail,x-systemd.automount,_netdev").fine();
    assertEquals(1, mounts().size());
    // and after a reboot, which umount(8) stands for, it is mounted there again
    ovlctl.shell("umount merged").fine();
    ovlctl.run("--host", "none", "up", "web").fine();
    assertEquals("a\n", ovlctl.shell("ls merged").fine().out());
  }

  @Test
  void theRootMayStandInTheOptions() {
    Ovlctl bare = ovlctl.without("OVL_ROOT").without("OVL_RUN");
    String options = "defaults,root=" + at("root") + ",run=" + at("run");
    bare.run("mount.ovl", "web", at("merged"), "-o", options).fine();
    assertEquals(1, mounts().size());
  }

  @Test
  void layersInTheOptionsAreMountedWithoutAStack() {
    String layers =
        "lowerdir=" + at("lower") + ",upperdir=" + at("upper") + ",workdir=" + at("work");
    helper("overlay", at("merged"), "-n", "-v", "-o", "rw,noauto," + layers).ended(0);
    assertEquals("a\n", ovlctl.shell("ls merged").fine().out());
  }

  @Test
  void fakeChangesNothing() {
    World before = World.of(scratch);
    helper("web", at("merged"), "-f").fine();
    before.assertUnchanged(World.of(scratch), "mount.ovl -f");
  }

  @Test
  void failuresHaveTheStatusOfMount() {
    World before = World.of(scratch);
    assertEquals(
        "mount nosuch: no such stack (ENOENT)", helper("nosuch", at("merged")).failed(NOT_MOUNTED));
    helper("web", at("nowhere")).failed(NOT_MOUNTED);
    String line = helper("web", at("merged"), "-o", "nosuid").failed(WRONG_CALL);
    assertTrue(line.contains("a stack has its own options, nosuid is none of them"), line);
    helper("web", at("merged"), "-N", "/proc/1/ns/mnt").failed(WRONG_CALL);
    helper("web").failed(WRONG_CALL);
    helper("web", at("merged"), "--nosuch").failed(WRONG_CALL);
    before.assertUnchanged(World.of(scratch), "refused calls");

    helper("web", at("merged")).fine();
    line = helper("web", at("other")).failed(NOT_MOUNTED);
    assertEquals("mount web: is up on " + at("merged"), line);
  }

  @Test
  void sloppyLetsUnknownOptionsPass() {
    helper("web", at("merged"), "-s", "-o", "nosuch").fine();
  }

  @Test
  void whoIsNotRootIsTold() {
    Requires.root();
    Requires.program("setpriv");
    ovlctl.shell("chmod 755 . .. root root/stacks; chmod 644 root/stacks/*.json");
    Result result =
        ovlctl.shell(
            "exec setpriv --reuid=65534 --regid=65534 --clear-groups "
                + Ovlctl.quote(Ovlctl.program())
                + " mount.ovl web "
                + at("merged"));
    assertTrue(result.failed(WRONG_CALL).contains("needs root"), result::toString);
  }
}
