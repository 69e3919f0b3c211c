package dev.ovl.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class LaunchTest {
  @RegisterExtension final Scratch scratch = Scratch.directory();

  private Installation installation;

  @BeforeEach
  void install() throws Exception {
    installation = Installation.in(scratch.resolve("home"));
  }

  /** The words of a line that starts Java: the user's options, then what follows the class path. */
  private static List<String> line(
      Installation of, List<String> options, String main, String... arguments) {
    List<String> words = new ArrayList<>();
    words.add(of.java() + "");
    words.add("@" + of.resolve("lib/ovl.options"));
    if (main.equals("dev.ovl.server.Main")) {
      words.add("@" + of.resolve("lib/mountd.options"));
    }
    words.addAll(options);
    words.addAll(List.of("-cp", of.resolve("lib/ovl.jar") + "", main));
    words.addAll(List.of(arguments));
    words.add(of.resolve("") + "");
    words.add("");
    words.add("");
    return words;
  }

  @Test
  void startsJavaWithTheArgumentsByteForByte() throws Exception {
    assertEquals(
        line(installation, List.of(), "dev.ovl.cli.Main"),
        installation.shell("exec bin/ovlctl").words());
    assertEquals(
        line(
            installation,
            List.of(),
            "dev.ovl.cli.Main",
            "@file",
            "",
            "a b",
            "*",
            "'\"\\$HOME",
            "-cp",
            "\377\200",
            "\303\251"),
        installation
            .shell("exec bin/ovlctl @file '' 'a b' '*' \\''\"\\$HOME' -cp \377\200 \303\251")
            .words());
  }

  @Test
  void itsNameSaysWhichProgramItIs() throws Exception {
    installation.shell(
        "cd bin && for l in mountd mount.ovl fsck.overlay other; do ln -s ovlctl $l; done");
    assertEquals(
        line(installation, List.of(), "dev.ovl.server.Main", "-x"),
        installation.shell("exec bin/mountd -x").words());
    assertEquals(
        line(installation, List.of(), "dev.ovl.cli.Main", "mount.ovl", "web", "/at"),
        installation.shell("exec bin/mount.ovl web /at").words());
    assertEquals(
        line(installation, List.of(), "dev.ovl.cli.Main", "fsck.overlay"),
        installation.shell("exec bin/fsck.overlay").words());
    assertEquals(
        line(installation, List.of(), "dev.ovl.cli.Main", "ls"),
        installation.shell("exec bin/other ls").words());
    assertEquals(
        line(installation, List.of(), "dev.ovl.cli.Main", "mount.ovl"),
        installation.shell("exec -a mount.ovl bin/ovlctl").words());
  }

  @Test
  void optionsAreTheUsersAloneAndSeparatedByBlanks() throws Exception {
    assertEquals(
        line(installation, List.of("-Da=b", "-Xint", "-Dc"), "dev.ovl.cli.Main", "ls"),
        installation
            .shell("OVL_JAVA_OPTIONS=$' -Da=b\\t-Xint \\n -Dc ' exec bin/ovlctl ls")
            .words());
    assertEquals(
        line(installation, List.of("a", "b", "c"), "dev.ovl.cli.Main"),
        installation.shell("OVL_JAVA_OPTIONS='a b c' exec bin/ovlctl").words());
    assertEquals(
        line(installation, List.of(), "dev.ovl.cli.Main"),
        installation
            .shell(
                "OVL_JAVA_OPTIONS=' ' JAVA_TOOL_OPTIONS=1 JDK_JAVA_OPTIONS=2 _JAVA_OPTIONS=3"
                    + " exec bin/ovlctl")
            .words());
  }

  @Test
  void itsPlaceIsThatOfTheFileWhateverLinksThereAre() throws Exception {
    List<String> expected = line(installation, List.of(), "dev.ovl.cli.Main");
    installation.shell("ln -s $PWD/bin/ovlctl one; ln -s one two; ln -s bin sbin");
    assertEquals(expected, installation.shell("exec ./two").words());
    assertEquals(expected, installation.shell("exec sbin/ovlctl").words());
    assertEquals(expected, installation.shell("PATH=:bin; exec ovlctl").words());

    Installation odd = Installation.in(scratch.resolve("a\n b*\n"));
    List<String> words = odd.shell("exec bin/ovlctl").words();
    String all = String.join("\n", line(odd, List.of(), "dev.ovl.cli.Main"));
    assertEquals(all, String.join("\n", words));
  }

  @Test
  void whatIsMissingIsToldInOneLine() throws Exception {
    Path home = installation.resolve("");
    Files.copy(installation.resolve("bin/ovlctl"), installation.resolve("elsewhere"));
    assertEquals(
        "elsewhere: not in an installation of ovl: " + home.resolve("elsewhere"),
        installation.shell("exec ./elsewhere").failed());

    Files.writeString(installation.java(), "no program");
    assertEquals(
        "ovlctl: cannot start Java: " + installation.java() + " (ENOEXEC)",
        installation.shell("exec bin/ovlctl ls").failed());
    assertTrue(installation.java().toFile().setExecutable(false));
    assertEquals(
        "mount.ovl: this installation lacks its Java runtime: " + home.resolve("runtime"),
        installation.shell("exec -a /sbin/mount.ovl bin/ovlctl").failed());

    Files.delete(installation.resolve("lib/ovl.jar"));
    String nowhere = "ovlctl: not in an installation of ovl: " + home.resolve("bin/ovlctl");
    assertEquals(nowhere, installation.shell("exec bin/ovlctl").failed());
    Files.createDirectory(installation.resolve("lib/ovl.jar"));
    assertEquals(nowhere, installation.shell("exec bin/ovlctl").failed());

    Installation colon = Installation.in(scratch.resolve("a:b"));
    assertEquals(
        "ovlctl: Java cannot run from a directory with a colon in its name: " + colon.resolve(""),
        colon.shell("exec bin/ovlctl").failed());
  }
}
