package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A change of the branches of a stack of aufs.
 *
 * @param change {@code add}, {@code rm} or {@code mod}
 * @param branch absolute: the directory for {@code rm}, else {@code DIR=PERMISSION}
 * @param index where to add it among all branches, 0 for the top; absent: right below the upper
 */
public record BranchPatch(String change, String branch, Optional<Long> index) {
  /** Adds a branch. */
  public static final String ADD = "add";

  /** Takes one away. */
  public static final String REMOVE = "rm";

  /** Gives one another permission. */
  public static final String MODIFY = "mod";

  /** As it crosses the socket. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("change", change);
    json.put("branch", branch);
    json.put("index", index);
    return json;
  }

  /** The reverse of {@link #json}. Refuses unknown fields. */
  public static BranchPatch of(JsonFields json) throws JsonException {
    BranchPatch patch =
        new BranchPatch(json.string("change"), json.string("branch"), json.optionalNumber("index"));
    json.end();
    return patch;
  }
}
