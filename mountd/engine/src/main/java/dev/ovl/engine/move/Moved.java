package dev.ovl.engine.move;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/** How something was moved, or would be. */
public sealed interface Moved {
  /** By renameat2(2). */
  record Renamed() implements Moved {}

  /** Source and destination are the same file, and rename(2) leaves both. */
  record Same() implements Moved {}

  /**
   * By copying and unlinking.
   *
   * @param files copied, directories and links included
   * @param bytes of data in regular files, holes included
   * @param left what came to be in the source after it was copied, and so was not removed
   */
  record Copied(long files, long bytes, Optional<OsPath> left) implements Moved {}

  /**
   * Not to be told without trying: by renameat2(2), unless the file system refuses (EXDEV), as
   * overlayfs does with directories of its lowers.
   *
   * @param otherwise what would be copied
   */
  record RenamedUnlessRefused(Copied otherwise) implements Moved {}
}
