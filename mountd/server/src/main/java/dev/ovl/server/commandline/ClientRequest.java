package dev.ovl.server.commandline;

import dev.ovl.cli.session.Session;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a client asks for, and the world around it.
 *
 * @param build of what it belongs to
 * @param directory where it is
 * @param arguments in the text form of {@link OsPath}
 * @param environment the same
 * @param streams standard input, output and error; absent: closed
 * @param terminal which of them are terminals
 */
record ClientRequest(
    String build,
    OsPath directory,
    List<String> arguments,
    Map<String, String> environment,
    List<Optional<Fd>> streams,
    Session.Terminal terminal)
    implements AutoCloseable {
  private static final int STREAMS = 3;

  /**
   * Reads it out of a message, whose descriptors become this object's.
   *
   * @throws ProtocolException it is not in there
   */
  static ClientRequest of(ClientChannel.Message message) throws ProtocolException {
    ByteBuffer content = message.content();
    if (message.kind() != ClientChannel.Kind.REQUEST || content.remaining() < 4 * Integer.BYTES) {
      throw new ProtocolException("no request, but " + message.kind());
    }
    int open = content.getInt();
    int terminals = content.getInt();
    int argumentCount = content.getInt();
    int variableCount = content.getInt();
    List<String> texts = texts(content);
    int environmentStart = 2 + argumentCount;
    if (argumentCount < 0
        || variableCount < 0
        || texts.size() != (long) environmentStart + variableCount
        || message.descriptors().size() != Integer.bitCount(open & 7)) {
      throw new ProtocolException("a request that is not whole");
    }
    Map<String, String> environment = new LinkedHashMap<>();
    for (String variable : texts.subList(environmentStart, texts.size())) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        environment.putIfAbsent(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    List<Optional<Fd>> streams = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < STREAMS; i++) {
      streams.add(
          (open >> i & 1) == 0 ? Optional.empty() : Optional.of(message.descriptors().get(next++)));
    }
    return new ClientRequest(
        texts.get(0),
        OsPath.of(texts.get(1)),
        texts.subList(2, environmentStart),
        environment,
        streams,
        new Session.Terminal((terminals & 1) != 0, (terminals & 2) != 0, (terminals & 4) != 0));
  }

  /** Each ends with a NUL. */
  private static List<String> texts(ByteBuffer content) throws ProtocolException {
    byte[] bytes = new byte[content.remaining()];
    content.get(bytes);
    List<String> texts = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        texts.add(OsPath.of(Arrays.copyOfRange(bytes, start, i)).toString());
        start = i + 1;
      }
    }
    if (start != bytes.length || texts.size() < 2) {
      throw new ProtocolException("a request that is not whole");
    }
    return texts;
  }

  @Override
  public void close() {
    streams.forEach(stream -> stream.ifPresent(Fd::close));
  }
}
