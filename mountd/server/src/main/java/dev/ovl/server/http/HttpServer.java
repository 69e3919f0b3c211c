package dev.ovl.server.http;

import dev.ovl.server.socket.UnixListener;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.Peer;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.function.Supplier;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.DefaultConnectionReuseStrategy;
import org.apache.hc.core5.http.impl.HttpProcessors;
import org.apache.hc.core5.http.impl.io.DefaultBHttpServerConnection;
import org.apache.hc.core5.http.impl.io.HttpService;
import org.apache.hc.core5.http.io.HttpServerRequestHandler;
import org.apache.hc.core5.http.io.entity.AbstractHttpEntity;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.support.BasicHttpServerExpectationDecorator;
import org.apache.hc.core5.http.message.BasicClassicHttpResponse;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one listening socket until it is stopped. Requests that are too large or no HTTP end their
 * connection with an answer that says so.
 */
public final class HttpServer {
  /** The largest body of a request. */
  public static final int MAX_BODY_BYTES = 1 << 20;

  /** Of a request that this process makes of itself: who it does it for. */
  private static final String CLIENT = "Ovl-Client";

  private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
  private static final int TOO_LARGE = 413;
  private static final int MAX_HEADERS = 64;
  private static final int MAX_LINE_BYTES = 16 * 1024;
  private static final int BUFFER_BYTES = 4096;

  /** Further ones wait in the socket's queue. */
  private static final int MAX_CONNECTIONS = 512;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** After so long without a connection a thread ends. */
  private static final Duration IDLE = Duration.ofSeconds(10);

  private final Syscalls sys;
  private final UnixListener listener;
  private final RequestHandler handler;
  private final Duration patience;
  private final Http1Config limits =
      Http1Config.custom()
          .setMaxHeaderCount(MAX_HEADERS)
          .setMaxLineLength(MAX_LINE_BYTES)
          .setBufferSize(BUFFER_BYTES)
          .setChunkSizeHint(BUFFER_BYTES)
          .build();
  private final Semaphore room = new Semaphore(MAX_CONNECTIONS);
  private final ExecutorService threads =
      new ThreadPoolExecutor(
          0,
          Integer.MAX_VALUE,
          IDLE.toSeconds(),
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          Thread.ofPlatform().name("request-", 1).factory());

  /** All connections, and those of them that are between two requests. */
  private final Set<UnixSocket> open = ConcurrentHashMap.newKeySet();

  /** The longest idle first. */
  private final Set<UnixSocket> idle = Collections.synchronizedSet(new LinkedHashSet<>());

  private volatile boolean stopping;

  /**
   * @param sys what to call
   * @param listener where clients come; stays the caller's
   * @param handler answers
   */
  public HttpServer(Syscalls sys, UnixListener listener, RequestHandler handler) {
    this(sys, listener, handler, PATIENCE);
  }

  /**
   * @param patience with a client, for the next request and for each part of one and of its answer
   */
  HttpServer(Syscalls sys, UnixListener listener, RequestHandler handler, Duration patience) {
    this.sys = sys;
    this.listener = listener;
    this.handler = handler;
    this.patience = patience;
  }

  /**
   * Serves until {@link #stop}, in the calling thread.
   *
   * @throws ErrnoException the socket cannot be accepted from
   */
  public void serve() throws ErrnoException {
    while (!stopping) {
      if (listener.awaitClient()) {
        accept();
      }
    }
  }

  private void accept() throws ErrnoException {
    makeRoom();
    boolean accepted = false;
    try {
      Optional<Fd> connection = listener.accept(Linux.SOCK_NONBLOCK);
      if (connection.isPresent()) {
        accepted = true;
        begin(new UnixSocket(sys, connection.get()));
      }
    } finally {
      if (!accepted) {
        room.release();
      }
    }
  }

  private void begin(UnixSocket socket) {
    open.add(socket);
    boolean begun = false;
    try {
      threads.execute(() -> serve(socket));
      begun = true;
    } catch (RejectedExecutionException e) {
      LOG.debug("a connection came when the server had ended", e);
    } finally {
      if (!begun) {
        end(socket);
      }
    }
  }

  private void end(UnixSocket socket) {
    idle.remove(socket);
    open.remove(socket);
    socket.close();
    room.release();
  }

  /** Who only keeps a connection must not keep others out: the longest idle one ends. */
  private void makeRoom() throws ErrnoException {
    if (room.tryAcquire()) {
      return;
    }
    Optional<UnixSocket> longest;
    synchronized (idle) {
      longest = idle.stream().findFirst();
    }
    if (longest.isPresent()) {
      hangUp(longest.get());
    }
    room.acquireUninterruptibly();
  }

  private void serve(UnixSocket socket) {
    try (DefaultBHttpServerConnection connection =
        new DefaultBHttpServerConnection("http", limits)) {
      socket.setSoTimeout(Math.toIntExact(patience.toMillis()));
      connection.bind(socket);
      Peer peer = socket.peer();
      HttpService service =
          new Service(
              (request, trigger, context) -> {
                idle.remove(socket);
                answer(request, trigger, peer, socket);
              });
      while (connection.isOpen()) {
        idle.add(socket);
        if (stopping) {
          break;
        }
        service.handleRequest(connection, HttpCoreContext.create());
      }
    } catch (ConnectionClosedException | SocketTimeoutException e) {
      // the client has nothing more to say
    } catch (IOException | HttpException e) {
      LOG.debug("a connection ended: {}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("a defect ended a connection", e);
    } finally {
      end(socket);
    }
  }

  /** What HttpCore finds wrong with a request is told in the handler's way. */
  private final class Service extends HttpService {
    Service(HttpServerRequestHandler requests) {
      super(
          HttpProcessors.server(null),
          // answers Expect: 100-continue
          new BasicHttpServerExpectationDecorator(requests),
          limits,
          (request, response, context) ->
              !stopping
                  && DefaultConnectionReuseStrategy.INSTANCE.keepAlive(request, response, context),
          null);
    }

    @Override
    protected void handleException(HttpException e, ClassicHttpResponse response) {
      HttpAnswer.Whole answer = handler.refuse(toStatusCode(e), String.valueOf(e.getMessage()));
      response.setCode(answer.status());
      response.setEntity(new ByteArrayEntity(answer.body(), ContentType.parse(answer.type())));
    }
  }

  private void answer(
      ClassicHttpRequest request,
      HttpServerRequestHandler.ResponseTrigger trigger,
      Peer peer,
      UnixSocket socket)
      throws HttpException, IOException {
    String path = split(request.getPath())[0];
    if (handler.takesBodyAsItComes(request.getMethod(), path)) {
      answerMeanwhile(request, trigger, peer, socket);
      return;
    }
    Optional<byte[]> body = body(request);
    if (body.isEmpty()) {
      String why = "the body is larger than " + MAX_BODY_BYTES + " bytes";
      ClassicHttpResponse response = response(handler.refuse(TOO_LARGE, why), socket);
      response.setHeader(HttpHeaders.CONNECTION, "close");
      // else HttpCore reads the rest of it, however long that is
      request.setEntity(null);
      trigger.submitResponse(response);
      return;
    }
    submit(
        handler.handle(read(request, body.get(), InputStream.nullInputStream(), peer, socket)),
        trigger,
        socket,
        false);
  }

  /** The handler reads the body, and may answer before it has come to its end. */
  private void answerMeanwhile(
      ClassicHttpRequest request,
      HttpServerRequestHandler.ResponseTrigger trigger,
      Peer peer,
      UnixSocket socket)
      throws HttpException, IOException {
    InputStream content =
        request.getEntity() == null
            ? InputStream.nullInputStream()
            : request.getEntity().getContent();
    // else HttpCore reads what is left of it, however long that is
    request.setEntity(null);
    socket.readMuch();
    submit(
        handler.handle(read(request, new byte[0], content, peer, socket)), trigger, socket, true);
  }

  private void submit(
      HttpAnswer answer,
      HttpServerRequestHandler.ResponseTrigger trigger,
      UnixSocket socket,
      boolean last)
      throws HttpException, IOException {
    try (HttpAnswer.Source source = source(answer)) {
      ClassicHttpResponse response = response(answer, socket);
      if (last) {
        response.setHeader(HttpHeaders.CONNECTION, "close");
      }
      trigger.submitResponse(response);
    }
  }

  private static HttpAnswer.Source source(HttpAnswer answer) {
    return switch (answer) {
      case HttpAnswer.Whole whole -> sink -> {};
      case HttpAnswer.Lines lines -> lines.source();
    };
  }

  private ClassicHttpResponse response(HttpAnswer answer, UnixSocket socket) {
    ClassicHttpResponse response = new BasicClassicHttpResponse(answer.status());
    response.setEntity(
        switch (answer) {
          case HttpAnswer.Whole whole ->
              new ByteArrayEntity(whole.body(), ContentType.parse(whole.type()));
          case HttpAnswer.Lines lines -> new LinesEntity(lines, socket);
        });
    return response;
  }

  private HttpRequest read(
      ClassicHttpRequest request, byte[] body, InputStream content, Peer peer, UnixSocket socket)
      throws HttpException {
    String[] parts = split(request.getPath());
    return new HttpRequest(
        request.getMethod(),
        parts[0],
        query(parts[1]),
        body,
        content,
        () -> !stopping && !socket.isGone(),
        asker(request, peer));
  }

  private static Peer asker(ClassicHttpRequest request, Peer connected) throws ProtocolException {
    Header client = request.getFirstHeader(CLIENT);
    if (client == null || connected.pid() != ProcessHandle.current().pid()) {
      return connected;
    }
    try {
      int pid = Integer.parseInt(client.getValue());
      return new Peer(pid, connected.uid(), connected.gid(), connected.groups());
    } catch (NumberFormatException e) {
      throw new ProtocolException(CLIENT + " is no process id", e);
    }
  }

  /** Path and query; the query may be empty. */
  private static String[] split(String target) {
    int mark = target.indexOf('?');
    return mark < 0
        ? new String[] {target, ""}
        : new String[] {target.substring(0, mark), target.substring(mark + 1)};
  }

  /** Empty for none, absent for one that is too large. */
  private static Optional<byte[]> body(ClassicHttpRequest request) throws IOException {
    if (request.getEntity() == null) {
      return Optional.of(new byte[0]);
    }
    byte[] body = request.getEntity().getContent().readNBytes(MAX_BODY_BYTES + 1);
    return body.length > MAX_BODY_BYTES ? Optional.empty() : Optional.of(body);
  }

  private static Map<String, String> query(String text) throws ProtocolException {
    Map<String, String> query = new LinkedHashMap<>();
    for (String pair : text.split("&")) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? pair : pair.substring(0, equals);
      if (!name.isEmpty()) {
        query.put(decode(name), equals < 0 ? "" : decode(pair.substring(equals + 1)));
      }
    }
    return query;
  }

  private static String decode(String text) throws ProtocolException {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new ProtocolException("the query is not percent-encoded: " + e.getMessage(), e);
    }
  }

  /** Sends lines as they come, a chunk each. */
  private final class LinesEntity extends AbstractHttpEntity {
    private final HttpAnswer.Lines lines;
    private final UnixSocket socket;
    private Optional<String> trailer = Optional.empty();

    LinesEntity(HttpAnswer.Lines lines, UnixSocket socket) {
      super(ContentType.parse(lines.type()), null, true);
      this.lines = lines;
      this.socket = socket;
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
      // so that the client learns that its request was taken
      out.flush();
      Sink sink = new Sink(out, socket);
      boolean whole = false;
      try {
        lines.source().writeTo(sink);
        if (sink.failure != null) {
          throw sink.failure;
        }
        trailer = sink.trailer;
        whole = !sink.givenUp;
      } finally {
        if (!whole) {
          // HttpCore writes a last chunk in any case; the client must not take this for the end
          socket.hangUp();
        }
      }
    }

    @Override
    public Set<String> getTrailerNames() {
      return lines.source().trailer().map(Set::of).orElse(Set.of());
    }

    @Override
    public Supplier<List<? extends Header>> getTrailers() {
      return () ->
          trailer
              .map(value -> new BasicHeader(lines.source().trailer().orElseThrow(), value))
              .stream()
              .toList();
    }

    @Override
    public InputStream getContent() {
      throw new UnsupportedOperationException("it is written, not read");
    }

    @Override
    public boolean isStreaming() {
      return true;
    }

    @Override
    public long getContentLength() {
      return -1;
    }

    @Override
    public void close() {
      // nothing is held
    }
  }

  private final class Sink implements HttpAnswer.LineSink {
    private final OutputStream out;
    private final UnixSocket socket;
    private IOException failure;
    private Optional<String> trailer = Optional.empty();
    private boolean givenUp;

    Sink(OutputStream out, UnixSocket socket) {
      this.out = out;
      this.socket = socket;
    }

    @Override
    public boolean write(byte[] line) {
      if (failure != null || socket.isGone()) {
        return false;
      }
      try {
        // also when the server ends: what was done meanwhile is told
        out.write(line);
        out.flush();
        return isOpen();
      } catch (IOException e) {
        failure = e;
        return false;
      }
    }

    @Override
    public boolean isOpen() {
      return failure == null && !stopping && !socket.isGone();
    }

    @Override
    public boolean isReady() {
      try {
        return failure == null && socket.isWritable();
      } catch (ErrnoException e) {
        failure = e;
        return false;
      }
    }

    @Override
    public void end(String value) {
      trailer = Optional.of(value);
    }

    @Override
    public void giveUp() {
      givenUp = true;
    }
  }

  /**
   * Ends: idle connections at once, requests under way after {@code patience}.
   *
   * @throws ErrnoException a connection cannot be ended
   */
  public void stop(Duration patience) throws ErrnoException {
    stopping = true;
    for (UnixSocket socket : List.copyOf(idle)) {
      hangUp(socket);
    }
    threads.shutdown();
    try {
      if (!threads.awaitTermination(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        for (UnixSocket socket : open) {
          hangUp(socket);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void hangUp(UnixSocket socket) throws ErrnoException {
    try {
      socket.hangUp();
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOTCONN)) {
        throw e;
      }
    }
  }
}
