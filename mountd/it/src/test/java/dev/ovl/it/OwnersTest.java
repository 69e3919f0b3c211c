package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code create --map}: a tree of root's, served to a user namespace without chown(1). */
@Timeout(180)
class OwnersTest {
  private static final String[] CREATE = {
    "create",
    "web",
    "--lower",
    "lower",
    "--at",
    "merged",
    "--map",
    "u:0:100000:65536",
    "--map",
    "g:0:200000:65536",
    "--up"
  };

  /** Runs a command as user 0 of a user namespace in which that is 100000, and group 0 200000. */
  private static final String INSIDE =
      """
      inside() {
        unshare --user sleep 120 &
        while [ "$(readlink /proc/$!/ns/user)" = "$(readlink /proc/$$/ns/user)" ]; do sleep 0.02; done
        echo 0 100000 65536 > /proc/$!/uid_map && echo 0 200000 65536 > /proc/$!/gid_map
        nsenter --user --target $! --setuid 0 --setgid 0 sh -c "$1"
        local status=$?
        kill $! && wait $! 2>/dev/null
        return $status
      }
      owners() { stat -c '%u:%g %n' "$@"; }
      """;

  @RegisterExtension
  @Order(1)
  final Scratch scratch = Scratch.tmpfs();

  @RegisterExtension
  @Order(2)
  final Hosting hosting = new Hosting(scratch);

  private Ovlctl tree(Host host) {
    Requires.root();
    Requires.overlay();
    Requires.kernel(6, 3);
    Requires.program("nsenter");
    Ovlctl ovlctl = hosting.ovlctl(host);
    ovlctl
        .shell(
            """
            umask 077 && mkdir -p lower/private merged && chmod 755 . lower merged
            echo of root > lower/private/secret && echo seen > lower/private/seen
            echo of five > lower/five && chown 5:6 lower/five && chmod 600 lower/five
            """)
        .fine();
    ovlctl.run(CREATE).fine();
    return ovlctl;
  }

  @ParameterizedTest
  @EnumSource
  void ownersAreShownOtherwiseAndWrittenAsShown(Host host) {
    Ovlctl ovlctl = tree(host);
    assertEquals(
        """
        100000:200000 merged/private
        100000:200000 merged/private/secret
        100005:200006 merged/five
        0:0 lower/private/secret
        5:6 lower/five
        """,
        ovlctl
            .shell(
                INSIDE
                    + "owners merged/private merged/private/secret merged/five"
                    + " lower/private/secret lower/five")
            .fine()
            .out());
    // a file written through the mount by a mapped user, one by root, and one copied up
    assertEquals(
        """
        100007:200008 merged/by-seven
        0:0 merged/by-root
        100005:200006 merged/five
        100007:200008 by-seven
        0:0 by-root
        100005:200006 five
        5:6 lower/five
        of five
        """,
        ovlctl
            .shell(
                INSIDE
                    + """
                      chmod 777 merged
                      setpriv --reuid 100007 --regid 200008 --clear-groups touch merged/by-seven
                      touch merged/by-root && echo more >> merged/five
                      owners merged/by-seven merged/by-root merged/five
                      (cd root/overlay2/*/diff && owners by-seven by-root five)
                      owners lower/five && cat lower/five
                      """)
            .fine()
            .out());
    ovlctl.run("down", "web").fine();
    assertEquals(
        "5:6 lower/five\n100005:200006 merged/five\n",
        ovlctl
            .shell(INSIDE + "owners lower/five && ovlctl up web >/dev/null && owners merged/five")
            .fine()
            .out());
  }

  @ParameterizedTest
  @EnumSource
  void aUserNamespaceHasATreeOfRootsWithoutChown(Host host) {
    Ovlctl ovlctl = tree(host);
    // unmapped, the same tree is nobody's there
    assertEquals(
        "65534:65534 lower/private\ncat: lower/private/secret: Permission denied\n",
        ovlctl
            .shell(
                INSIDE
                    + "inside 'stat -c \"%u:%g %n\" lower/private; cat lower/private/secret 2>&1 ||:'")
            .fine()
            .out());
    assertEquals(
        """
        0
        0:0 merged/private
        0:0 merged/private/secret
        5:6 merged/five
        of root
        0:0 merged/private/secret
        0:0 merged/private/new
        7:8 merged/private/given
        """,
        ovlctl
            .shell(
                INSIDE
                    + """
                      inside '
                        id -u
                        owners() { stat -c "%u:%g %n" "$@"; }
                        owners merged/private merged/private/secret merged/five
                        cat merged/private/secret
                        echo more >> merged/private/secret && echo new > merged/private/new
                        touch merged/private/given && chown 7:8 merged/private/given
                        owners merged/private/secret merged/private/new merged/private/given
                        rm merged/five
                      '
                      """)
            .fine()
            .out());
    // on disk the lower is as it was, and the upper has what was touched, for those who touched it
    assertEquals(
        """
        0:0 lower/private/secret
        5:6 lower/five
        of root
        100000:200000 private
        100007:200008 private/given
        100000:200000 private/new
        100000:200000 private/secret
        """,
        ovlctl
            .shell(
                INSIDE
                    + """
                      owners lower/private/secret lower/five && cat lower/private/secret
                      (cd root/overlay2/*/diff && owners private private/*)
                      """)
            .fine()
            .out());
    assertEquals(
        "A /private/given\nA /private/new\nC /private\nC /private/secret\nD /five\n",
        ovlctl.shell("ovlctl changes web | sort").fine().out());
    ovlctl.run("down", "web").fine();
    assertEquals(
        "merge web: the owners in its lowers are mapped (X-mount.idmap), and those in its upper are"
            + " not (EOPNOTSUPP)",
        ovlctl.run("merge", "web").failed(1));
    ovlctl.run("rm", "web").fine();
  }

  @ParameterizedTest
  @EnumSource
  void whatCannotBeMappedIsToldInALine(Host host) {
    Ovlctl ovlctl = tree(host);
    assertEquals(
        "create other: id map b:0:1 is not u|g|b:ON-DISK:SHOWN:COUNT",
        ovlctl.run("create", "other", "--lower", "lower", "--map", "b:0:1").failed(2));
    assertEquals(
        "create other: the owners in /proc/sys cannot be mapped: this kernel does not do that on its"
            + " file system (EINVAL)",
        ovlctl
            .run(
                "create",
                "other",
                "--lower",
                "/proc/sys",
                "--read-only",
                "--map",
                "b:0:9:9",
                "--up")
            .failed(1));
    assertEquals("1\n", ovlctl.shell("ovlctl ls | grep -c overlay2").fine().out(), "stacks");
    assertEquals("", ovlctl.shell("grep ovl:other /proc/self/mountinfo || :").fine().out());
    ovlctl.run("down", "web").fine();
  }
}
