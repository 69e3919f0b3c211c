package dev.ovl.config;

import java.util.List;
import java.util.regex.Pattern;

/** What a setting's value may be. Values are texts everywhere but in the file. */
public sealed interface Kind {
  /** Whether a text is such a value. */
  boolean accepts(String text);

  /** What such a value is, for a sentence: {@code "a path"}. */
  String name();

  /**
   * Values, or the beginnings of some, that a shell can offer; empty if there is nothing to say.
   */
  default List<String> offered() {
    return List.of();
  }

  /** A path. The file has absolute ones only. */
  record Path() implements Kind {
    @Override
    public boolean accepts(String text) {
      return !text.isEmpty() && text.indexOf('\0') < 0;
    }

    @Override
    public String name() {
      return "a path";
    }
  }

  /** One of some words. */
  record Word(List<String> words) implements Kind {
    @Override
    public boolean accepts(String text) {
      return words.contains(text);
    }

    @Override
    public String name() {
      return "one of " + String.join(", ", words);
    }

    @Override
    public List<String> offered() {
      return words;
    }
  }

  /**
   * A text of some form.
   *
   * @param examples some that can be offered, or the beginning of some
   */
  record Text(Pattern form, String name, List<String> examples) implements Kind {
    @Override
    public boolean accepts(String text) {
      return form.matcher(text).matches();
    }

    @Override
    public List<String> offered() {
      return examples;
    }
  }

  /** A time in whole seconds. */
  record Seconds(long min, long max) implements Kind {
    @Override
    public boolean accepts(String text) {
      return isNumber(text, min, max);
    }

    @Override
    public String name() {
      return "a whole number of seconds from " + min + " to " + max;
    }
  }

  /** A number of things. */
  record Count(long min, long max) implements Kind {
    @Override
    public boolean accepts(String text) {
      return isNumber(text, min, max);
    }

    @Override
    public String name() {
      return "a whole number from " + min + " to " + max;
    }
  }

  private static boolean isNumber(String text, long min, long max) {
    // as many digits as surely fit a long
    if (!text.matches("[0-9]{1,18}")) {
      return false;
    }
    long number = Long.parseLong(text);
    return number >= min && number <= max;
  }
}
