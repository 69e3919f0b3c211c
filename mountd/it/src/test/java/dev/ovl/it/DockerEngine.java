package dev.ovl.it;

import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A dockerd of the tests' own, on the socket that DOCKER_HOST names for this JVM (pom.xml), without
 * network. Ends with {@link #close}, and with the JVM.
 */
final class DockerEngine implements AutoCloseable {
  private static final int START_SECONDS = 90;
  private static final int STOP_SECONDS = 60;
  private static final String SCHEME = "unix://";

  private final Process process;
  private final Path socket;
  private final Thread hook = new Thread(this::end, "ovl-dockerd");

  private DockerEngine(Process process, Path socket) {
    this.process = process;
    this.socket = socket;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Starts one with its data in a scratch directory. Skips the test where there is none. */
  static DockerEngine start(Scratch scratch) throws IOException, InterruptedException {
    Requires.root();
    Requires.program("dockerd");
    Requires.program("runc");
    String host = System.getenv("DOCKER_HOST");
    if (host == null || !host.startsWith(SCHEME)) {
      throw new AssertionError("DOCKER_HOST must name a socket: " + host);
    }
    Path socket = Path.of(host.substring(SCHEME.length()));
    Files.deleteIfExists(socket);
    Path place = Path.of(scratch.path().toString());
    Process process =
        new ProcessBuilder(
                "dockerd",
                "--data-root=" + place.resolve("data"),
                "--exec-root=" + place.resolve("exec"),
                "--pidfile=" + place.resolve("pid"),
                "--host=" + host,
                "--iptables=false",
                "--bridge=none")
            .redirectErrorStream(true)
            .redirectOutput(place.resolve("log").toFile())
            .start();
    DockerEngine engine = new DockerEngine(process, socket);
    boolean ready = false;
    try {
      engine.await(place.resolve("log"));
      ready = true;
      return engine;
    } finally {
      if (!ready) {
        engine.close();
      }
    }
  }

  private void await(Path log) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (!answers()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new AssertionError("dockerd does not start:\n" + Files.readString(log));
      }
      Thread.sleep(100);
    }
  }

  private boolean answers() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      return false;
    }
  }

  /** Asks it to end, which ends its containers and its containerd as well. */
  private void end() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    end();
    Runtime.getRuntime().removeShutdownHook(hook);
    Files.deleteIfExists(socket);
  }
}
