package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code set} and {@code clone} change of a stack; what is absent stays. All paths are
 * absolute.
 *
 * @param lowers plain directories, topmost first
 * @param parent the layer whose chain lies below them; {@code none} takes it away
 * @param upper a directory of the user's
 * @param work goes with the upper
 * @param target {@code default} takes it back
 * @param options mount options, all of them; an element may hold several, separated by commas
 * @param propagation {@code default} takes it back
 * @param method {@code auto} takes it back
 */
public record StackPatch(
    Optional<List<String>> lowers,
    Optional<String> parent,
    Optional<String> upper,
    Optional<String> work,
    Optional<String> target,
    Optional<List<String>> options,
    Optional<String> propagation,
    Optional<String> method) {

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("lower", lowers);
    json.put("parent", parent);
    json.put("upper", upper);
    json.put("work", work);
    json.put("target", target);
    json.put("options", options);
    json.put("propagation", propagation);
    json.put("method", method);
    return json;
  }

  /** The reverse of {@link #json}. Refuses unknown fields. */
  public static StackPatch of(JsonFields json) throws JsonException {
    StackPatch patch =
        new StackPatch(
            json.optionalStrings("lower"),
            json.optionalString("parent"),
            json.optionalString("upper"),
            json.optionalString("work"),
            json.optionalString("target"),
            json.optionalStrings("options"),
            json.optionalString("propagation"),
            json.optionalString("method"));
    json.end();
    return patch;
  }
}
