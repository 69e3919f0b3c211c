package dev.ovl.server.commandline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.ovl.server.commandline.ClientChannel.Kind;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.net.SocketException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What comes over the socket, from clients that are well and from others. */
@Timeout(60)
class CommandLineServerTest {
  private static final String BUILD = "this build";

  @TempDir private Path run;
  private CommandLineServer server;

  @BeforeEach
  void start() throws Exception {
    OsPath directory = OsPath.of(run.toString());
    server = CommandLineServer.start(new LinuxSyscalls(), directory, directory, BUILD);
  }

  @AfterEach
  void stop() throws Exception {
    server.stop();
    server.await(Duration.ofSeconds(5));
    assertFalse(Files.exists(run.resolve("cli.sock")));
  }

  private SocketChannel client() throws IOException {
    return SocketChannel.open(UnixDomainSocketAddress.of(run.resolve("cli.sock")));
  }

  private static ByteBuffer message(int kind, byte[] content) {
    return ByteBuffer.allocate(8 + content.length)
        .order(ByteOrder.nativeOrder())
        .putInt(kind)
        .putInt(content.length)
        .put(content)
        .flip();
  }

  /** Without streams. */
  private static byte[] request(String build, String... arguments) {
    ByteBuffer content = ByteBuffer.allocate(1000).order(ByteOrder.nativeOrder());
    content.putInt(0).putInt(0).putInt(arguments.length).putInt(1);
    for (String text : List.of(build, "/", String.join("\0", arguments), "OVL_CONFIG=/dev/null")) {
      content.put(text.getBytes(UTF_8)).put((byte) 0);
    }
    byte[] bytes = new byte[content.flip().remaining()];
    content.get(bytes);
    return bytes;
  }

  /** Kind and number; absent: the connection is at its end. */
  private static Optional<List<Integer>> answer(SocketChannel client) throws IOException {
    ByteBuffer answer = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
    try {
      while (answer.hasRemaining()) {
        if (client.read(answer) < 0) {
          return Optional.empty();
        }
      }
    } catch (SocketException e) {
      // it was ended with bytes that nobody had read
      return Optional.empty();
    }
    answer.flip();
    int kind = answer.getInt();
    assertEquals(Integer.BYTES, answer.getInt());
    return Optional.of(List.of(kind, answer.getInt()));
  }

  private static Optional<List<Integer>> said(Kind kind, int number) {
    return Optional.of(List.of(kind.number(), number));
  }

  /** No stream is open, so that what it prints fails. */
  private void assertServes() throws IOException {
    try (SocketChannel client = client()) {
      client.write(message(Kind.REQUEST.number(), request(BUILD, "version")));
      assertEquals(said(Kind.HEARD, 0), answer(client));
      assertEquals(said(Kind.ACCEPTED, 0), answer(client));
      client.write(message(Kind.GO.number(), new byte[0]));
      assertEquals(said(Kind.DONE, 1), answer(client));
      assertEquals(Optional.empty(), answer(client));
    }
  }

  @Test
  void theSocketIsForThisUserAlone() throws IOException {
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(run.resolve("cli.sock"))));
    assertServes();
  }

  @Test
  void nothingIsDoneBeforeGo() throws Exception {
    try (SocketChannel client = client()) {
      client.write(message(Kind.REQUEST.number(), request(BUILD, "version")));
      assertEquals(said(Kind.HEARD, 0), answer(client));
      assertEquals(said(Kind.ACCEPTED, 0), answer(client));
    }
    server.await(Duration.ofSeconds(10));
    assertServes();
  }

  @Test
  void whatIsNotForUsIsRefused() throws IOException {
    List<byte[]> others =
        List.of(
            request("another build", "version"),
            request(BUILD, "demo"),
            request(BUILD, "--host", "none", "ls"),
            request(BUILD, "--root", "/nosuch", "ls"));
    for (byte[] request : others) {
      try (SocketChannel client = client()) {
        client.write(message(Kind.REQUEST.number(), request));
        if (!new String(request, UTF_8).contains("another build")) {
          assertEquals(said(Kind.HEARD, 0), answer(client));
        }
        assertEquals(said(Kind.REFUSED, 0), answer(client));
        assertEquals(Optional.empty(), answer(client));
      }
    }
  }

  @Test
  void whoeverTalksNonsenseIsNotAnswered() throws IOException {
    byte[] whole = request(BUILD, "version");
    byte[] half = Arrays.copyOf(whole, whole.length / 2);
    byte[] manyArguments = whole.clone();
    ByteBuffer.wrap(manyArguments).order(ByteOrder.nativeOrder()).putInt(8, Integer.MAX_VALUE);
    byte[] streams = whole.clone();
    ByteBuffer.wrap(streams).order(ByteOrder.nativeOrder()).putInt(0, 7);
    List<ByteBuffer> nonsense =
        List.of(
            message(Kind.GO.number(), whole),
            message(-1, whole),
            message(99, whole),
            message(Kind.REQUEST.number(), half),
            message(Kind.REQUEST.number(), manyArguments),
            message(Kind.REQUEST.number(), streams),
            message(Kind.REQUEST.number(), new byte[3]),
            ByteBuffer.wrap("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8)));
    for (ByteBuffer bytes : nonsense) {
      try (SocketChannel client = client()) {
        client.write(bytes);
        client.shutdownOutput();
        assertEquals(Optional.empty(), answer(client));
      }
    }
    assertServes();
  }

  @Test
  void bytesOfAnyKindEndTheirConnectionAlone() throws IOException {
    long seed = System.nanoTime();
    System.out.println("CommandLineServerTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      byte[] bytes =
          random.nextBoolean() ? request(BUILD, "version") : new byte[random.nextInt(64)];
      for (int changed = 1 + random.nextInt(8); changed > 0 && bytes.length > 0; changed--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      try (SocketChannel client = client()) {
        client.write(message(Kind.REQUEST.number(), bytes));
        client.shutdownOutput();
        for (var said = answer(client); said.isPresent(); said = answer(client)) {
          assertNotEquals(said(Kind.DONE, 0), said, "nobody said go");
        }
      }
    }
    assertServes();
  }

  @Test
  void whoSaysNothingIsLeft() throws IOException {
    try (SocketChannel client = client()) {
      assertEquals(Optional.empty(), answer(client));
    }
    assertServes();
  }
}
