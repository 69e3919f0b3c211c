package dev.ovl.reference;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Texts beside these classes. */
final class Resources {
  private Resources() {}

  /** The text of this name; empty if there is none. */
  static String orNothing(String name) {
    try (InputStream in = Resources.class.getResourceAsStream(name)) {
      return in == null ? "" : new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of this name. */
  static String text(String name) {
    String text = orNothing(name);
    if (text.isEmpty()) {
      throw new IllegalStateException("there is no resource " + name);
    }
    return text;
  }
}
