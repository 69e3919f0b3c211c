package dev.ovl.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the program needs around it, with a Java that says its words and goes. */
final class Installation {
  private static final Path PROGRAM =
      Path.of(System.getProperty("ovl.native.dir")).resolve("test/ovlctl");

  private static final String JAVA =
      """
      #!/bin/sh
      printf '%s\\n' "$0" "$@" "$PWD" "${JAVA_TOOL_OPTIONS-}${JDK_JAVA_OPTIONS-}${_JAVA_OPTIONS-}"
      exit 7
      """;

  private final Path home;

  private Installation(Path home) {
    this.home = home;
  }

  /** Makes one in a directory that is there or is made. */
  static Installation in(OsPath directory) throws IOException {
    Installation made = new Installation(Path.of(directory.toString()));
    Files.createDirectories(made.resolve("bin"));
    Files.createDirectories(made.resolve("lib"));
    Files.createDirectories(made.resolve("runtime/bin"));
    Files.copy(PROGRAM, made.resolve("bin/ovlctl"));
    Files.createFile(made.resolve("lib/ovl.jar"));
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

  /** How a process ended, and what it said. */
  record Result(int status, String out, String err) {
    /** The words that Java was started with, then its directory and other programs' options. */
    List<String> words() {
      assertEquals("", err);
      assertEquals(7, status);
      return List.of(out.split("\n", -1));
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
