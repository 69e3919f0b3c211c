package dev.ovl.bench;

import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A daemon of ours, started from the distribution, with a root and a run directory of its own. */
final class Mountd implements AutoCloseable {
  private final Path socket;
  private final Program program;
  private final double startMillis;

  /**
   * Starts it and waits for its first answer.
   *
   * @param launcher {@code bin/mountd} of a distribution
   * @param root need not exist
   * @param run need not exist; its log is {@code mountd.log} in it
   */
  Mountd(Path launcher, Path root, Path run) throws IOException {
    Files.createDirectories(run);
    this.socket = run.resolve("mountd.sock");
    this.program =
        new Program(
            List.of(launcher.toString(), "--root", root.toString(), "--run", run.toString()),
            run.resolve("mountd.log"));
    boolean serves = false;
    try {
      this.startMillis = program.awaitAnswer(() -> Program.answers(socket, "/v1/version"));
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

  Program program() {
    return program;
  }

  /** A new connection. */
  HttpHost connect() throws HostException {
    HttpHost host = new HttpHost(UnixDomainSocketAddress.of(socket), socket.toString());
    host.about();
    return host;
  }

  @Override
  public void close() {
    program.close();
  }
}
