package dev.ovl.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.server.socket.UnixListener;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.UnixAddress;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Scratch;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The server against clients that behave well, badly, or not at all. */
@Timeout(120)
class HttpServerTest {
  private static final String JSON = "application/json";
  private static final String GET = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";

  @RegisterExtension final Scratch scratch = Scratch.directory();
  private final Syscalls sys = new LinuxSyscalls();
  private final Handler handler = new Handler();
  private UnixDomainSocketAddress address;
  private Fd listening;
  private HttpServer server;
  private CompletableFuture<Void> served;
  private Leaks leaks;

  /** Answers with what it was asked, or as a test wants. */
  private static final class Handler implements RequestHandler {
    private final BlockingQueue<HttpRequest> requests = new LinkedBlockingQueue<>();
    private volatile HttpAnswer.Source lines = sink -> {};

    @Override
    public HttpAnswer handle(HttpRequest request) {
      requests.add(request);
      return switch (request.path()) {
        case "/lines" -> new HttpAnswer.Lines(200, "application/x-ndjson", lines);
        case "/flow" -> whole(200, taken(request.content()));
        case "/flow-part" -> whole(409, "enough: " + part(request.content()));
        case "/flow-none" -> whole(404, "no such thing");
        case "/defect" -> throw new IllegalStateException("a defect, wanted by this test");
        default ->
            whole(
                200,
                request.method()
                    + " "
                    + request.path()
                    + " "
                    + request.query()
                    + " "
                    + new String(request.body(), StandardCharsets.UTF_8));
      };
    }

    private static String taken(InputStream content) {
      long count = 0;
      byte[] buffer = new byte[100_000];
      try {
        for (int n = content.read(buffer); n >= 0; n = content.read(buffer)) {
          count += n;
        }
        return count + " bytes";
      } catch (IOException e) {
        return count + " bytes, then: " + e.getMessage();
      }
    }

    private static String part(InputStream content) {
      try {
        return new String(content.readNBytes(4), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public boolean takesBodyAsItComes(String method, String path) {
      return path.startsWith("/flow");
    }

    @Override
    public HttpAnswer.Whole refuse(int status, String message) {
      return whole(status, "refused: " + message);
    }

    private static HttpAnswer.Whole whole(int status, String text) {
      return new HttpAnswer.Whole(status, JSON, text.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** The JDK keeps a descriptor of its own from the first channel on. */
  @BeforeAll
  static void openAChannel() throws IOException {
    SocketChannel.open(StandardProtocolFamily.UNIX).close();
  }

  @BeforeEach
  void listen() throws ErrnoException {
    leaks = Leaks.beneath(scratch.path());
    listening = new Fd(sys, sys.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0));
    sys.bind(listening.number(), new UnixAddress(scratch.resolve("s")));
    sys.listen(listening.number(), 1024);
    address = UnixDomainSocketAddress.of(scratch.resolve("s").toString());
    serve(Duration.ofSeconds(30));
  }

  private void serve(Duration patience) {
    server = new HttpServer(sys, new UnixListener(sys, listening), handler, patience);
    served = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                server.serve();
                served.complete(null);
              } catch (ErrnoException | RuntimeException e) {
                served.completeExceptionally(e);
              }
            });
  }

  @AfterEach
  void stop() throws ErrnoException {
    server.stop(Duration.ofSeconds(20));
    served.join();
    listening.close();
    leaks.assertNone();
  }

  private RawClient client() throws IOException {
    return new RawClient(address);
  }

  private void assertStillServes() throws IOException {
    try (RawClient client = client()) {
      assertEquals("GET /alive {} ", client.get("/alive").body());
    }
  }

  // ---- requests -----------------------------------------------------------------------------

  @Test
  void aConnectionTakesManyRequests() throws IOException {
    try (RawClient client = client()) {
      assertEquals("GET /a {} ", client.get("/a").body());
      RawClient.Answer answer = client.ask("POST", "/b?up=true&x=%C3%BC+y&&z", "{\"ü\":1}");
      assertEquals("POST /b {up=true, x=ü y, z=} {\"ü\":1}", answer.body());
      assertEquals(200, answer.status());
      assertEquals(JSON, answer.header("Content-Type").orElseThrow());
      assertEquals("DELETE /c%2Fd {} ", client.ask("DELETE", "/c%2Fd", "").body());
    }
  }

  @Test
  void aBodyMayComeInChunks() throws IOException {
    try (RawClient client = client()) {
      client.say("PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      client.say("3\r\none\r\n").say("4;ext=1\r\n two\r\n0\r\nTrailer: x\r\n\r\n");
      assertEquals("PUT /x {} one two", client.answer().body());
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws IOException {
    try (RawClient client = client()) {
      client.say(
          "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
              + "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
              + "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assertEquals("GET /1 {} ", client.answer().body());
      assertEquals("POST /2 {} two", client.answer().body());
      assertEquals("GET /3 {} ", client.answer().body());
      client.assertEnded();
    }
  }

  @Test
  void whoAsksWhetherToGoOnIsToldSo() throws IOException {
    try (RawClient client = client()) {
      client.say(
          "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
      assertEquals(100, client.head().status());
      assertEquals("POST /x {} body", client.say("body").answer().body());
    }
  }

  @Test
  void thePeerIsTheKernelsWord() throws Exception {
    try (RawClient client = client()) {
      client.say("GET /x HTTP/1.1\r\nHost: x\r\nX-Uid: 12345\r\n\r\n").answer();
    }
    HttpRequest request = handler.requests.take();
    assertEquals(ProcessHandle.current().pid(), request.peer().pid());
    assertEquals(sys.geteuid(), request.peer().uid());
  }

  // ---- bodies as they come ------------------------------------------------------------------

  private static final String FLOW = " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

  @Test
  void aBodyMayHaveAnySize() throws IOException {
    try (RawClient client = client()) {
      client.say("POST /flow" + FLOW);
      String chunk = "10000\r\n" + "x".repeat(0x10000) + "\r\n";
      for (int i = 0; i < 64; i++) {
        client.say(chunk);
      }
      RawClient.Answer answer = client.say("0\r\n\r\n").answer();
      assertEquals(64 * 0x10000 + " bytes", answer.body());
      assertEquals("close", answer.header("Connection").orElseThrow());
      client.assertEnded();
    }
    try (RawClient client = client()) {
      int size = 2 * HttpServer.MAX_BODY_BYTES;
      client.say("POST /flow HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n");
      assertEquals(size + " bytes", client.say("x".repeat(size)).answer().body());
    }
    try (RawClient client = client()) {
      assertEquals("0 bytes", client.get("/flow").body());
    }
  }

  @Test
  void whoAsksWhetherToGoOnWithABodyOfAnySizeIsToldSo() throws IOException {
    try (RawClient client = client()) {
      client.say(
          "POST /flow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
      assertEquals(100, client.head().status());
      assertEquals("4 bytes", client.say("body").answer().body());
    }
  }

  @Test
  void halfABodyIsSeenToBeHalf() throws IOException {
    try (RawClient client = client()) {
      client.say("POST /flow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf").halfClose();
      String body = client.answer().body();
      assertTrue(body.startsWith("4 bytes, then: Premature end of "), body);
    }
    try (RawClient client = client()) {
      client.say("POST /flow" + FLOW + "4\r\nhalf\r\n").halfClose();
      String body = client.answer().body();
      assertTrue(body.startsWith("4 bytes, then: Premature end of "), body);
    }
    try (RawClient client = client()) {
      client.say("POST /flow" + FLOW + "4\r\nhalf\r\nno number\r\n");
      String body = client.answer().body();
      assertTrue(body.startsWith("4 bytes, then: "), body);
    }
    assertStillServes();
  }

  /** What follows would else be taken for a request. */
  @Test
  void aBodyLongerThanSaidEndsTheConnection() throws IOException {
    try (RawClient client = client()) {
      client.say(
          "POST /flow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyGET /x HTTP/1.1\r\n\r\n");
      assertEquals("4 bytes", client.answer().body());
      client.assertEnded();
    }
    assertStillServes();
  }

  @Test
  void anAnswerMayComeBeforeTheEndOfTheBody() throws IOException {
    for (String path : List.of("/flow-part", "/flow-none")) {
      try (RawClient client = client()) {
        client.say("POST " + path + FLOW + "8\r\nlong one\r\n");
        RawClient.Answer answer = client.answer();
        assertEquals(path.endsWith("part") ? "enough: long" : "no such thing", answer.body());
        client.assertEnded();
      }
    }
    assertStillServes();
  }

  /** Where a body comes from may be slow; a connection that says nothing at all is not kept. */
  @Test
  void aBodyMayTakeItsTime() throws Exception {
    server.stop(Duration.ofSeconds(20));
    served.join();
    serve(Duration.ofMillis(50));
    try (RawClient slow = client();
        RawClient idle = client()) {
      slow.say("POST /flow" + FLOW + "4\r\nhalf\r\n");
      handler.requests.take();
      for (int i = 0; i < 3; i++) {
        try (RawClient later = client()) {
          later.assertEnded();
        }
      }
      idle.assertEnded();
      assertEquals("8 bytes", slow.say("4\r\nmore\r\n0\r\n\r\n").answer().body());
    }
  }

  // ---- answers as they come -----------------------------------------------------------------

  @Test
  void behindAnAnswerMayComeATrailer() throws IOException {
    handler.lines =
        new HttpAnswer.Source() {
          @Override
          public void writeTo(HttpAnswer.LineSink sink) {
            sink.write(new byte[] {'a'});
            sink.end("{\"entries\":1}");
          }

          @Override
          public Optional<String> trailer() {
            return Optional.of("Ovl-Tally");
          }
        };
    try (RawClient client = client()) {
      RawClient.Answer answer = client.get("/lines");
      assertEquals("a", answer.body());
      assertEquals("Ovl-Tally", answer.header("Trailer").orElseThrow());
      assertEquals(List.of("Ovl-Tally: {\"entries\":1}"), client.trailers());
      assertEquals("GET /alive {} ", client.get("/alive").body(), "the connection goes on");
    }
  }

  @Test
  void anAnswerThatIsGivenUpHasNoEnd() throws IOException {
    handler.lines =
        sink -> {
          sink.write(new byte[] {'a'});
          sink.giveUp();
        };
    try (RawClient client = client()) {
      assertEquals(200, client.say(GET.replace("/x", "/lines")).head().status());
      assertEquals("a", client.chunk().orElseThrow());
      assertThrows(EOFException.class, client::chunk);
    }
    assertStillServes();
  }

  /** Whatever becomes of the answer. */
  @Test
  void theSourceOfAnAnswerIsClosed() throws Exception {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    handler.lines =
        new HttpAnswer.Source() {
          @Override
          public void writeTo(HttpAnswer.LineSink sink) {
            heard.add("written");
            while (sink.write(new byte[100_000])) {
              // until the client has gone
            }
          }

          @Override
          public void close() {
            heard.add("closed");
          }
        };
    try (RawClient client = client()) {
      client.say(GET.replace("/x", "/lines")).head();
      assertEquals("written", heard.take());
    }
    assertEquals("closed", heard.take());
    assertStillServes();
  }

  @Test
  void whetherSomethingCouldBeWrittenIsKnown() throws Exception {
    BlockingQueue<Boolean> ready = new LinkedBlockingQueue<>();
    CountDownLatch read = new CountDownLatch(1);
    handler.lines =
        sink -> {
          ready.add(sink.isReady());
          while (sink.isReady()) {
            sink.write(new byte[10_000]);
          }
          ready.add(sink.isReady());
          read.countDown();
        };
    try (RawClient client = client()) {
      client.say(GET.replace("/x", "/lines")).head();
      assertTrue(ready.take());
      assertFalse(ready.take(), "nobody reads");
      read.await();
      while (client.chunk().isPresent()) {
        // to its end
      }
    }
  }

  // ---- too much, or wrong -------------------------------------------------------------------

  private void assertRefused(int status, String why, String request) throws IOException {
    try (RawClient client = client()) {
      RawClient.Answer answer = client.say(request).answer();
      assertEquals(status, answer.status());
      assertTrue(answer.body().startsWith("refused: "), answer::body);
      assertTrue(answer.body().contains(why), answer::body);
      assertEquals(JSON, answer.header("Content-Type").orElseThrow());
      client.assertEnded();
    }
    assertEquals(0, handler.requests.size());
    assertStillServes();
    handler.requests.clear();
  }

  @Test
  void theLargestBodyIsTakenAndAByteMoreIsNot() throws Exception {
    String largest = "x".repeat(HttpServer.MAX_BODY_BYTES);
    try (RawClient client = client()) {
      assertEquals(200, client.ask("POST", "/x", largest).status());
    }
    assertEquals(HttpServer.MAX_BODY_BYTES, handler.requests.take().body().length);
    assertRefused(
        413,
        "larger than 1048576 bytes",
        "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: "
            + (largest.length() + 1)
            + "\r\n\r\n"
            + largest
            + "x");
    assertRefused(
        413,
        "larger than 1048576 bytes",
        "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n"
            + largest
            + "x");
  }

  @Test
  void tooManyHeadersAndTooLongLinesAreRefused() throws IOException {
    assertRefused(431, "", "GET /x HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(100) + "\r\n");
    assertRefused(431, "", "GET /x HTTP/1.1\r\nHost: x\r\nA: " + "b".repeat(20_000) + "\r\n\r\n");
    assertRefused(431, "", "GET /" + "x".repeat(20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }

  @Test
  void whatIsNoHttpIsRefused() throws IOException {
    assertRefused(400, "", "hello\r\n\r\n");
    assertRefused(400, "", "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n");
    assertRefused(400, "", "GET /x HTTP/1.1\r\nno colon\r\n\r\n");
    assertRefused(400, "Host", "GET /x HTTP/1.1\r\n\r\n");
    assertRefused(505, "", "GET /x HTTP/3.0\r\nHost: x\r\n\r\n");
    assertRefused(400, "percent-encoded", "GET /x?%zz=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assertRefused(400, "", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n");
  }

  @Test
  void aDefectEndsItsConnectionOnly() throws IOException {
    try (RawClient client = client()) {
      client.say("GET /defect HTTP/1.1\r\nHost: x\r\n\r\n").assertEnded();
    }
    assertStillServes();
  }

  // ---- clients that go, or stay -------------------------------------------------------------

  @Test
  void aClientThatSaysNoMoreIsStillAnswered() throws IOException {
    try (RawClient client = client()) {
      assertEquals("GET /x {} ", client.say(GET).halfClose().answer().body());
      client.assertEnded();
    }
  }

  @Test
  void aClientThatGoesInTheMiddleIsNoMatter() throws IOException {
    for (String part :
        List.of(
            "",
            "GET",
            "GET /x HTTP/1.1\r\nHo",
            "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfive.",
            "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")) {
      try (RawClient client = client()) {
        client.say(part);
      }
      assertStillServes();
    }
    handler.requests.removeIf(request -> request.path().equals("/alive"));
    assertEquals(0, handler.requests.size());
  }

  @Test
  void aClientThatDoesNotSpeakOnIsLeft() throws IOException, ErrnoException {
    server.stop(Duration.ZERO);
    served.join();
    serve(Duration.ofMillis(200));
    try (RawClient silent = client();
        RawClient half = client()) {
      half.say("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
      silent.assertEnded();
      half.assertEnded();
    }
  }

  @Test
  void idleConnectionsDoNotKeepOthersOut() throws IOException {
    List<RawClient> idle = new ArrayList<>();
    try {
      for (int i = 0; i < 600; i++) {
        RawClient client = client();
        idle.add(client);
        // half of them have asked something before
        if (i % 2 == 0) {
          client.get("/x");
        }
      }
      assertStillServes();
      idle.get(0).assertEnded();
      assertEquals("GET /last {} ", idle.getLast().get("/last").body());
    } finally {
      for (RawClient client : idle) {
        client.close();
      }
    }
  }

  // ---- streams ------------------------------------------------------------------------------

  @Test
  void linesComeOneByOne() throws Exception {
    BlockingQueue<String> lines = new SynchronousQueue<>();
    handler.lines =
        sink -> {
          boolean open = true;
          while (open) {
            String line = take(lines);
            open =
                !line.equals("end") && sink.write((line + "\n").getBytes(StandardCharsets.UTF_8));
          }
        };
    try (RawClient client = client()) {
      client.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n");
      // before there is any line
      assertEquals("application/x-ndjson", client.head().header("Content-Type").orElseThrow());
      lines.put("one");
      assertEquals("one\n", client.chunk().orElseThrow());
      lines.put("two");
      assertEquals("two\n", client.chunk().orElseThrow());
      lines.put("end");
      assertTrue(client.chunk().isEmpty());
      assertEquals("GET /x {} ", client.get("/x").body(), "the connection goes on");
    }
  }

  private static <T> T take(BlockingQueue<T> queue) {
    try {
      return queue.take();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The source is told, and its thread is free again. */
  @Test
  void aClientThatVanishesEndsItsStream() throws Exception {
    CompletableFuture<Boolean> openAtEnd = new CompletableFuture<>();
    handler.lines =
        sink -> {
          while (sink.write("line\n".getBytes(StandardCharsets.UTF_8))) {
            Thread.onSpinWait();
          }
          openAtEnd.complete(sink.isOpen());
        };
    try (RawClient client = client()) {
      client.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n").head();
    }
    assertFalse(openAtEnd.get());

    CountDownLatch gone = new CountDownLatch(1);
    handler.lines =
        sink -> {
          // nothing to say, but it can be asked
          while (sink.isOpen()) {
            Thread.onSpinWait();
          }
          gone.countDown();
        };
    try (RawClient client = client()) {
      client.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n").head();
    }
    gone.await();
  }

  @Test
  void aClientThatNeverReadsAStreamIsLeft() throws Exception {
    server.stop(Duration.ZERO);
    served.join();
    serve(Duration.ofMillis(200));
    CountDownLatch ended = new CountDownLatch(1);
    handler.lines =
        sink -> {
          while (sink.write("x".repeat(1000).getBytes(StandardCharsets.UTF_8))) {
            Thread.onSpinWait();
          }
          ended.countDown();
        };
    try (RawClient client = client()) {
      client.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n").head();
      ended.await();
      assertStillServes();
      // what is there can be read, but there is no last chunk
      assertThrows(
          EOFException.class,
          () -> {
            while (client.chunk().isPresent()) {
              Thread.onSpinWait();
            }
          });
    }
  }

  // ---- the end ------------------------------------------------------------------------------

  @Test
  void whatIsUnderWayIsAnsweredBeforeTheEnd() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    handler.lines =
        sink -> {
          begun.countDown();
          await(stopped);
          while (sink.isOpen()) {
            Thread.onSpinWait();
          }
          assertFalse(sink.write("done\n".getBytes(StandardCharsets.UTF_8)), "no more is wanted");
        };
    try (RawClient idle = client();
        RawClient busy = client()) {
      idle.get("/x");
      busy.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n");
      begun.await();
      CompletableFuture<Void> end =
          CompletableFuture.runAsync(
              () -> {
                try {
                  server.stop(Duration.ofSeconds(30));
                } catch (ErrnoException e) {
                  throw new IllegalStateException(e);
                }
              });
      idle.assertEnded();
      stopped.countDown();
      assertEquals("done\n", busy.answer().body());
      busy.assertEnded();
      end.get();
    }
    served.get();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aStreamWithADefectHasNoLastChunk() throws IOException {
    handler.lines =
        sink -> {
          sink.write("one\n".getBytes(StandardCharsets.UTF_8));
          throw new IllegalStateException("a defect, wanted by this test");
        };
    try (RawClient client = client()) {
      client.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n").head();
      assertEquals("one\n", client.chunk().orElseThrow());
      assertThrows(EOFException.class, client::chunk);
    }
  }

  @Test
  void whatDoesNotEndIsCutInTheEnd() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    handler.lines = sink -> await(release);
    try (RawClient client = client()) {
      client.say("GET /lines HTTP/1.1\r\nHost: x\r\n\r\n").head();
      server.stop(Duration.ZERO);
      assertThrows(EOFException.class, client::chunk);
    } finally {
      release.countDown();
    }
  }
}
