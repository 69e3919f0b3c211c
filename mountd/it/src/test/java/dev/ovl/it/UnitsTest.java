package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The systemd units, as text and as systemd reads them where they are installed. */
class UnitsTest {
  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @Test
  void systemdFindsNothingWrongWithThem() {
    Dist.deb();
    DebianRoot debian = DebianRoot.withSystemd(scratch);
    debian.run("dpkg --install " + debian.deb()).ended(0);
    for (String unit :
        new String[] {"ovl-mountd.service", "ovl-mountd.socket", "ovl@web.service"}) {
      Result verified = debian.run("systemd-analyze --man=no verify /lib/systemd/system/" + unit);
      assertEquals("", verified.fine().out(), unit);
    }
    assertEquals(
        "enabled\ndisabled\ndisabled\n",
        debian
            .run("systemctl is-enabled ovl-mountd.socket ovl-mountd.service ovl@web.service")
            .out());
    debian.run("systemd-sysusers ovl.conf").fine();
    debian.run("systemd-tmpfiles --create ovl.conf").fine();
    assertEquals("711 root:root\n", debian.run("stat -c '%a %U:%G' /var/lib/ovl").fine().out());
  }

  /** systemd.exec(5): what gives a service a mount namespace, in which nobody saw its mounts. */
  @Test
  void theDaemonIsGivenNoMountNamespaceNorKeptFromWhatTheEngineDoes() throws IOException {
    List<String> lines =
        Files.readAllLines(Dist.tree().resolve("lib/systemd/system/ovl-mountd.service"));
    assertTrue(lines.contains("NoNewPrivileges=yes"));
    for (String forbidden :
        new String[] {
          "BindPaths",
          "BindReadOnlyPaths",
          "DynamicUser",
          "ExecPaths",
          "InaccessiblePaths",
          "LogNamespace",
          "MemoryDenyWriteExecute",
          "MountAPIVFS",
          "NoExecPaths",
          "PrivateDevices",
          "PrivateIPC",
          "PrivateMounts",
          "PrivateTmp",
          "PrivateUsers",
          "ProcSubset",
          "ProtectControlGroups",
          "ProtectHome",
          "ProtectKernelLogs",
          "ProtectKernelModules",
          "ProtectKernelTunables",
          "ProtectProc",
          "ProtectSystem",
          "ReadOnlyPaths",
          "ReadWritePaths",
          "RestrictNamespaces",
          "RootDirectory",
          "RootImage",
          "TemporaryFileSystem"
        }) {
      assertFalse(lines.stream().anyMatch(line -> line.startsWith(forbidden + "=")), forbidden);
    }
  }
}
