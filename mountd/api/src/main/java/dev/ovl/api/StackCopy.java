package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code clone} is asked for.
 *
 * @param as the new stack's name
 * @param patch what is different in it
 */
public record StackCopy(String as, StackPatch patch) {

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("as", as);
    json.put("changes", patch.json());
    return json;
  }

  /** The reverse of {@link #json}. Refuses unknown fields. */
  public static StackCopy of(JsonFields json) throws JsonException {
    Optional<JsonFields> changes = json.object("changes");
    StackCopy copy =
        new StackCopy(
            json.string("as"),
            changes.isPresent()
                ? StackPatch.of(changes.get())
                : new StackPatch(
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty()));
    json.end();
    return copy;
  }
}
