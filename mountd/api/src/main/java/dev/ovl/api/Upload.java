package dev.ovl.api;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Sends the body of a request, in chunks, in a thread of its own: whoever gets it may answer
 * meanwhile, and say that no more of it is wanted.
 */
final class Upload implements AutoCloseable {
  private static final int BUFFER_BYTES = 128 * 1024;
  private static final long LOOK_MILLIS = 200;
  private static final long PATIENCE_MILLIS = 5_000;

  private final SocketChannel channel;
  private final ReadableByteChannel body;
  private final Thread thread;
  private volatile boolean stopped;
  private volatile IOException unread;

  private Upload(SocketChannel channel, ReadableByteChannel body) {
    this.channel = channel;
    this.body = body;
    this.thread = Thread.ofPlatform().name("upload").daemon().unstarted(this::run);
  }

  /**
   * Begins.
   *
   * @param channel connected and non-blocking; others may read from it
   */
  static Upload begin(SocketChannel channel, ReadableByteChannel body) {
    Upload upload = new Upload(channel, body);
    upload.thread.start();
    return upload;
  }

  /** Why the body could not be read to its end, where that is so. */
  Optional<IOException> unread() {
    return Optional.ofNullable(unread);
  }

  private void run() {
    try (Selector selector = Selector.open()) {
      channel.register(selector, SelectionKey.OP_WRITE);
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      while (read(buffer.clear())) {
        buffer.flip();
        send(selector, ascii(Integer.toHexString(buffer.remaining()) + "\r\n"));
        send(selector, buffer);
        send(selector, ascii("\r\n"));
      }
      if (unread == null && !stopped) {
        send(selector, ascii("0\r\n\r\n"));
      } else if (!stopped) {
        // without a last chunk, so that it is no whole body
        channel.shutdownOutput();
      }
    } catch (IOException e) {
      // nobody takes it any more: the answer says why
      return;
    }
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private boolean read(ByteBuffer buffer) {
    try {
      return !stopped && body.read(buffer) >= 0;
    } catch (IOException e) {
      unread = e;
      return false;
    }
  }

  private void send(Selector selector, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining() && !stopped) {
      if (channel.write(bytes) == 0) {
        selector.select(LOOK_MILLIS);
        selector.selectedKeys().clear();
      }
    }
  }

  /** No more is sent, and soon no more read. */
  @Override
  public void close() {
    stopped = true;
    try {
      thread.join(PATIENCE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
