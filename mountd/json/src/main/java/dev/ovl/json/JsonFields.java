package dev.ovl.json;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;

/**
 * The fields of an object that was read, taken one by one; {@link #end} refuses what nobody took.
 */
public final class JsonFields {
  private final String place;
  private final Map<?, ?> map;
  private final Set<String> taken = new HashSet<>();

  JsonFields(String place, Map<?, ?> map) {
    this.place = place;
    this.map = map;
  }

  /**
   * The fields of an object that was not read but made, of what {@link Json} writes.
   *
   * @param map as {@link #all} gives it
   */
  public static JsonFields of(Map<String, ?> map) {
    return new JsonFields("", map);
  }

  /** A field that must be there and be a string. */
  public String string(String name) throws JsonException {
    return take(name, String.class).orElseThrow(() -> missing(name));
  }

  /** A string that may be absent. */
  public Optional<String> optionalString(String name) throws JsonException {
    return take(name, String.class);
  }

  /** A field that must be there and be an integer. */
  public long number(String name) throws JsonException {
    return take(name, Long.class).orElseThrow(() -> missing(name));
  }

  /** An integer that may be absent. */
  public Optional<Long> optionalNumber(String name) throws JsonException {
    return take(name, Long.class);
  }

  /** A field that must be there and be true or false. */
  public boolean truth(String name) throws JsonException {
    return take(name, Boolean.class).orElseThrow(() -> missing(name));
  }

  /** True or false; false when absent. */
  public boolean optionalTruth(String name) throws JsonException {
    return take(name, Boolean.class).orElse(false);
  }

  /** A field that must be there and be a list of strings. */
  public List<String> strings(String name) throws JsonException {
    return optionalStrings(name).orElseThrow(() -> missing(name));
  }

  /** A list of strings that may be absent. */
  public Optional<List<String>> optionalStrings(String name) throws JsonException {
    Optional<List<?>> list = take(name, List.class).map(elements -> elements);
    if (list.isEmpty()) {
      return Optional.empty();
    }
    List<String> result = new ArrayList<>();
    for (Object element : list.get()) {
      if (!(element instanceof String text)) {
        throw new JsonException(place + name + " holds something that is no string");
      }
      result.add(text);
    }
    return Optional.of(result);
  }

  /** An object that may be absent. */
  public Optional<JsonFields> object(String name) throws JsonException {
    return take(name, Map.class).map(map -> new JsonFields(place + name + ".", map));
  }

  /** A field that must be there and be an object whose fields are all strings. */
  public Map<String, String> texts(String name) throws JsonException {
    Map<String, String> texts = new LinkedHashMap<>();
    Map<?, ?> fields = take(name, Map.class).orElseThrow(() -> missing(name));
    for (Map.Entry<?, ?> field : fields.entrySet()) {
      if (!(field.getValue() instanceof String text)) {
        throw new JsonException(place + name + " holds something that is no string");
      }
      texts.put(String.valueOf(field.getKey()), text);
    }
    return texts;
  }

  /** A field that must be there and be a list of objects. */
  public List<JsonFields> objects(String name) throws JsonException {
    List<JsonFields> result = new ArrayList<>();
    for (Object element : take(name, List.class).orElseThrow(() -> missing(name))) {
      if (!(element instanceof Map<?, ?> map)) {
        throw new JsonException(place + name + " holds something that is no object");
      }
      result.add(new JsonFields(place + name + ".", map));
    }
    return result;
  }

  /** The object as it was read; every field counts as taken. */
  public Map<String, Object> all() {
    Map<String, Object> all = new LinkedHashMap<>();
    for (Map.Entry<?, ?> field : map.entrySet()) {
      taken.add(String.valueOf(field.getKey()));
      all.put(String.valueOf(field.getKey()), field.getValue());
    }
    return all;
  }

  /** Refuses fields that were not asked for. */
  public void end() throws JsonException {
    StringJoiner unknown = new StringJoiner(", ");
    for (Object name : map.keySet()) {
      if (!taken.contains(String.valueOf(name))) {
        unknown.add(place + name);
      }
    }
    if (unknown.length() > 0) {
      throw new JsonException("unknown field " + unknown);
    }
  }

  private <T> Optional<T> take(String name, Class<T> type) throws JsonException {
    taken.add(name);
    Object value = map.get(name);
    if (value instanceof Optional<?> optional) {
      value = optional.orElse(null);
    }
    if (value == null) {
      return Optional.empty();
    }
    if (!type.isInstance(value)) {
      throw new JsonException(place + name + " is of the wrong kind");
    }
    return Optional.of(type.cast(value));
  }

  private JsonException missing(String name) {
    return new JsonException(place + name + " is missing");
  }
}
