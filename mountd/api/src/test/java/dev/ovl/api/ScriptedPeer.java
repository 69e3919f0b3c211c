package dev.ovl.api;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Listens on a unix socket and answers as a test wants, right or wrong. */
final class ScriptedPeer implements AutoCloseable {
  private final ServerSocketChannel listening;
  private final UnixDomainSocketAddress address;
  private final Thread thread;
  private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  /** What is done with one connection. */
  interface Script {
    void play(Connection connection) throws IOException;
  }

  ScriptedPeer(Path directory, Script script) throws IOException {
    Path socket = Files.createTempFile(directory, "peer", "");
    Files.delete(socket);
    address = UnixDomainSocketAddress.of(socket);
    listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listening.bind(address);
    thread = Thread.ofPlatform().daemon().start(() -> serve(script));
  }

  /** Says the same to every request. */
  static ScriptedPeer saying(Path directory, String answer) throws IOException {
    return new ScriptedPeer(
        directory,
        connection -> {
          while (connection.request()) {
            connection.say(answer);
          }
        });
  }

  private void serve(Script script) {
    try {
      while (true) {
        try (SocketChannel channel = listening.accept()) {
          script.play(new Connection(channel));
        }
      }
    } catch (IOException e) {
      // closed
      return;
    }
  }

  UnixDomainSocketAddress address() {
    return address;
  }

  /** What was asked, head and body. */
  List<String> requests() {
    return List.copyOf(requests);
  }

  @Override
  public void close() throws IOException {
    listening.close();
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Files.deleteIfExists(address.getPath());
  }

  /** One that was accepted. */
  final class Connection {
    private final SocketChannel channel;

    Connection(SocketChannel channel) {
      this.channel = channel;
    }

    /** Reads a request; false: there is none. */
    boolean request() throws IOException {
      StringBuilder text = new StringBuilder();
      ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
      while (!isWhole(text.toString())) {
        bytes.clear();
        if (channel.read(bytes) < 0) {
          return false;
        }
        text.append(StandardCharsets.ISO_8859_1.decode(bytes.flip()));
      }
      requests.add(text.toString());
      return true;
    }

    /** Reads until what came ends so, or the client says no more; returns it. */
    String untilText(String end) throws IOException {
      StringBuilder text = new StringBuilder();
      ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
      while (text.length() < end.length()
          || !text.substring(text.length() - end.length()).equals(end)) {
        if (channel.read(bytes.clear()) < 0) {
          break;
        }
        text.append(StandardCharsets.ISO_8859_1.decode(bytes.flip()));
      }
      return text.toString();
    }

    private static boolean isWhole(String text) {
      int end = text.indexOf("\r\n\r\n");
      int length = text.indexOf("Content-Length: ");
      if (end < 0 || length < 0) {
        return end >= 0;
      }
      String number = text.substring(length + 16, text.indexOf('\r', length));
      return text.length() >= end + 4 + Integer.parseInt(number);
    }

    void say(String text) throws IOException {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }

    void hangUp() throws IOException {
      channel.close();
    }

    /** Does nothing until the client goes. */
    void awaitEnd() throws IOException {
      ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
      while (channel.read(bytes) >= 0) {
        bytes.clear();
      }
    }
  }
}
