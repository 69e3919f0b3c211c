package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A change that was made, or was only checked.
 *
 * @param target where the stack is mounted now, for what mounts
 * @param note for a person: what would be done
 */
public record Done(Optional<String> target, Optional<String> note) {
  /** With nothing to tell. */
  public static final Done SILENT = new Done(Optional.empty(), Optional.empty());

  /** Mounted there. */
  public static Done at(String target) {
    return new Done(Optional.of(target), Optional.empty());
  }

  /** Checked: it would be done like this. */
  public static Done would(String note) {
    return new Done(Optional.empty(), Optional.of(note));
  }

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("target", target);
    json.put("note", note);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static Done of(JsonFields json) throws JsonException {
    return new Done(json.optionalString("target"), json.optionalString("note"));
  }
}
