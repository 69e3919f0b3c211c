package dev.ovl.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Java maps the archive of classes only if it was made from the jars that are there. */
@Timeout(60)
class ArchiveTest {
  @RegisterExtension final Scratch scratch = Scratch.directory();

  private Installation installation;

  @BeforeEach
  void install() throws Exception {
    installation = Installation.in(scratch.resolve("home"));
    installation.jar("b.jar", "1234");
    installation.jar("c.jar", "x".repeat(100_000));
    installation.seal().silent();
    assertTrue(installation.takesTheArchive());
  }

  private Path lib(String name) {
    return installation.resolve("lib").resolve(name);
  }

  private void isRefused(String why) throws Exception {
    assertFalse(installation.takesTheArchive(), why);
  }

  @Test
  void theOptionStandsBeforeTheUsers() throws Exception {
    List<String> words =
        installation.shell("OVL_JAVA_OPTIONS=-Xint exec bin/ovlctl").words().subList(1, 6);
    assertEquals(
        List.of(
            "@" + lib("ovl.options"),
            "-XX:SharedArchiveFile=" + installation.archive(),
            "-Xint",
            "-cp",
            lib("ovl.jar") + ""),
        words);
  }

  @Test
  void aJarOfTheSameSizeAndTimeWithAnotherContentIsNoticed() throws Exception {
    long size = Files.size(lib("b.jar"));
    installation.jar("b.jar", "1235");
    assertEquals(size, Files.size(lib("b.jar")));
    isRefused("another content");
    installation.jar("b.jar", "1234");
    assertTrue(installation.takesTheArchive(), "as it was");
  }

  @Test
  void jarsThatComeGoOrChangePlacesAreNoticed() throws Exception {
    installation.jar("d.jar", "");
    isRefused("one more");
    Files.delete(lib("d.jar"));
    assertTrue(installation.takesTheArchive());

    installation.shell("cd lib; mv b.jar x; mv c.jar b.jar; mv x c.jar").silent();
    isRefused("exchanged");
    installation.shell("cd lib; mv b.jar x; mv c.jar b.jar; mv x c.jar").silent();
    assertTrue(installation.takesTheArchive());

    Files.delete(lib("c.jar"));
    isRefused("one less");
  }

  @Test
  void moveAndCopyKeepItAndOtherFilesDoNotMatter() throws Exception {
    installation.shell("touch lib/*; touch lib/other lib/.jar; cp -r . ../copy").silent();
    Installation copy = new Installation(Path.of(scratch.resolve("copy").toString()));
    assertTrue(copy.takesTheArchive());
  }

  @Test
  void whatIsNoJarAsOursAreIsRefused() throws Exception {
    for (String odd :
        List.of(
            "truncate -s -1 lib/c.jar",
            "truncate -s 21 lib/c.jar",
            "truncate -s 0 lib/c.jar",
            "printf x >>lib/c.jar",
            "rm lib/c.jar; mkdir lib/c.jar",
            "rm lib/c.jar; mkfifo lib/c.jar",
            "rm lib/c.jar; ln -s nowhere lib/c.jar")) {
      installation.shell(odd).silent();
      isRefused(odd);
      assertTrue(
          installation.seal().failed().startsWith("seal-archive: cannot seal: lib/ovlctl.jsa (E"));
      installation.shell("rm -rf lib/c.jar").silent();
      installation.jar("c.jar", "x".repeat(100_000));
      installation.seal().silent();
      assertTrue(installation.takesTheArchive());
    }
  }

  @Test
  void anArchiveWithoutItsSealIsRefused() throws Exception {
    byte[] sealed = Files.readAllBytes(installation.archive());
    Files.write(installation.archive(), new byte[1], StandardOpenOption.APPEND);
    isRefused("longer");
    for (int size : new int[] {sealed.length - 1, sealed.length - 16, 15, 0}) {
      cut(sealed, size);
      isRefused(size + " bytes");
    }
    for (int at = sealed.length - 16; at < sealed.length; at++) {
      byte[] other = sealed.clone();
      other[at] ^= 1;
      Files.write(installation.archive(), other);
      isRefused("byte " + at);
    }
    for (String odd :
        List.of(
            "rm lib/ovlctl.jsa",
            "mkdir lib/ovlctl.jsa",
            "rmdir lib/ovlctl.jsa; mkfifo lib/ovlctl.jsa")) {
      installation.shell(odd).silent();
      isRefused(odd);
    }
  }

  private void cut(byte[] sealed, int size) throws IOException {
    Files.write(installation.archive(), Arrays.copyOf(sealed, size));
  }
}
