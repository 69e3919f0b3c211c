package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Container;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code up --into} and {@code down --into}, with the daemon and without. */
@Timeout(180)
class IntoTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private Container container;
  private String pid;
  private Ovlctl ovlctl;

  @BeforeEach
  void container() {
    Requires.root();
    Requires.overlay();
    Requires.program("busybox");
    Requires.program("nsenter");
    Ovlctl.of(scratch).shell("mkdir lower lower/d place && echo of root > lower/file").fine();
    start(Container.start(scratch.resolve("place")));
  }

  private void start(Container started) {
    container = started;
    pid = String.valueOf(started.pid());
  }

  @AfterEach
  void end() {
    container.close();
  }

  private String namespace() throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/mnt")).toString();
  }

  private void create(Host host) {
    ovlctl = hosting.ovlctl(host);
    ovlctl.run("create", "web", "--lower", "lower").fine();
  }

  @ParameterizedTest
  @EnumSource
  void itIsMountedInAnotherNamespaceAlone(Host host) throws Exception {
    create(host);
    assertEquals("/mnt\n", ovlctl.run("up", "web", "--into", pid, "--at", "/mnt").fine().out());
    assertEquals("of root\n", container.sh("cat /mnt/file && echo new > /mnt/d/new"));
    assertEquals("", ovlctl.shell("grep ovl:web /proc/self/mountinfo || :").fine().out());
    assertEquals(
        "web: down, mounted on /mnt in " + namespace() + " of pid " + pid + "\n",
        ovlctl.run("status", "web").ended(3).out());
    assertEquals("web down\n", ovlctl.shell("ovlctl ls | awk '/web/ {print $1, $2}'").fine().out());
    assertTrue(
        ovlctl
            .run("--json", "inspect", "web")
            .fine()
            .out()
            .replaceAll("\\s", "")
            .contains(
                "\"elsewhere\":[{\"namespace\":\""
                    + namespace()
                    + "\",\"target\":\"/mnt\",\"pid\":"
                    + pid
                    + "}]"));
    assertEquals("A /d/new\nC /d\n", ovlctl.shell("ovlctl changes web | sort").fine().out());

    assertEquals("/mnt\n", ovlctl.run("up", "web", "--into", pid, "--at", "/mnt").fine().out());
    assertTrue(
        ovlctl
            .run("up", "web")
            .failed(1)
            .startsWith("up web: a copy of its mount is still alive: ovl:web on /mnt in mount"));
    assertTrue(
        ovlctl.run("rm", "web").failed(1).startsWith("rm web: a copy of its mount is still alive"));

    assertEquals("", ovlctl.run("down", "web", "--into", pid).fine().out());
    assertEquals("", container.sh("ls /mnt"));
    ovlctl.run("down", "web", "--into", pid).fine();
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out());
    ovlctl.run("rm", "web").fine();
  }

  @ParameterizedTest
  @EnumSource
  void oneThatIsUpIsSharedAndEndsWithBoth(Host host) {
    create(host);
    String merged = ovlctl.run("up", "web").fine().out().strip();
    ovlctl.run("up", "web", "--into", pid, "--at", "/mnt").fine();
    ovlctl.shell("echo here > " + merged + "/here").fine();
    assertEquals("here\n", container.sh("cat /mnt/here"));
    String busy = ovlctl.run("down", "web").failed(1);
    assertTrue(busy.contains("a copy would stay alive and keep upper and work in use"), busy);
    assertTrue(busy.contains("of pid " + pid + " (cat)"), busy);
    ovlctl.run("down", "web", "--into", pid).fine();
    ovlctl.run("down", "web").fine();
    ovlctl.run("rm", "web").fine();
  }

  @ParameterizedTest
  @EnumSource
  void aUserNamespaceHasATreeOfRootsWithoutChown(Host host) {
    Requires.kernel(6, 3);
    container.close();
    start(Container.startAs(100_000, scratch.resolve("place")));
    ovlctl = hosting.ovlctl(host);
    ovlctl.run("create", "web", "--lower", "lower", "--map", "b:0:100000:65536").fine();
    ovlctl.run("up", "web", "--into", pid, "--at", "/mnt").fine();
    assertEquals(
        "0:0 /mnt/file\nof root\n0:0 /mnt/new\n",
        container.sh(
            "stat -c '%u:%g %n' /mnt/file; cat /mnt/file; echo more >> /mnt/file; touch /mnt/new;"
                + " stat -c '%u:%g %n' /mnt/new"));
    assertEquals(
        "0:0 lower/file\n100000:100000 file\n100000:100000 new\n",
        ovlctl
            .shell(
                "stat -c '%u:%g %n' lower/file; cd root/overlay2/*/diff; stat -c '%u:%g %n' file new")
            .fine()
            .out());
    ovlctl.run("down", "web", "--into", pid).fine();
    assertEquals("", container.sh("ls /mnt"));
    ovlctl.run("rm", "web").fine();
  }

  @ParameterizedTest
  @EnumSource
  void itEndsWithTheProcess(Host host) throws Exception {
    create(host);
    ovlctl.run("up", "web", "--into", pid, "--at", "/mnt").fine();
    container.close();
    ovlctl.shell("for _ in $(seq 100); do ovlctl -q up web && break; sleep 0.1; done").ended(0);
    ovlctl.run("down", "web").fine();
    assertEquals(
        "down web: there is no process " + pid + " (ESRCH)",
        ovlctl.run("down", "web", "--into", pid).failed(1));
    ovlctl.run("rm", "web").fine();
  }

  @ParameterizedTest
  @EnumSource
  void whatCannotBeIsToldInALine(Host host) {
    create(host);
    String there = " in the mount namespace of pid " + pid;
    assertEquals(
        "up web: there is no directory /none" + there + " (ENOENT)",
        ovlctl.run("up", "web", "--into", pid, "--at", "/none").failed(1));
    assertEquals(
        "up web: it has no target of its own: '--at DIR' says where in the other namespace",
        ovlctl.run("up", "web", "--into", pid).failed(2));
    assertEquals(
        "up: --at goes with --into and one name",
        ovlctl.run("up", "web", "--at", "/mnt").failed(2));
    assertEquals(
        "would mount web on /mnt" + there,
        ovlctl.run("--dry-run", "up", "web", "--into", pid, "--at", "/mnt").ended(0).errorLine());
    assertEquals(
        "web is down already" + there,
        ovlctl.run("--dry-run", "down", "web", "--into", pid).ended(0).errorLine());
    assertEquals(
        "up web: there is no process 2000000000 (ESRCH)",
        ovlctl.run("up", "web", "--into", "2000000000", "--at", "/mnt").failed(1));
    assertEquals(
        "up web: there is no process 0",
        ovlctl.run("up", "web", "--into", "0", "--at", "/mnt").failed(2));
    // the process id of another pid namespace is another process's, or nobody's
    String up = "ovlctl up web --into " + pid + " --at /mnt";
    String other =
        ovlctl.shell("export -f ovlctl; exec unshare --pid --fork bash -c '" + up + "'").failed(1);
    assertTrue(
        other.startsWith(
            host == Host.IN_PROCESS
                ? "up web: /proc is of another pid namespace"
                : "up web: process " + pid + " is one of 'pid:["),
        other);
    assertEquals("", container.sh("ls /mnt"));
    ovlctl.run("rm", "web").fine();
  }
}
