package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A path that is not the same as below.
 *
 * @param kind {@code "A"} added, {@code "C"} changed, {@code "D"} deleted, as docker letters them
 * @param path absolute, as seen from inside the tree
 */
public record PathChange(String kind, String path) {

  /** An element of {@code changes --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("kind", kind);
    json.put("path", path);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static PathChange of(JsonFields json) throws JsonException {
    return new PathChange(json.string("kind"), json.string("path"));
  }
}
