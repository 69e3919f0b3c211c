package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/** The name of a stack: one component of a path, short and harmless on a command line. */
public record StackName(String text) implements Comparable<StackName> {
  private static final int MAX_BYTES = 64;

  /** The prefix of a mount's source. */
  private static final String SOURCE_PREFIX = "ovl:";

  /**
   * Checks a name.
   *
   * @throws EngineException USAGE: empty, longer than 64 bytes, beginning with {@code -} or {@code
   *     .}, or with a slash, a control character or bytes that are no UTF-8
   */
  public static StackName of(String text) throws EngineException {
    if (text.isEmpty()) {
      throw EngineException.usage("a stack's name cannot be empty");
    }
    if (OsPath.encode(text).length > MAX_BYTES) {
      throw refused(text, "is longer than " + MAX_BYTES + " bytes");
    }
    if (text.startsWith("-") || text.startsWith(".")) {
      throw refused(text, "begins with '" + text.charAt(0) + "'");
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '/') {
        throw refused(text, "contains a slash");
      }
      if (Character.isISOControl(c)) {
        throw refused(text, "contains a control character");
      }
      if (Character.isLowSurrogate(c)
          && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)))) {
        throw refused(text, "is not UTF-8");
      }
    }
    return new StackName(text);
  }

  /** The name in a file's name; empty where no stack can have it: the file is none of ovl's. */
  static Optional<StackName> parse(String text) {
    try {
      return Optional.of(of(text));
    } catch (EngineException e) {
      return Optional.empty();
    }
  }

  private static EngineException refused(String text, String why) {
    return EngineException.usage("the name " + OsPath.quoted(text) + " " + why);
  }

  /** The source of the stack's mount, by which it is found again: {@code ovl:web}. */
  public OsPath mountSource() {
    return OsPath.of(SOURCE_PREFIX + text);
  }

  @Override
  public int compareTo(StackName other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
