package dev.ovl.engine.archive;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Content;
import dev.ovl.sys.ErrnoException;
import java.nio.ByteBuffer;

/** The bytes of a tar, which is read from its beginning to its end once. */
final class TarInput {
  static final int BLOCK_BYTES = 512;
  private static final int BUFFER_BYTES = 256 * 1024;

  private final Content.Source from;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);
  private long offset;

  TarInput(Content.Source from) {
    this.from = from;
  }

  /** Where the next byte stands. */
  long offset() {
    return offset;
  }

  /** Fills a block; false where the input ends before it. */
  boolean readBlock(byte[] block) throws EngineException, ErrnoException {
    while (buffer.remaining() < BLOCK_BYTES) {
      if (!fill()) {
        return false;
      }
    }
    buffer.get(block, 0, BLOCK_BYTES);
    offset += BLOCK_BYTES;
    return true;
  }

  /** Whether nothing more comes. */
  boolean isAtEnd() throws EngineException, ErrnoException {
    return !buffer.hasRemaining() && !fill();
  }

  /** Reads as much as there is room and data, at most {@code limit}; 0 at the end. */
  int read(ByteBuffer to, long limit) throws EngineException, ErrnoException {
    int length = (int) Math.min(to.remaining(), limit);
    if (!buffer.hasRemaining() && length >= BUFFER_BYTES / 4) {
      // large files pass by this buffer
      ByteBuffer part = to.slice(to.position(), length);
      int direct = from.read(part);
      to.position(to.position() + direct);
      offset += direct;
      return direct;
    }
    if (!buffer.hasRemaining() && !fill()) {
      return 0;
    }
    length = Math.min(length, buffer.remaining());
    to.put(buffer.slice(buffer.position(), length));
    buffer.position(buffer.position() + length);
    offset += length;
    return length;
  }

  /** Reads all of an array; false where the input ends before. */
  boolean read(byte[] to) throws EngineException, ErrnoException {
    int done = 0;
    while (done < to.length) {
      if (!buffer.hasRemaining() && !fill()) {
        return false;
      }
      int length = Math.min(buffer.remaining(), to.length - done);
      buffer.get(to, done, length);
      done += length;
      offset += length;
    }
    return true;
  }

  /** Passes over bytes; false where the input ends before. */
  boolean skip(long bytes) throws EngineException, ErrnoException {
    long left = bytes;
    while (left > 0) {
      if (!buffer.hasRemaining() && !fill()) {
        return false;
      }
      int length = (int) Math.min(left, buffer.remaining());
      buffer.position(buffer.position() + length);
      left -= length;
      offset += length;
    }
    return true;
  }

  private boolean fill() throws EngineException, ErrnoException {
    buffer.compact();
    try {
      return from.read(buffer) > 0;
    } finally {
      buffer.flip();
    }
  }
}
