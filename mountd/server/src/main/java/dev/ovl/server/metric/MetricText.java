package dev.ovl.server.metric;

import java.util.Map;

/** Writes the text format of Prometheus: families of samples, each with its labels. */
public final class MetricText {
  private final StringBuilder text = new StringBuilder();
  private String family = "";

  /** Begins a family. */
  public MetricText family(String name, String type, String help) {
    family = name;
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    return this;
  }

  /** A sample of the family that was begun last. */
  public MetricText sample(Map<String, String> labels, Number value) {
    return sample("", labels, value);
  }

  /**
   * A sample with a suffix to the family's name.
   *
   * @param suffix {@code "_bucket"} and the like; may be empty
   */
  public MetricText sample(String suffix, Map<String, String> labels, Number value) {
    text.append(family).append(suffix);
    char separator = '{';
    for (Map.Entry<String, String> label : labels.entrySet()) {
      text.append(separator).append(label.getKey()).append("=\"");
      escape(label.getValue());
      text.append('"');
      separator = ',';
    }
    if (!labels.isEmpty()) {
      text.append('}');
    }
    text.append(' ').append(value).append('\n');
    return this;
  }

  private void escape(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> text.append("\\\\");
        case '"' -> text.append("\\\"");
        case '\n' -> text.append("\\n");
        default -> {
          boolean lone =
              Character.isSurrogate(c)
                  && !(Character.isHighSurrogate(c)
                      && i + 1 < value.length()
                      && Character.isLowSurrogate(value.charAt(i + 1)))
                  && !(Character.isLowSurrogate(c)
                      && i > 0
                      && Character.isHighSurrogate(value.charAt(i - 1)));
          // the format is UTF-8: a byte that is none is shown as JSON would
          text.append(lone ? "\\\\u" + Integer.toHexString(c) : c);
        }
      }
    }
  }

  /** All that was written. */
  @Override
  public String toString() {
    return text.toString();
  }
}
