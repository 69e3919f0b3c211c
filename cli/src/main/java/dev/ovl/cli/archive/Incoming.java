package dev.ovl.cli.archive;

import dev.ovl.cli.session.Cancellation;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.util.OptionalLong;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An archive that is read, by one thread. It waits for data no longer than the user wants to and it
 * is open.
 */
public abstract sealed class Incoming implements ReadableByteChannel {
  private static final int LOOK_MILLIS = 200;

  private final Cancellation cancellation;
  private final AtomicLong taken = new AtomicLong();
  private volatile boolean closed;

  private Incoming(Cancellation cancellation) {
    this.cancellation = cancellation;
  }

  /**
   * Opens a file.
   *
   * @param path absolute
   */
  public static Incoming file(Syscalls sys, OsPath path, Cancellation cancellation)
      throws ErrnoException {
    Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_RDONLY, 0));
    boolean done = false;
    try {
      File file = new File(sys, fd, cancellation);
      done = true;
      return file;
    } finally {
      if (!done) {
        fd.close();
      }
    }
  }

  /** Reads a stream, which stays the caller's. */
  public static Incoming stream(InputStream stream, Cancellation cancellation) {
    return new Stream(stream, cancellation);
  }

  /** How many bytes were read so far. For any thread. */
  public long taken() {
    return taken.get();
  }

  /** How many there are, where that can be known. */
  public abstract OptionalLong size();

  /** Waits a moment for data; negative at the end, 0 for none so far. */
  abstract int readSome(ByteBuffer to) throws IOException;

  @Override
  public int read(ByteBuffer to) throws IOException {
    while (true) {
      if (cancellation.isRequested()) {
        throw new IOException("cancelled");
      }
      if (closed) {
        throw new ClosedChannelException();
      }
      int length = readSome(to);
      if (length != 0) {
        taken.addAndGet(Math.max(0, length));
        return length;
      }
    }
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public void close() {
    closed = true;
  }

  private static final class File extends Incoming {
    private final Syscalls sys;
    private final Fd fd;
    private final OptionalLong size;

    File(Syscalls sys, Fd fd, Cancellation cancellation) throws ErrnoException {
      super(cancellation);
      this.sys = sys;
      this.fd = fd;
      Statx stat =
          sys.statx(fd.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_BASIC_STATS);
      this.size = stat.isRegularFile() ? OptionalLong.of(stat.size()) : OptionalLong.empty();
    }

    @Override
    public OptionalLong size() {
      return size;
    }

    /** Not beside {@link #close}, after which the number may be another file's. */
    @Override
    synchronized int readSome(ByteBuffer to) throws IOException {
      if (!isOpen()) {
        throw new ClosedChannelException();
      }
      if (sys.poll(fd.number(), Linux.POLLIN, LOOK_MILLIS) == 0) {
        return 0;
      }
      int length = to.isDirect() ? sys.read(fd.number(), to) : readIntoArray(to);
      return length == 0 ? -1 : length;
    }

    private int readIntoArray(ByteBuffer to) throws ErrnoException {
      ByteBuffer direct = ByteBuffer.allocateDirect(to.remaining());
      int length = sys.read(fd.number(), direct);
      to.put(direct.flip());
      return length;
    }

    @Override
    public void close() {
      super.close();
      synchronized (this) {
        fd.close();
      }
    }
  }

  /** A stream cannot be waited for with an end: another thread does, and may wait for ever. */
  private static final class Stream extends Incoming {
    private static final int BUFFER_BYTES = 128 * 1024;

    private final InputStream stream;
    private final SynchronousQueue<Part> parts = new SynchronousQueue<>();
    private Part part = new Part(ByteBuffer.allocate(0), null);
    private boolean begun;

    /** Some bytes, or how it ended: null for the end itself. */
    private record Part(ByteBuffer bytes, IOException failure) {}

    Stream(InputStream stream, Cancellation cancellation) {
      super(cancellation);
      this.stream = stream;
    }

    @Override
    public OptionalLong size() {
      return OptionalLong.empty();
    }

    private void pump() {
      try {
        boolean last = false;
        while (isOpen() && !last) {
          Part next = next();
          // asked now, since whoever reads empties it
          last = !next.bytes().hasRemaining();
          while (isOpen() && !parts.offer(next, LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            // whoever reads is busy
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private Part next() {
      byte[] bytes = new byte[BUFFER_BYTES];
      try {
        return new Part(ByteBuffer.wrap(bytes, 0, Math.max(0, stream.read(bytes))), null);
      } catch (IOException e) {
        return new Part(ByteBuffer.allocate(0), e);
      }
    }

    @Override
    int readSome(ByteBuffer to) throws IOException {
      if (!begun) {
        begun = true;
        Thread.ofPlatform().name("stdin").daemon().start(this::pump);
      }
      if (!part.bytes().hasRemaining()) {
        Part next = poll();
        if (next == null) {
          return 0;
        }
        part = next;
        if (part.failure() != null) {
          throw part.failure();
        }
        if (!part.bytes().hasRemaining()) {
          return -1;
        }
      }
      int length = Math.min(to.remaining(), part.bytes().remaining());
      to.put(part.bytes().slice(part.bytes().position(), length));
      part.bytes().position(part.bytes().position() + length);
      return length;
    }

    private Part poll() throws IOException {
      try {
        return parts.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }
}
