package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A mount of a stack in another mount namespace, which unmounting it in the host's leaves alive.
 *
 * @param namespace {@code "mnt:[4026531841]"}
 * @param target where, seen from the root directory of the namespace
 * @param pid of a process that lives there; absent: none shows itself
 */
public record Elsewhere(String namespace, String target, Optional<Long> pid) {
  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("namespace", namespace);
    json.put("target", target);
    json.put("pid", pid);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static Elsewhere of(JsonFields json) throws JsonException {
    return new Elsewhere(
        json.string("namespace"), json.string("target"), json.optionalNumber("pid"));
  }
}
