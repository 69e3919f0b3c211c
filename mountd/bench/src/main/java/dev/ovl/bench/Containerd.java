package dev.ovl.bench;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A containerd with directories of its own. */
final class Containerd implements AutoCloseable {
  private final Path socket;
  private final Program program;
  private final double startMillis;

  /**
   * Starts it and waits for its first answer.
   *
   * @param directory for all that it has; may be there from an earlier time
   * @param cri with the plug-in for Kubernetes, as Debian has it; without it, as beside Docker, it
   *     is smaller and starts faster
   */
  Containerd(Path directory, boolean cri) throws IOException {
    Files.createDirectories(directory);
    this.socket = directory.resolve("c.sock");
    Path config =
        Files.writeString(
            directory.resolve("config.toml"),
            """
            version = 2
            disabled_plugins = [%s]
            [plugins."io.containerd.internal.v1.opt"]
              path = "%s/opt"
            """
                .formatted(cri ? "" : "\"io.containerd.grpc.v1.cri\"", directory));
    this.program =
        new Program(
            List.of(
                "containerd",
                "--config",
                config.toString(),
                "--root",
                directory.resolve("root").toString(),
                "--state",
                directory.resolve("state").toString(),
                "--address",
                socket.toString()),
            directory.resolve("log"));
    boolean serves = false;
    try {
      this.startMillis = program.awaitAnswer(this::answers);
      serves = true;
    } finally {
      if (!serves) {
        program.close();
      }
    }
  }

  /** Connects by hand first: gRPC would wait for a second before it tries again. */
  private boolean answers() throws IOException {
    if (!Files.exists(socket)) {
      return false;
    }
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      // left from an earlier time
      return false;
    }
    try (Snapshotter snapshotter = connect()) {
      snapshotter.version();
      return true;
    }
  }

  Snapshotter connect() {
    return new Snapshotter(socket);
  }

  /** From its start to its first answer. */
  double startMillis() {
    return startMillis;
  }

  Program program() {
    return program;
  }

  @Override
  public void close() {
    program.close();
  }
}
