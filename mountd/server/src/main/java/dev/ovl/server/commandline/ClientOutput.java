package dev.ovl.server.commandline;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A stream of a client's, which is written to in pieces that a pipe takes at once when it takes
 * anything (PIPE_BUF), so that nobody waits in write(2) for the reader of a client that is gone.
 */
final class ClientOutput extends OutputStream {
  private static final int PIECE_BYTES = 4096;
  private static final int FILE_PIECE_BYTES = 128 * 1024;

  /** How often it is looked whether the client is gone. */
  private static final int LOOK_MILLIS = 200;

  private final Syscalls sys;
  private final Optional<Fd> fd;
  private final BooleanSupplier gone;
  private ByteBuffer buffer = ByteBuffer.allocateDirect(0);

  /**
   * @param fd stays the caller's; absent: a stream that is closed
   * @param gone whether nobody waits for what is written any more
   */
  ClientOutput(Syscalls sys, Optional<Fd> fd, BooleanSupplier gone) {
    this.sys = sys;
    this.fd = fd;
    this.gone = gone;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (fd.isEmpty()) {
      throw new IOException(Errno.EBADF.message());
    }
    int number = fd.get().number();
    int at = offset;
    int end = offset + length;
    while (at < end) {
      ByteBuffer piece = buffer(number);
      int count = Math.min(end - at, piece.capacity());
      piece.clear().put(bytes, at, count).flip();
      while (piece.hasRemaining()) {
        write(number, piece);
      }
      at += count;
    }
  }

  private ByteBuffer buffer(int number) throws ErrnoException {
    if (buffer.capacity() == 0) {
      boolean file =
          sys.statx(number, OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_TYPE).isRegularFile();
      buffer = ByteBuffer.allocateDirect(file ? FILE_PIECE_BYTES : PIECE_BYTES);
    }
    return buffer;
  }

  private void write(int number, ByteBuffer piece) throws IOException {
    while (sys.poll(number, Linux.POLLOUT, LOOK_MILLIS) == 0) {
      if (gone.getAsBoolean()) {
        throw new IOException("the client is gone");
      }
    }
    try {
      sys.write(number, piece);
    } catch (ErrnoException e) {
      // whoever shares the file may have made it non-blocking, or have been faster
      if (!e.is(Errno.EAGAIN)) {
        // in the words of java.io, which the process in Java would say
        throw new IOException(e.errno().message(), e);
      }
    }
  }
}
