package dev.ovl.server.http;

import dev.ovl.sys.Peer;
import java.io.InputStream;
import java.util.Map;

/**
 * A request.
 *
 * @param method {@code GET} and the like
 * @param path as sent, still percent-encoded, without the query
 * @param query decoded; the last of equal names
 * @param body read whole; empty for none, and where it is read as it comes
 * @param content the body as it comes, where the handler wants it so; ends where that does, and
 *     fails when the client goes away before. For one thread, until the answer was given
 * @param client whether it is still there
 * @param peer who asks, by the kernel's word; where this process itself does, the one it does it
 *     for
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares requests
public record HttpRequest(
    String method,
    String path,
    Map<String, String> query,
    byte[] body,
    InputStream content,
    Client client,
    Peer peer) {

  /** Who waits for the answer. */
  public interface Client {
    /** Whether it still does, and the server goes on. Asks the kernel; does not wait. */
    boolean isOpen();
  }
}
