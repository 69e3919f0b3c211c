package dev.ovl.engine.run;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * A directory or file of the host, with what is mounted beneath it, that a command sees somewhere
 * in its tree.
 *
 * @param source absolute
 * @param target in the tree, absolute and normalised; made where it is missing
 */
public record Volume(OsPath source, OsPath target, boolean readOnly) {
  private static final OsPath PARENT = OsPath.of("..");

  /** What a volume's words are made absolute by. */
  public interface Absolute {
    /** The absolute form of a path of the host. */
    OsPath of(String path) throws EngineException;
  }

  /**
   * Reads {@code SOURCE:TARGET}, {@code SOURCE:TARGET:ro} or {@code …:rw}, as docker does.
   *
   * @throws EngineException USAGE: it is neither
   */
  public static Volume parse(String text, Absolute absolute) throws EngineException {
    String[] parts = text.split(":", -1);
    Optional<Boolean> readOnly =
        switch (parts.length == 3 ? parts[2] : "rw") {
          case "ro" -> Optional.of(true);
          case "rw" -> Optional.of(false);
          default -> Optional.empty();
        };
    if (parts.length < 2 || parts.length > 3 || readOnly.isEmpty() || parts[0].isEmpty()) {
      throw EngineException.usage(
          "a volume is SOURCE:TARGET or SOURCE:TARGET:ro, not " + OsPath.quoted(text));
    }
    OsPath target = OsPath.of(parts[1]).normalized();
    if (!target.isAbsolute()
        || target.equals(OsPath.ROOT)
        || target.components().contains(PARENT)) {
      throw EngineException.usage(
          "a volume's target is an absolute path below / without .., not " + target.quoted());
    }
    return new Volume(absolute.of(parts[0]), target, readOnly.get());
  }
}
