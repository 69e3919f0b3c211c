package dev.ovl.server.commandline;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Standard input of a client's. Who reads from it stops when the client wants to, or when it is
 * closed: a thread may wait in it that nobody waits for.
 */
final class ClientInput extends InputStream {
  private static final int BUFFER_BYTES = 64 * 1024;

  /** How often it is looked whether reading is to stop. */
  private static final int LOOK_MILLIS = 200;

  private final Syscalls sys;
  private final Optional<Fd> fd;
  private final BooleanSupplier stopped;
  private ByteBuffer buffer = ByteBuffer.allocateDirect(0);
  private boolean closed;

  /**
   * @param fd stays the caller's; absent: a stream that is closed
   * @param stopped whether nobody wants what is read any more
   */
  ClientInput(Syscalls sys, Optional<Fd> fd, BooleanSupplier stopped) {
    this.sys = sys;
    this.fd = fd;
    this.stopped = stopped;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (fd.isEmpty()) {
      throw new IOException(Errno.EBADF.message());
    }
    if (length == 0) {
      return 0;
    }
    if (buffer.capacity() < Math.min(length, BUFFER_BYTES)) {
      buffer = ByteBuffer.allocateDirect(Math.min(length, BUFFER_BYTES));
    }
    // no more than is asked for: what is left in a pipe is for who reads from it next
    buffer.clear().limit(Math.min(length, buffer.capacity()));
    int count = receive(fd.get().number());
    buffer.flip().get(bytes, offset, count);
    return count == 0 ? -1 : count;
  }

  private int receive(int number) throws IOException {
    while (true) {
      if (stopped.getAsBoolean()) {
        throw new IOException("interrupted");
      }
      int count = receiveSoon(number);
      if (count >= 0) {
        return count;
      }
    }
  }

  /**
   * Negative if nothing came; not beside {@link #close}, after which the number may be another's.
   */
  private synchronized int receiveSoon(int number) throws IOException {
    if (closed) {
      throw new IOException("closed");
    }
    if (sys.poll(number, Linux.POLLIN, LOOK_MILLIS) == 0) {
      return -1;
    }
    try {
      return sys.read(number, buffer);
    } catch (ErrnoException e) {
      if (e.is(Errno.EAGAIN)) {
        return -1;
      }
      // in the words of java.io, which the process in Java would say
      throw new IOException(e.errno().message(), e);
    }
  }

  /** Nothing is read from the descriptor any more. */
  @Override
  public synchronized void close() {
    closed = true;
  }
}
