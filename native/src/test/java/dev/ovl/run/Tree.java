package dev.ovl.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A directory with busybox and no libraries, and the program that runs commands in it. */
final class Tree {
  private static final Path PROGRAM =
      Path.of(System.getProperty("ovl.native.dir")).resolve("test/run");

  private static final List<String> APPLETS =
      List.of(
          "sh",
          "cat",
          "echo",
          "env",
          "grep",
          "id",
          "ip",
          "kill",
          "ls",
          "mkdir",
          "mount",
          "ps",
          "readlink",
          "sleep",
          "stty",
          "touch",
          "tty");

  private final Path directory;

  private Tree(Path directory) {
    this.directory = directory;
  }

  /**
   * Makes it, with the directories that a system has for what is mounted there. Skips the test
   * where nothing can be run in it.
   */
  static Tree in(OsPath parent) throws IOException {
    Requires.root();
    Requires.program("busybox");
    Tree tree = new Tree(Path.of(parent.resolve("tree").toString()));
    for (String each : List.of("bin", "proc", "sys", "dev", "tmp", "etc")) {
      Files.createDirectories(tree.directory.resolve(each));
    }
    Files.copy(Path.of("/bin/busybox"), tree.directory.resolve("bin/busybox"));
    for (String applet : APPLETS) {
      Files.createSymbolicLink(tree.directory.resolve("bin").resolve(applet), Path.of("busybox"));
    }
    return tree;
  }

  /** A name in it. */
  Path resolve(String name) {
    return directory.resolve(name);
  }

  /** How a run ended, and what was said. */
  record Result(int status, String out, String err) {
    /** Fails unless it ended so, and nothing was said of problems. */
    Result ended(int expected) {
      assertEquals(expected, status, toString());
      assertEquals("", err);
      return this;
    }
  }

  /** Starts the program; words are options and the command. */
  Process start(String... words) throws IOException {
    return start(List.of(), words);
  }

  /**
   * Starts the program by another one.
   *
   * @param by its name and arguments
   */
  Process start(List<String> by, String... words) throws IOException {
    List<String> command = new ArrayList<>(by);
    command.add(PROGRAM.toString());
    command.add(directory.toString());
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(key -> key.startsWith("LD_"));
    // what is checked besides cannot be while it is traced
    environment.put("ASAN_OPTIONS", by.isEmpty() ? "" : "detect_leaks=0");
    return builder.start();
  }

  /** Runs the program to its end. */
  Result run(String... words) throws Exception {
    return end(start(words));
  }

  /** Waits for the end. What is said is short, and fits a pipe. */
  static Result end(Process process) throws Exception {
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), out, err);
  }

  /** What a script of sh says, run to its good end. */
  String sh(String script) throws Exception {
    return run("/bin/sh", "-c", script).ended(0).out();
  }
}
