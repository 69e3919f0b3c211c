package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The Debian package through its life, in a system that has nothing more than Debian must have. */
class DebTest {
  private static final String CREATE =
      "mkdir -p /lower && echo below >/lower/file && ovlctl create web --lower /lower --at /mnt";

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  private DebianRoot debian;

  @BeforeEach
  void install() {
    Dist.deb();
    debian = DebianRoot.minimal(scratch);
    debian.run("dpkg --install " + debian.deb()).fine();
  }

  private boolean isThere(String path) {
    return Files.exists(debian.resolve(path));
  }

  @Test
  void whatItInstallsWorks() {
    assertEquals("", debian.run("dpkg --verify ovl").fine().out());
    assertTrue(debian.run("getent group ovl").fine().out().startsWith("ovl:"));
    assertEquals("", debian.run("ls /var/lib/ovl").fine().out(), "no stack is touched");

    String version = debian.run("ovlctl version").fine().out();
    assertTrue(version.startsWith("ovlctl "), version);
    // the links of the package are followed without another program
    assertEquals(version, debian.run("PATH= /usr/bin/ovlctl version").fine().out());
    assertEquals(version, debian.run("PATH= /usr/lib/ovl/bin/ovlctl-java version").fine().out());
    assertEquals(version, debian.run("setpriv --reuid=65534 ovlctl version").fine().out());

    assertTrue(debian.run("ovlctl info").fine().out().contains("root: /var/lib/ovl on tmpfs"));
    debian.run(CREATE).fine();
    assertEquals("/mnt\n", debian.run("ovlctl up web").fine().out());
    assertEquals("below\n", debian.run("cat /mnt/file").fine().out());
    debian.run("echo above >/mnt/file && ovlctl down web && ovlctl up web").fine();
    assertEquals("above\nbelow\n", debian.run("cat /mnt/file /lower/file").fine().out());
    debian.run("ovlctl down web && ovlctl rm web").fine();
  }

  @Test
  void anUpgradeKeepsConfigurationStacksAndMounts() {
    Requires.program("dpkg-deb");
    debian.run(CREATE + " --up && echo '# mine' >>/etc/ovl/config.toml").fine();
    Ovlctl.of(scratch)
        .shell(
            """
            dpkg-deb --raw-extract %s new
            sed -i 's/^Version: .*/Version: 99/' new/DEBIAN/control
            echo '# new default' >>new/etc/ovl/config.toml
            dpkg-deb --build -Zgzip -z1 new debian/new.deb
            """
                .formatted(Ovlctl.quote(Dist.deb() + "")))
        .fine();
    Result upgrade = debian.run("dpkg --install --force-confold /new.deb").ended(0);
    assertTrue(upgrade.out().contains("over (" + "0."), upgrade::toString);
    assertEquals("99", debian.run("dpkg-query -f '${Version}' -W ovl").fine().out());
    assertEquals("# mine\n", debian.run("tail -n 1 /etc/ovl/config.toml").fine().out());
    assertTrue(debian.run("ovlctl status web").fine().out().contains("up"));
    assertEquals("below\n", debian.run("cat /mnt/file").fine().out());
    debian.run("ovlctl down web").fine();
  }

  @Test
  void removalLeavesMountsAndPurgeLeavesTheUsersFiles() throws IOException {
    debian.run(CREATE + " --up && echo above >/mnt/file").fine();
    debian.run("dpkg --remove ovl").fine();
    assertFalse(isThere("/usr/bin/ovlctl"));
    assertFalse(isThere("/usr/lib/ovl"));
    assertTrue(isThere("/etc/ovl/config.toml"));
    assertEquals("above\n", debian.run("cat /mnt/file").fine().out());

    Result purge = debian.run("dpkg --purge ovl").ended(0);
    assertEquals("ovl: /var/lib/ovl is kept: it holds stacks or their layers\n", purge.err());
    assertFalse(isThere("/etc/ovl"));
    assertFalse(isThere("/run/ovl"));
    assertEquals("above\n", debian.run("cat /mnt/file").fine().out());
    debian.run("umount /mnt").fine();

    // it is all there when the package is
    debian.run("dpkg --install /ovl.deb").fine();
    debian.run("ovlctl up web").fine();
    assertEquals("above\n", debian.run("cat /mnt/file").fine().out());
    debian.run("ovlctl down web && ovlctl rm web").fine();
    debian.run("umount /var/lib/ovl && mkdir -p /var/lib/ovl/stacks && ovlctl ls").fine();
    debian.run("dpkg --purge ovl").fine();
    assertFalse(isThere("/var/lib/ovl"), "nobody's");
  }
}
