package dev.ovl.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The configuration file.
 *
 * @param file its name, for messages
 * @param entries all that stands in it
 */
record ConfigFile(String file, List<Entry> entries) {
  /** More than anybody writes by hand, and nothing that fills the memory. */
  private static final int MAX_BYTES = 1 << 20;

  /** A value as TOML has it: a String, a Long, or the name of what else it is. */
  sealed interface Content {
    record Text(String text) implements Content {}

    record Whole(long number) implements Content {}

    record Other(String name) implements Content {}
  }

  /** A key with its value, and where the key stands. */
  record Entry(String key, Content content, int line, int column) {}

  /** Reads a file; one that is not there has no entries. */
  static ConfigFile readIfThere(String file) throws ConfigurationException {
    return read(file, true);
  }

  /** Reads a file, which must be there. */
  static ConfigFile read(String file) throws ConfigurationException {
    return read(file, false);
  }

  private static ConfigFile read(String file, boolean missingIsFine) throws ConfigurationException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      if (missingIsFine) {
        return new ConfigFile(file, List.of());
      }
      throw ConfigurationException.ofFile(file, "no such file (ENOENT)", e);
    } catch (AccessDeniedException e) {
      throw ConfigurationException.ofFile(file, "permission denied (EACCES)", e);
    } catch (FileSystemException e) {
      String reason = Optional.ofNullable(e.getReason()).orElse("cannot be read");
      throw ConfigurationException.ofFile(file, reason, e);
    } catch (IOException e) {
      throw ConfigurationException.ofFile(file, e.getMessage(), e);
    } catch (InvalidPathException e) {
      throw ConfigurationException.ofFile(file, "Java cannot read a file of this name here", e);
    }
    if (bytes.length > MAX_BYTES) {
      throw ConfigurationException.ofFile(file, "more than " + MAX_BYTES + " bytes");
    }
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw ConfigurationException.ofFile(file, "not in UTF-8", e);
    }
    return new ConfigFile(file, saysNothing(text) ? List.of() : TomlText.entries(file, text));
  }

  /** Whether there is nothing but comments: so is the file that is installed. */
  private static boolean saysNothing(String text) {
    return text.lines().allMatch(line -> line.isBlank() || line.stripLeading().startsWith("#"));
  }

  /**
   * The settings in it.
   *
   * @throws ConfigurationException for the first entry that is none
   */
  Map<Setting, Configuration.Value> values() throws ConfigurationException {
    Map<Setting, Configuration.Value> values = new EnumMap<>(Setting.class);
    for (Entry entry : entries) {
      Origin.Place place = new Origin.Place(file, entry.line, entry.column);
      Setting setting =
          Setting.ofKey(entry.key)
              .orElseThrow(() -> ConfigurationException.ofFile(place, unknown(entry.key)));
      values.put(setting, new Configuration.Value(text(setting, entry.content, place), place));
    }
    return values;
  }

  private static String unknown(String key) {
    return "unknown key " + Wording.quoted(key) + "; the nearest is '" + Wording.nearest(key) + "'";
  }

  private static String text(Setting setting, Content content, Origin.Place place)
      throws ConfigurationException {
    boolean number = setting.kind() instanceof Kind.Seconds || setting.kind() instanceof Kind.Count;
    String text =
        switch (content) {
          case Content.Text given when !number -> given.text;
          case Content.Whole given when number -> String.valueOf(given.number);
          case Content.Text given -> throw wrongType(setting, "a text", place);
          case Content.Whole given -> throw wrongType(setting, "a number", place);
          case Content.Other given -> throw wrongType(setting, given.name, place);
        };
    if (setting.kind() instanceof Kind.Path && !text.isEmpty() && !text.startsWith("/")) {
      throw ConfigurationException.ofFile(
          place, setting.key() + ": " + Wording.quoted(text) + " is not an absolute path");
    }
    if (!setting.kind().accepts(text)) {
      throw ConfigurationException.ofFile(
          place, setting.key() + ": " + Wording.refusal(setting, text));
    }
    return text;
  }

  private static ConfigurationException wrongType(
      Setting setting, String given, Origin.Place place) {
    return ConfigurationException.ofFile(
        place, setting.key() + ": " + given + " is not " + setting.kind().name());
  }
}
