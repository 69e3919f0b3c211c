package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A file that takes room in a stack's upper for data that a directory below has, too.
 *
 * @param path from the root of the stack
 * @param bytes of allocated blocks
 * @param reason why it was copied: {@code attributes}, {@code moved} or {@code unchanged}
 * @param from the path by which the directories below have its data; of a moved one only
 */
public record WastedCopy(String path, long bytes, String reason, Optional<String> from) {

  /** An element of {@code which --wasted --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", path);
    json.put("bytes", bytes);
    json.put("reason", reason);
    json.put("from", from.orElse(null));
    return json;
  }

  /** The reverse of {@link #json}. */
  public static WastedCopy of(JsonFields json) throws JsonException {
    return new WastedCopy(
        json.string("path"),
        json.number("bytes"),
        json.string("reason"),
        json.optionalString("from"));
  }
}
