package dev.ovl.server.http;

import dev.ovl.sys.Peer;
import java.util.Map;

/**
 * A request, read whole.
 *
 * @param method {@code GET} and the like
 * @param path as sent, still percent-encoded, without the query
 * @param query decoded; the last of equal names
 * @param body empty for none
 * @param peer who asks, by the kernel's word
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares requests
public record HttpRequest(
    String method, String path, Map<String, String> query, byte[] body, Peer peer) {}
