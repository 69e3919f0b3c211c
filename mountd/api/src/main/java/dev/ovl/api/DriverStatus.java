package dev.ovl.api;

import dev.ovl.json.JsonException;
import dev.ovl.json.JsonFields;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a driver tells of itself.
 *
 * @param driver its name
 * @param status names and values for people, in the order to be shown
 */
public record DriverStatus(String driver, Map<String, String> status) {

  /** {@code layer status --json}. */
  public Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("driver", driver);
    json.put("status", status);
    return json;
  }

  /** The reverse of {@link #json}. */
  public static DriverStatus of(JsonFields json) throws JsonException {
    return new DriverStatus(json.string("driver"), json.texts("status"));
  }
}
