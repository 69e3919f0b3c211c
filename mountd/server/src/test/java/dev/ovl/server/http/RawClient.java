package dev.ovl.server.http;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** A connection on which a test says just what it wants, right or wrong. */
public final class RawClient implements AutoCloseable {
  private final SocketChannel channel;
  private final InputStream in;
  private final OutputStream out;
  private final List<String> trailers = new ArrayList<>();

  public RawClient(UnixDomainSocketAddress address) throws IOException {
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(address);
    in = new BufferedInputStream(Channels.newInputStream(channel));
    out = Channels.newOutputStream(channel);
  }

  /**
   * An answer.
   *
   * @param headers as they came
   */
  public record Answer(int status, List<String> headers, String body) {
    public Optional<String> header(String name) {
      String prefix = name.toLowerCase(Locale.ROOT) + ": ";
      return headers.stream()
          .filter(header -> header.toLowerCase(Locale.ROOT).startsWith(prefix))
          .map(header -> header.substring(prefix.length()))
          .findFirst();
    }
  }

  public RawClient say(String text) throws IOException {
    return say(text.getBytes(StandardCharsets.UTF_8));
  }

  public RawClient say(byte[] bytes) throws IOException {
    out.write(bytes);
    return this;
  }

  /** Asks with a body that may be empty. */
  public Answer ask(String method, String target, String body) throws IOException {
    say(
        method
            + " "
            + target
            + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
            + body.getBytes(StandardCharsets.UTF_8).length
            + "\r\n\r\n"
            + body);
    return answer();
  }

  public Answer get(String target) throws IOException {
    say("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return answer();
  }

  /** Says no more, but still listens. */
  public RawClient halfClose() throws IOException {
    channel.shutdownOutput();
    return this;
  }

  /** A whole answer. */
  public Answer answer() throws IOException {
    Answer head = head();
    StringBuilder body = new StringBuilder();
    if (head.header("Transfer-Encoding").isPresent()) {
      for (Optional<String> chunk = chunk(); chunk.isPresent(); chunk = chunk()) {
        body.append(chunk.get());
      }
    } else {
      body.append(bytes(Integer.parseInt(head.header("Content-Length").orElseThrow())));
    }
    return new Answer(head.status(), head.headers(), body.toString());
  }

  /** The head of an answer; its body is empty. */
  public Answer head() throws IOException {
    String status = line();
    List<String> headers = new ArrayList<>();
    for (String header = line(); !header.isEmpty(); header = line()) {
      headers.add(header);
    }
    return new Answer(Integer.parseInt(status.split(" ")[1]), headers, "");
  }

  /** The next chunk; absent: the last one has come. */
  public Optional<String> chunk() throws IOException {
    int size = Integer.parseInt(line(), 16);
    if (size == 0) {
      for (String trailer = line(); !trailer.isEmpty(); trailer = line()) {
        trailers.add(trailer);
      }
      return Optional.empty();
    }
    String text = bytes(size);
    line();
    return Optional.of(text);
  }

  /** Those of all answers so far. */
  public List<String> trailers() {
    return List.copyOf(trailers);
  }

  public String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("after: " + line);
      }
      line.append((char) b);
    }
    return line.toString().strip();
  }

  private String bytes(int count) throws IOException {
    byte[] bytes = in.readNBytes(count);
    if (bytes.length < count) {
      throw new EOFException();
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Waits for the server to end the connection; fails when it says something before. */
  public void assertEnded() throws IOException {
    try {
      int b = in.read();
      if (b >= 0) {
        throw new AssertionError("the server says more: " + (char) b);
      }
    } catch (IOException e) {
      // ended with something of ours unread
      if (!String.valueOf(e.getMessage()).contains("reset")) {
        throw e;
      }
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
