package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The installable tree: complete, independent of where it lies and of any other Java. */
class DistTest {
  /** Whatever can go wrong between a shell and Java's arguments. */
  private static final List<String> ODD_WORDS =
      List.of("a b", "*", "'", "\\", "$HOME", "-x", "\udcff\udc80", "é", "a\nb\n", "");

  @RegisterExtension final Scratch scratch = Scratch.directory();

  private static String quoted(Path path) {
    return Ovlctl.quote(path.toString());
  }

  /** With nothing in the environment that could help, PATH included. */
  private Result bare(Path program, String arguments) {
    return Ovlctl.of(scratch).shell("exec env -i " + quoted(program) + " " + arguments);
  }

  private static Path program() {
    return Dist.tree().resolve("bin/ovlctl");
  }

  @Test
  void theTreeHasAllThatIsInstalled() {
    for (String file :
        new String[] {
          "LICENSE",
          "etc/ovl/config.toml",
          "lib/ovl.jar",
          "lib/libovl-exdev.so",
          "lib/ovl.jsa",
          "lib/systemd/system/ovl-mountd.service",
          "lib/systemd/system/ovl-mountd.socket",
          "lib/systemd/system/ovl@.service",
          "lib/sysusers.d/ovl.conf",
          "lib/tmpfiles.d/ovl.conf",
          "runtime/bin/java",
          "runtime/legal/java.base/LICENSE",
          "share/bash-completion/completions/ovlctl",
          "share/doc/ovl/README",
          "share/fish/vendor_completions.d/ovlctl.fish",
          "share/man/man1/ovlctl.1",
          "share/man/man1/ovlctl-create.1",
          "share/man/man5/ovl-config.5",
          "share/man/man7/ovl-exdev.7",
          "share/man/man8/fsck.overlay.8",
          "share/man/man8/mount.ovl.8",
          "share/man/man8/ovl-mountd.8",
          "share/zsh/site-functions/_ovlctl"
        }) {
      assertTrue(Files.isRegularFile(Dist.tree().resolve(file)), file);
    }
    for (String program :
        new String[] {"bin/ovlctl", "bin/mountd", "sbin/mount.ovl", "sbin/fsck.overlay"}) {
      assertTrue(Files.isExecutable(Dist.tree().resolve(program)), program);
    }
  }

  @Test
  void theArchiveIsTheTreeAndRootOwnsIt() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    Path top = Dist.tree().getFileName();
    String there =
        ovlctl
            .shell(
                "cd %s/.. && find %s ! -type d | sort".formatted(quoted(Dist.tree()), quoted(top)))
            .fine()
            .out();
    assertEquals(
        there, ovlctl.shell("tar tzf %s | grep -v /$ | sort".formatted(packed())).fine().out());
    assertEquals(
        "root/root\n",
        ovlctl.shell("tar tvzf %s | awk '{print $2}' | sort -u".formatted(packed())).fine().out());
  }

  private static String packed() {
    return quoted(Dist.packed());
  }

  @Test
  void needsNoOtherJavaNorAnyProgram() {
    Result version = bare(program(), "version").fine();
    assertTrue(version.out().matches("ovlctl \\S+ \\(Java \\S+\\)\n"), version::toString);
    bare(program(), "ls").fine();
    Result traced =
        Ovlctl.of(scratch)
            .with("JAVA_HOME", "/nonexistent")
            .with("JAVA_TOOL_OPTIONS", "-Xmx1k")
            .with("JDK_JAVA_OPTIONS", "-XX:+NoSuchOption")
            .shell("exec " + quoted(program()) + " version");
    assertEquals(version.out(), traced.fine().out());
  }

  @Test
  void findsItsPlaceWhereverItLiesAndHoweverItIsCalled() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    String expected = bare(program(), "version").fine().out();
    // moved, and into a directory with an odd name that has the layout of a prefix
    ovlctl
        .shell(
            """
            mkdir -p 'odd
             place/bin' 'odd
             place/lib' links
            tar xzf %s --strip-components=1 -C 'odd
             place'
            ln -s ../'odd
             place/bin/ovlctl' links/first
            ln -s first links/ovlctl
            """
                .formatted(packed()))
        .fine();
    for (String call :
        new String[] {
          "'odd\n place/bin/ovlctl'",
          "./'odd\n place'/bin/ovlctl",
          "links/ovlctl",
          "./links/first",
          "PATH=$PWD/links:$PATH; command ovlctl",
          "PATH=links:$PATH; command ovlctl",
          "cd 'odd\n place/bin'; ./ovlctl"
        }) {
      Result version = ovlctl.shell("unset -f ovlctl; " + call + " version").fine();
      assertEquals(expected, version.out(), call);
    }
  }

  @Test
  void anIncompleteInstallationIsToldInOneLine() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl.shell("mkdir -p bin lib a:b/bin a:b/lib; touch lib/ovl.jar a:b/lib/ovl.jar").fine();
    ovlctl
        .shell("cp %s bin; cp bin/ovlctl a:b/bin; cp bin/ovlctl .".formatted(quoted(program())))
        .fine();
    assertTrue(
        ovlctl
            .shell("exec bin/ovlctl ls")
            .failed(1)
            .startsWith("this installation lacks its Java"));
    assertTrue(ovlctl.shell("exec ./ovlctl ls").failed(1).startsWith("not in an installation of"));
    assertTrue(ovlctl.shell("exec a:b/bin/ovlctl ls").failed(1).contains("with a colon"));
  }

  /** Compared with the other launcher, on names that come back in the errors. */
  @Test
  void argumentsArriveByteForByte() {
    String words = ODD_WORDS.stream().map(Ovlctl::quote).collect(Collectors.joining(" "));
    for (String locale : new String[] {"C", "C.UTF-8"}) {
      Ovlctl ovlctl = Ovlctl.of(scratch).with("LC_ALL", locale);
      Result expected = ovlctl.shell("ovlctl up -- " + words);
      assertEquals(ODD_WORDS.size(), expected.err().lines().count(), expected::toString);
      Result got = ovlctl.shell(quoted(program()) + " up -- " + words);
      assertEquals(expected.status(), got.status(), got::toString);
      assertEquals(expected.err(), got.err());
    }
  }

  @Test
  void classesComeFromTheArchiveAndAReplacedJarIsNoticed() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl.shell("tar xzf %s --strip-components=1".formatted(packed())).fine();
    assertTrue(source(ovlctl).endsWith("shared objects file"), () -> source(ovlctl));
    String before = ovlctl.shell("bin/ovlctl ls").fine().out();
    ovlctl.shell("touch lib/ovl-cli*.jar").fine();
    assertTrue(source(ovlctl).endsWith(".jar"), () -> source(ovlctl));
    assertEquals(before, ovlctl.shell("bin/ovlctl ls").fine().out());
    ovlctl.shell("rm lib/ovl.jsa").fine();
    assertEquals(before, ovlctl.shell("bin/ovlctl ls").fine().out());
  }

  /** Where the main class of a tree in the scratch directory is loaded from. */
  private static String source(Ovlctl ovlctl) {
    return ovlctl
        .with("OVL_JAVA_OPTIONS", "-Xlog:class+load:stdout")
        .shell("bin/ovlctl version")
        .fine()
        .lines()
        .stream()
        .filter(line -> line.contains(" dev.ovl.cli.Main "))
        .findFirst()
        .orElseThrow()
        .strip();
  }

  /** jdeps sees what classes refer to, which is more than what our programs come to load. */
  @Test
  void theRuntimeHasTheModulesThatTheJarsReferTo() {
    Path jdeps = Path.of(System.getProperty("java.home"), "bin", "jdeps");
    Requires.program("javac");
    Ovlctl ovlctl = Ovlctl.of(scratch);
    String jars = Dist.jars().stream().map(DistTest::quoted).collect(Collectors.joining(" "));
    Set<String> needed =
        new TreeSet<>(
            Arrays.asList(
                ovlctl
                    .shell(
                        (quoted(jdeps)
                            + " --multi-release 22 --ignore-missing-deps --print-module-deps "
                            + jars))
                    .fine()
                    .out()
                    .strip()
                    .split(",")));
    Set<String> there =
        ovlctl
            .shell("exec " + quoted(Dist.tree().resolve("runtime/bin/java")) + " --list-modules")
            .fine()
            .lines()
            .stream()
            .map(line -> line.replaceFirst("@.*", ""))
            .collect(Collectors.toSet());
    assertFalse(needed.isEmpty());
    needed.removeAll(there);
    assertEquals(Set.of(), needed);
  }
}
