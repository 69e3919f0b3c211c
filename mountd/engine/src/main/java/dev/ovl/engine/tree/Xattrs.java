package dev.ovl.engine.tree;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Extended attributes (xattr(7)) by their full names, sorted. Immutable. */
public final class Xattrs {
  /** None. */
  public static final Xattrs NONE = new Xattrs(Map.of());

  private final SortedMap<String, byte[]> values;

  private Xattrs(Map<String, byte[]> values) {
    SortedMap<String, byte[]> copy = new TreeMap<>();
    values.forEach((name, value) -> copy.put(name, value.clone()));
    this.values = Collections.unmodifiableSortedMap(copy);
  }

  /**
   * Copies names and values.
   *
   * @param values by full name, {@code "security.capability"}, in the form of {@link
   *     dev.ovl.sys.OsPath}
   */
  public static Xattrs of(Map<String, byte[]> values) {
    return values.isEmpty() ? NONE : new Xattrs(values);
  }

  /** The values by name; they are not to be written to. */
  public SortedMap<String, byte[]> values() {
    return values;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Xattrs that
        && values.keySet().equals(that.values.keySet())
        && values.entrySet().stream()
            .allMatch(entry -> Arrays.equals(entry.getValue(), that.values.get(entry.getKey())));
  }

  @Override
  public int hashCode() {
    return values.keySet().hashCode();
  }

  @Override
  public String toString() {
    return values.keySet().toString();
  }
}
