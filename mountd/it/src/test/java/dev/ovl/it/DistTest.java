package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The installable tree: complete, independent of where it lies and of any other Java; by the
 * program in C as by the script that can stand for it.
 */
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

  private static Path program(String name) {
    return Dist.tree().resolve("bin").resolve(name);
  }

  @Test
  void theTreeHasAllThatIsInstalled() {
    for (String file :
        new String[] {
          "LICENSE",
          "etc/ovl/config.toml",
          "lib/ovl.jar",
          "lib/libovl-exdev.so",
          "lib/mountd.jsa",
          "lib/mountd.options",
          "lib/ovl-userns",
          "lib/ovl.options",
          "lib/ovlctl.jsa",
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
        new String[] {
          "bin/ovlctl", "bin/ovlctl-java", "bin/mountd", "sbin/mount.ovl", "sbin/fsck.overlay"
        }) {
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

  @ParameterizedTest
  @ValueSource(strings = {"ovlctl", "ovlctl-java"})
  void needsNoOtherJavaNorAnyProgram(String name) {
    Path program = program(name);
    Result version = bare(program, "version").fine();
    assertTrue(version.out().matches("ovlctl \\S+ \\(Java \\S+\\)\n"), version::toString);
    bare(program, "ls").fine();
    Result traced =
        Ovlctl.of(scratch)
            .with("JAVA_HOME", "/nonexistent")
            .with("JAVA_TOOL_OPTIONS", "-Xmx1k")
            .with("JDK_JAVA_OPTIONS", "-XX:+NoSuchOption")
            .shell("exec " + quoted(program) + " version");
    assertEquals(version.out(), traced.fine().out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ovlctl", "ovlctl-java"})
  void findsItsPlaceWhereverItLiesAndHoweverItIsCalled(String name) {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    String expected = bare(program(name), "version").fine().out();
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
             place/bin/%s' links/first
            ln -s first links/ovlctl
            """
                .formatted(packed(), name))
        .fine();
    for (String call :
        new String[] {
          "'odd\n place/bin/NAME'",
          "./'odd\n place'/bin/NAME",
          "links/ovlctl",
          "./links/first",
          "PATH=$PWD/links:$PATH; command ovlctl",
          "PATH=links:$PATH; command ovlctl",
          "cd 'odd\n place/bin'; ./NAME"
        }) {
      call = call.replace("NAME", name);
      Result version = ovlctl.shell("unset -f ovlctl; " + call + " version").fine();
      assertEquals(expected, version.out(), call);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ovlctl", "ovlctl-java"})
  void anIncompleteInstallationIsToldInOneLine(String name) {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    // the links have the name that the line begins with
    ovlctl
        .shell(
            """
            mkdir -p bin lib a:b/bin a:b/lib links
            touch lib/ovl.jar a:b/lib/ovl.jar
            cp %s bin/%2$s
            cp bin/%2$s a:b/bin
            cp bin/%2$s .
            ln -s ../bin/%2$s links/ovlctl
            mkdir links/a links/b
            ln -s ../../%2$s links/a/ovlctl
            ln -s ../../a:b/bin/%2$s links/b/ovlctl
            """
                .formatted(quoted(program(name)), name))
        .fine();
    assertTrue(
        ovlctl
            .shell("exec links/ovlctl ls")
            .failed(1)
            .startsWith("this installation lacks its Java runtime: "));
    assertTrue(
        ovlctl.shell("exec links/a/ovlctl ls").failed(1).startsWith("not in an installation of"));
    assertTrue(ovlctl.shell("exec links/b/ovlctl ls").failed(1).contains("with a colon"));
  }

  /** As share/doc/ovl/README says. */
  @Test
  void theScriptMayTakeThePlaceOfTheProgram() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl
        .shell("tar xzf %s --strip-components=1; ln -sf ovlctl-java bin/ovlctl".formatted(packed()))
        .fine();
    String version = bare(program("ovlctl"), "version").fine().out();
    assertEquals(version, ovlctl.shell("exec bin/ovlctl version").fine().out());
    String daemon = ovlctl.shell("exec bin/mountd --version").fine().out();
    assertTrue(daemon.startsWith("mountd "), daemon);
    ovlctl.shell("exec sbin/mount.ovl --help | grep -q SPEC").fine();
    ovlctl.shell("exec sbin/fsck.overlay --help | grep -q fsck.overlay").fine();
  }

  /** Compared with the launcher of the source tree, on names that come back in the errors. */
  @ParameterizedTest
  @ValueSource(strings = {"ovlctl", "ovlctl-java"})
  void argumentsArriveByteForByte(String name) {
    String words = ODD_WORDS.stream().map(Ovlctl::quote).collect(Collectors.joining(" "));
    for (String locale : new String[] {"C", "C.UTF-8"}) {
      Ovlctl ovlctl = Ovlctl.of(scratch).with("LC_ALL", locale);
      Result expected = ovlctl.shell("ovlctl up -- " + words);
      assertEquals(ODD_WORDS.size(), expected.err().lines().count(), expected::toString);
      Result got = ovlctl.shell(quoted(program(name)) + " up -- " + words);
      assertEquals(expected.status(), got.status(), got::toString);
      assertEquals(expected.err(), got.err());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ovlctl", "ovlctl-java"})
  void classesComeFromTheArchiveAndAReplacedJarIsNoticed(String name) {
    Ovlctl ovlctl = unpacked();
    assertTrue(source(ovlctl, name).endsWith("shared objects file"), () -> source(ovlctl, name));
    String before = ovlctl.shell("bin/" + name + " ls").fine().out();
    ovlctl.shell("touch lib/ovl-cli*.jar").fine();
    assertTrue(source(ovlctl, name).endsWith(".jar"), () -> source(ovlctl, name));
    assertEquals(before, ovlctl.shell("bin/" + name + " ls").fine().out());
    ovlctl.shell("rm lib/ovlctl.jsa").fine();
    assertEquals(before, ovlctl.shell("bin/" + name + " ls").fine().out());
  }

  private Ovlctl unpacked() {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    ovlctl.shell("tar xzf %s --strip-components=1".formatted(packed())).fine();
    return ovlctl;
  }

  /** The Java machine would not notice. */
  @Test
  void aJarReplacedByOneOfTheSameSizeAndTimeRuns() throws IOException {
    Ovlctl ovlctl = unpacked();
    Path jar = Path.of(scratch.resolve("lib/ovl-cli.jar").toString());
    long size = Files.size(jar);
    FileTime time = Files.getLastModifiedTime(jar);
    assertTrue(ovlctl.shell("bin/ovlctl version").fine().out().startsWith("ovlctl "));
    replace(jar, "dev/ovl/cli/command/VersionCommand.class", "ovlctl ", "OVLCTL ");
    assertEquals(size, Files.size(jar));
    assertEquals(time, Files.getLastModifiedTime(jar));
    assertTrue(ovlctl.shell("bin/ovlctl version").fine().out().startsWith("OVLCTL "));
  }

  /** Has a jar say another word of the same length, and keeps the jar's size and time. */
  private static void replace(Path jar, String in, String word, String by) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    // what is not needed here makes room for what fills the rest
    entries.keySet().removeIf(entry -> entry.startsWith("dev/ovl/cli/demo/"));
    String content = new String(entries.get(in), StandardCharsets.ISO_8859_1);
    assertTrue(content.contains(word), in);
    entries.put(in, content.replace(word, by).getBytes(StandardCharsets.ISO_8859_1));
    long rest = Files.size(jar) - zip(entries, new byte[0]).length;
    assertTrue(rest >= 0, () -> rest + " bytes too many");
    FileTime time = Files.getLastModifiedTime(jar);
    Files.write(jar, zip(entries, new byte[(int) rest]));
    Files.setLastModifiedTime(jar, time);
  }

  /** A zip file with an entry more, which is not compressed. */
  private static byte[] zip(Map<String, byte[]> entries, byte[] rest) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
      ZipEntry stored = new ZipEntry("rest");
      stored.setMethod(ZipEntry.STORED);
      stored.setSize(rest.length);
      CRC32 sum = new CRC32();
      sum.update(rest);
      stored.setCrc(sum.getValue());
      zip.putNextEntry(stored);
      zip.write(rest);
    }
    return bytes.toByteArray();
  }

  /** Whatever the machine thinks of the archive, it is told to nobody. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-XX:+UseSerialGC", "-XX:-UseSerialGC -XX:+UseG1GC", "-XX:-UseSerialGC -XX:+UseZGC",
        "-XX:-UseCompressedOops", "-Xint", "-Xshare:off"
      })
  void otherOptionsOfTheMachineDoNotShow(String options) {
    Ovlctl ovlctl = Ovlctl.of(scratch);
    String expected = bare(program("ovlctl"), "version").fine().out();
    for (String name : new String[] {"ovlctl", "ovlctl-java"}) {
      Ovlctl with = ovlctl.with("OVL_JAVA_OPTIONS", options);
      assertEquals(expected, with.shell(quoted(program(name)) + " version").fine().out());
    }
  }

  @Test
  void aBrokenArchiveDoesNotShow() {
    Ovlctl ovlctl = unpacked();
    String expected = ovlctl.shell("bin/ovlctl version").fine().out();
    for (String odd :
        new String[] {
          // the seal stays where it is
          "dd if=/dev/zero of=lib/ovlctl.jsa bs=4096 count=1 conv=notrunc",
          "tail -c 16 lib/ovlctl.jsa >x; truncate -s 1M lib/ovlctl.jsa; cat x >>lib/ovlctl.jsa",
          "tail -c 16 lib/ovlctl.jsa >x; mv x lib/ovlctl.jsa",
          ": >lib/ovlctl.jsa"
        }) {
      ovlctl.shell(odd + " 2>&1").ended(0);
      assertEquals(expected, ovlctl.shell("bin/ovlctl version").fine().out(), odd);
      assertEquals(expected, ovlctl.shell("bin/ovlctl-java version").fine().out(), odd);
    }
  }

  /** Where the main class of a tree in the scratch directory is loaded from. */
  private static String source(Ovlctl ovlctl, String name) {
    return ovlctl
        .with("OVL_JAVA_OPTIONS", "-Xlog:class+load:stdout")
        .shell("bin/" + name + " version")
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
