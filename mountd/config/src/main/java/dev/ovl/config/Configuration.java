package dev.ovl.config;

import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A value for each setting of a program, and where it comes from. Immutable. */
public final class Configuration {
  /** A value that its setting may have. */
  public record Value(String text, Origin origin) {}

  private final Map<Setting, Value> values;

  Configuration(Map<Setting, Value> values) {
    this.values = new EnumMap<>(values);
  }

  /**
   * The value of a setting.
   *
   * @throws IllegalArgumentException the program does not read this setting
   */
  public Value value(Setting setting) {
    Value value = values.get(setting);
    if (value == null) {
      throw new IllegalArgumentException("not among this program's settings: " + setting);
    }
    return value;
  }

  /** The value as text; an absolute one of a path. */
  public String text(Setting setting) {
    return value(setting).text();
  }

  /** The value of a {@link Kind.Seconds}. */
  public Duration duration(Setting setting) {
    return Duration.ofSeconds(Long.parseLong(text(setting)));
  }

  /** The value of a {@link Kind.Count}. */
  public int count(Setting setting) {
    return Integer.parseInt(text(setting));
  }

  /** The settings that have another value there, in their order. */
  public List<Setting> differences(Configuration other) {
    return values.keySet().stream()
        .filter(setting -> !text(setting).equals(other.text(setting)))
        .toList();
  }
}
