package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One of the directories that a stack is made of, and what it takes.
 *
 * @param path of the directory
 * @param layer whose content it is; absent for a plain directory and for the stack's own upper
 * @param writable it is the upper
 * @param bytes of allocated blocks
 * @param files directories, links and devices included; one with several names counts once
 */
public record StackLevel(
    String path, Optional<String> layer, boolean writable, long bytes, long files) {

  /** A level of {@code tree --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", path);
    json.put("layer", layer.orElse(null));
    json.put("writable", writable);
    json.put("bytes", bytes);
    json.put("files", files);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static StackLevel of(JsonFields json) throws JsonException {
    return new StackLevel(
        json.string("path"),
        json.optionalString("layer"),
        json.truth("writable"),
        json.number("bytes"),
        json.number("files"));
  }
}
