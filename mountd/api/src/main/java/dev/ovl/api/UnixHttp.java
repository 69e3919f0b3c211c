package dev.ovl.api;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * One connection of HTTP/1.1 (RFC 9112) to a daemon of ours: a request, its answer, the next
 * request. The JDK's own client knows no unix sockets, and a library would cost more than the rest
 * of a command. For one thread at a time.
 */
final class UnixHttp implements AutoCloseable {
  private static final int MAX_LINE_BYTES = 16 * 1024;
  private static final int MAX_HEADERS = 100;

  /** How often it is asked whether the answer is still wanted. */
  private static final long LOOK_MILLIS = 200;

  private final SocketChannel channel;
  private final Selector selector;
  private final InputStream in;

  /** When waiting ends, as {@link System#nanoTime} counts; absent: never. */
  private final OptionalInt client;

  private Optional<Long> deadline = Optional.empty();

  /** Whether the answer is wanted no more. */
  private BooleanSupplier cancelled = () -> false;

  /** Of the last request. */
  private Optional<Upload> upload = Optional.empty();

  private boolean reusable = true;

  private UnixHttp(SocketChannel channel, Selector selector, OptionalInt client) {
    this.client = client;
    this.channel = channel;
    this.selector = selector;
    this.in = new BufferedInputStream(new Incoming());
  }

  /**
   * Connects; waits for nothing.
   *
   * @param client the process that it is done for, if that is not this one
   * @throws IOException nobody listens there; so many wait already that the socket takes no more;
   *     this user may not connect
   */
  static UnixHttp connect(UnixDomainSocketAddress address, OptionalInt client) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    Selector selector = null;
    try {
      // first: else the kernel waits for room in the queue of a daemon that may never take any out
      channel.configureBlocking(false);
      channel.connect(address);
      selector = Selector.open();
      channel.register(selector, SelectionKey.OP_READ);
      return new UnixHttp(channel, selector, client);
    } catch (IOException | RuntimeException e) {
      if (selector != null) {
        selector.close();
      }
      channel.close();
      throw e;
    }
  }

  /** What came is no answer of a daemon of ours. */
  static final class NoDaemonException extends IOException {
    private static final long serialVersionUID = 1L;

    NoDaemonException(String why) {
      super("what answers is no ovl daemon: " + why);
    }
  }

  /** The answer is not wanted any more. */
  static final class CancelledException extends IOException {
    private static final long serialVersionUID = 1L;

    CancelledException() {
      super("cancelled");
    }
  }

  /** The body of a request. */
  sealed interface Content {
    /** None. */
    record None() implements Content {}

    /** JSON. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares them
    record Json(byte[] text) implements Content {}

    /** As it comes, of any length. */
    record Flow(ReadableByteChannel channel) implements Content {}
  }

  /**
   * A request.
   *
   * @param target path and query
   * @param patience how long to wait for each part of the answer; absent: for ever
   * @param cancelled asked while waiting: true when the answer is not wanted any more
   */
  record Request(
      String method,
      String target,
      Content content,
      Optional<Duration> patience,
      BooleanSupplier cancelled) {}

  /**
   * An answer.
   *
   * @param status of HTTP
   * @param body ends where the answer does; to be read to its end before the next request
   * @param trailers by their names in lower case; there when the body has been read
   */
  record Answer(int status, InputStream body, Map<String, String> trailers) {}

  /** Whether another request may follow: the last answer was read whole, and its end was no end. */
  boolean isReusable() {
    return reusable;
  }

  /**
   * Whether the daemon has hung up since the last answer, as it does with who asks nothing for a
   * while. Does not wait.
   */
  boolean hasEnded() {
    try {
      // nothing comes unasked: neither the end nor a byte
      return channel.read(ByteBuffer.allocate(1)) != 0;
    } catch (IOException e) {
      return true;
    }
  }

  /**
   * Sends a request and reads its answer's head.
   *
   * @throws IOException the daemon went away, or speaks something else
   * @throws InterruptedIOException it did not answer in time
   * @throws CancelledException the answer is not wanted any more
   */
  Answer ask(Request request) throws IOException {
    deadline = request.patience().map(time -> System.nanoTime() + time.toNanos());
    cancelled = request.cancelled();
    reusable = false;
    try {
      send(head(request).getBytes(StandardCharsets.US_ASCII));
      switch (request.content()) {
        case Content.None() -> {}
        case Content.Json(byte[] text) -> send(text);
        case Content.Flow(ReadableByteChannel body) ->
            upload = Optional.of(Upload.begin(channel, body));
      }
    } catch (InterruptedIOException | CancelledException e) {
      throw e;
    } catch (IOException e) {
      return answerToPart(e);
    }
    return answer();
  }

  private String head(Request request) {
    String head = request.method() + " " + request.target() + " HTTP/1.1\r\nHost: ovl\r\n";
    return head
        + (client.isPresent() ? HttpHost.CLIENT + ": " + client.getAsInt() + "\r\n" : "")
        + switch (request.content()) {
          case Content.None() -> request.method().equals("GET") ? "" : "Content-Length: 0\r\n";
          case Content.Json(byte[] text) ->
              "Content-Type: application/json\r\nContent-Length: " + text.length + "\r\n";
          case Content.Flow flow ->
              "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n";
        }
        + "\r\n";
  }

  /** Why the last request's body could not be read to its end, where that is so. */
  Optional<IOException> unread() {
    return upload.flatMap(Upload::unread);
  }

  /** Who hangs up before it has read all of a request may have said why. */
  private Answer answerToPart(IOException unsent) throws IOException {
    try {
      return answer();
    } catch (IOException e) {
      unsent.addSuppressed(e);
      throw unsent;
    }
  }

  private Answer answer() throws IOException {
    String[] status = line().split(" ", 3);
    if (status.length < 2 || !status[0].equals("HTTP/1.1") || !status[1].matches("[0-9]{3}")) {
      throw new NoDaemonException("its first line is none of HTTP/1.1");
    }
    long length = -1;
    boolean chunked = false;
    boolean keep = true;
    for (int i = 0; ; i++) {
      String header = line();
      if (header.isEmpty()) {
        break;
      }
      int colon = header.indexOf(':');
      if (i > MAX_HEADERS || colon < 0) {
        throw new NoDaemonException("its head is no HTTP");
      }
      String value = header.substring(colon + 1).strip();
      switch (header.substring(0, colon).toLowerCase(Locale.ROOT)) {
        case "content-length" -> length = number(value, 10);
        case "transfer-encoding" -> chunked = value.equalsIgnoreCase("chunked");
        case "connection" -> keep = !value.equalsIgnoreCase("close");
        default -> {}
      }
    }
    if (!chunked && length < 0) {
      throw new NoDaemonException("its answer has no length");
    }
    Map<String, String> trailers = new TreeMap<>();
    return new Answer(
        Integer.parseInt(status[1]), new Body(chunked, length, keep, trailers), trailers);
  }

  private static long number(String text, int radix) throws IOException {
    if (!text.matches(radix == 10 ? "[0-9]{1,18}" : "[0-9a-fA-F]{1,15}")) {
      throw new NoDaemonException("its answer has a wrong length");
    }
    return Long.parseLong(text, radix);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int b = in.read();
      if (b < 0) {
        throw new EOFException();
      }
      if (b == '\n') {
        int end = line.length();
        return end > 0 && line.charAt(end - 1) == '\r'
            ? line.substring(0, end - 1)
            : line.toString();
      }
      if (line.length() >= MAX_LINE_BYTES) {
        throw new NoDaemonException("its answer has too long a line");
      }
      line.append((char) b);
    }
  }

  private void send(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    SelectionKey key = channel.keyFor(selector);
    try {
      while (buffer.hasRemaining()) {
        if (channel.write(buffer) == 0) {
          key.interestOps(SelectionKey.OP_WRITE);
          await();
        }
      }
    } finally {
      key.interestOps(SelectionKey.OP_READ);
    }
  }

  /** Waits until the channel is ready for what it is registered for. */
  private void await() throws IOException {
    if (cancelled.getAsBoolean()) {
      throw new CancelledException();
    }
    long millis = LOOK_MILLIS;
    if (deadline.isPresent()) {
      millis = Duration.ofNanos(deadline.get() - System.nanoTime()).toMillis();
      if (millis <= 0) {
        throw new InterruptedIOException();
      }
    }
    selector.select(Math.min(millis, LOOK_MILLIS));
    selector.selectedKeys().clear();
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      selector.close();
      channel.close();
    } finally {
      upload.ifPresent(Upload::close);
    }
  }

  /** The bytes that come, waited for. */
  private final class Incoming extends InputStream {
    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
      while (true) {
        int count = channel.read(buffer);
        if (count != 0) {
          return count;
        }
        await();
      }
    }
  }

  /** The bytes of one answer. */
  private final class Body extends InputStream {
    private final boolean chunked;
    private final boolean keep;
    private final Map<String, String> trailers;

    /** Of the chunk or the whole. */
    private long left;

    private boolean first = true;
    private boolean ended;

    Body(boolean chunked, long length, boolean keep, Map<String, String> trailers) {
      this.chunked = chunked;
      this.keep = keep;
      this.trailers = trailers;
      this.left = chunked ? 0 : length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (!ended && left == 0) {
        advance();
      }
      if (ended) {
        return -1;
      }
      int count = in.read(bytes, offset, (int) Math.min(length, left));
      if (count < 0) {
        throw new EOFException();
      }
      left -= count;
      return count;
    }

    /** To the next chunk, or the end. */
    private void advance() throws IOException {
      if (chunked) {
        if (!first && !line().isEmpty()) {
          throw new NoDaemonException("its chunks are no HTTP");
        }
        first = false;
        String size = line();
        int extension = size.indexOf(';');
        left = number(extension < 0 ? size : size.substring(0, extension), 16);
        if (left > 0) {
          return;
        }
        readTrailers();
      }
      ended = true;
      reusable = keep;
    }

    private void readTrailers() throws IOException {
      for (String trailer = line(); !trailer.isEmpty(); trailer = line()) {
        int colon = trailer.indexOf(':');
        if (colon < 0 || trailers.size() >= MAX_HEADERS) {
          throw new NoDaemonException("its trailers are no HTTP");
        }
        trailers.put(
            trailer.substring(0, colon).toLowerCase(Locale.ROOT),
            trailer.substring(colon + 1).strip());
      }
    }
  }
}
