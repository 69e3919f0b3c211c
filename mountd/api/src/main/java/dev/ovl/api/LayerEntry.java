package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;

/** A line of {@code layer ls}: a layer, or why nothing can be said of it. */
public sealed interface LayerEntry {
  /** One that can be read. */
  record Known(LayerSummary summary) implements LayerEntry {
    @Override
    public String id() {
      return summary.id();
    }

    @Override
    public Map<String, Object> json() {
      return summary.json();
    }
  }

  /**
   * One that is broken.
   *
   * @param error why, on one line
   */
  record Unknown(String id, String error) implements LayerEntry {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("id", id);
      json.put("error", error);
      return json;
    }
  }

  /** The layer's id. */
  String id();

  /** An element of {@code layer ls --json}. */
  Map<String, Object> json();

  /** The reverse of {@link #json}. */
  static LayerEntry of(JsonFields json) throws JsonException {
    return json.optionalString("error").isPresent()
        ? new Unknown(json.string("id"), json.string("error"))
        : new Known(LayerSummary.of(json));
  }
}
