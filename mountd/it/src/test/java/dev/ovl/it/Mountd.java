package dev.ovl.it;

import dev.ovl.api.HttpHost;
import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assertions;

/** A daemon that a test started: {@code bin/mountd} of the distribution. */
public final class Mountd implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 60;
  private static final long PAUSE_MILLIS = 10;

  private final Process process;
  private final Ovlctl.Started started;
  private final OsPath socket;
  private final Thread hook;

  private Mountd(Ovlctl.Started started, OsPath socket) {
    this.process = started.process();
    this.started = started;
    this.socket = socket;
    this.hook = new Thread(process::destroyForcibly, "mountd-kill");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Starts one and waits until it serves, with the root {@code root} and the run directory {@code
   * run} in a scratch directory of plain characters.
   *
   * @param environment variables to set beside those that tests have
   */
  public static Mountd start(Scratch scratch, Map<String, String> environment, String... options) {
    Ovlctl like = Ovlctl.of(scratch);
    for (Map.Entry<String, String> variable : environment.entrySet()) {
      like = like.with(variable.getKey(), variable.getValue());
    }
    return start(like, options);
  }

  /**
   * Starts one and waits until it serves.
   *
   * @param like whose environment and directory it gets; OVL_RUN must be absolute
   */
  static Mountd start(Ovlctl like, String... options) {
    Ovlctl.Started started = like.start(Dist.tree().resolve("bin/mountd").toString(), options);
    OsPath socket = OsPath.of(like.variable("OVL_RUN")).resolve("mountd.sock");
    Mountd daemon = new Mountd(started, socket);
    boolean ready = false;
    try {
      daemon.await(() -> daemon.log().contains(" serving "), "serves");
      ready = true;
      return daemon;
    } finally {
      if (!ready) {
        daemon.kill();
      }
    }
  }

  /** Waits for something that comes to pass unless the daemon ends. */
  void await(BooleanSupplier condition, String what) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        Assertions.fail("there is no mountd that " + what + "; it said: " + log());
      }
      pause();
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The path of its socket. */
  OsPath socket() {
    return socket;
  }

  /** For {@code --host}. */
  String host() {
    return "unix://" + socket;
  }

  /** A new client, which has asked nothing yet. */
  public HttpHost client() {
    return new HttpHost(UnixDomainSocketAddress.of(socket.toString()), socket.toString());
  }

  /** Its process id. */
  public long pid() {
    return process.pid();
  }

  /** What it has said so far. */
  public String log() {
    return text(started.err());
  }

  private static String text(Path file) {
    try {
      return OsPath.decode(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new AssertionError("cannot read what the daemon said", e);
    }
  }

  /** What its threads do, by its own word: for messages of failed tests. */
  public String threadDump() {
    int before = text(started.out()).length();
    signal("QUIT");
    await(() -> text(started.out()).substring(before).contains("JNI global refs"), "tells all");
    return text(started.out()).substring(before);
  }

  /**
   * Sends a signal.
   *
   * @param name without SIG
   */
  void signal(String name) {
    try {
      int status =
          new ProcessBuilder("/bin/kill", "-" + name, String.valueOf(pid())).start().waitFor();
      Assertions.assertEquals(0, status, "kill -" + name);
    } catch (IOException e) {
      throw new AssertionError("there is no kill", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends it without warning, and waits for that. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd();
    removeHook();
  }

  private void awaitEnd() {
    try {
      Assertions.assertTrue(
          process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS),
          () -> "mountd does not end; it said: " + log());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void removeHook() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // this JVM is ending, and the hook does the same
      return;
    }
  }

  /** Ends it as the service manager does, or by force when that fails. */
  @Override
  public void close() {
    boolean ended = !process.isAlive();
    try {
      process.destroy();
      awaitEnd();
      ended = true;
    } finally {
      if (!ended) {
        process.destroyForcibly();
      }
      removeHook();
    }
  }

  /** Fails when it met something that it calls an error. */
  void assertNoDefect() {
    for (String line : log().lines().toList()) {
      Assertions.assertFalse(line.contains(" error "), () -> "mountd said: " + log());
    }
  }
}
