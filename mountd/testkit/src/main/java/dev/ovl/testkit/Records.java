package dev.ovl.testkit;

import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes instances of any record, so that what is claimed of all records of a kind is tested with
 * those, too, that come later.
 */
public final class Records {
  /** All that is odd in JSON and in names, a byte that is no UTF-8 among it. */
  public static final String TEXT = "\udcff ü\u20ac\ud83d\ude00\"\\\n\t\u0001/";

  private Records() {}

  /** How much of what may be absent is there. */
  private enum Filling {
    FULL,
    HOLLOW,
    BARE;

    boolean hasOptionals() {
      return this != BARE;
    }

    Filling ofNested() {
      return this == FULL ? FULL : BARE;
    }
  }

  /** With everything, in the records within it, too. */
  public static <T> T full(Class<T> type) {
    return make(type, Filling.FULL);
  }

  /** With everything, but the records within it are {@link #bare}. */
  public static <T> T hollow(Class<T> type) {
    return make(type, Filling.HOLLOW);
  }

  /** Without what may be absent, and with empty lists. */
  public static <T> T bare(Class<T> type) {
    return make(type, Filling.BARE);
  }

  private static <T> T make(Class<T> type, Filling filling) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values =
        Arrays.stream(components)
            .map(component -> value(component.getGenericType(), filling))
            .toArray();
    try {
      Constructor<T> constructor =
          type.getDeclaredConstructor(
              Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot make a " + type, e);
    }
  }

  private static Object value(Type type, Filling filling) {
    if (type instanceof ParameterizedType generic) {
      Type content = generic.getActualTypeArguments()[0];
      if (generic.getRawType() == Optional.class) {
        return filling.hasOptionals() ? Optional.of(value(content, filling)) : Optional.empty();
      }
      if (generic.getRawType() == Map.class) {
        return filling.hasOptionals() ? Map.of("Name", value(content, filling)) : Map.of();
      }
      return filling.hasOptionals()
          ? List.of(value(content, filling), value(content, filling))
          : List.of();
    }
    Class<?> of = (Class<?>) type;
    if (of.isRecord()) {
      return make(of, filling.ofNested());
    }
    if (of.isEnum()) {
      return of.getEnumConstants()[0];
    }
    if (of == String.class) {
      return TEXT;
    }
    if (of == long.class || of == Long.class) {
      return filling.hasOptionals() ? Long.MAX_VALUE : 0L;
    }
    if (of == int.class || of == Integer.class) {
      return filling.hasOptionals() ? Integer.MAX_VALUE : 0;
    }
    if (of == boolean.class) {
      return filling.hasOptionals();
    }
    if (of == Instant.class) {
      return Instant.EPOCH;
    }
    if (of == Duration.class) {
      return Duration.ofSeconds(1);
    }
    throw new AssertionError("no sample of " + type);
  }
}
