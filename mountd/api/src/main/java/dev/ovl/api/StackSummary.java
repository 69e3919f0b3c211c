package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A stack in short.
 *
 * @param driver its driver's name
 * @param up whether it is mounted in the host's mount namespace
 * @param remark what is odd about the mount: covered by another, moved by hand
 * @param target where it is, or would be, mounted
 * @param lowers how many
 */
public record StackSummary(
    String name, String driver, boolean up, Optional<String> remark, String target, long lowers) {
  static final String UP = "up";
  static final String DOWN = "down";

  /** {@code up} or {@code down}. */
  public String state() {
    return up ? UP : DOWN;
  }

  /** An element of {@code ls --json}, and what {@code status --json} prints. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", name);
    json.put("driver", driver);
    json.put("state", state());
    json.put("remark", remark);
    json.put("target", target);
    json.put("lowers", lowers);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static StackSummary of(JsonFields json) throws JsonException {
    return new StackSummary(
        json.string("name"),
        json.string("driver"),
        json.string("state").equals(UP),
        json.optionalString("remark"),
        json.string("target"),
        json.number("lowers"));
  }
}
