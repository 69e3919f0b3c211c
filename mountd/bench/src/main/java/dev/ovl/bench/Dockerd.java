package dev.ovl.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A dockerd with directories of its own and without a network; it starts a containerd itself. */
final class Dockerd implements AutoCloseable {
  private static final int TAR_END_BYTES = 1024;
  private static final String IMAGE = "bench";

  private final Path socket;
  private final Program program;
  private final double startMillis;

  /**
   * Starts it and waits for its first answer.
   *
   * @param directory for all that it has; may be there from an earlier time
   */
  Dockerd(Path directory) throws IOException {
    Files.createDirectories(directory);
    this.socket = directory.resolve("d.sock");
    Path config = Files.writeString(directory.resolve("daemon.json"), "{}\n");
    this.program =
        new Program(
            List.of(
                "dockerd",
                "--config-file",
                config.toString(),
                "--data-root",
                directory.resolve("data").toString(),
                "--exec-root",
                directory.resolve("exec").toString(),
                "--pidfile",
                directory.resolve("pid").toString(),
                "--host",
                "unix://" + socket,
                "--storage-driver",
                "overlay2",
                "--iptables=false",
                "--ip-forward=false",
                "--bridge=none"),
            directory.resolve("log"));
    boolean serves = false;
    try {
      this.startMillis = program.awaitAnswer(() -> Program.answers(socket, "/_ping"));
      serves = true;
    } finally {
      if (!serves) {
        program.close();
      }
    }
  }

  /** From its start to its first answer. */
  double startMillis() {
    return startMillis;
  }

  /** As {@code docker -H} takes it. */
  String host() {
    return "unix://" + socket;
  }

  Program program() {
    return program;
  }

  /** Makes an image of nothing. */
  void importImage() throws IOException {
    byte[] tar = new byte[TAR_END_BYTES];
    post("/images/create?fromSrc=-&repo=" + IMAGE, tar, "application/x-tar");
  }

  /** Makes a container of that image, which is not started. */
  void create(String name) throws IOException {
    String container =
        "{\"Image\":\"" + IMAGE + "\",\"Cmd\":[\"/x\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}";
    post(
        "/containers/create?name=" + name,
        container.getBytes(StandardCharsets.US_ASCII),
        "application/json");
  }

  void inspect(String name) throws IOException {
    require(Program.ask(socket, "GET", "/containers/" + name + "/json", new byte[0], ""));
  }

  /** How many changes {@code docker diff} has of a container; its paths hold no braces. */
  int countChanges(String name) throws IOException {
    String answer =
        Program.answer(socket, "GET", "/containers/" + name + "/changes", new byte[0], "")
            .orElseThrow(() -> new IOException("dockerd is gone"));
    if (!answer.startsWith("HTTP/1.1 200 ")) {
      throw new IOException("dockerd refuses: " + answer);
    }
    return (int) answer.chars().filter(c -> c == '{').count();
  }

  private void post(String target, byte[] body, String type) throws IOException {
    require(Program.ask(socket, "POST", target, body, type));
  }

  private static void require(Optional<Integer> status) throws IOException {
    if (status.filter(code -> code < 300).isEmpty()) {
      throw new IOException("dockerd refuses: " + status);
    }
  }

  @Override
  public void close() {
    program.close();
  }
}
