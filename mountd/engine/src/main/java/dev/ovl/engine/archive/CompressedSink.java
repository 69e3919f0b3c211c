package dev.ovl.engine.archive;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.ZstdCompressCtx;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Packs what it takes. The same bytes each time: no name and no time goes in. For one thread. */
public sealed interface CompressedSink extends ByteSink, AutoCloseable {
  /** Frees memory outside of the heap. */
  @Override
  void close();

  /** Passes on. */
  record Plain(ByteSink to) implements CompressedSink {
    @Override
    public void write(ByteBuffer bytes) throws EngineException, ErrnoException {
      to.write(bytes);
    }

    @Override
    public void finish() throws EngineException, ErrnoException {
      to.finish();
    }

    @Override
    public void close() {}
  }

  /** One member of gzip. */
  final class Gzip implements CompressedSink {
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int TRAILER_BYTES = 8;

    /** Magic, deflate, no flags, no time, no hint, unknown system. */
    private static final byte[] HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 255};

    private final ByteSink to;
    private final Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
    private final CRC32 crc = new CRC32();
    private final ByteBuffer out =
        ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    Gzip(ByteSink to) {
      this.to = to;
      out.put(HEADER);
    }

    @Override
    public void write(ByteBuffer bytes) throws EngineException, ErrnoException {
      crc.update(bytes.duplicate());
      deflater.setInput(bytes);
      while (!deflater.needsInput()) {
        deflate();
      }
    }

    @Override
    public void finish() throws EngineException, ErrnoException {
      deflater.finish();
      while (!deflater.finished()) {
        deflate();
      }
      if (out.remaining() < TRAILER_BYTES) {
        flush();
      }
      out.putInt((int) crc.getValue()).putInt((int) deflater.getBytesRead());
      flush();
      to.finish();
    }

    private void deflate() throws EngineException, ErrnoException {
      if (!out.hasRemaining()) {
        flush();
      }
      deflater.deflate(out);
    }

    private void flush() throws EngineException, ErrnoException {
      to.write(out.flip());
      out.clear();
    }

    @Override
    public void close() {
      deflater.end();
    }
  }

  /** One frame of Zstandard, with a checksum. */
  final class Zstd implements CompressedSink {
    private static final int BUFFER_BYTES = 256 * 1024;

    private final ByteSink to;
    private final ZstdCompressCtx context = new ZstdCompressCtx().setChecksum(true);
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);

    Zstd(ByteSink to) {
      this.to = to;
    }

    @Override
    public void write(ByteBuffer bytes) throws EngineException, ErrnoException {
      while (bytes.hasRemaining()) {
        context.compressDirectByteBufferStream(out, bytes, EndDirective.CONTINUE);
        flush();
      }
    }

    @Override
    public void finish() throws EngineException, ErrnoException {
      ByteBuffer nothing = ByteBuffer.allocateDirect(0);
      boolean done;
      do {
        done = context.compressDirectByteBufferStream(out, nothing, EndDirective.END);
        flush();
      } while (!done);
      to.finish();
    }

    private void flush() throws EngineException, ErrnoException {
      to.write(out.flip());
      out.clear();
    }

    @Override
    public void close() {
      context.close();
    }
  }
}
