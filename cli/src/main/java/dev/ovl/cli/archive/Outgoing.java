package dev.ovl.cli.archive;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Optional;

/**
 * An archive that is written. A file is written under another name and gets its own, durably, when
 * it is whole; what is no regular file (a device, a FIFO) is written to as it is.
 */
public abstract sealed class Outgoing implements WritableByteChannel {
  private boolean open = true;

  private Outgoing() {}

  /**
   * Begins a file, of which only its owner may read: it holds what is in files of anybody's.
   *
   * @param path absolute; a link is followed
   */
  public static Outgoing file(Syscalls sys, OsPath path) throws ErrnoException {
    Files files = new Files(sys);
    Optional<Statx> there = files.stat(path);
    if (there.isPresent() && !there.get().isRegularFile()) {
      return new Special(sys, new Fd(sys, sys.openat(Linux.AT_FDCWD, path, Linux.O_WRONLY, 0)));
    }
    OsPath place = there.isPresent() ? files.resolve(path).orElse(path) : path;
    OsPath draft = place.parent().resolve(OsPath.of(".ovl-" + Long.toHexString(System.nanoTime())));
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL;
    return new Draft(
        sys, new Fd(sys, sys.openat(Linux.AT_FDCWD, draft, flags, 0600)), files, draft, place);
  }

  /** Writes to a stream, which stays the caller's. */
  public static Outgoing stream(OutputStream stream) {
    return new Stream(stream);
  }

  /** To be called when all was written: without it nothing was. */
  public abstract void keep() throws IOException;

  @Override
  public boolean isOpen() {
    return open;
  }

  /** Throws away what was not kept. */
  @Override
  public void close() throws IOException {
    open = false;
  }

  private abstract static sealed class Descriptor extends Outgoing {
    private final Syscalls sys;
    private final ByteBuffer direct = ByteBuffer.allocateDirect(128 * 1024);
    final Fd fd;

    Descriptor(Syscalls sys, Fd fd) {
      this.sys = sys;
      this.fd = fd;
    }

    @Override
    public int write(ByteBuffer from) throws ErrnoException {
      int length = from.remaining();
      if (from.isDirect()) {
        writeAll(from);
      }
      while (from.hasRemaining()) {
        int part = Math.min(from.remaining(), direct.capacity());
        direct.clear().put(from.slice(from.position(), part)).flip();
        from.position(from.position() + part);
        writeAll(direct);
      }
      return length;
    }

    private void writeAll(ByteBuffer from) throws ErrnoException {
      while (from.hasRemaining()) {
        sys.write(fd.number(), from);
      }
    }

    void sync() throws ErrnoException {
      sys.fsync(fd.number());
    }

    @Override
    public void close() throws IOException {
      super.close();
      fd.close();
    }
  }

  private static final class Special extends Descriptor {
    Special(Syscalls sys, Fd fd) {
      super(sys, fd);
    }

    @Override
    public void keep() {
      // it is where it belongs
    }
  }

  private static final class Draft extends Descriptor {
    private final Files files;
    private final OsPath draft;
    private final OsPath place;
    private boolean kept;

    Draft(Syscalls sys, Fd fd, Files files, OsPath draft, OsPath place) {
      super(sys, fd);
      this.files = files;
      this.draft = draft;
      this.place = place;
    }

    @Override
    public void keep() throws IOException {
      sync();
      fd.closeWritten();
      files.rename(draft, place);
      kept = true;
      files.sync(place.parent());
    }

    @Override
    public void close() throws IOException {
      super.close();
      if (!kept) {
        files.remove(draft);
      }
    }
  }

  private static final class Stream extends Outgoing {
    private final OutputStream stream;
    private final byte[] copy = new byte[128 * 1024];

    Stream(OutputStream stream) {
      this.stream = stream;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      int length = from.remaining();
      while (from.hasRemaining()) {
        int part = Math.min(copy.length, from.remaining());
        from.get(copy, 0, part);
        stream.write(copy, 0, part);
      }
      return length;
    }

    @Override
    public void keep() throws IOException {
      stream.flush();
    }
  }
}
