package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A lower that several mounted stacks lie on: what of it is in the page cache is there once for all
 * of them.
 *
 * @param path the directory
 * @param stacks their names
 * @param cachedBytes of its files in the page cache; absent: it cannot be told
 * @param files that were looked at; absent: it cannot be told
 * @param whole false: there are more files, a limit ended the look
 * @param reason why it cannot be told
 */
public record LowerUsage(
    String path,
    List<String> stacks,
    Optional<Long> cachedBytes,
    Optional<Long> files,
    boolean whole,
    Optional<String> reason) {

  /** Copies the list. */
  public LowerUsage {
    stacks = List.copyOf(stacks);
  }

  /** An element of {@code stats --cache --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", path);
    json.put("stacks", stacks);
    json.put("cachedBytes", cachedBytes);
    json.put("files", files);
    json.put("whole", whole);
    json.put("reason", reason);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static LowerUsage of(JsonFields json) throws JsonException {
    return new LowerUsage(
        json.string("path"),
        json.strings("stacks"),
        json.optionalNumber("cachedBytes"),
        json.optionalNumber("files"),
        json.truth("whole"),
        json.optionalString("reason"));
  }
}
