package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who may use a daemon for what, and how it is told and logged. */
class AccessTest {
  /** Any group that is there and that nobody is a member of. */
  private static final String GROUP = "daemon";

  private static final int STRANGER = 65534;

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private Ovlctl ovlctl;
  private Mountd daemon;

  /** The daemon's directory is another one than the commands'. */
  @BeforeEach
  void aDaemonForAGroup() {
    Requires.overlay();
    Requires.program("setpriv");
    Requires.that("group " + GROUP, gid().isPresent() ? Optional.empty() : Optional.of("none"));
    ovlctl = Ovlctl.of(scratch).installed();
    ovlctl.shell("chmod 755 . .. && mkdir lower merged && : >config.toml").fine();
    daemon =
        hosting.daemon(
            ovlctl.in(OsPath.ROOT).with("OVL_CONFIG", scratch.resolve("config.toml").toString()),
            "--group",
            GROUP);
    ovlctl = ovlctl.with("OVL_HOST", daemon.host());
  }

  private static Optional<String> gid() {
    try {
      return Files.readAllLines(Path.of("/etc/group")).stream()
          .filter(line -> line.startsWith(GROUP + ":"))
          .map(line -> line.split(":")[2])
          .findFirst();
    } catch (IOException e) {
      throw new AssertionError("cannot read /etc/group", e);
    }
  }

  private Result as(String credentials, String arguments) {
    return ovlctl.shell(
        "exec setpriv --reuid="
            + STRANGER
            + " --regid="
            + STRANGER
            + " "
            + credentials
            + " -- "
            + Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString())
            + " "
            + arguments);
  }

  private Result asMember(String arguments) {
    return as("--groups=" + gid().orElseThrow(), arguments);
  }

  private Result asStranger(String arguments) {
    return as("--clear-groups", arguments);
  }

  private void configure(String access) {
    int before = count("configuration read again");
    ovlctl.shell("echo 'group-access = \"" + access + "\"' >config.toml").fine();
    daemon.signal("HUP");
    daemon.await(() -> count("configuration read again") > before, "reads its configuration");
  }

  private int count(String text) {
    return (int) daemon.log().lines().filter(line -> line.contains(text)).count();
  }

  private void assertLogged(String pattern) {
    assertTrue(daemon.log().lines().anyMatch(line -> line.matches("\\S+ " + pattern)), daemon::log);
  }

  @Test
  void theSocketIsForRootAndTheGroup() {
    assertEquals(
        "660 root " + GROUP + " socket\n",
        ovlctl.shell("stat -c '%a %U %G %F' run/mountd.sock").fine().out());
    assertEquals(
        "ls: cannot connect to " + daemon.socket() + ": Permission denied",
        asStranger("ls").failed(1));
    daemon.close();
    ovlctl.shell("test ! -e run/mountd.sock").fine();
  }

  @Test
  void everyChangeIsLoggedWithWhoMadeIt() {
    String pid =
        ovlctl
            .shell(
                "echo $$; exec "
                    + Ovlctl.quote(Dist.tree().resolve("bin/ovlctl").toString())
                    + " create web --lower lower --at merged")
            .fine()
            .out()
            .strip();
    assertLogged("info create web: done in [0-9.]+ ms by uid 0 pid " + pid);
    ovlctl.run("up", "web").fine();
    assertLogged("info up web: done in [0-9.]+ ms by uid 0 pid [0-9]+");
    ovlctl.run("rm", "web").failed(1);
    assertLogged("warning rm web: failed in [0-9.]+ ms by uid 0 pid [0-9]+: is up on .*EBUSY\\)");
    ovlctl.run("down", "web").fine();
    ovlctl.run("ls").fine();
    ovlctl.run("--dry-run", "rm", "web").ended(0);
    assertEquals(4, count(" by uid "), daemon::log);
  }

  /** What is in files that only root may read is none of a member's business. */
  @Test
  void aMemberMaySeeWhatALayerIsAndNotWhatIsInIt() {
    ovlctl.shell("echo a >lower/a && tar -C lower -cf a.tar . && ovlctl layer create base").fine();
    ovlctl.run("layer", "apply", "base", "a.tar").fine();
    ovlctl.run("create", "web", "--parent", "base").fine();
    assertEquals(ovlctl.run("layer", "ls").fine().out(), asMember("layer ls").fine().out());
    assertEquals("A /a\n", asMember("layer changes base").fine().out());
    assertEquals("2\n", asMember("layer size base").fine().out());
    for (String question : new String[] {"layer inspect base", "changes web", "tree web"}) {
      asMember(question).fine();
    }
    String refused =
        "uid "
            + STRANGER
            + " may only ask: the group may not change anything (group-access) (EACCES)";
    assertEquals("layer diff base: " + refused, asMember("layer diff base").failed(1));
    assertEquals("diff web: " + refused, asMember("diff web").failed(1));
    assertEquals("layer rm base: " + refused, asMember("layer rm base").failed(1));
    assertEquals("layer apply base: " + refused, asMember("layer apply base " + "a.tar").failed(1));
    assertEquals("commit web: " + refused, asMember("commit web").failed(1));
    assertLogged("warning layer diff base: failed in .* by uid " + STRANGER + " .*");
  }

  @Test
  void aMemberMayAskAndNotChange() {
    ovlctl.run("create", "web", "--lower", "lower", "--at", "merged").fine();
    assertEquals(ovlctl.run("ls").fine().out(), asMember("ls").fine().out());
    assertEquals("web: down\n", asMember("status web").ended(3).out());
    asMember("inspect web").fine();
    asMember("info").fine();
    String refusal = "uid 65534 may only ask: the group may not change anything (group-access)";
    for (String change : new String[] {"up web", "set web --lower lower", "rm web"}) {
      assertEquals(
          change.replaceFirst(" web.*", " web") + ": " + refusal + " (EACCES)",
          asMember(change).failed(1));
    }
    assertEquals("umount: " + refusal + " (EACCES)", asMember("umount merged").failed(1));
    // even what would only be checked: the checks would tell what is where
    assertTrue(asMember("--dry-run up web").failed(1).contains("may only ask"));
    assertLogged(
        "warning up web: failed in [0-9.]+ ms by uid 65534 pid [0-9]+: " + quoted(refusal));
    assertEquals("web: down\n", ovlctl.run("status", "web").ended(3).out());
  }

  private static String quoted(String text) {
    return java.util.regex.Pattern.quote(text + " (EACCES)");
  }

  @Test
  void whatMembersMayIsConfiguredWhileItRuns() {
    ovlctl.run("create", "web", "--lower", "lower", "--at", "merged").fine();
    configure("write");
    assertEquals(scratch.resolve("merged") + "\n", asMember("up web").fine().out());
    assertLogged("info up web: done in [0-9.]+ ms by uid 65534 pid [0-9]+");
    asMember("down web").fine();

    configure("none");
    assertEquals(
        "ls: uid 65534 may not use this daemon: the group may not (group-access) (EACCES)",
        asMember("ls").failed(1));
    ovlctl.run("ls").fine();

    configure("read");
    asMember("ls").fine();
    assertTrue(asMember("up web").failed(1).contains("may only ask"));
  }

  @Test
  void aStrangerWhoGetsThroughIsRefused() {
    configure("write");
    ovlctl.shell("chmod 666 run/mountd.sock").fine();
    String refusal =
        "uid 65534 may not use this daemon: only root and the socket's group may (EACCES)";
    assertEquals("ls: " + refusal, asStranger("ls").failed(1));
    assertEquals("up: " + refusal, asStranger("up --all").failed(1));
    // by default it is tried without the daemon then, where it takes root
    ovlctl = ovlctl.without("OVL_HOST");
    Result create = asStranger("create web --lower lower").ended(1);
    assertEquals(
        "ovlctl: working without the daemon: "
            + refusal
            + "\novlctl: create web: needs root (the effective user id is 65534) (EPERM)\n",
        create.err());
  }

  @Test
  void pathsAreRelativeToTheCommandAndNotToTheDaemon() {
    ovlctl.run("create", "web", "--lower", "lower", "--at", "./merged/").fine();
    assertEquals(scratch.resolve("merged") + "\n", ovlctl.run("up", "web").fine().out());
    ovlctl.run("down", "web").fine();
    ovlctl.run("mount", "-o", "lowerdir=lower", "merged").fine();
    ovlctl.run("umount", "merged").fine();
  }
}
