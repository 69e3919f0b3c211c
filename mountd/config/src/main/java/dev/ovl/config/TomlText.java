package dev.ovl.config;

import dev.ovl.config.ConfigFile.Content;
import dev.ovl.config.ConfigFile.Entry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * The syntax of the file, TOML 1.0. The only class that knows the TOML library: to load and run it
 * takes longer than most of what a command does.
 */
final class TomlText {
  private static final Comparator<Origin.Place> ORDER =
      Comparator.comparingInt(Origin.Place::line).thenComparingInt(Origin.Place::column);

  private TomlText() {}

  /**
   * The entries in the order of the text.
   *
   * @throws ConfigurationException for the first thing that is no TOML
   */
  static List<Entry> entries(String file, String text) throws ConfigurationException {
    TomlParseResult parsed = Toml.parse(text);
    if (parsed.hasErrors()) {
      TomlParseError first =
          parsed.errors().stream()
              .min(Comparator.comparing(e -> place(file, e.position()), ORDER))
              .get();
      throw ConfigurationException.ofFile(
          place(file, first.position()), Wording.onOneLine(first.getMessage()));
    }
    List<Entry> entries = new ArrayList<>();
    for (String key : parsed.keySet()) {
      TomlPosition position = parsed.inputPositionOf(List.of(key));
      entries.add(
          new Entry(key, content(parsed.get(List.of(key))), position.line(), position.column()));
    }
    entries.sort(Comparator.comparingInt(Entry::line).thenComparingInt(Entry::column));
    return entries;
  }

  private static Origin.Place place(String file, TomlPosition position) {
    return new Origin.Place(file, position.line(), position.column());
  }

  private static Content content(Object value) {
    return switch (value) {
      case String text -> new Content.Text(text);
      case Long number -> new Content.Whole(number);
      case Double fraction -> new Content.Other("a number with a point");
      case Boolean truth -> new Content.Other("a truth value");
      case TomlArray list -> new Content.Other("a list");
      case TomlTable table -> new Content.Other("a table");
      default -> new Content.Other("a time");
    };
  }
}
