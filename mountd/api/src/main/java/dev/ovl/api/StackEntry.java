package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;

/** A line of {@code ls}: a stack, or why nothing can be said of it. */
public sealed interface StackEntry {
  /** One that can be read. */
  record Known(StackSummary summary) implements StackEntry {
    @Override
    public String name() {
      return summary.name();
    }

    @Override
    public Map<String, Object> json() {
      return summary.json();
    }
  }

  /**
   * One whose definition or state cannot be read.
   *
   * @param error why, on one line
   */
  record Unknown(String name, String error) implements StackEntry {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("name", name);
      json.put("error", error);
      return json;
    }
  }

  /** The stack's name. */
  String name();

  /** An element of {@code ls --json}. */
  Map<String, Object> json();

  /** The reverse of {@link #json}. */
  static StackEntry of(JsonFields json) throws JsonException {
    return json.optionalString("error").isPresent()
        ? new Unknown(json.string("name"), json.string("error"))
        : new Known(StackSummary.of(json));
  }
}
