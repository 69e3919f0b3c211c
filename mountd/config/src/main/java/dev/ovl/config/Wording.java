package dev.ovl.config;

import java.util.Arrays;
import java.util.Comparator;

/** How messages name what they refuse. */
final class Wording {
  private Wording() {}

  /** Why a setting cannot have this value. */
  static String refusal(Setting setting, String text) {
    if (setting.kind() instanceof Kind.Path && text.isEmpty()) {
      return "a path cannot be empty";
    }
    return quoted(text) + " is not " + setting.kind().name();
  }

  /** A text in quotes, on one line. */
  static String quoted(String text) {
    return "'" + onOneLine(text) + "'";
  }

  /** A text with an escape for each control character. */
  static String onOneLine(String text) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      line.append(Character.isISOControl(c) ? String.format("\\u%04x", (int) c) : c);
    }
    return line.toString();
  }

  /** The key that is most like this one. */
  static String nearest(String key) {
    return Arrays.stream(Setting.values())
        .filter(Setting::inFile)
        .map(Setting::key)
        .min(Comparator.comparingInt(known -> distance(known, key)))
        .get();
  }

  /** How many characters must be put in, left out or replaced to make one word of the other. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    Arrays.setAll(row, j -> j);
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
