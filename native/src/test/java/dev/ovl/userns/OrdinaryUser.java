package dev.ovl.userns;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Somebody without any right, in a directory of their own: with what the program reads of the
 * system, and with a script {@code java} that says what it was started with.
 */
final class OrdinaryUser {
  /** Nobody of this machine. */
  static final int UID = 54321;

  private static final Path PROGRAM =
      Path.of(System.getProperty("ovl.native.dir")).resolve("test/userns");

  private final Path directory;
  private final Map<String, String> environment = new TreeMap<>();
  private final List<String> by = new ArrayList<>();
  private int uid = UID;

  private OrdinaryUser(Path directory) {
    this.directory = directory;
    environment.put("PATH", directory.resolve("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin");
    environment.put("HOME", directory.toString());
  }

  /** Makes the directory, in one that anybody may enter. */
  static OrdinaryUser in(OsPath parent) throws Exception {
    Path above = Path.of(parent.toString());
    for (Path each : List.of(above, above.getParent())) {
      Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    OrdinaryUser user = new OrdinaryUser(above.resolve("home"));
    for (String each : List.of("bin", "sysctls/kernel", "sysctls/user", "subids")) {
      Files.createDirectories(user.directory.resolve(each));
    }
    // the test's build is somewhere that others may not look
    Files.copy(PROGRAM, user.resolve("bin/ovl-userns"));
    user.script("java", "echo \"$@\"; id -u");
    for (Path each : List.of(user.directory, user.resolve("bin"))) {
      Files.setAttribute(each, "unix:uid", UID);
    }
    return user;
  }

  Path resolve(String name) {
    return directory.resolve(name);
  }

  /** Writes a program of the shell that goes before the system's. */
  void script(String name, String text) throws IOException {
    Path file = resolve("bin").resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** What the program reads. */
  void file(String name, String text) throws IOException {
    Files.writeString(resolve(name), text);
  }

  OrdinaryUser with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  /** Calls the program by another one, which begins as root. */
  OrdinaryUser by(String... words) {
    by.clear();
    by.addAll(List.of(words));
    return this;
  }

  /** Calls as somebody else. */
  OrdinaryUser as(int other) {
    uid = other;
    return this;
  }

  /** How a call ended, and what was said. */
  record Result(int status, String out, String err) {
    /** What was said on a good end without complaints. */
    String fine() {
      assertEquals(0, status, toString());
      assertEquals("", err);
      return out;
    }
  }

  /** Starts ovlctl, or as it were: its arguments follow Java's. */
  Process start(List<String> between, String... arguments) throws IOException {
    List<String> words = new ArrayList<>(List.of(resolve("bin/ovl-userns").toString()));
    words.add(resolve("bin/java").toString());
    words.addAll(List.of("-cp", "x", "dev.ovl.cli.Main"));
    words.addAll(List.of(arguments));
    return execute(between, words);
  }

  /** Starts a command as this user. */
  Process execute(List<String> between, List<String> words) throws IOException {
    List<String> command = new ArrayList<>(by);
    command.addAll(List.of("setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", "--"));
    command.addAll(between);
    command.addAll(words);
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    // a process that is traced, or executes another one, has no leaks that could be looked for
    builder.environment().put("ASAN_OPTIONS", "detect_leaks=0");
    return builder.start();
  }

  Result run(String... arguments) throws Exception {
    return end(start(List.of(), arguments));
  }

  /** Waits for the end. What is said is short, and fits a pipe. */
  static Result end(Process process) throws Exception {
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), out, err);
  }
}
