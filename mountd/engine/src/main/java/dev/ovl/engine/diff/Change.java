package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;

/**
 * A path that is not the same in both trees.
 *
 * @param path absolute, as seen from inside the tree; never the root
 */
public record Change(Kind kind, OsPath path) {

  /** The letters of {@code docker diff}. */
  public enum Kind {
    /** Both trees have it, and it, or something beneath it, is different. */
    CHANGED('C'),
    /** Only the newer tree has it. */
    ADDED('A'),
    /** Only the older tree has it; what was beneath it is not told. */
    DELETED('D');

    private final char letter;

    Kind(char letter) {
      this.letter = letter;
    }

    /** {@code C}, {@code A} or {@code D}. */
    public char letter() {
      return letter;
    }
  }

  /** The line that {@code docker diff} prints. */
  @Override
  public String toString() {
    return kind.letter() + " " + path;
  }
}
