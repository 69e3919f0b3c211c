package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The life of a machine on which ovl is installed: booted by systemd, which starts the daemon and
 * keeps an eye on it, and has stacks up while the machine is. {@code web} lies on {@code base}, and
 * a service works in it.
 */
class BootTest {
  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  /** A directory with what copying up can lose: owners, modes, capabilities, devices. */
  private static final String LOWER =
      """
      mkdir lower lower/dir
      echo below >lower/file
      for name in owned setuid capable dir/member; do echo x >lower/$name; done
      chown 1000:1000 lower/owned
      chown 1000:1001 lower/setuid
      chmod 6755 lower/setuid
      setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 lower/capable
      mknod lower/null c 1 3
      """;

  /** Has all of it copied up, whited out or replaced. */
  private static final String TOUCH =
      """
      set -e
      cd "$1"
      setpriv --reuid=1000 --regid=1000 --clear-groups sh -c 'echo more >>owned'
      setpriv --reuid=1000 --regid=1000 --clear-groups chmod g+w setuid
      chgrp 7 dir
      chmod 640 capable
      chmod 600 null
      rm file
      rm -r dir
      mkdir dir
      """;

  private static final String INSTALL =
      """
      say install dpkg --install /ovl.deb
      say socket systemctl is-active ovl-mountd.socket
      say modes stat -c '%A %U:%G %n' /run/ovl /run/ovl/mountd.sock
      cd /srv
      mkdir base web tabled by-daemon by-itself upper-by-daemon upper-by-itself work-d work-i
      say base ovlctl create base --lower lower --at base
      say web ovlctl create web --lower base --at web
      say tabled ovlctl create tabled --lower lower --at tabled
      say d ovlctl create by-daemon --lower lower --upper upper-by-daemon --work work-d --at by-daemon
      say i ovlctl create by-itself --lower lower --upper upper-by-itself --work work-i --at by-itself
      say dashes ovlctl create my-stack --lower lower
      say odd ovlctl create 'my stack $HOME' --lower lower
      say enable systemctl enable ovl@base ovl@web
      say enable-now systemctl enable --now ovl@my-stack "ovl@$(systemd-escape 'my stack $HOME')"
      say at-once ovlctl ls
      """;

  private static final String LIVE =
      """
      socket=unix:///run/ovl/mountd.sock
      pid() { systemctl show --value --property=MainPID ovl-mountd.service; }
      renewed() { systemctl is-active ovl-mountd.service && [ "$(pid)" != "$before" ]; }

      say failed systemctl list-units --failed --no-legend --plain
      say idle systemctl is-active ovl-mountd.service
      say stacks ovlctl --host none ls
      say file cat /srv/web/file
      say user systemctl is-active user
      say tabled cat /srv/tabled/file
      say by-mount mount -t ovl by-daemon /srv/by-daemon
      say umount umount /srv/by-daemon

      say served ovlctl --host $socket ls
      say active systemctl is-active ovl-mountd.service
      say namespaces readlink /proc/1/ns/mnt /proc/$(pid)/ns/mnt
      say status cat /proc/$(pid)/status
      say score systemd-analyze security ovl-mountd.service

      say by-daemon ovlctl --host $socket up by-daemon
      say by-itself ovlctl --host none up by-itself
      say touch-by-daemon sh /touch /srv/by-daemon
      say touch-by-itself sh /touch /srv/by-itself

      unshare --mount --propagation private sleep infinity &
      copy=$!
      apart() { [ "$(readlink /proc/$copy/ns/mnt)" != "$(readlink /proc/1/ns/mnt)" ]; }
      say apart await apart
      say busy ovlctl --host $socket down by-daemon
      kill $copy
      wait $copy

      before=$(pid)
      say reload systemctl reload ovl-mountd
      say reloaded [ "$(pid)" = "$before" ]
      say restart systemctl restart ovl-mountd
      say restarted renewed
      say after-restart ovlctl --host $socket ls
      before=$(pid)
      kill -STOP $before
      say bitten await renewed
      say after-watchdog ovlctl --host $socket ls
      before=$(pid)
      say upgrade dpkg --install /ovl.deb
      say upgraded renewed
      say after-upgrade ovlctl --host $socket ls
      say down-by-daemon ovlctl --host $socket down by-daemon by-itself
      say file-still cat /srv/web/file
      """;

  private static final String REMOVE =
      """
      say served ovlctl --host unix:///run/ovl/mountd.sock ls
      say remove dpkg --remove ovl
      say units systemctl is-active ovl-mountd.socket ovl-mountd.service
      say file cat /srv/web/file
      """;

  private static final String USER =
      """
      [Unit]
      Requires=ovl@web.service
      After=ovl@web.service
      [Service]
      WorkingDirectory=/srv/web
      ExecStart=/bin/sleep infinity
      [Install]
      WantedBy=multi-user.target
      """;

  private static Machine machine;
  private static Machine.Report first;
  private static Machine.Report second;
  private static Machine.Report third;
  private static List<String> journal;

  @BeforeAll
  static void live() {
    Dist.deb();
    Requires.program("setfattr");
    machine = Machine.of(SCRATCH);
    machine.root().deb();
    Ovlctl.of(SCRATCH).shell("cd " + machine.root().resolve("/srv") + "\n" + LOWER).fine();
    machine.write("/touch", TOUCH);
    machine.write(
        "/etc/systemd/system/ovl@web.service.d/base.conf",
        "[Unit]\nRequires=ovl@base.service\nAfter=ovl@base.service\n");
    machine.write(
        "/etc/systemd/system/ovl-mountd.service.d/short.conf", "[Service]\nWatchdogSec=6s\n");
    first = machine.boot(INSTALL);
    machine.write("/etc/systemd/system/user.service", USER);
    machine.root().run("systemctl enable user").ended(0);
    machine.write("/etc/fstab", "tabled /srv/tabled ovl defaults 0 0\n");
    second = machine.boot(LIVE);
    journal = machine.journal();
    third = machine.boot(REMOVE);
  }

  /** The names of the stacks that a listing shows as up. */
  private static List<String> up(String listing) {
    return listing
        .lines()
        .filter(line -> line.matches(".* {2}up .*"))
        .map(line -> line.replaceFirst(" {2}.*", ""))
        .toList();
  }

  @Test
  void thePackageStartsTheSocketAlone() {
    first.get("install");
    assertEquals("active\n", first.get("socket"));
    assertEquals(
        "drwxr-xr-x root:root /run/ovl\nsrw-rw---- root:ovl /run/ovl/mountd.sock\n",
        first.get("modes"));
  }

  @Test
  void aStackIsEnabledByItsNameWithDashesAndEscapedWithBlanks() {
    first.get("enable-now");
    assertEquals(List.of("my stack $HOME", "my-stack"), up(first.get("at-once")));
  }

  @Test
  void stacksAreUpOnceTheMachineIs() {
    for (String created :
        new String[] {"base", "web", "tabled", "d", "i", "dashes", "odd", "enable"}) {
      first.get(created);
    }
    assertEquals("", second.get("failed"));
    assertEquals(
        List.of("base", "my stack $HOME", "my-stack", "tabled", "web"), up(second.get("stacks")));
    assertEquals("below\n", second.get("file"), "web lies on base's mount");
    assertEquals("active\n", second.get("user"));
  }

  /** By mount.ovl, before there could be a daemon. */
  @Test
  void fstabAndMountKnowStacks() {
    assertEquals("below\n", second.get("tabled"));
    int mounted = journal.indexOf("Mounted srv-tabled.mount - /srv/tabled.");
    int local = journal.indexOf("Reached target local-fs.target - Local File Systems.");
    assertTrue(0 <= mounted && mounted < local, () -> String.join("\n", journal));
    second.get("by-mount");
    second.get("umount");
  }

  @Test
  void whoeverAsksTheSocketStartsTheDaemon() {
    assertEquals("inactive\n", second.said("idle"));
    assertEquals(second.get("stacks"), second.get("served"));
    assertEquals("active\n", second.get("active"));
    assertEquals(second.get("stacks"), third.get("served"));
  }

  @Test
  void theDaemonSharesTheMountNamespace() {
    List<String> namespaces = second.get("namespaces").lines().toList();
    assertEquals(2, namespaces.size());
    assertEquals(namespaces.get(0), namespaces.get(1));
  }

  @Test
  void theDaemonIsConfinedAllTheSame() {
    String status = second.get("status");
    assertTrue(status.contains("NoNewPrivs:\t1\n"), status);
    assertTrue(status.contains("Seccomp:\t2\n"), status);
    long bounding =
        Long.parseUnsignedLong(status.replaceFirst("(?s).*CapBnd:\t(\\w+)\n.*", "$1"), 16);
    long asked = 0x8828_021fL;
    // CAP_SYS_RESOURCE, CAP_MAC_OVERRIDE and CAP_MAC_ADMIN are not given to every machine
    long perhaps = 0x3_0100_0000L;
    assertEquals(asked, bounding & ~perhaps, status);
    assertTrue(second.get("score").contains("Overall exposure level"), second.get("score"));
  }

  /** overlayfs acts on the layers with the capabilities of whoever mounted. */
  @Test
  void whatTheDaemonMountsIsNoLessThanWhatACommandMounts() {
    second.get("by-daemon");
    second.get("by-itself");
    assertEquals("", second.get("touch-by-itself"));
    assertEquals("", second.get("touch-by-daemon"));
    String expected = upper("by-itself");
    assertTrue(expected.contains("security.capability="), expected);
    assertTrue(expected.contains("trusted.overlay.opaque="), expected);
    assertTrue(Pattern.compile("crw------- 0:0 0 c null\n").matcher(expected).find(), expected);
    assertEquals(expected, upper("by-daemon"));
  }

  /** It may look into processes that have more capabilities than itself. */
  @Test
  void theDaemonSeesWhoKeepsACopy() {
    second.get("apart");
    String busy = second.said("busy");
    assertTrue(busy.contains("a copy would stay alive"), busy);
    assertTrue(busy.contains("(sleep)"), busy);
  }

  private static String upper(String stack) {
    return Ovlctl.of(SCRATCH)
        .shell(
            """
            cd %s
            find . -printf '%%M %%U:%%G %%s %%y %%P\\n' | sort
            find . | sort | xargs getfattr --no-dereference --dump --match=- |
              grep -v '^trusted.overlay.uuid='
            """
                .formatted(machine.root().resolve("/srv/upper-" + stack)))
        .fine()
        .out();
  }

  @Test
  void stacksStayWhenTheDaemonIsReloadedRestartedOrUpgraded() {
    second.get("reload");
    second.get("reloaded");
    second.get("restart");
    second.get("restarted");
    List<String> all =
        List.of("base", "by-daemon", "by-itself", "my stack $HOME", "my-stack", "tabled", "web");
    assertEquals(all, up(second.get("after-restart")));
    second.get("upgrade");
    second.get("upgraded");
    assertEquals(all, up(second.get("after-upgrade")));
    second.get("down-by-daemon");
    assertEquals("below\n", second.get("file-still"));
  }

  @Test
  void stacksStayWhenTheWatchdogEndsADaemonThatHangs() {
    second.get("bitten");
    assertEquals(second.get("after-restart"), second.get("after-watchdog"));
    assertTrue(
        journal.contains("ovl-mountd.service: Failed with result 'watchdog'."),
        () -> String.join("\n", journal));
  }

  @Test
  void stacksGoDownInOrder() {
    List<String> ends =
        journal.subList(
            journal.indexOf("Stopped target multi-user.target - Multi-User System."),
            journal.size());
    int last = 0;
    for (String end :
        new String[] {
          "Stopped user.service",
          "Stopped ovl@web.service",
          "Stopped ovl@base.service",
          "Stopped target local-fs.target"
        }) {
      while (last < ends.size() && !ends.get(last).startsWith(end)) {
        last++;
      }
      assertNotEquals(ends.size(), last, () -> end + " is not next in\n" + String.join("\n", ends));
    }
    for (String stack : new String[] {"base", "web", "my-stack", "my\\x20stack\\x20\\x24HOME"}) {
      assertTrue(
          ends.contains("ovl@" + stack + ".service: Deactivated successfully."),
          () -> stack + " failed in\n" + String.join("\n", ends));
    }
  }

  @Test
  void removalEndsTheDaemonAndLeavesMounts() {
    third.get("remove");
    assertEquals("inactive\ninactive\n", third.said("units"));
    assertEquals("below\n", third.get("file"));
  }
}
