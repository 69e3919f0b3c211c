package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The option string of mount(2) for overlayfs, written and read. Pure functions.
 *
 * <p>Escaping is the kernel's (fs/overlayfs/params.c): a backslash before {@code \}, {@code ,} and,
 * in a list of lowers, {@code :}.
 */
public final class OptionText {
  /** Bytes of options that fit a page with their NUL; the kernel cuts what is beyond, silently. */
  public static final int MAX_BYTES = LinuxSyscalls.MOUNT_DATA_LIMIT;

  private OptionText() {}

  /**
   * Writes the data argument of mount(2). Options come first and lowers last, so that what the
   * kernel would cut can never be an option.
   *
   * @param lowers names of the lowers, unescaped
   * @param upper names of upperdir and workdir, unescaped
   */
  static byte[] write(
      List<OsPath> lowers, Optional<OverlayMount.Upper> upper, MountOptions options) {
    Text text = new Text();
    options.overlayData().forEach(text::option);
    upper.ifPresent(
        u -> {
          text.name("upperdir");
          text.escaped(u.directory());
          text.name("workdir");
          text.escaped(u.work());
        });
    text.name("lowerdir");
    for (int i = 0; i < lowers.size(); i++) {
      if (i > 0) {
        text.add((byte) ':');
      }
      text.escaped(lowers.get(i));
    }
    return Arrays.copyOf(text.bytes, text.length);
  }

  /** An option string in the making. Hundreds of layers go through it at each mount. */
  private static final class Text {
    private byte[] bytes = new byte[MAX_BYTES];
    private int length;

    void option(String name, String value) {
      if (value.isEmpty()) {
        separate();
        addAll(OsPath.encode(name));
      } else {
        name(name);
        addAll(OsPath.encode(value));
      }
    }

    void name(String name) {
      separate();
      addAll(OsPath.encode(name));
      add((byte) '=');
    }

    private void separate() {
      if (length > 0) {
        add((byte) ',');
      }
    }

    void escaped(OsPath path) {
      reserve(2 * path.length());
      for (int i = 0; i < path.length(); i++) {
        byte b = path.at(i);
        if (b == '\\' || b == ':' || b == ',') {
          bytes[length++] = '\\';
        }
        bytes[length++] = b;
      }
    }

    private void addAll(byte[] more) {
      reserve(more.length);
      System.arraycopy(more, 0, bytes, length, more.length);
      length += more.length;
    }

    void add(byte b) {
      reserve(1);
      bytes[length++] = b;
    }

    private void reserve(int more) {
      if (length + more > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
      }
    }
  }

  /**
   * What a person wrote after {@code -o}, split: layers apart from options.
   *
   * @param lowers unescaped, topmost first; empty when there is no lowerdir
   * @param words all other options, as they stood
   */
  public record Parsed(
      List<OsPath> lowers, Optional<OsPath> upper, Optional<OsPath> work, List<String> words) {}

  /**
   * Splits option strings as the kernel does: at commas without a backslash before them, and
   * outside double quotes, which SELinux labels use.
   *
   * @param texts in order; each may hold many options
   * @throws EngineException USAGE: an empty lower, a quotation mark or backslash without its end
   */
  public static Parsed read(List<String> texts) throws EngineException {
    List<OsPath> lowers = new ArrayList<>();
    OsPath upper = null;
    OsPath work = null;
    List<String> words = new ArrayList<>();
    for (String text : texts) {
      for (String option : splitOptions(text)) {
        int equals = option.indexOf('=');
        String name = equals < 0 ? option : option.substring(0, equals);
        String value = equals < 0 ? "" : option.substring(equals + 1);
        switch (name) {
          case "lowerdir" -> {
            lowers.clear();
            for (OsPath lower : splitLowers(OsPath.of(value))) {
              lowers.add(path(name, lower.toString()));
            }
          }
          case "lowerdir+" -> lowers.add(path(name, value));
          case "upperdir" -> upper = path(name, unescape(value));
          case "workdir" -> work = path(name, unescape(value));
          default -> words.add(option);
        }
      }
    }
    return new Parsed(
        List.copyOf(lowers), Optional.ofNullable(upper), Optional.ofNullable(work), words);
  }

  /**
   * Splits one option string into options, escapes kept.
   *
   * @throws EngineException USAGE: a quotation mark without its end
   */
  public static List<String> splitOptions(String text) throws EngineException {
    return split(text).stream().filter(option -> !option.isEmpty()).toList();
  }

  private static List<String> split(String text) throws EngineException {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    boolean quoted = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        part.append(c).append(text.charAt(++i));
      } else if (c == ',' && !quoted) {
        parts.add(part.toString());
        part.setLength(0);
      } else {
        quoted ^= c == '"';
        part.append(c);
      }
    }
    if (quoted) {
      throw EngineException.usage(
          "options " + OsPath.quoted(text) + " lack a closing quotation mark");
    }
    parts.add(part.toString());
    return parts;
  }

  /** The paths that stand escaped in a list of lowers; an empty one where there is nothing. */
  static List<OsPath> splitLowers(OsPath list) {
    List<OsPath> lowers = new ArrayList<>();
    StringBuilder lower = new StringBuilder();
    String text = list.toString();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        lower.append(text.charAt(++i));
      } else if (c == ':') {
        lowers.add(OsPath.of(lower.toString()));
        lower.setLength(0);
      } else {
        lower.append(c);
      }
    }
    lowers.add(OsPath.of(lower.toString()));
    return lowers;
  }

  /** The path that stands escaped in an option string. */
  static OsPath unescape(OsPath escaped) {
    return OsPath.of(unescape(escaped.toString()));
  }

  private static String unescape(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\\' && i + 1 < text.length()) {
        i++;
      }
      out.append(text.charAt(i));
    }
    return out.toString();
  }

  private static OsPath path(String option, String value) throws EngineException {
    if (value.isEmpty()) {
      throw EngineException.usage("option " + option + " names an empty path");
    }
    return OsPath.of(value);
  }
}
