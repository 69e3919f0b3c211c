package dev.ovl.server.api;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/** A stream as a channel; the JDK's own reads less at once. */
final class StreamChannel implements ReadableByteChannel {
  private static final int BUFFER_BYTES = 128 * 1024;

  private final InputStream stream;
  private final byte[] buffer = new byte[BUFFER_BYTES];

  StreamChannel(InputStream stream) {
    this.stream = stream;
  }

  @Override
  public int read(ByteBuffer to) throws IOException {
    int length = stream.read(buffer, 0, Math.min(buffer.length, to.remaining()));
    if (length > 0) {
      to.put(buffer, 0, length);
    }
    return length;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  /** Leaves the stream to its owner. */
  @Override
  public void close() {}
}
