package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A stack's upper that was merged.
 *
 * @param directory the lower that has its content now
 * @param layer whose content that is; absent for a plain directory
 */
public record MergeReport(String directory, Optional<String> layer) {

  /** As {@code merge --json} tells it. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("directory", directory);
    json.put("layer", layer.orElse(null));
    return json;
  }

  /** The reverse of {@link #json}. */
  public static MergeReport of(JsonFields json) throws JsonException {
    return new MergeReport(json.string("directory"), json.optionalString("layer"));
  }
}
