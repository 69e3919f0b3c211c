package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What somebody without any right does with ovl. */
@Timeout(300)
class OrdinaryUserTest {
  /** Nobody of this machine. */
  private static final int UID = 54321;

  private static final String LASTS =
      "without root it lasts as long as a process that holds it: start 'mountd', or call this in"
          + " 'ovlctl unshare'; 'run' and 'try' need neither (EPERM)";

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.ext4();

  private Ovlctl ovlctl;

  @BeforeEach
  void user() {
    Requires.overlay();
    Requires.kernel(5, 11);
    Requires.program("setpriv");
    Requires.program("busybox");
    Requires.that(
        "what is written in C",
        Files.exists(Dist.tree().resolve("lib/ovl-userns"))
            ? Optional.empty()
            : Optional.of("not built"));
    Ovlctl root = Ovlctl.of(scratch).installed();
    root.shell("chmod 755 . .. && mkdir home && chown " + UID + ":" + UID + " home").fine();
    ovlctl = ofUser(root);
  }

  private Ovlctl ofUser(Ovlctl like) {
    return like.in(scratch.resolve("home"))
        // for what is called by a command of 'unshare'
        .with("PATH", Dist.tree().resolve("bin") + ":" + like.variable("PATH"))
        .with("HOME", scratch.resolve("home").toString())
        .with("XDG_RUNTIME_DIR", scratch.resolve("home/rt").toString())
        .without("OVL_ROOT")
        .without("OVL_RUN");
  }

  /** Runs a script of bash as the user. */
  private Result as(Ovlctl where, String script) {
    return as(where, "", script);
  }

  /** By way of a command of root's, to which the rest of the line is appended. */
  private Result as(Ovlctl where, String by, String script) {
    String setpriv = "setpriv --reuid=" + UID + " --regid=" + UID + " --clear-groups -- ";
    String bash = "bash -c " + Ovlctl.quote("umask 022\n" + script);
    return where.shell("export -f ovlctl; exec " + by + setpriv + bash);
  }

  private Result as(String script) {
    return as(ovlctl, script);
  }

  private Path home(String name) {
    return Path.of(scratch.resolve("home").toString()).resolve(name);
  }

  // ---- in one process ---------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theDemoHolds(boolean installed) {
    Ovlctl where = installed ? ovlctl : ofUser(Ovlctl.of(scratch));
    Result demo = as(where.with("TMPDIR", home("") + ""), "ovlctl demo").ended(0);
    assertTrue(demo.errorLine().matches("demo: all [0-9]+ claims hold"), demo::toString);
    assertEquals(List.of(), as("ls").fine().lines(), "nothing stays");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void tryChangesNothingBeforeTheCommit(boolean installed) throws Exception {
    Ovlctl where = installed ? ovlctl : ofUser(Ovlctl.of(scratch));
    as("mkdir d && echo old >d/a && echo b >d/b").fine();
    String work = "sh -c 'echo new >~/d/a && rm ~/d/b && mkdir ~/e && mv ~/d/a ~/e; touch /etc/x'";
    Result kept = as(where, "ovlctl try --keep " + work).ended(1);
    assertTrue(kept.err().contains("D " + home("d/a") + "\n"), kept::toString);
    assertTrue(kept.err().contains("A " + home("e/a") + "\n"), kept::toString);
    assertTrue(kept.err().contains("touch: cannot touch '/etc/x': "), kept::toString);
    assertEquals("old\n", Files.readString(home("d/a")));
    assertTrue(Files.exists(home("d/b")));

    String name = as("ovlctl ls").fine().lines().get(1).split(" ")[0];
    as("ovlctl merge " + name).ended(0);
    assertEquals("new\n", Files.readString(home("e/a")));
    assertFalse(Files.exists(home("d/a")));
    assertFalse(Files.exists(home("d/b")));
    assertEquals(UID, Files.getAttribute(home("e/a"), "unix:uid"));
    as("ovlctl rm " + name).fine();

    as("ovlctl try --commit --over d -- sh -c 'echo c >d/c'").ended(0);
    assertEquals("c\n", Files.readString(home("d/c")));
    assertEquals(1, as("ovlctl ls").fine().lines().size());
  }

  private void baseLayer() {
    as("""
        mkdir -p base/{bin,proc,sys,dev,tmp,etc/old} && cp /bin/busybox base/bin && touch base/etc/old/x
        for a in sh cat echo id ls rm mkdir mv touch tty; do ln -s busybox base/bin/$a; done
        ovlctl layer create base && tar -C base -c . | ovlctl layer apply base
        ovlctl layer commit base && ovlctl create web --parent base
        """)
        .fine();
  }

  @Test
  void commandsRunInStacks() {
    baseLayer();
    assertEquals(
        "uid=0 gid=0\nfd full null ptmx pts random shm stderr stdin stdout tty urandom zero\n",
        as("ovlctl run web -- sh -c 'id; echo $(ls /dev)'").fine().out());
    as("ovlctl run web -- sh -c 'exit 7'").ended(7);
    as("ovlctl run --rm web -- touch /gone").fine();
    assertEquals("", as("ovlctl changes web").fine().out());
    assertEquals(
        "run web: cannot become a user whom this user namespace does not have: Invalid argument"
            + " (EINVAL)",
        as("ovlctl run -u 33:33 web -- id").failed(125));
    assertEquals("home\n", as("ovlctl run -v .:/tmp web -- ls -d /tmp/base >&2; echo home").out());
    as("ovlctl status web").ended(3);
  }

  @Test
  void changesAreToldPackedCommittedAndMerged() {
    baseLayer();
    as("ovlctl run web -- sh -c 'rm /bin/id; rm -r /etc; mkdir /etc; echo new >/etc/motd'").fine();
    String changes = "C /bin\nD /bin/id\nC /etc\nA /etc/motd\nD /etc/old\n";
    assertEquals(changes, as("ovlctl changes web").fine().out());
    assertEquals(
        "./\nbin/\nbin/.wh.id\netc/\netc/.wh..wh..opq\netc/motd\n",
        as("ovlctl diff web | tar -t").fine().out());
    as("ovlctl commit web --as next && ovlctl create two --parent next").ended(0);
    assertEquals(changes, as("ovlctl layer changes next").fine().out());
    assertEquals("motd\n", as("ovlctl run two -- sh -c 'ls /etc; [ ! -e /bin/id ]'").fine().out());
    as("ovlctl fsck two && ovlctl fsck web").fine();
    as("ovlctl flatten two --as flat").ended(0);
    assertFalse(as("ovlctl layer diff flat | tar -t").fine().lines().contains("bin/id"));
    as("ovlctl rm two && ovlctl layer rm next flat").fine();
    assertEquals("base\n", as("ovlctl merge web").fine().out());
    assertEquals("", as("ovlctl changes web").fine().out());
    assertFalse(as("ovlctl layer diff base | tar -t").fine().lines().contains("bin/id"));
    as("ovlctl rm web && ovlctl layer rm base").fine();
    assertEquals("", as("ovlctl layer ls | tail -n +2").fine().out());
  }

  @Test
  void whatWouldBeGoneAtOnceIsRefused() {
    as("mkdir l u w m && ovlctl create web --lower l --at m").fine();
    assertEquals("up web: " + LASTS, as("ovlctl up web").failed(1));
    assertEquals("create x: " + LASTS, as("ovlctl create x --lower l --up").failed(1));
    assertEquals(
        "mount: " + LASTS, as("ovlctl mount -o lowerdir=l,upperdir=u,workdir=w m").failed(1));
    assertEquals(2, as("ovlctl ls").fine().lines().size());
    as("ovlctl down web").fine();
  }

  // ---- what is there ----------------------------------------------------------------------------

  @Test
  void itsDirectoriesAreItsOwn() {
    as("mkdir l && ovlctl create web --lower l").fine();
    assertTrue(Files.exists(home(".local/share/ovl/stacks/web.json")));
    Ovlctl elsewhere = ovlctl.with("XDG_DATA_HOME", home("data").toString());
    as(elsewhere, "ovlctl create other --lower l").fine();
    assertTrue(Files.exists(home("data/ovl/stacks/other.json")));
    as("mkdir -p .config/ovl && echo 'root = \"" + home("third") + "\"' >.config/ovl/config.toml")
        .fine();
    as(ovlctl.without("OVL_CONFIG"), "ovlctl create third --lower l").fine();
    assertTrue(Files.exists(home("third/stacks/third.json")));
  }

  @Test
  void rootUsesWhatAnOrdinaryUserMade() {
    baseLayer();
    as("ovlctl run web -- sh -c 'rm -r /etc/old; mkdir /etc/old; touch /etc/old/y'").fine();
    Ovlctl root = ovlctl.with("OVL_ROOT", home(".local/share/ovl").toString());
    root = root.with("OVL_RUN", scratch.resolve("run").toString());
    String merged = root.run("up", "web").fine().lines().get(0);
    assertEquals("y\n", root.shell("ls " + merged + "/etc/old").fine().out());
    assertEquals(
        "C /etc\nC /etc/old\nD /etc/old/x\nA /etc/old/y\n",
        root.run("changes", "web").fine().out());
    root.run("down", "web").fine();
  }

  @Test
  void aRootOfRootsIsRefused() {
    Ovlctl root = ovlctl.with("OVL_ROOT", home("made").toString());
    root = root.with("OVL_RUN", scratch.resolve("run").toString());
    root.shell("mkdir l && ovlctl create web --lower l && chown -R " + UID + " made").fine();
    Ovlctl user = ovlctl.with("OVL_ROOT", home("made").toString());
    assertEquals(
        "create x: root "
            + home("made")
            + " was made by root: its layers have attributes trusted.overlay., which a user namespace"
            + " must not change (EPERM)",
        as(user, "ovlctl create x --lower l").failed(1));
    as(user, "ovlctl status web").ended(3);
  }

  @Test
  void whatTheKernelDoesNotAllowIsToldInALine() {
    as("mkdir l && ovlctl layer create dev").fine();
    String refused = as("tar -c -C / dev/null | ovlctl layer apply dev").failed(1);
    assertEquals(
        "layer apply dev: cannot write dev/null: Operation not permitted (EPERM)", refused);
    assertEquals(
        "create mapped: only root can map the owners of lowers (X-mount.idmap) (EPERM)",
        as("ovlctl create mapped --lower l --map b:0:1:1").failed(1));
    assertEquals(
        "try: without root nothing lies over a directory of the host in which something is mounted: "
            + scratch.path()
            + " (EINVAL)",
        as("ovlctl try --over " + scratch.path().parent() + " true").failed(125));
    String java =
        Ovlctl.quote(Dist.tree().resolve("runtime/bin/java").toString())
            + " --enable-native-access=ALL-UNNAMED '-Dovl.namespace=none user.max_user_namespaces is 0'"
            + " -cp "
            + Ovlctl.quote(Dist.tree().resolve("lib/ovl.jar").toString())
            + " dev.ovl.cli.Main ";
    String why =
        "needs root (the effective user id is "
            + UID
            + ") or a user namespace: user.max_user_namespaces is 0 (EPERM)";
    assertEquals("create x: " + why, as(java + "create x --lower l").failed(1));
    assertEquals("demo: " + why, as(java + "demo").failed(1));
    assertEquals("unshare: " + why, as(java + "unshare ls").failed(125));
    as(java + "version").fine();
    as(java + "status mapped").ended(4);
  }

  @Test
  void mvWorksWithTheRightsOfWhoeverCallsIt() {
    as("mkdir a b && echo x >a/f && ovlctl mv a b && cat b/a/f").fine();
  }

  // ---- with a daemon ----------------------------------------------------------------------------

  /** A daemon of the user's, while a test works with it. */
  private interface Work {
    void with(long pid) throws Exception;
  }

  private void served(Work work) throws Exception {
    String start =
        "setpriv --reuid="
            + UID
            + " --regid="
            + UID
            + " --clear-groups -- "
            + Ovlctl.quote(Dist.tree().resolve("bin/mountd").toString());
    Ovlctl.Started started = ovlctl.start("/bin/bash", "-c", "exec " + start);
    Process daemon = started.process();
    try {
      for (int i = 0; !Files.readString(started.err()).contains(" serving "); i++) {
        assertTrue(daemon.isAlive() && i < 3000, Files.readString(started.err()));
        TimeUnit.MILLISECONDS.sleep(20);
      }
      work.with(daemon.pid());
    } finally {
      daemon.destroy();
      if (!daemon.waitFor(30, TimeUnit.SECONDS)) {
        daemon.destroyForcibly();
      }
    }
    String log = Files.readString(started.err());
    assertFalse(log.contains(" error "), log);
  }

  @Test
  void stacksAreUpAsLongAsTheDaemon() throws Exception {
    as("mkdir l m && echo a >l/a && ovlctl create web --lower l --at m").fine();
    served(
        pid -> {
          assertEquals(home("m") + "\n", as("ovlctl up web").fine().out());
          assertEquals("web: up on " + home("m") + "\n", as("ovlctl status web").fine().out());
          assertEquals("", as("ls m").fine().out());
          assertEquals(
              "a\nnew\n",
              as("ovlctl unshare -- sh -c 'ls m; rm m/a; echo >m/new; ls m'").fine().out());
          assertEquals(
              "new\n",
              as("nsenter --preserve-credentials -U -m -t " + pid + " ls " + home("m"))
                  .fine()
                  .out());
          assertEquals("D /a\nA /new\n", as("ovlctl changes web").fine().out());
          // the engine in the client's process sees the same
          assertEquals(
              "web: up on " + home("m") + "\n", as("ovlctl --host none status web").fine().out());
          assertTrue(as("ovlctl merge web").failed(1).startsWith("merge web: is up on "));
          as("ovlctl unshare bash -c 'ovlctl down web' && ovlctl up web && ovlctl down web")
              .ended(0);
          as("ovlctl merge web").ended(0);
          assertEquals("new\n", as("ls l").fine().out());
          as("ovlctl up web").ended(0);
        });
    as("ovlctl status web").ended(3);
    as("ovlctl rm web").fine();
  }

  @Test
  void noJavaIsStartedForWhatTheDaemonCanDo() throws Exception {
    baseLayer();
    as("mkdir l m d && echo a >l/a && ovlctl create at --lower l --at m").fine();
    Ovlctl handing = ovlctl.with("OVL_JAVA_OPTIONS", "-XX:ThereIsNoSuchOption");
    String up = "at: up on " + home("m") + "\n";
    served(
        pid -> {
          assertEquals(home("m") + "\n", as(handing, "ovlctl up at").fine().out());
          assertEquals(up, as(handing, "cd l && ovlctl status at").fine().out());
          assertEquals(
              "a\nA /b\n",
              as(handing, "ovlctl unshare sh -c 'ls m; touch m/b; ovlctl changes at'")
                  .fine()
                  .out());
          assertEquals(
              "uid=0 gid=0\n", as(handing, "ovlctl run web -- sh -c 'id; exit 7'").ended(7).out());
          as(handing, "ovlctl try --commit --over d -- sh -c 'echo ${OVL_NAMESPACE-unset} >d/c'")
              .ended(0);
          assertEquals("unset\n", Files.readString(home("d/c")));
          assertEquals(UID, Files.getAttribute(home("d/c"), "unix:uid"));

          for (String own : List.of("--trace status at", "--host none status at", "mv d e")) {
            as(handing, "ovlctl " + own).ended(1);
          }
          as(handing, "ovlctl --root elsewhere status at").ended(1);
          as("ovlctl --root elsewhere status at").ended(4);
          as("ovlctl --trace status at").ended(0);
          as("ovlctl mv d e").fine();
        });
  }

  @Test
  void whoIsInADirectoryThatTheDaemonDoesNotSeeOnlyLooks() throws Exception {
    as("mkdir l").fine();
    String there =
        "unshare --mount bash -c 'mount -t tmpfs none l; chmod 755 l; mkdir l/x; cd l/x;"
            + " exec \"$@\"' bash ";
    served(
        pid -> {
          as("ovlctl create web --lower l").fine();
          assertEquals("web: down\n", as(ovlctl, there, "ovlctl status web").ended(3).out());
          assertEquals(
              "create other: needs root (the effective user id is "
                  + UID
                  + ") or a user namespace: the daemon's namespace has no "
                  + home("l/x")
                  + ": No such file or directory (EPERM)",
              as(ovlctl, there, "ovlctl create other --lower .").failed(1));
          assertEquals(2, as("ovlctl ls").fine().lines().size());
        });
  }

  @Test
  void theDaemonsSocketIsItsUsersAlone() throws Exception {
    served(
        pid -> {
          assertEquals("600 " + UID + "\n", as("stat -c '%a %u' rt/ovl/mountd.sock").fine().out());
          assertTrue(
              as(ovlctl, Ovlctl.quote(Dist.tree().resolve("bin/mountd").toString()))
                  .ended(1)
                  .err()
                  .contains("another daemon serves the run directory"));
        });
  }

  @Test
  void directMountsLastInTheDaemonsNamespace() throws Exception {
    as("mkdir l u w m && touch l/a").fine();
    served(
        pid -> {
          as("ovlctl mount -o lowerdir=l,upperdir=u,workdir=w m").fine();
          assertEquals("b\n", as("ovlctl unshare sh -c 'rm m/a; touch m/b; ls m'").fine().out());
          as("ovlctl umount m").fine();
        });
    assertEquals("b\n", as("ls u | grep -v a").fine().out());
  }

  @Test
  void aMountThatCannotBeSeenIsRespected() throws Exception {
    as("mkdir l m && ovlctl create web --lower l --at m").fine();
    Result result =
        as(
            """
            mkfifo ready end
            ovlctl unshare -- bash -c 'ovlctl up web >ready; read x <end' &
            read there <ready
            ovlctl status web
            for verb in 'run web -- ls' 'merge web' 'rm web'; do ovlctl $verb; echo $?; done
            echo >end; wait
            ovlctl rm web
            """);
    assertEquals("web: down\n125\n1\n1\n", result.out(), result::toString);
    assertEquals(3, result.err().lines().count(), result::toString);
    assertTrue(
        result
            .err()
            .lines()
            .allMatch(
                line ->
                    line.endsWith(
                        ": its upper is in use by an overlay of a user namespace that cannot be"
                            + " looked into (EBUSY)")),
        result::toString);
  }
}
