package dev.ovl.exdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Programs that tests start, in one directory; objects are values. */
final class Program {
  private static final Path DIRECTORY = Path.of(property("ovl.native.dir"));

  private final OsPath directory;
  private final Map<String, String> environment;
  private final String name;

  private Program(OsPath directory, Map<String, String> environment, String name) {
    this.directory = directory;
    this.environment = environment;
    this.name = name;
  }

  private static String property(String key) {
    String value = System.getProperty(key);
    if (value == null) {
      throw new AssertionError("the system property " + key + " must be set");
    }
    return value;
  }

  /** What is tested. */
  static Path library() {
    return DIRECTORY.resolve("libovl-exdev.so");
  }

  private static Program test(OsPath directory, String name) {
    return new Program(directory, Map.of(), DIRECTORY.resolve("test").resolve(name).toString());
  }

  /** Renames as libc does. */
  static Program plain(OsPath directory) {
    return test(directory, "rename");
  }

  /** The same program, with the library preloaded. */
  static Program preloaded(OsPath directory) {
    return plain(directory).with("LD_PRELOAD", library().toString());
  }

  /** The library within, checked for errors of memory and undefined behaviour. */
  static Program checked(OsPath directory) {
    return test(directory, "checked");
  }

  /** The same, with system calls that fail; see faults.c. */
  static Program faulty(OsPath directory) {
    return test(directory, "faulty");
  }

  /** The library within, checked for races. */
  static Program threaded(OsPath directory) {
    return test(directory, "threaded");
  }

  /** With a variable of the environment. */
  Program with(String variable, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(variable, value);
    return new Program(directory, more, name);
  }

  /** How a process ended, and what it said. */
  record Result(String command, int status, String out, String err) {
    /** Fails unless it ended well and said nothing on standard error. */
    Result fine() {
      if (status != 0 || !err.isEmpty()) {
        fail(this.toString());
      }
      return this;
    }

    /** What rename(2) gave: {@code 0} or a name of {@link Errno}. */
    String outcome() {
      String text = fine().out().strip();
      return text.equals("0") ? text : Errno.of(Integer.parseInt(text)).name();
    }

    @Override
    public String toString() {
      return command + " ended with " + status + "\n" + out + err;
    }
  }

  /** Starts it and waits for its end. */
  Result run(String... words) {
    List<String> command = new ArrayList<>();
    command.add(name);
    command.addAll(List.of(words));
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(Path.of(directory + "").toFile());
    builder.environment().keySet().removeIf(key -> key.startsWith("LD_") || key.startsWith("OVL_"));
    builder.environment().put("LC_ALL", "C.UTF-8");
    // a sanitizer's finding is no errno
    builder.environment().put("TSAN_OPTIONS", "exitcode=66");
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      // both are short, and fit a pipe
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(String.join(" ", command), process.waitFor(), out, err);
    } catch (IOException e) {
      throw new AssertionError(command + " does not start", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(command + " was interrupted", e);
    }
  }

  /** Fails unless the rename is done, and errno left alone. */
  void renames(String... words) {
    assertEquals("0", run(words).outcome(), String.join(" ", words));
  }

  /** Fails unless the rename fails so. */
  void refuses(Errno errno, String... words) {
    assertEquals(errno.name(), run(words).outcome(), String.join(" ", words));
  }

  /** Runs a script of bash in a directory; fails unless it ends well and says no error. */
  static String shell(OsPath directory, String script) {
    return new Program(directory, Map.of(), "/bin/bash").run("-ec", script).fine().out();
  }
}
