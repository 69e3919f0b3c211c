package dev.ovl.engine.archive;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Content;
import dev.ovl.sys.ErrnoException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Unpacks what is compressed and passes on what is not, which its first bytes tell.
 *
 * <p>Several members of gzip or frames of Zstandard after each other are one content. What ends in
 * the middle of one, is followed by anything else, or does not have the checksum that it says, is
 * broken. For one thread.
 */
public final class Decompressed implements Content.Source, AutoCloseable {
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final int MAGIC_BYTES = 6;

  private final Content.Source raw;
  private final ByteBuffer in =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private final Compression compression;
  private final Unpacking unpacking;
  private long read;
  private boolean ended;

  /** One way of compression. */
  private interface Unpacking extends Content.Source {
    void free();
  }

  /**
   * Reads the first bytes.
   *
   * @throws EngineException it is compressed in a way that is not known here
   */
  public Decompressed(Content.Source raw) throws EngineException, ErrnoException {
    this.raw = raw;
    while (in.remaining() < MAGIC_BYTES && fill()) {}
    compression = compression();
    unpacking =
        switch (compression) {
          case NONE -> new Plain();
          case GZIP -> new Gzip();
          case ZSTD -> new Zstd();
        };
  }

  private Compression compression() throws EngineException {
    if (startsWith(0x1f, 0x8b)) {
      return Compression.GZIP;
    } else if (startsWith(0x28, 0xb5, 0x2f, 0xfd)
        || (in.remaining() >= 4 && (in.getInt(0) & 0xFFFFFFF0) == 0x184D2A50)) {
      return Compression.ZSTD;
    } else if (startsWith('B', 'Z', 'h')) {
      throw EngineException.failed("the archive is compressed by bzip2; gzip and zstd are read");
    } else if (startsWith(0xfd, '7', 'z', 'X', 'Z', 0)) {
      throw EngineException.failed("the archive is compressed by xz; gzip and zstd are read");
    }
    return Compression.NONE;
  }

  private boolean startsWith(int... bytes) {
    if (in.remaining() < bytes.length) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if ((in.get(in.position() + i) & 0xFF) != bytes[i]) {
        return false;
      }
    }
    return true;
  }

  /** How it is packed. */
  public Compression found() {
    return compression;
  }

  /** Bytes taken so far from what it reads, compressed ones where they are. */
  public long consumed() {
    return read - in.remaining();
  }

  @Override
  public int read(ByteBuffer buffer) throws EngineException, ErrnoException {
    return unpacking.read(buffer);
  }

  /** Frees memory outside of the heap. */
  @Override
  public void close() {
    unpacking.free();
  }

  /** Gets more; false at the end. */
  private boolean fill() throws EngineException, ErrnoException {
    if (ended) {
      return false;
    }
    in.compact();
    int length;
    try {
      length = raw.read(in);
    } finally {
      in.flip();
    }
    read += length;
    ended = length == 0;
    return !ended;
  }

  private EngineException broken(String what) {
    return EngineException.failed(
        "the archive's "
            + compression.name().toLowerCase(Locale.ROOT)
            + " "
            + what
            + ", at byte "
            + consumed());
  }

  /** What is not compressed. */
  private final class Plain implements Unpacking {
    @Override
    public int read(ByteBuffer buffer) throws EngineException, ErrnoException {
      if (!in.hasRemaining()) {
        int length = ended ? 0 : raw.read(buffer);
        read += length;
        ended = length == 0;
        return length;
      }
      int length = Math.min(in.remaining(), buffer.remaining());
      buffer.put(in.slice(in.position(), length));
      in.position(in.position() + length);
      return length;
    }

    @Override
    public void free() {}
  }

  /** RFC 1952. */
  private final class Gzip implements Unpacking {
    private static final int DEFLATE = 8;
    private static final int HEADER_CRC = 2;
    private static final int EXTRA = 4;
    private static final int NAME = 8;
    private static final int COMMENT = 16;
    private static final int RESERVED = 0xE0;

    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private boolean inMember;

    @Override
    public int read(ByteBuffer buffer) throws EngineException, ErrnoException {
      int start = buffer.position();
      while (buffer.position() == start) {
        if (!inMember) {
          if (!in.hasRemaining() && !fill()) {
            return 0;
          }
          readHeader();
        }
        inflate(buffer);
      }
      return buffer.position() - start;
    }

    private void inflate(ByteBuffer buffer) throws EngineException, ErrnoException {
      int start = buffer.position();
      if (!in.hasRemaining() && !fill()) {
        throw broken("ends too early");
      }
      inflater.setInput(in);
      try {
        inflater.inflate(buffer);
      } catch (DataFormatException e) {
        throw broken("is broken (" + e.getMessage() + ")");
      }
      crc.update(buffer.slice(start, buffer.position() - start));
      if (inflater.needsDictionary()) {
        throw broken("is broken (it wants a dictionary)");
      }
      if (inflater.finished()) {
        readTrailer();
      }
    }

    private void readHeader() throws EngineException, ErrnoException {
      if (next() != 0x1f || next() != 0x8b) {
        throw broken("is followed by something else");
      }
      if (next() != DEFLATE) {
        throw broken("is of an unknown method");
      }
      int flags = next();
      if ((flags & RESERVED) != 0) {
        throw broken("has unknown flags");
      }
      skip(6);
      if ((flags & EXTRA) != 0) {
        skip(next() | next() << 8);
      }
      if ((flags & NAME) != 0) {
        skipText();
      }
      if ((flags & COMMENT) != 0) {
        skipText();
      }
      if ((flags & HEADER_CRC) != 0) {
        skip(2);
      }
      inMember = true;
    }

    private void readTrailer() throws EngineException, ErrnoException {
      if (nextInt() != (int) crc.getValue()) {
        throw broken("is broken (its checksum is wrong)");
      }
      if (nextInt() != (int) inflater.getBytesWritten()) {
        throw broken("is broken (its length is wrong)");
      }
      inflater.reset();
      crc.reset();
      inMember = false;
    }

    private void skip(int bytes) throws EngineException, ErrnoException {
      for (int i = 0; i < bytes; i++) {
        next();
      }
    }

    private void skipText() throws EngineException, ErrnoException {
      while (next() != 0) {}
    }

    private int nextInt() throws EngineException, ErrnoException {
      return next() | next() << 8 | next() << 16 | next() << 24;
    }

    private int next() throws EngineException, ErrnoException {
      if (!in.hasRemaining() && !fill()) {
        throw broken("ends too early");
      }
      return in.get() & 0xFF;
    }

    @Override
    public void free() {
      inflater.end();
    }
  }

  /** RFC 8878; the library checks what is in a frame, and passes over skippable ones. */
  private final class Zstd implements Unpacking {
    private final ZstdDecompressCtx context = new ZstdDecompressCtx();
    private boolean inFrame;

    @Override
    public int read(ByteBuffer buffer) throws EngineException, ErrnoException {
      int start = buffer.position();
      while (buffer.position() == start) {
        if (!in.hasRemaining() && !fill() && !inFrame) {
          return 0;
        }
        int before = in.position();
        try {
          inFrame = !context.decompressDirectByteBufferStream(buffer, in);
        } catch (ZstdException e) {
          throw broken("is broken (" + e.getMessage() + ")");
        }
        if (ended && inFrame && buffer.position() == start && in.position() == before) {
          throw broken("ends too early");
        }
      }
      return buffer.position() - start;
    }

    @Override
    public void free() {
      context.close();
    }
  }
}
