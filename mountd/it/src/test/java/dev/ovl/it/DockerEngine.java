package dev.ovl.it;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A dockerd of the tests' own, on the socket that DOCKER_HOST names for this JVM (pom.xml), without
 * network. Its data is in {@code data} of the scratch directory, and is there for the next one.
 * Ends with {@link #close}, and with the JVM.
 */
final class DockerEngine implements AutoCloseable {
  private static final int START_SECONDS = 90;
  private static final int STOP_SECONDS = 60;
  private static final String SCHEME = "unix://";

  private final Process process;
  private final Path socket;
  private final Path state;
  private final Ovlctl shell;
  private final Thread hook = new Thread(this::end, "ovl-dockerd");

  private DockerEngine(Process process, Path socket, Path state, Ovlctl shell) {
    this.process = process;
    this.socket = socket;
    this.state = state;
    this.shell = shell;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Starts one with a driver of its choice. Skips the test where there is no dockerd. */
  static DockerEngine start(Scratch scratch) throws IOException, InterruptedException {
    return start(scratch, List.of());
  }

  /** Starts one with this storage driver. Skips the test where there is no dockerd. */
  static DockerEngine start(Scratch scratch, String driver)
      throws IOException, InterruptedException {
    Requires.program("docker");
    Requires.program("curl");
    return start(scratch, List.of("--storage-driver=" + driver));
  }

  private static DockerEngine start(Scratch scratch, List<String> options)
      throws IOException, InterruptedException {
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
    Path state = place.resolve("exec");
    List<String> command =
        new ArrayList<>(
            List.of(
                "dockerd",
                "--data-root=" + place.resolve("data"),
                "--exec-root=" + state,
                "--pidfile=" + place.resolve("pid"),
                "--host=" + host,
                "--iptables=false",
                "--bridge=none"));
    command.addAll(options);
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(place.resolve("log").toFile())
            .start();
    Ovlctl shell =
        Ovlctl.of(scratch)
            .with("DOCKER_HOST", host)
            .with("DOCKER_CONFIG", place.resolve("client").toString())
            .with("DOCKER_BUILDKIT", "0");
    DockerEngine engine = new DockerEngine(process, socket, state, shell);
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

  // ---- its client ---------------------------------------------------------------------------

  /** What a shell script prints in which {@code docker} talks to it; fails when the script does. */
  String shell(String script) {
    return shell.shell("set -e\n" + script).ended(0).out();
  }

  /** {@code GraphDriver.Data} of {@code docker inspect}; empty where the driver tells nothing. */
  Map<String, String> graph(String name) {
    String text = shell("docker inspect -f '{{json .GraphDriver.Data}}' " + name);
    Map<String, String> data = new TreeMap<>();
    if (JsonText.parse(text) instanceof Map<?, ?> map) {
      map.forEach((key, value) -> data.put("" + key, "" + value));
    }
    return data;
  }

  /** Where a container that runs has its files. */
  OsPath merged(String container) {
    return OsPath.of(graph(container).get("MergedDir"));
  }

  /** The lines of {@code docker diff}, sorted; as JSON has them, for names may hold newlines. */
  List<String> diff(String container) {
    String text =
        shell(
            "curl -sS --fail --unix-socket "
                + Ovlctl.quote(socket.toString())
                + " http://docker/containers/"
                + container
                + "/changes");
    return JsonText.parse(text) instanceof List<?> changes
        ? changes.stream().map(change -> line((Map<?, ?>) change)).sorted().toList()
        : List.of();
  }

  private static String line(Map<?, ?> change) {
    return "CAD".charAt(Integer.parseInt("" + change.get("Kind"))) + " " + change.get("Path");
  }

  // ---- its end ------------------------------------------------------------------------------

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
    // what it left when it did not end by itself: nobody else has this directory
    ours().forEach(stray -> stray.descendants().forEach(ProcessHandle::destroyForcibly));
    ours().forEach(ProcessHandle::destroyForcibly);
  }

  /** containerd, and the shims that containers are children of. */
  private Stream<ProcessHandle> ours() {
    return ProcessHandle.allProcesses()
        .filter(p -> p.info().commandLine().filter(l -> l.contains(state + "/")).isPresent());
  }

  @Override
  public void close() throws IOException {
    end();
    Runtime.getRuntime().removeShutdownHook(hook);
    Files.deleteIfExists(socket);
  }
}
