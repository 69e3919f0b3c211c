package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which host a command takes, and what it says when that is none. */
class HostChoiceTest {
  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private Ovlctl ovlctl;

  @BeforeEach
  void directories() {
    Requires.overlay();
    ovlctl = Ovlctl.of(scratch).installed();
    ovlctl.shell("mkdir lower merged other").fine();
  }

  private Ovlctl by(String host) {
    return ovlctl.with("OVL_HOST", host);
  }

  private String unix(String socket) {
    return "unix://" + scratch.resolve(socket);
  }

  /** Whether the daemon did it. */
  private static boolean did(Mountd daemon, String change) {
    return daemon.log().contains(" " + change + ": done in ");
  }

  // ---- by default ---------------------------------------------------------------------------

  @Test
  void theDaemonIsTakenThatHasThisRootAndNamespace() {
    Mountd daemon = hosting.daemon(ovlctl);
    ovlctl.run("create", "web", "--lower", "lower", "--at", "merged").fine();
    assertTrue(did(daemon, "create web"), daemon::log);
    // the same directory by another name
    ovlctl.shell("ln -s root alias").fine();
    ovlctl.run("--root", "alias", "up", "web").fine();
    assertTrue(did(daemon, "up web"), daemon::log);
    ovlctl.with("OVL_HOST", "auto").run("down", "web").fine();
    assertTrue(did(daemon, "down web"), daemon::log);

    by("none").run("up", "web").fine();
    ovlctl.run("--trace", "down", "web").ended(0);
    ovlctl.run("rm", "web").fine();
    assertTrue(did(daemon, "rm web"), daemon::log);
    assertEquals(
        4, daemon.log().lines().filter(line -> line.contains(" by uid ")).count(), daemon::log);
  }

  @Test
  void anotherRootIsWorkedOnHere() {
    Mountd daemon = hosting.daemon(ovlctl);
    ovlctl.run("--root", "second", "create", "web", "--lower", "lower").fine();
    assertFalse(did(daemon, "create web"), daemon::log);
    assertTrue(ovlctl.run("--root", "second", "ls").fine().out().contains("web"));
    assertFalse(ovlctl.run("ls").fine().out().contains("web"));
  }

  @Test
  void inAnotherMountNamespaceItIsDoneThere() {
    Requires.program("unshare");
    Mountd daemon = hosting.daemon(ovlctl);
    Result up =
        ovlctl.shell(
            "unshare -m --propagation private sh -c '"
                + "\"$0\" create web --lower lower --at merged --up; grep -c \" ovl:web \""
                + " /proc/self/mountinfo' "
                + Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString()));
    assertEquals(scratch.resolve("merged") + "\n1\n", up.fine().out());
    assertFalse(did(daemon, "create web"), daemon::log);
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out(), "not mounted here");
  }

  @Test
  void whereNobodyListensItIsDoneHere() {
    Mountd daemon = hosting.daemon(ovlctl);
    daemon.kill();
    ovlctl.shell("test -S run/mountd.sock").fine();
    ovlctl.run("create", "web", "--lower", "lower").fine();
    ovlctl.shell("rm run/mountd.sock").fine();
    ovlctl.run("rm", "web").fine();
  }

  /** It may be odd, but it is no reason to fail: only that is told. */
  @Test
  void aDaemonThatDoesNotAnswerIsLeftWithANote() {
    Mountd daemon = hosting.daemon(ovlctl);
    daemon.signal("STOP");
    try {
      Result create = ovlctl.run("create", "web", "--lower", "lower").ended(0);
      assertEquals(
          "working without the daemon: the daemon does not answer (" + daemon.socket() + ")",
          create.errorLine());
      assertEquals("web: down\n", by("none").run("status", "web").ended(3).out());
    } finally {
      daemon.signal("CONT");
    }
    assertFalse(did(daemon, "create web"), daemon::log);
  }

  // ---- a daemon and no other ----------------------------------------------------------------

  @Test
  void aWrongRootIsAnError() {
    Mountd daemon = hosting.daemon(ovlctl);
    String wrong = "ls: the daemon on " + daemon.socket() + " is the wrong one: its root is ";
    assertEquals(
        wrong + scratch.resolve("root") + ", not " + scratch.resolve("other"),
        by(daemon.host()).run("--root", "other", "ls").failed(1));
    assertEquals(
        wrong + scratch.resolve("root") + ", not " + scratch.resolve("nosuch"),
        by(daemon.host()).run("--root", "nosuch", "ls").failed(1));
    by(daemon.host()).run("ls").fine();
  }

  @Test
  void aWrongMountNamespaceIsAnError() {
    Requires.program("unshare");
    Mountd daemon = hosting.daemon(ovlctl);
    Result ls =
        by(daemon.host())
            .shell(
                "readlink /proc/self/ns/mnt; exec unshare -m sh -c 'readlink /proc/self/ns/mnt;"
                    + " exec \"$0\" ls' "
                    + Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString()))
            .ended(1);
    assertEquals(
        "ls: the daemon on "
            + daemon.socket()
            + " is the wrong one: its mounts are made in mount namespace "
            + ls.lines().get(0)
            + ", not in "
            + ls.lines().get(1),
        ls.errorLine());
  }

  @Test
  void whereNoDaemonIsThatIsSaid() throws IOException {
    assertEquals(
        "ls: cannot connect to " + scratch.resolve("nosuch") + ": No such file or directory",
        by(unix("nosuch")).run("ls").failed(1));
    assertEquals(
        "ls: cannot connect to " + scratch.resolve("lower") + ": Connection refused",
        by(unix("lower")).run("ls").failed(1));
    ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(scratch.resolve("stale").toString()))
        .close();
    assertEquals(
        "ls: cannot connect to " + scratch.resolve("stale") + ": Connection refused",
        by(unix("stale")).run("ls").failed(1));
    String odd = scratch.resolve("a\nb").quoted();
    assertEquals(
        "ls: cannot connect to " + odd + ": No such file or directory",
        by(unix("a\nb")).run("ls").failed(1));
  }

  /** What ovlctl says of somebody who answers this to whatever is asked. */
  private String answered(String answer) throws IOException {
    UnixDomainSocketAddress address =
        UnixDomainSocketAddress.of(scratch.resolve("stranger").toString());
    try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listening.bind(address);
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                try (SocketChannel client = listening.accept()) {
                  client.read(ByteBuffer.allocate(1000));
                  client.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8)));
                } catch (IOException e) {
                  // the test sees what ovlctl says of it
                  return;
                }
              });
      return by(unix("stranger")).run("ls").failed(1);
    } finally {
      java.nio.file.Files.delete(address.getPath());
    }
  }

  @Test
  void whoIsNoDaemonIsToldApart() throws IOException {
    String socket = " (" + scratch.resolve("stranger") + ")";
    assertEquals(
        "ls: what answers is no ovl daemon: its first line is none of HTTP/1.1" + socket,
        answered("SSH-2.0-OpenSSH_10.0\r\n"));
    assertEquals(
        "ls: what answers is no ovl daemon (HTTP 404)",
        answered("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found"));
    assertEquals(
        "ls: the daemon's answer cannot be read: version is missing" + socket,
        answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    assertEquals("ls: the daemon ended before it had answered" + socket, answered(""));
  }

  @Test
  void aDaemonThatDoesNotAnswerIsAnError() {
    Mountd daemon = hosting.daemon(ovlctl);
    daemon.signal("STOP");
    try {
      assertEquals(
          "ls: the daemon does not answer (" + daemon.socket() + ")",
          by(daemon.host()).run("ls").failed(1));
    } finally {
      daemon.signal("CONT");
    }
    by(daemon.host()).run("ls").fine();
  }

  // ---- a daemon that dies -------------------------------------------------------------------

  /**
   * The daemon waits for a lock that the shell holds, so that it dies in the middle for certain.
   */
  @Test
  void aDaemonThatDiesInTheMiddleIsOneLine() {
    Requires.program("curl");
    Requires.program("flock");
    Mountd daemon = hosting.daemon(ovlctl);
    by(daemon.host()).run("create", "web", "--lower", "lower", "--at", "merged").fine();
    Result up =
        by(daemon.host())
            .shell(
                """
                exec 9<root/stacks/.web.lock && flock 9 || exit 99
                %s up web 9<&- & ovlctl=$!
                until curl -s --unix-socket run/mountd.sock http://localhost/v1/metrics |
                    grep -q '^ovl_requests_in_progress 1$'; do
                  kill -0 $ovlctl || exit 98
                done
                kill -KILL %d
                wait $ovlctl
                """
                    .formatted(
                        Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString()), daemon.pid()));
    assertEquals(
        "up web: the daemon ended before it had answered ("
            + daemon.socket()
            + "); whether it was done is not known",
        up.failed(1));
    // and by the next command all is as it says
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out());
    assertEquals(scratch.resolve("merged") + "\n", ovlctl.run("up", "web").fine().out());
    Mountd next = hosting.daemon(ovlctl);
    assertEquals(
        "web: up on " + scratch.resolve("merged") + "\n",
        by(next.host()).run("status", "web").fine().out());
  }

  @Test
  void aDaemonThatEndsWellFinishesWhatItBegan() {
    Requires.program("curl");
    Requires.program("flock");
    Mountd daemon = hosting.daemon(ovlctl);
    by(daemon.host()).run("create", "web", "--lower", "lower", "--at", "merged").fine();
    Result up =
        by(daemon.host())
            .shell(
                """
                exec 9<root/stacks/.web.lock && flock 9 || exit 99
                %s up web 9<&- & ovlctl=$!
                until curl -s --unix-socket run/mountd.sock http://localhost/v1/metrics |
                    grep -q '^ovl_requests_in_progress 1$'; do
                  kill -0 $ovlctl || exit 98
                done
                kill -TERM %d
                until ! curl -s --unix-socket run/mountd.sock http://localhost/v1/version; do :; done
                exec 9<&-
                wait $ovlctl
                """
                    .formatted(
                        Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString()), daemon.pid()));
    assertTrue(up.fine().out().endsWith(scratch.resolve("merged") + "\n"), up::toString);
    assertEquals(
        "web: up on " + scratch.resolve("merged") + "\n",
        by("none").run("status", "web").fine().out());
  }
}
