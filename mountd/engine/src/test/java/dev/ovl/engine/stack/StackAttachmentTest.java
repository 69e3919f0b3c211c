package dev.ovl.engine.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Container;
import dev.ovl.testkit.Requires;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Stacks in mount namespaces of other processes. */
@Tag("kernel")
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StackAttachmentTest {
  private static final StackName WEB = new StackName("web");
  private static final OsPath MNT = OsPath.of("/mnt");

  @RegisterExtension final StackLab lab = new StackLab();
  private final List<Container> containers = new ArrayList<>();
  private Set<Long> children;
  private OsPath base;

  @BeforeAll
  static void needs() {
    Requires.overlay();
    Requires.program("busybox");
    Requires.program("unshare");
    Requires.program("nsenter");
  }

  @BeforeEach
  void base() throws Exception {
    children = children();
    base = lab.layer("base", "a=1", "d/in=2");
  }

  @AfterEach
  void noChildIsLeft() throws Exception {
    containers.forEach(Container::close);
    Set<Long> left = children();
    left.removeAll(children);
    left.removeIf(pid -> lab.isChild(pid));
    assertEquals(Set.of(), left, "children");
  }

  private static Set<Long> children() {
    Set<Long> pids = new HashSet<>();
    ProcessHandle.current().children().forEach(child -> pids.add(child.pid()));
    return pids;
  }

  private Container container() throws ErrnoException {
    Container container = Container.start(lab.directory("place" + containers.size()));
    containers.add(container);
    return container;
  }

  private OsPath attach(Container to) throws Exception {
    return lab.stacks().attach(WEB, to.pid(), Optional.of(MNT), false);
  }

  private void detach(Container from) throws Exception {
    lab.stacks().detach(WEB, from.pid(), false);
  }

  /** Fails unless the stack is mounted so often in it. */
  private static void assertMounts(int count, Container container) {
    List<String> mounts = container.mounts();
    assertEquals(
        count,
        mounts.stream().filter(line -> line.contains(" ovl:web ")).count(),
        mounts::toString);
  }

  private void assertNothingHere() throws ErrnoException {
    assertEquals(List.of(), lab.mountLines().stream().filter(l -> l.contains("ovl:")).toList());
  }

  private List<Elsewhere> elsewhere() throws Exception {
    return lab.report("web").elsewhere();
  }

  // ---- what it is ---------------------------------------------------------------------------

  @Test
  void oneThatIsDownIsMountedThereAlone() throws Exception {
    lab.stack("web", base).create();
    Container there = container();
    assertEquals(MNT, attach(there));
    assertEquals("1", there.sh("cat /mnt/a"));
    assertEquals("", there.sh("echo -n new > /mnt/x && rm /mnt/d/in"));
    assertNothingHere();
    lab.assertDown("web");
    assertEquals("new", lab.read(lab.upperOf("web").resolve("x")));
    assertEquals(1, elsewhere().size());
    assertEquals(MNT, elsewhere().get(0).point());
    assertEquals(Optional.of(there.pid()), elsewhere().get(0).pid());
    assertEquals(elsewhere(), lab.stacks().summary(WEB).elsewhere());

    // once is enough
    assertEquals(MNT, attach(there));
    assertMounts(1, there);
    assertEquals(List.of(MNT), lab.stacks().attached(WEB, there.pid()));

    detach(there);
    assertMounts(0, there);
    detach(there);
    assertEquals(List.of(), elsewhere());
    assertEquals("new", lab.read(lab.up("web").resolve("x")));
    assertEquals(List.of(), elsewhere());
    lab.down("web");
    lab.remove("web");
  }

  @Test
  void oneThatIsUpIsShownThereToo() throws Exception {
    OsPath merged = lab.stack("web", base).up();
    Container there = container();
    Container other = container();
    attach(there);
    attach(other);
    lab.write(merged.resolve("here"), "h");
    assertEquals("h", there.sh("cat /mnt/here && echo -n t > /mnt/there"));
    assertEquals("t", other.sh("cat /mnt/there"));
    assertEquals("t", lab.read(merged.resolve("there")));
    assertEquals(2, elsewhere().size());

    EngineException busy = lab.refusal(() -> lab.down("web"));
    assertEquals(Optional.of(Errno.EBUSY), busy.errno());
    // one of them, as the kernel orders namespaces
    assertTrue(
        busy.getMessage()
            .matches(".* of pid (" + there.pid() + "|" + other.pid() + ") \\(cat\\);.*"),
        busy.getMessage());

    detach(there);
    detach(other);
    lab.assertUp("web");
    lab.down("web");
    assertNothingHere();
  }

  @Test
  void whatIsMountedInItIsOfOneNamespaceAlone() throws Exception {
    OsPath merged = lab.stack("web", base).up();
    OsPath inside = merged.resolve("d");
    lab.sys.mount(OsPath.of("none"), merged, "", Linux.MS_SHARED, new byte[0]);
    lab.sys.mount(OsPath.of("here"), inside, "tmpfs", 0, new byte[0]);
    Container there = container();
    attach(there);
    assertEquals("2", there.sh("cat /mnt/d/in"));
    assertEquals("", there.sh("mkdir /mnt/e && mount -t tmpfs there /mnt/e && touch /mnt/e/x"));
    assertFalse(lab.exists(merged.resolve("e/x")));
    lab.sys.mount(OsPath.of("later"), merged.resolve("e"), "tmpfs", 0, new byte[0]);
    assertEquals("x\n", there.sh("ls /mnt/e"));
    lab.sys.umount2(merged.resolve("e"), 0);
    lab.sys.umount2(inside, 0);
    String busy = lab.refusal(() -> detach(there)).getMessage();
    assertEquals(
        "/mnt in the mount namespace of pid "
            + there.pid()
            + " is in use, mounted inside it: /mnt/e (EBUSY)",
        busy);
    there.sh("umount /mnt/e");
    detach(there);
    lab.down("web");
  }

  @Test
  void itEndsWithTheNamespace() throws Exception {
    lab.stack("web", base).options("volatile").create();
    Container there = container();
    attach(there);
    there.sh("echo -n x > /mnt/x");
    assertEquals(
        Optional.of(Errno.EBUSY), lab.refusal(() -> lab.up("web")).errno(), "its upper is in use");
    there.close();
    StackLab.await("the namespace ends", () -> elsewhere().isEmpty());
    // as of any volatile mount, its end is told by 'down'
    lab.refusal(() -> lab.up("web"));
    lab.down("web");
    assertEquals("x", lab.read(lab.up("web").resolve("x")));
    lab.down("web");
    lab.remove("web");
  }

  @Test
  void aVolatileOneIsSettledByTheLastDetach() throws Exception {
    lab.stack("web", base).options("volatile").create();
    Container there = container();
    attach(there);
    detach(there);
    lab.up("web");
    lab.down("web");
  }

  @Test
  void aReadOnlyOneServesManyNamespacesThatKnowNothingOfEachOther() throws Exception {
    lab.stack("web", base).readOnly().create();
    Container one = container();
    Container other = container();
    attach(one);
    attach(other);
    assertEquals("1", one.sh("cat /mnt/a"));
    detach(one);
    assertMounts(0, one);
    assertEquals("1", other.sh("cat /mnt/a"));
    detach(other);
    assertMounts(0, other);
  }

  @Test
  void aUserNamespaceHasItsOwnOwners() throws Exception {
    Requires.kernel(6, 3);
    lab.stack("web", base).options("X-mount.idmap=b:0:100000:65536").create();
    Container there = Container.startAs(100_000, lab.directory("place"));
    containers.add(there);
    assertEquals(MNT, attach(there));
    assertEquals("0:0 /mnt/a\n", there.sh("stat -c '%u:%g %n' /mnt/a"));
    assertEquals("", there.sh("echo -n more >> /mnt/a && touch /mnt/new"));
    for (String name : List.of("a", "new")) {
      assertEquals(100_000, lab.stat(lab.upperOf("web").resolve(name)).uid(), name);
    }
    assertEquals(0, lab.stat(base.resolve("a")).uid());
    assertEquals(MNT, attach(there));
    assertMounts(1, there);
    detach(there);
    assertMounts(0, there);
    assertNothingHere();
    lab.up("web");
    lab.down("web");
  }

  // ---- where it is --------------------------------------------------------------------------

  @Test
  void namesMeanWhatTheyMeanToTheProcess() throws Exception {
    lab.stack("web", base).at(MNT).create();
    Container there = container();
    assertEquals(MNT, lab.stacks().attach(WEB, there.pid(), Optional.empty(), false), "by default");
    detach(there);
    OsPath outside = lab.directory("outside");
    there.sh(
        "mkdir -p /srv/deep && ln -s /mnt /srv/link && ln -s ../../../../mnt /srv/up"
            + " && ln -s /../.."
            + outside
            + " /srv/out");
    for (String name : List.of("/srv/link", "/srv/up", "/../../mnt")) {
      lab.stacks().attach(WEB, there.pid(), Optional.of(OsPath.of(name)), false);
      assertEquals(List.of(MNT), lab.stacks().attached(WEB, there.pid()), name);
      detach(there);
    }
    lab.assertRefused(
        "there is no directory /srv/out in the mount namespace of pid " + there.pid() + " (ENOENT)",
        () -> lab.stacks().attach(WEB, there.pid(), Optional.of(OsPath.of("/srv/out")), false));
    attach(there);
    lab.assertRefused(
        "is attached on /mnt in the mount namespace of pid " + there.pid() + " already (EBUSY)",
        () -> lab.stacks().attach(WEB, there.pid(), Optional.of(OsPath.of("/srv/deep")), false));
    detach(there);
  }

  @Test
  void whatCannotBeIsToldInALine() throws Exception {
    lab.stack("web", base).create();
    Container there = container();
    String where = " in the mount namespace of pid " + there.pid();
    lab.assertRefused(
        "it has no target of its own: '--at DIR' says where in the other namespace",
        () -> lab.stacks().attach(WEB, there.pid(), Optional.empty(), false));
    there.sh("touch /file && mkdir /busy && mount -t tmpfs other /busy");
    lab.assertRefused(
        "there is no directory /file" + where + " (ENOTDIR)",
        () -> lab.stacks().attach(WEB, there.pid(), Optional.of(OsPath.of("/file")), false));
    lab.assertRefused(
        "target is busy: other (tmpfs) is mounted on /busy" + where + " (EBUSY)",
        () -> lab.stacks().attach(WEB, there.pid(), Optional.of(OsPath.of("/busy")), false));
    int self = Math.toIntExact(ProcessHandle.current().pid());
    String own =
        "the mount namespace of pid " + self + " is this one, where no --into is needed (EINVAL)";
    lab.assertRefused(own, () -> lab.stacks().attach(WEB, self, Optional.of(MNT), false));
    lab.assertRefused(own, () -> lab.stacks().detach(WEB, self, false));
    there.close();
    String gone = "there is no process " + there.pid() + " (ESRCH)";
    lab.assertRefused(gone, () -> attach(there));
    lab.assertRefused(gone, () -> detach(there));
  }

  @Test
  void aTargetThatIsSharedIsRefused() throws Exception {
    OsPath shared = lab.directory("shared");
    OsPath target = lab.directory(shared.resolve("target"));
    lab.sys.mount(shared, shared, "", Linux.MS_BIND, new byte[0]);
    lab.sys.mount(OsPath.of("none"), shared, "", Linux.MS_SHARED, new byte[0]);
    Process peer =
        lab.sleeper(
            Optional.empty(), "unshare", "--mount", "--propagation", "unchanged", "sleep", "600");
    lab.stack("web", base).create();
    int pid = Math.toIntExact(peer.pid());
    String why =
        lab.refusal(() -> lab.stacks().attach(WEB, pid, Optional.of(target), false)).getMessage();
    assertTrue(why.startsWith(shared.quoted() + " in the mount namespace of pid " + pid), why);
    assertTrue(why.contains(" is shared with mnt:["), why);
    // shared among its own alone
    lab.sys.mount(OsPath.of("none"), shared, "", Linux.MS_PRIVATE, new byte[0]);
    lab.stacks().attach(WEB, pid, Optional.of(target), false);
    assertNothingHere();
    lab.stacks().detach(WEB, pid, false);
    lab.kill(peer);
    lab.sys.umount2(shared, 0);
  }

  private String command(Process process) throws Exception {
    return lab.read(OsPath.of("/proc/" + process.pid() + "/comm")).strip();
  }

  @Test
  void whoUsesItIsNamed() throws Exception {
    lab.stack("web", base).create();
    Container there = container();
    attach(there);
    Process user =
        lab.start(
            Optional.empty(),
            "nsenter",
            "--target",
            there.pid() + "",
            "--mount",
            "--root",
            "--wdns=/mnt",
            "/bin/sleep",
            "600");
    StackLab.await("it sleeps", () -> command(user).equals("sleep"));
    String busy = lab.refusal(() -> detach(there)).getMessage();
    assertTrue(
        busy.startsWith(
            "/mnt in the mount namespace of pid "
                + there.pid()
                + " is in use, by pid "
                + user.pid()
                + " (sleep, cwd /"),
        busy);
    lab.stacks().detach(WEB, there.pid(), true);
    assertMounts(0, there);
    assertEquals(Optional.of(Errno.EBUSY), lab.refusal(() -> lab.up("web")).errno());
    lab.kill(user);
    StackLab.await("it ends", () -> !lab.up("web").isEmpty());
    lab.down("web");
  }
}
