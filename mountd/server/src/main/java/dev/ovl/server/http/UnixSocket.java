package dev.ovl.server.http;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.Peer;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;

/**
 * A connected unix socket that is a descriptor of ours, in the shape in which HttpCore takes one.
 * Belongs to the thread of its connection; while that waits or writes, another one may read, and
 * any may {@link #hangUp}.
 */
final class UnixSocket extends Socket {
  private static final int BUFFER_BYTES = 8192;
  private static final int LARGE_BUFFER_BYTES = 128 * 1024;
  private static final int FOR_EVER = -1;

  private final Syscalls sys;
  private final Fd fd;
  private ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private int timeoutMillis;
  private boolean patientReader;
  private boolean closed;

  /**
   * @param fd non-blocking; owned by this object from now on
   */
  UnixSocket(Syscalls sys, Fd fd) {
    this.sys = sys;
    this.fd = fd;
  }

  /** Who connected. */
  Peer peer() throws ErrnoException {
    return Peer.of(sys, fd.number());
  }

  /** Whether the client has closed its end; one that only stopped writing still reads. */
  synchronized boolean isGone() {
    if (closed) {
      return true;
    }
    try {
      return (sys.poll(fd.number(), 0, 0) & (Linux.POLLHUP | Linux.POLLERR)) != 0;
    } catch (ErrnoException e) {
      return true;
    }
  }

  /** Whether some bytes could be written without waiting. */
  synchronized boolean isWritable() throws ErrnoException {
    return !closed && sys.poll(fd.number(), Linux.POLLOUT, 0) == Linux.POLLOUT;
  }

  /**
   * From now on much is read, with as much patience as the client needs while it is there: its data
   * may come from somewhere slow.
   */
  void readMuch() {
    in = ByteBuffer.allocateDirect(LARGE_BUFFER_BYTES);
    patientReader = true;
  }

  /** Ends both directions, from any thread: who waits in a call is woken. */
  synchronized void hangUp() throws ErrnoException {
    if (!closed) {
      sys.shutdown(fd.number(), Linux.SHUT_RDWR);
    }
  }

  /** Ends the direction to us, from any thread: the answer under way can still be written. */
  synchronized void readNoMore() throws ErrnoException {
    if (!closed) {
      sys.shutdown(fd.number(), Linux.SHUT_RD);
    }
  }

  @Override
  public InputStream getInputStream() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        return receive(bytes, offset, length);
      }
    };
  }

  private int receive(byte[] bytes, int offset, int length) throws IOException {
    await(Linux.POLLIN, patientReader);
    in.clear().limit(Math.min(length, in.capacity()));
    int count = sys.read(fd.number(), in);
    in.flip().get(bytes, offset, count);
    return count == 0 ? -1 : count;
  }

  @Override
  public OutputStream getOutputStream() {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        send(bytes, offset, length);
      }
    };
  }

  private void send(byte[] bytes, int offset, int length) throws IOException {
    int at = offset;
    int end = offset + length;
    while (at < end) {
      int count = Math.min(end - at, out.capacity());
      out.clear().put(bytes, at, count).flip();
      while (out.hasRemaining()) {
        write();
      }
      at += count;
    }
  }

  private void write() throws IOException {
    try {
      sys.write(fd.number(), out);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EAGAIN)) {
        throw e;
      }
      // a client that does not read must not keep the thread for ever
      await(Linux.POLLOUT, false);
    }
  }

  private void await(int event, boolean patient) throws IOException {
    int limit = patient || timeoutMillis == 0 ? FOR_EVER : timeoutMillis;
    if (sys.poll(fd.number(), event, limit) == 0) {
      throw new SocketTimeoutException("nothing within " + timeoutMillis + " ms");
    }
  }

  @Override
  public void setSoTimeout(int millis) {
    timeoutMillis = millis;
  }

  @Override
  public int getSoTimeout() {
    return timeoutMillis;
  }

  @Override
  public void setTcpNoDelay(boolean on) {
    // means nothing here
  }

  @Override
  public void setSoLinger(boolean on, int seconds) {
    // means nothing here
  }

  @Override
  public void shutdownInput() throws IOException {
    readNoMore();
  }

  @Override
  public void shutdownOutput() {
    // close does it
  }

  @Override
  public boolean isConnected() {
    return true;
  }

  @Override
  public synchronized boolean isClosed() {
    return closed;
  }

  @Override
  public SocketAddress getRemoteSocketAddress() {
    return null;
  }

  @Override
  public SocketAddress getLocalSocketAddress() {
    return null;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      fd.close();
    }
  }
}
