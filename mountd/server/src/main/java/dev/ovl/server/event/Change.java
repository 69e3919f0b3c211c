package dev.ovl.server.event;

import dev.ovl.api.Failure;
import dev.ovl.sys.Peer;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * An attempt to change something.
 *
 * @param time when it ended
 * @param verb as ovlctl names it
 * @param object the stack's name, or the target of a mount without a stack
 * @param peer who asked
 * @param took how long
 * @param target where it is mounted now, for what mounts
 * @param failure absent when it was done
 */
public record Change(
    Instant time,
    String verb,
    String object,
    Peer peer,
    Duration took,
    Optional<String> target,
    Optional<Failure> failure) {

  /** A line of {@code /v1/events}; times of RFC 3339, durations in microseconds. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("time", time.toString());
    json.put("action", verb);
    json.put("object", object);
    json.put("target", target);
    json.put("uid", peer.uid());
    json.put("pid", peer.pid());
    json.put("micros", took.toNanos() / 1000);
    json.put("error", failure.map(Failure::json));
    return json;
  }
}
