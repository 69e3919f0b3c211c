package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is known of a layer without walking through it.
 *
 * @param driver its driver's name
 * @param ancestors nearest first, the parent before all
 * @param committed it does not change any more
 * @param mounted {@code layer get} has mounted it
 * @param gets how many have it mounted and have not put it yet
 * @param user who needs it besides other layers, {@code "stack web"}
 * @param metadata paths, by the names that {@code docker inspect} shows
 */
public record LayerReport(
    String id,
    String driver,
    List<String> ancestors,
    boolean committed,
    boolean mounted,
    long gets,
    Optional<String> user,
    Map<String, String> metadata) {

  /** Copies the list. */
  public LayerReport {
    ancestors = List.copyOf(ancestors);
  }

  /** An element of {@code layer inspect --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", id);
    json.put("driver", driver);
    json.put("parent", ancestors.isEmpty() ? null : ancestors.get(0));
    json.put("ancestors", ancestors);
    json.put("committed", committed);
    json.put("mounted", mounted);
    json.put("gets", gets);
    json.put("user", user);
    json.put("metadata", metadata);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static LayerReport of(JsonFields json) throws JsonException {
    return new LayerReport(
        json.string("id"),
        json.string("driver"),
        json.strings("ancestors"),
        json.truth("committed"),
        json.truth("mounted"),
        json.number("gets"),
        json.optionalString("user"),
        json.texts("metadata"));
  }
}
