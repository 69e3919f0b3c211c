package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Something in a stack that is not as it should be.
 *
 * @param kind what, {@code whiteout-useless} for instance
 * @param severity {@code note} or {@code problem}
 * @param directory that it is in
 * @param path in that directory, with a slash before it
 * @param finding what is wrong, on one line
 * @param repair what a repair does about it; absent where it does nothing
 * @param reason why it does nothing
 * @param outcome {@code found}, {@code mended} or {@code failed}
 * @param failure why the repair failed
 */
public record StackFinding(
    String kind,
    String severity,
    String directory,
    String path,
    String finding,
    Optional<String> repair,
    Optional<String> reason,
    String outcome,
    Optional<String> failure) {

  /** True for a problem that is there still, and for a repair that failed. */
  public boolean isLeft() {
    return outcome.equals("failed") || (severity.equals("problem") && outcome.equals("found"));
  }

  /** An element of {@code fsck --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("kind", kind);
    json.put("severity", severity);
    json.put("directory", directory);
    json.put("path", path);
    json.put("finding", finding);
    json.put("repair", repair.orElse(null));
    json.put("reason", reason.orElse(null));
    json.put("outcome", outcome);
    json.put("failure", failure.orElse(null));
    return json;
  }

  /** The reverse of {@link #json}. */
  public static StackFinding of(JsonFields json) throws JsonException {
    return new StackFinding(
        json.string("kind"),
        json.string("severity"),
        json.string("directory"),
        json.string("path"),
        json.string("finding"),
        json.optionalString("repair"),
        json.optionalString("reason"),
        json.string("outcome"),
        json.optionalString("failure"));
  }
}
