package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A layer in short.
 *
 * @param driver its driver's name
 * @param parent absent: it is a base layer
 * @param committed it does not change any more
 * @param mounted {@code layer get} has mounted it
 */
public record LayerSummary(
    String id, String driver, Optional<String> parent, boolean committed, boolean mounted) {

  /** An element of {@code layer ls --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", id);
    json.put("driver", driver);
    // null rather than left out, as in the stacks' reports
    json.put("parent", parent.orElse(null));
    json.put("committed", committed);
    json.put("mounted", mounted);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static LayerSummary of(JsonFields json) throws JsonException {
    return new LayerSummary(
        json.string("id"),
        json.string("driver"),
        json.optionalString("parent"),
        json.truth("committed"),
        json.truth("mounted"));
  }
}
