package dev.ovl.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** What the program needs around it, with a Java that says its words and goes. */
final class Installation {
  private static final Path PROGRAMS =
      Path.of(System.getProperty("ovl.native.dir")).resolve("test");

  private static final FileTime TIME = FileTime.from(Instant.parse("2025-01-01T00:00:00Z"));

  private static final String JAVA =
      """
      #!/bin/sh
      printf '%s\\n' "$0" "$@" "$PWD" "${JAVA_TOOL_OPTIONS-}${JDK_JAVA_OPTIONS-}${_JAVA_OPTIONS-}"
      exit 7
      """;

  private final Path home;

  /** What is there. */
  Installation(Path home) {
    this.home = home;
  }

  /** Makes one in a directory that is there or is made. */
  static Installation in(OsPath directory) throws IOException {
    Installation made = new Installation(Path.of(directory.toString()));
    Files.createDirectories(made.resolve("bin"));
    Files.createDirectories(made.resolve("lib"));
    Files.createDirectories(made.resolve("runtime/bin"));
    Files.copy(PROGRAMS.resolve("ovlctl"), made.resolve("bin/ovlctl"));
    made.jar("ovl.jar", "a");
    Files.writeString(made.java(), JAVA);
    assertTrue(made.java().toFile().setExecutable(true));
    return made;
  }

  /** A name in it. */
  Path resolve(String name) {
    return home.resolve(name);
  }

  /** What is started. */
  Path java() {
    return resolve("runtime/bin/java");
  }

  /** Writes a jar with one entry, always of the same time. */
  void jar(String name, String content) throws IOException {
    Path file = resolve("lib").resolve(name);
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      ZipEntry entry = new ZipEntry("A.class");
      entry.setLastModifiedTime(TIME);
      zip.putNextEntry(entry);
      zip.write(content.getBytes(StandardCharsets.UTF_8));
    }
    Files.setLastModifiedTime(file, TIME);
  }

  /** The archive of classes. */
  Path archive() {
    return resolve("lib/ovlctl.jsa");
  }

  /** Writes an archive, and seals it as the build does. */
  Result seal() throws IOException, InterruptedException {
    Files.writeString(archive(), "an archive of classes");
    return shell("exec " + PROGRAMS.resolve("seal-archive") + " lib/ovlctl.jsa lib");
  }

  /** Whether Java is told of the archive. */
  boolean takesTheArchive() throws IOException, InterruptedException {
    return shell("exec bin/ovlctl").words().contains("-XX:SharedArchiveFile=" + archive());
  }

  /** How a process ended, and what it said. */
  record Result(int status, String out, String err) {
    /** The words that Java was started with, then its directory and other programs' options. */
    List<String> words() {
      assertEquals("", err);
      assertEquals(7, status);
      return List.of(out.split("\n", -1));
    }

    /** Fails unless it ended well and said nothing. */
    void silent() {
      assertEquals("", err + out);
      assertEquals(0, status);
    }

    /** The one line that it failed with. */
    String failed() {
      assertEquals("", out);
      assertEquals(1, status, err);
      assertTrue(err.endsWith("\n") && err.indexOf('\n') == err.length() - 1, err);
      return err.substring(0, err.length() - 1);
    }
  }

  /** Runs a script of bash in the installation; its bytes, and those of the output, are Latin-1. */
  Result shell(String script) throws IOException, InterruptedException {
    Path file = resolve("script");
    Files.writeString(file, script, StandardCharsets.ISO_8859_1);
    List<String> command = new ArrayList<>(List.of("/bin/bash", file.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
    builder.environment().keySet().removeIf(key -> key.contains("JAVA") || key.startsWith("OVL_"));
    Process process = builder.start();
    process.getOutputStream().close();
    // both are short, and fit a pipe
    String out = text(process.getInputStream().readAllBytes());
    String err = text(process.getErrorStream().readAllBytes());
    return new Result(process.waitFor(), out, err);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
