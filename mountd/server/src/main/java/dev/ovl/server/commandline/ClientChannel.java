package dev.ovl.server.commandline;

import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.Syscalls;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A connection with a client: messages in both directions, each a kind, a length and so many bytes,
 * and descriptors beside them. One thread receives; any may send, and {@link #hangUp}.
 */
final class ClientChannel implements AutoCloseable {
  private static final int HEADER_BYTES = 2 * Integer.BYTES;

  /** More than arguments and environment of a process can be (execve(2): 6 MiB). */
  private static final int MAX_BYTES = 8 << 20;

  /** The kernel passes no more at once (SCM_MAX_FD). */
  private static final int MAX_DESCRIPTORS = 253;

  private final Syscalls sys;
  private final Fd fd;
  private boolean closed;

  /**
   * @param fd a connected socket; owned by this object from now on
   */
  ClientChannel(Syscalls sys, Fd fd) {
    this.sys = sys;
    this.fd = fd;
  }

  /** What a message is; the numbers are those of protocol.h. */
  enum Kind {
    // from the client
    REQUEST(0),
    GO(1),
    CANCEL(2),
    NOTE(3),
    FAILED(4),
    RUNNING(5),
    ENDED(6),
    // to the client
    REFUSED(7),
    HEARD(8),
    ACCEPTED(9),
    TREES(10),
    PROGRAM(11),
    DONE(12);

    private final int number;

    Kind(int number) {
      this.number = number;
    }

    /** In a message. */
    int number() {
      return number;
    }

    private static Kind of(int number) throws ProtocolException {
      for (Kind kind : values()) {
        if (kind.number == number) {
          return kind;
        }
      }
      throw new ProtocolException("no kind of message: " + number);
    }
  }

  /**
   * A message.
   *
   * @param content in the machine's byte order
   * @param descriptors the receiver's, who closes them
   */
  record Message(Kind kind, ByteBuffer content, List<Fd> descriptors) {
    void close() {
      descriptors.forEach(Fd::close);
    }
  }

  /** The descriptor, to ask who is at the other end. */
  int number() {
    return fd.number();
  }

  /** Whether a message begins to come, or the end, within a time. */
  boolean awaits(int millis) throws ErrnoException {
    return sys.poll(fd.number(), Linux.POLLIN, millis) != 0;
  }

  /**
   * Waits for the next message; absent at the end.
   *
   * @throws ProtocolException this is none
   */
  Optional<Message> receive() throws IOException {
    List<Fd> descriptors = new ArrayList<>();
    boolean whole = false;
    try {
      ByteBuffer header = ByteBuffer.allocateDirect(HEADER_BYTES).order(ByteOrder.nativeOrder());
      if (!fill(header, descriptors)) {
        return Optional.empty();
      }
      Kind kind = Kind.of(header.getInt());
      int length = header.getInt();
      if (length < 0 || length > MAX_BYTES) {
        throw new ProtocolException("a message of " + length + " bytes");
      }
      ByteBuffer content = ByteBuffer.allocateDirect(length).order(ByteOrder.nativeOrder());
      if (length > 0 && !fill(content, descriptors)) {
        throw new EOFException("it ends within a message");
      }
      whole = true;
      return Optional.of(new Message(kind, content, descriptors));
    } finally {
      if (!whole) {
        descriptors.forEach(Fd::close);
      }
    }
  }

  /** False at the end. */
  private boolean fill(ByteBuffer buffer, List<Fd> descriptors) throws IOException {
    while (buffer.hasRemaining()) {
      int before = buffer.position();
      sys.recvmsg(fd.number(), buffer)
          .forEach(descriptor -> descriptors.add(new Fd(sys, descriptor)));
      if (buffer.position() == before) {
        if (before > 0) {
          throw new EOFException("it ends within a message");
        }
        return false;
      }
    }
    buffer.flip();
    return true;
  }

  /** Sends a number. */
  void send(Kind kind, int number) throws ErrnoException {
    ByteBuffer content = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder());
    send(kind, content.putInt(number).array(), List.of());
  }

  /**
   * Sends a message.
   *
   * @param descriptors stay the caller's; of any number
   * @throws ErrnoException EPIPE: the client is gone
   */
  synchronized void send(Kind kind, byte[] content, List<Integer> descriptors)
      throws ErrnoException {
    int rest = 0;
    for (; descriptors.size() - rest > MAX_DESCRIPTORS; rest += MAX_DESCRIPTORS) {
      write(Kind.TREES, new byte[0], descriptors.subList(rest, rest + MAX_DESCRIPTORS));
    }
    write(kind, content, descriptors.subList(rest, descriptors.size()));
  }

  private void write(Kind kind, byte[] content, List<Integer> descriptors) throws ErrnoException {
    ByteBuffer message =
        ByteBuffer.allocateDirect(HEADER_BYTES + content.length).order(ByteOrder.nativeOrder());
    message.putInt(kind.number()).putInt(content.length).put(content).flip();
    sys.sendmsg(fd.number(), message, descriptors, Linux.MSG_NOSIGNAL);
    while (message.hasRemaining()) {
      sys.sendmsg(fd.number(), message, List.of(), Linux.MSG_NOSIGNAL);
    }
  }

  /** Ends both directions: who waits in a call is woken. */
  synchronized void hangUp() throws ErrnoException {
    if (!closed) {
      sys.shutdown(fd.number(), Linux.SHUT_RDWR);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    fd.close();
  }
}
