package dev.ovl.bench;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A daemon under measurement. It ends with this object, or, however this process ends, with the
 * thread that started it: the kernel sees to that (PR_SET_PDEATHSIG), so start it from the main
 * one.
 */
final class Program implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long LOOK_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

  private final Process process;
  private final Path log;
  private final long started;

  /**
   * @param log gets all output, after what is in it
   */
  Program(List<String> command, Path log) throws IOException {
    List<String> words = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    words.addAll(command);
    this.log = log;
    this.started = System.nanoTime();
    this.process =
        new ProcessBuilder(words)
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
  }

  /** Asks whether the daemon serves. */
  interface Question {
    boolean isAnswered() throws IOException;
  }

  /** Asks until there is an answer; milliseconds from the start to it. */
  double awaitAnswer(Question question) throws IOException {
    while (!question.isAnswered()) {
      if (!process.isAlive() || System.nanoTime() - started > PATIENCE.toNanos()) {
        throw new IOException("a daemon does not serve: " + Files.readString(log));
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
    return (System.nanoTime() - started) / 1e6;
  }

  /**
   * The status of an answer over HTTP, one connection for one request; empty when nobody listens.
   */
  static Optional<Integer> ask(Path socket, String method, String target, byte[] body, String type)
      throws IOException {
    return answer(socket, method, target, body, type)
        .map(answer -> Integer.parseInt(answer.split(" ", 3)[1]));
  }

  /** As {@link #ask}, the answer as it came: status line, headers, and the body in its chunks. */
  static Optional<String> answer(
      Path socket, String method, String target, byte[] body, String type) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      if (!Files.exists(socket)) {
        return Optional.empty();
      }
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
      } catch (IOException e) {
        // it is there before anybody listens
        return Optional.empty();
      }
      String head =
          method
              + " "
              + target
              + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
              + (body.length == 0 ? "" : "Content-Type: " + type + "\r\n")
              + "Content-Length: "
              + body.length
              + "\r\n\r\n";
      channel.write(ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII)));
      for (ByteBuffer rest = ByteBuffer.wrap(body); rest.hasRemaining(); ) {
        channel.write(rest);
      }
      try (InputStream in = Channels.newInputStream(channel)) {
        return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
      }
    }
  }

  /** As {@link #ask} without a body, whether the answer is a good one. */
  static boolean answers(Path socket, String target) throws IOException {
    return ask(socket, "GET", target, new byte[0], "").filter(status -> status == 200).isPresent();
  }

  /**
   * What a process has in memory, in KiB.
   *
   * @param resident VmRSS
   * @param proportional its share: pages that others map too count in part (Pss)
   */
  record Memory(long resident, long proportional) {
    private static final Memory NONE = new Memory(0, 0);

    private Memory plus(Memory other) {
      return new Memory(resident + other.resident, proportional + other.proportional);
    }
  }

  /** Of the daemon itself. */
  Memory memory() throws IOException {
    return memory(process.pid());
  }

  /** Of the daemon and what it has started. */
  Memory memoryOfAll() throws IOException {
    Memory all = memory();
    for (ProcessHandle child : process.descendants().toList()) {
      all = all.plus(memory(child.pid()));
    }
    return all;
  }

  private static Memory memory(long pid) throws IOException {
    Path directory = Path.of("/proc/" + pid);
    return Files.exists(directory)
        ? new Memory(
            field(directory.resolve("status"), "VmRSS:"),
            field(directory.resolve("smaps_rollup"), "Pss:"))
        : Memory.NONE;
  }

  private static long field(Path file, String name) throws IOException {
    for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
      if (line.startsWith(name)) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException(file + " does not tell " + name);
  }

  /** Ends it as a power failure would. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
