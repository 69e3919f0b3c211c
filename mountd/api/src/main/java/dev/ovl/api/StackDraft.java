package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code create} is asked for. All paths are absolute.
 *
 * @param driver absent: the root's, or the best there is
 * @param lowers plain directories, topmost first; may be empty where there is a parent
 * @param branches of an aufs, above the lowers, topmost first: {@code DIR=PERMISSION}
 * @param parent the layer whose chain lies below them
 * @param readOnly no upper at all
 * @param upper a directory of the user's; absent: a new layer, unless read-only
 * @param work goes with the upper
 * @param target absent: the layer's own place
 * @param options mount options; an element may hold several, separated by commas
 * @param propagation absent or {@code default}: as the kernel decides
 * @param method absent or {@code auto}: the first that fits
 * @param compat mount it as Docker would, without redirect_dir and metacopy
 */
public record StackDraft(
    String name,
    Optional<String> driver,
    List<String> lowers,
    List<String> branches,
    Optional<String> parent,
    boolean readOnly,
    Optional<String> upper,
    Optional<String> work,
    Optional<String> target,
    List<String> options,
    Optional<String> propagation,
    Optional<String> method,
    boolean compat) {

  /** Copies the lists. */
  public StackDraft {
    lowers = List.copyOf(lowers);
    branches = List.copyOf(branches);
    options = List.copyOf(options);
  }

  /** A stack with an upper of its own over directories, and nothing else said. */
  public static StackDraft over(String name, List<String> lowers) {
    return new StackDraft(
        name,
        Optional.empty(),
        lowers,
        List.of(),
        Optional.empty(),
        false,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        Optional.empty(),
        false);
  }

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", name);
    json.put("driver", driver);
    json.put("lower", lowers);
    json.put("branch", branches);
    json.put("parent", parent);
    json.put("readOnly", readOnly);
    json.put("upper", upper);
    json.put("work", work);
    json.put("target", target);
    json.put("options", options);
    json.put("propagation", propagation);
    json.put("method", method);
    json.put("compat", compat);
    return json;
  }

  /** The reverse of {@link #json}; only {@code name} must be there. Refuses unknown fields. */
  public static StackDraft of(JsonFields json) throws JsonException {
    StackDraft draft =
        new StackDraft(
            json.string("name"),
            json.optionalString("driver"),
            json.optionalStrings("lower").orElse(List.of()),
            json.optionalStrings("branch").orElse(List.of()),
            json.optionalString("parent"),
            json.optionalTruth("readOnly"),
            json.optionalString("upper"),
            json.optionalString("work"),
            json.optionalString("target"),
            json.optionalStrings("options").orElse(List.of()),
            json.optionalString("propagation"),
            json.optionalString("method"),
            json.optionalTruth("compat"));
    json.end();
    return draft;
  }
}
