package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An overlay mount without a stack. All paths are absolute.
 *
 * @param lowers topmost first
 * @param upper absent: read-only
 * @param work goes with the upper
 * @param options one an element
 * @param method absent or {@code auto}: the first that fits
 */
public record MountDraft(
    List<String> lowers,
    Optional<String> upper,
    Optional<String> work,
    List<String> options,
    String target,
    Optional<String> method) {

  /** Copies the lists. */
  public MountDraft {
    lowers = List.copyOf(lowers);
    options = List.copyOf(options);
  }

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("lower", lowers);
    json.put("upper", upper);
    json.put("work", work);
    json.put("options", options);
    json.put("target", target);
    json.put("method", method);
    return json;
  }

  /** The reverse of {@link #json}. Refuses unknown fields. */
  public static MountDraft of(JsonFields json) throws JsonException {
    MountDraft draft =
        new MountDraft(
            json.strings("lower"),
            json.optionalString("upper"),
            json.optionalString("work"),
            json.optionalStrings("options").orElse(List.of()),
            json.string("target"),
            json.optionalString("method"));
    json.end();
    return draft;
  }
}
