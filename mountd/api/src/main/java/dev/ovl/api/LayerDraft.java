package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code layer create} is asked for.
 *
 * @param driver absent: the one that the root was used with
 * @param parent the layer below, which is committed by this; absent: a base layer
 * @param readWrite to be mounted and written to, rather than filled by {@code layer apply}
 */
public record LayerDraft(
    String id, Optional<String> driver, Optional<String> parent, boolean readWrite) {

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", id);
    json.put("driver", driver);
    json.put("parent", parent);
    json.put("readWrite", readWrite);
    return json;
  }

  /** The reverse of {@link #json}; only {@code id} must be there. Refuses unknown fields. */
  public static LayerDraft of(JsonFields json) throws JsonException {
    LayerDraft draft =
        new LayerDraft(
            json.string("id"),
            json.optionalString("driver"),
            json.optionalString("parent"),
            json.optionalTruth("readWrite"));
    json.end();
    return draft;
  }
}
