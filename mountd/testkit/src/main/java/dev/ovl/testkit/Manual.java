package dev.ovl.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Manual pages, as man(1) sees them. */
public final class Manual {
  private Manual() {}

  /** What man(1) complains of in a page; empty if it is fine. */
  public static String complaints(String page) {
    return output(page, "man --warnings -E UTF-8 -l -Tutf8 -Z \"$0\" 2>&1 >/dev/null");
  }

  /** A page as a person reads it, without bold and underlined, in long lines. */
  public static String rendered(String page) {
    return output(page, "MANWIDTH=999 man -l \"$0\" 2>&1 | col -b");
  }

  private static String output(String page, String script) {
    Requires.program("man");
    Requires.program("groff");
    Requires.program("col");
    try {
      Path directory = Files.createTempDirectory("ovl-manual");
      Path file = directory.resolve("page.1");
      Path output = directory.resolve("output");
      try {
        Files.writeString(file, page);
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", script, file.toString());
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.redirectErrorStream(true).redirectOutput(output.toFile());
        Process process = builder.start();
        try {
          int status = process.waitFor();
          String text = Files.readString(output);
          return status == 0 ? text : text + "status " + status;
        } finally {
          process.destroyForcibly();
        }
      } finally {
        Files.deleteIfExists(file);
        Files.deleteIfExists(output);
        Files.delete(directory);
      }
    } catch (IOException e) {
      throw new AssertionError("cannot show a manual page", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
