package dev.ovl.it;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * Starts {@code cli/bin/ovlctl} of this checkout, by way of a shell script: a script is a file of
 * bytes, whereas Java's own arguments pass through a charset.
 *
 * <p>An object is an environment and a directory; {@link #in} and {@link #with} make others. Texts
 * are in the form of {@link OsPath}.
 */
final class Ovlctl {
  /** The checkout that is tested. */
  static final Path CHECKOUT = Path.of(checkout());

  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final AtomicInteger SCRIPTS = new AtomicInteger();

  private final Scratch scripts;
  private final String program;
  private final OsPath directory;
  private final Map<String, String> environment;
  private final Duration patience;

  private Ovlctl(
      Scratch scripts,
      String program,
      OsPath directory,
      Map<String, String> environment,
      Duration patience) {
    this.scripts = scripts;
    this.program = program;
    this.directory = directory;
    this.environment = environment;
    this.patience = patience;
  }

  /** With the root {@code root} and the run directory {@code run} in the scratch directory. */
  static Ovlctl of(Scratch scratch) {
    Map<String, String> environment = new TreeMap<>();
    environment.put("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.put("HOME", "/root");
    environment.put("LC_ALL", "C.UTF-8");
    environment.put("OVL_CONFIG", "/dev/null");
    environment.put("OVL_ROOT", scratch.resolve("root").toString());
    environment.put("OVL_RUN", scratch.resolve("run").toString());
    String java = System.getenv("JAVA_HOME");
    if (java != null) {
      environment.put("JAVA_HOME", java);
    }
    return new Ovlctl(scratch, program(), scratch.path(), environment, PATIENCE);
  }

  private static String checkout() {
    String directory = System.getProperty("ovl.root.dir");
    if (directory == null) {
      throw new AssertionError("the system property ovl.root.dir must name the checkout");
    }
    return directory;
  }

  /** The program of the source tree. */
  static String program() {
    return CHECKOUT.resolve("cli/bin/ovlctl").toString();
  }

  /** The program of the distribution, which starts sooner. */
  Ovlctl installed() {
    return new Ovlctl(
        scripts, Dist.tree().resolve("bin/ovlctl").toString(), directory, environment, patience);
  }

  /** In another directory. */
  Ovlctl in(OsPath other) {
    return new Ovlctl(scripts, program, other, environment, patience);
  }

  /** With a variable set. */
  Ovlctl with(String variable, String value) {
    Map<String, String> more = new TreeMap<>(environment);
    more.put(variable, value);
    return new Ovlctl(scripts, program, directory, more, patience);
  }

  /** With a variable unset. */
  Ovlctl without(String variable) {
    Map<String, String> less = new TreeMap<>(environment);
    less.remove(variable);
    return new Ovlctl(scripts, program, directory, less, patience);
  }

  /** With more time, or less, for each run. */
  Ovlctl within(Duration limit) {
    return new Ovlctl(scripts, program, directory, environment, limit);
  }

  /** Runs ovlctl with these arguments. */
  Result run(String... arguments) {
    return shell("exec " + quote(program) + words(arguments));
  }

  /** Runs a shell script, in which {@code ovlctl} is the program. */
  Result shell(String script) {
    Started started = begin(script);
    Process process = started.process();
    try {
      if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError(script + " takes more than " + patience);
      }
      return started.result(script);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while " + script + " ran", e);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** Starts another program, which the caller ends. */
  Started start(String other, String... arguments) {
    return begin("exec " + quote(other) + words(arguments));
  }

  /** A variable of the environment. */
  String variable(String name) {
    return environment.get(name);
  }

  private static String words(String... arguments) {
    return Arrays.stream(arguments).map(word -> " " + quote(word)).collect(Collectors.joining());
  }

  /** A word as the shell takes it, whatever bytes it has. */
  static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  /**
   * A process.
   *
   * @param out where its standard output goes
   * @param err where its standard error goes
   */
  record Started(Process process, Path out, Path err) {
    /** How it ended. */
    Result result(String command) {
      try {
        return new Result(
            command,
            process.exitValue(),
            OsPath.decode(Files.readAllBytes(out)),
            OsPath.decode(Files.readAllBytes(err)));
      } catch (IOException e) {
        throw new AssertionError("cannot read what " + command + " said", e);
      }
    }
  }

  private Started begin(String script) {
    StringBuilder text = new StringBuilder();
    text.append("cd -P -- ").append(quote(directory.toString())).append(" || exit 99\n");
    environment.forEach(
        (name, value) -> text.append("export ").append(name + "=" + quote(value) + "\n"));
    text.append("ovlctl() { ").append(quote(program)).append(" \"$@\"; }\n").append(script);
    // beside the scratch file system, so that listings of that do not see it
    Path base = Path.of(scripts.path().parent().toString());
    String name = "run-" + SCRIPTS.incrementAndGet();
    Path file = base.resolve(name + ".sh");
    Path out = base.resolve(name + ".out");
    Path err = base.resolve(name + ".err");
    try {
      Files.write(file, OsPath.encode(text + "\n"));
      ProcessBuilder builder = new ProcessBuilder("/bin/bash", file.toString());
      builder.environment().clear();
      builder.redirectInput(Path.of("/dev/null").toFile());
      builder.redirectOutput(out.toFile());
      builder.redirectError(err.toFile());
      return new Started(builder.start(), out, err);
    } catch (IOException e) {
      throw new AssertionError("cannot run " + script, e);
    }
  }
}
