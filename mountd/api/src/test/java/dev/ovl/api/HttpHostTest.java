package dev.ovl.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The client against peers that answer rightly, wrongly, half, slowly or not at all. */
@Timeout(60)
class HttpHostTest {
  private static final String DONE = "{\"target\": \"/t\"}";
  private static final Duration HASTE = Duration.ofMillis(300);
  private static final String UNKNOWN = "; whether it was done is not known";

  @TempDir private Path directory;

  private static String answer(int status, String body) {
    return "HTTP/1.1 " + status + " x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  private static HttpHost hasty(ScriptedPeer peer) {
    return new HttpHost(peer.address(), "'the socket'", OptionalInt.empty(), HASTE);
  }

  private static HttpHost host(ScriptedPeer peer) {
    return new HttpHost(peer.address(), "'the socket'");
  }

  /** What a change says that gets this answer, after which the peer hangs up. */
  private Failure failureOf(String answer) throws IOException {
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say(answer);
                });
        HttpHost host = host(peer)) {
      Failure failure =
          assertThrows(HostException.class, () -> host.up("web", false, false)).failure();
      assertEquals(1, failure.message().lines().count(), failure::message);
      return failure;
    }
  }

  // ---- streams ------------------------------------------------------------------------------

  private static final Subject BASE =
      new Subject.Layer(new LayerName("base", Optional.of("overlay2")));

  private static ReadableByteChannel archive(byte[] bytes) {
    return Channels.newChannel(new ByteArrayInputStream(bytes));
  }

  private static String chunked(String type, String... parts) {
    StringBuilder answer = new StringBuilder("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n");
    answer.append("Transfer-Encoding: chunked\r\n\r\n");
    for (String part : parts) {
      answer.append(Integer.toHexString(part.length()) + "\r\n" + part + "\r\n");
    }
    return answer.toString();
  }

  @Test
  void anArchiveIsSentWhileItsAnswerComes() throws Exception {
    byte[] bytes = new byte[1_000_000];
    CompletableFuture<String> sent = new CompletableFuture<>();
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say(chunked("x", "{\"progress\":{\"entries\":3,\"bytes\":5}}\n"));
                  sent.complete(connection.untilText("\r\n0\r\n\r\n"));
                  String result = "{\"result\":{\"entries\":4,\"bytes\":6,\"sockets\":0}}\n";
                  connection.say(
                      Integer.toHexString(result.length()) + "\r\n" + result + "\r\n0\r\n\r\n");
                });
        HttpHost host = host(peer)) {
      List<String> heard = new ArrayList<>();
      Watch watch =
          new Watch() {
            @Override
            public void at(long entries, long count) {
              heard.add(entries + " " + count);
            }
          };
      Tally tally = host.apply(BASE, Optional.of("aufs"), archive(bytes), false, watch);
      assertEquals(new Tally(4, 6, 0), tally);
      assertEquals(List.of("3 5"), heard);
      String head = peer.requests().get(0);
      assertTrue(
          head.startsWith("POST /v1/layers/base/apply?driver=overlay2&format=aufs HTTP/1.1\r\n"),
          head);
      assertTrue(head.contains("\r\nTransfer-Encoding: chunked\r\n"), head);
      // the beginning may have come together with the head
      int before = head.length() - head.indexOf("\r\n\r\n") - 4;
      assertTrue(before + sent.get().length() > bytes.length);
    }
  }

  @Test
  void whoWantsNoMoreOfAnArchiveIsHeard() throws Exception {
    ReadableByteChannel endless = Channels.newChannel(new Endless());
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say(
                      answer(409, "{\"error\": {\"kind\": \"failed\", \"message\": \"it is up\"}}")
                          .replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
                  connection.hangUp();
                });
        HttpHost host = host(peer)) {
      HostException e =
          assertThrows(
              HostException.class,
              () -> host.apply(BASE, Optional.empty(), endless, false, Watch.NONE));
      assertEquals("it is up", e.getMessage());
    }
  }

  /** Zeros. */
  private static final class Endless extends InputStream {
    @Override
    public int read() {
      return 0;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      return length;
    }
  }

  @Test
  void anArchiveThatCannotBeReadIsNoWholeBody() throws Exception {
    InputStream broken =
        new SequenceInputStream(
            new ByteArrayInputStream(new byte[10]),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("the disk is gone");
              }

              @Override
              public int read(byte[] bytes, int offset, int length) throws IOException {
                return read();
              }
            });
    CompletableFuture<String> sent = new CompletableFuture<>();
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  sent.complete(connection.untilText("never"));
                  connection.say(
                      answer(409, "{\"error\": {\"kind\": \"failed\", \"message\": \"cut\"}}"));
                });
        HttpHost host = host(peer)) {
      HostException e =
          assertThrows(
              HostException.class,
              () ->
                  host.apply(
                      BASE, Optional.empty(), Channels.newChannel(broken), false, Watch.NONE));
      assertEquals("cannot read the archive: the disk is gone", e.getMessage());
      assertFalse(sent.get().endsWith("0\r\n\r\n"));
    }
  }

  @Test
  void anArchiveComesWithItsTally() throws Exception {
    String answer = chunked("application/x-tar", "some", "thing");
    try (ScriptedPeer peer =
            ScriptedPeer.saying(
                directory,
                answer
                    + "0\r\nOvl-Tally: {\"entries\":1,\"bytes\":9,\"sockets\":2}\r\nOther: x\r\n\r\n");
        HttpHost host = host(peer)) {
      for (int i = 0; i < 2; i++) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Packing packing = new Packing(Optional.of("a b"), Optional.of("oci"), Optional.of("none"));
        Tally tally = host.diff(BASE, packing, Channels.newChannel(out), Watch.NONE);
        assertEquals("something", out.toString(StandardCharsets.UTF_8));
        assertEquals(new Tally(1, 9, 2), tally);
      }
      assertEquals(
          "GET /v1/layers/base/diff?driver=overlay2&against=a%20b&format=oci&compress=none"
              + " HTTP/1.1\r\nHost: ovl\r\n\r\n",
          peer.requests().get(1));
    }
  }

  @Test
  void anArchiveWithoutItsEndIsNone() throws Exception {
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say(chunked("application/x-tar", "some"));
                  connection.hangUp();
                });
        HttpHost host = host(peer)) {
      Packing packing = new Packing(Optional.empty(), Optional.empty(), Optional.empty());
      HostException e =
          assertThrows(
              HostException.class,
              () ->
                  host.diff(
                      BASE, packing, Channels.newChannel(new ByteArrayOutputStream()), Watch.NONE));
      assertTrue(
          e.getMessage().startsWith("the daemon ended in the middle of the archive ("),
          e::getMessage);
      assertFalse(e.getMessage().contains("not known"), "it changes nothing");
    }
  }

  @Test
  void whoCancelsWaitsNoMore() throws Exception {
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.awaitEnd();
                });
        HttpHost host = host(peer)) {
      AtomicInteger asked = new AtomicInteger();
      Watch watch =
          new Watch() {
            @Override
            public boolean isCancelled() {
              return asked.incrementAndGet() > 1;
            }
          };
      HostException e =
          assertThrows(HostException.class, () -> host.size(BASE, Optional.empty(), watch));
      assertEquals("cancelled (ECANCELED)", e.getMessage());
      assertEquals(Optional.of("ECANCELED"), e.failure().errno());
    }
  }

  @Test
  void changesComeUntilTheListenerHasEnough() throws Exception {
    String answer =
        chunked(
                "application/x-ndjson",
                "{\"kind\":\"A\",\"path\":\"/a\"}\n{\"kind\":\"D\",",
                "\"path\":\"/b\\udcff\"}\n",
                "{\"result\":{\"changes\":2}}\n")
            + "0\r\n\r\n";
    try (ScriptedPeer peer = ScriptedPeer.saying(directory, answer);
        HttpHost host = host(peer)) {
      List<PathChange> changes = new ArrayList<>();
      assertEquals(2, host.changes(BASE, Optional.empty(), changes::add, Watch.NONE));
      assertEquals(List.of(new PathChange("A", "/a"), new PathChange("D", "/b\udcff")), changes);
      assertEquals(1, host.changes(BASE, Optional.empty(), change -> false, Watch.NONE));
    }
  }

  @Test
  void aFailureInTheMiddleIsTheDaemonsWord() throws Exception {
    String answer =
        chunked(
                "application/x-ndjson",
                "{\"progress\":{\"entries\":3,\"bytes\":5}}\n",
                "{\"error\":{\"kind\":\"failed\",\"message\":\"no room (ENOSPC)\",\"errno\":\"ENOSPC\"}}\n")
            + "0\r\n\r\n";
    try (ScriptedPeer peer = ScriptedPeer.saying(directory, answer);
        HttpHost host = host(peer)) {
      HostException e =
          assertThrows(
              HostException.class, () -> host.commit("web", Optional.of("next"), Watch.NONE));
      assertEquals(
          new Failure(Failure.Kind.FAILED, "no room (ENOSPC)", Optional.of("ENOSPC")), e.failure());
    }
  }

  // ---- what is right ------------------------------------------------------------------------

  @Test
  void answersOfAKnownLengthKeepTheConnection() throws Exception {
    AtomicInteger connections = new AtomicInteger();
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connections.incrementAndGet();
                  while (connection.request()) {
                    connection.say(answer(200, DONE));
                  }
                });
        HttpHost host = host(peer)) {
      assertEquals(Done.at("/t"), host.up("a+b ü", true, false));
      assertEquals(Done.at("/t"), host.down("web", false, true));
      assertEquals(
          List.of(
              post("/v1/stacks/a%2Bb%20%C3%BC/up?acceptVolatile=true"),
              post("/v1/stacks/web/down?dryRun=true")),
          peer.requests());
    }
    assertEquals(1, connections.get());
  }

  /** A request without a body. */
  private static String post(String target) {
    return "POST " + target + " HTTP/1.1\r\nHost: ovl\r\nContent-Length: 0\r\n\r\n";
  }

  @Test
  void aBodyGoesWithItsLength() throws Exception {
    try (ScriptedPeer peer = ScriptedPeer.saying(directory, answer(200, DONE));
        HttpHost host = host(peer)) {
      host.umount("/t\udcff", true, false);
      String body = "{\"target\":\"/t\\udcff\"}\n";
      assertEquals(
          List.of(
              "POST /v1/umount?lazy=true HTTP/1.1\r\nHost: ovl\r\n"
                  + "Content-Type: application/json\r\nContent-Length: "
                  + body.length()
                  + "\r\n\r\n"
                  + body),
          peer.requests());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"target\": \"/t\"}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-ENCODING:chunked\r\n\r\n1;x=y\r\n{\r\n00f\r\n\"target\": \"/t\"}\r\n0\r\n\r\n",
        "HTTP/1.1 200\r\ncontent-length: 16\r\n\r\n{\"target\": \"/t\"}",
        "HTTP/1.1 200 OK\nContent-Length: 16\n\n{\"target\": \"/t\"}",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 16\r\n\r\n{\"target\": \"/t\"}"
      })
  void answersMayComeInEveryForm(String answer) throws Exception {
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  // byte by byte
                  while (connection.request()) {
                    for (int i = 0; i < answer.length(); i++) {
                      connection.say(answer.substring(i, i + 1));
                    }
                    if (answer.contains("close")) {
                      return;
                    }
                  }
                });
        HttpHost host = host(peer)) {
      assertEquals(Done.at("/t"), host.up("web", false, false));
      assertEquals(Done.at("/t"), host.up("web", false, false), "and once more");
    }
  }

  @Test
  void aRefusalIsTheDaemonsWord() throws Exception {
    Failure failure = new Failure(Failure.Kind.FORBIDDEN, "you may not", Optional.of("EACCES"));
    String refusal =
        "{\"error\": {\"kind\": \"forbidden\", \"message\": \"you may not\", \"errno\": \"EACCES\"}}";
    try (ScriptedPeer peer = ScriptedPeer.saying(directory, answer(403, refusal));
        HttpHost host = host(peer)) {
      for (int i = 0; i < 2; i++) {
        assertEquals(
            failure,
            assertThrows(HostException.class, () -> host.up("web", false, false)).failure());
      }
    }
  }

  @Test
  void whoRefusesBeforeAllIsReadIsHeard() throws Exception {
    String refusal = "{\"error\": {\"kind\": \"usage\", \"message\": \"too large\"}}";
    try (ScriptedPeer peer =
            new ScriptedPeer(directory, connection -> connection.say(answer(413, refusal)));
        HttpHost host = host(peer)) {
      // more than the socket holds
      StackPatch patch =
          new StackPatch(
              Optional.of(List.of("x".repeat(4 << 20))),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              Optional.empty());
      assertEquals(
          Failure.of(Failure.Kind.USAGE, "too large"),
          assertThrows(HostException.class, () -> host.set("web", patch, false)).failure());
    }
  }

  @Test
  void eventsComeUntilTheListenerHasEnough() throws Exception {
    CountDownLatch gone = new CountDownLatch(1);
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                  connection.say("1\r\n\n\r\n9\r\n{\"a\": \"ü\r\n4\r\n\"}\n{\r\n");
                  connection.say("8\r\n\"b\": 2}\n\r\n");
                  connection.awaitEnd();
                  gone.countDown();
                });
        HttpHost host = host(peer)) {
      List<Map<String, Object>> events = new ArrayList<>();
      host.events(
          event -> {
            events.add(event);
            return events.size() < 2;
          });
      assertEquals(List.of(Map.of("a", "ü"), Map.of("b", 2L)), events);
      gone.await();
    }
  }

  @Test
  void eventsEndWithTheDaemon() throws Exception {
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                  connection.say("2\r\n{}\r\n");
                });
        HttpHost host = host(peer)) {
      assertEquals(
          "the daemon ended before it had answered ('the socket')",
          assertThrows(HostException.class, () -> host.events(event -> true)).getMessage());
    }
  }

  // ---- what is not --------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"target\": \"/t\"",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"target\"",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"target\": \"/t\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"target\": \"/t\"}\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"target\": \"/t\"}\r\n0\r\n",
        "HTTP/1.1 500 x\r\nContent-Length: 16\r\n\r\n{\"error\":"
      })
  void aDaemonThatEndsInTheMiddleIsTold(String part) throws IOException {
    assertEquals(
        Failure.of(
            Failure.Kind.UNAVAILABLE,
            "the daemon ended before it had answered ('the socket')" + UNKNOWN),
        failureOf(part));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "220 mail.example ESMTP\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\u0000\u0001\u0002\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}too long\r\n0\r\n\r\n"
      })
  void whatIsNoDaemonIsTold(String garbage) throws IOException {
    Failure failure = failureOf(garbage);
    assertEquals(Failure.Kind.UNAVAILABLE, failure.kind());
    assertTrue(failure.message().startsWith("what answers is no ovl daemon: "), failure::message);
    assertTrue(failure.message().endsWith(" ('the socket')" + UNKNOWN), failure::message);
  }

  @Test
  void tooMuchIsNotRead() throws IOException {
    for (String answer :
        List.of(
            "x".repeat(100_000),
            "HTTP/1.1 200 OK\r\nA: " + "b".repeat(100_000) + "\r\n",
            "HTTP/1.1 200 OK\r\n" + "A: b\r\n".repeat(10_000))) {
      Failure failure = failureOf(answer);
      assertTrue(failure.message().startsWith("what answers is no ovl daemon: "), failure::message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "hello|Unrecognized token",
        "[]|not an object",
        "{} {}|something after",
        "{\"target\": 7}|target is of the wrong kind"
      })
  void anAnswerThatCannotBeReadIsTold(String body, String why) throws IOException {
    Failure failure = failureOf(answer(200, body));
    assertEquals(Failure.Kind.UNAVAILABLE, failure.kind());
    assertTrue(
        failure.message().startsWith("the daemon's answer cannot be read: "), failure::message);
    assertTrue(failure.message().contains(why), failure::message);
  }

  @Test
  void anErrorOfAnotherServerIsTold() throws IOException {
    assertEquals(
        "what answers is no ovl daemon (HTTP 404)",
        failureOf(answer(404, "<html>not found</html>")).message());
    assertEquals("HTTP 502", failureOf(answer(502, "{}")).message());
  }

  @Test
  void aQuestionThatIsLostWasNoChange() throws IOException {
    try (ScriptedPeer peer = new ScriptedPeer(directory, connection -> connection.request());
        HttpHost host = host(peer)) {
      assertEquals(
          "the daemon ended before it had answered ('the socket')",
          assertThrows(HostException.class, () -> host.status("web")).getMessage());
    }
  }

  @Test
  void aDaemonThatIsBackIsConnectedAnew() throws Exception {
    AtomicInteger connections = new AtomicInteger();
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  if (connections.incrementAndGet() > 1) {
                    connection.say(answer(200, DONE));
                  }
                });
        HttpHost host = host(peer)) {
      assertThrows(HostException.class, () -> host.up("web", false, false));
      assertEquals(Done.at("/t"), host.up("web", false, false));
    }
  }

  /** As the server does with connections on which nothing is asked for a minute. */
  @Test
  void aConnectionThatEndedBetweenTwoRequestsIsReplaced() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say(answer(200, DONE));
                  connection.hangUp();
                  ended.countDown();
                });
        HttpHost host = host(peer)) {
      assertEquals(Done.at("/t"), host.up("web", false, false));
      assertTrue(ended.await(10, TimeUnit.SECONDS));
      assertEquals(Done.at("/t"), host.up("web", false, false));
    }
  }

  // ---- patience -----------------------------------------------------------------------------

  private static String about(long deadlineSeconds) {
    return answer(
        200,
        "{\"version\": \"1\", \"java\": \"25\", \"pid\": 1, \"root\": \"/r\", \"rootId\": \"1:1 1\","
            + " \"run\": \"/run\", \"mountNamespace\": \"mnt:[1]\", \"deadlineSeconds\": "
            + deadlineSeconds
            + "}");
  }

  @Test
  void aPeerThatSaysNothingIsLeft() throws IOException {
    for (String part : List.of("", "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{")) {
      try (ScriptedPeer peer =
              new ScriptedPeer(
                  directory,
                  connection -> {
                    connection.request();
                    connection.say(part);
                    connection.awaitEnd();
                  });
          HttpHost host = hasty(peer)) {
        assertEquals(
            Failure.of(Failure.Kind.TIMEOUT, "the daemon does not answer ('the socket')"),
            assertThrows(HostException.class, host::about).failure());
      }
    }
  }

  /** However busy it seems. */
  @Test
  void aPeerThatTricklesIsLeft() throws IOException {
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
                  while (true) {
                    connection.say(" ".repeat(64));
                    Thread.onSpinWait();
                  }
                });
        HttpHost host = hasty(peer)) {
      assertEquals(
          "the daemon does not answer ('the socket')",
          assertThrows(HostException.class, host::about).getMessage());
    }
  }

  @Test
  void aDaemonIsGivenItsOwnDeadline() throws Exception {
    CountDownLatch patient = new CountDownLatch(1);
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  connection.say(about(40));
                  connection.request();
                  awaitLongerThanHaste(patient);
                  connection.say(answer(200, DONE));
                });
        HttpHost host = hasty(peer)) {
      assertEquals(40, host.about().deadlineSeconds());
      assertEquals(Done.at("/t"), host.up("web", false, false));
    }
  }

  /** Longer than is waited for the first answer. */
  private static void awaitLongerThanHaste(CountDownLatch never) {
    try {
      assertTrue(!never.await(3 * HASTE.toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void whoIsInterruptedWaitsNoMore() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    try (ScriptedPeer peer =
            new ScriptedPeer(
                directory,
                connection -> {
                  connection.request();
                  asked.countDown();
                  connection.awaitEnd();
                });
        HttpHost host = host(peer)) {
      Thread client = Thread.currentThread();
      Thread.ofPlatform()
          .start(
              () -> {
                try {
                  asked.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                client.interrupt();
              });
      assertThrows(HostException.class, () -> host.events(event -> true));
      assertTrue(Thread.interrupted());
    }
  }

  // ---- no connection ------------------------------------------------------------------------

  private String unreachable(Path socket) {
    try (HttpHost host = new HttpHost(UnixDomainSocketAddress.of(socket), "'the socket'")) {
      Failure failure = assertThrows(HostException.class, host::about).failure();
      assertEquals(Failure.Kind.UNAVAILABLE, failure.kind());
      return failure.message();
    }
  }

  @Test
  void whereNobodyListensIsTold() throws IOException {
    Path stale = directory.resolve("stale");
    ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        .bind(UnixDomainSocketAddress.of(stale))
        .close();
    assertEquals("cannot connect to 'the socket': Connection refused", unreachable(stale));
    assertEquals(
        "cannot connect to 'the socket': No such file or directory",
        unreachable(directory.resolve("nosuch")));
    assertTrue(unreachable(directory.resolve("x".repeat(200))).contains("too long"));
  }

  @Test
  void aQueueThatIsFullIsToldAtOnce() throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("full"));
    List<SocketChannel> waiting = new ArrayList<>();
    try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      listening.bind(address, 1);
      assertThrows(
          SocketException.class,
          () -> {
            while (true) {
              SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
              waiting.add(channel);
              channel.configureBlocking(false);
              channel.connect(address);
            }
          });
      assertEquals(
          "cannot connect to 'the socket': Resource temporarily unavailable",
          unreachable(address.getPath()));
    } finally {
      for (SocketChannel channel : waiting) {
        channel.close();
      }
    }
  }
}
