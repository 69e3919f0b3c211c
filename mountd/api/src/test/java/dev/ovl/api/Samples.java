package dev.ovl.api;

import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Makes records: with all that may be absent, or without. */
final class Samples {
  /** A name with all that is odd in JSON, a byte that is no UTF-8 among it. */
  static final String TEXT = "\udcff ü\u20ac\ud83d\ude00\"\\\n\t\u0001/";

  private Samples() {}

  /** With everything. */
  static <T> T full(Class<T> type) {
    return make(type, true);
  }

  /** Without what may be absent, and with empty lists. */
  static <T> T bare(Class<T> type) {
    return make(type, false);
  }

  private static <T> T make(Class<T> type, boolean full) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values =
        Arrays.stream(components)
            .map(component -> value(component.getGenericType(), full))
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

  private static Object value(Type type, boolean full) {
    if (type instanceof ParameterizedType generic) {
      Type content = generic.getActualTypeArguments()[0];
      if (generic.getRawType() == Optional.class) {
        return full ? Optional.of(value(content, true)) : Optional.empty();
      }
      return full ? List.of(value(content, true), value(content, true)) : List.of();
    }
    return switch (type) {
      case Class<?> of when of == String.class -> TEXT;
      case Class<?> of when of == long.class || of == Long.class -> full ? Long.MAX_VALUE : 0L;
      case Class<?> of when of == boolean.class -> full;
      case Class<?> of when of.isRecord() -> make(of, full);
      case Class<?> of when of.isEnum() -> of.getEnumConstants()[0];
      default -> throw new AssertionError("no sample of " + type);
    };
  }
}
