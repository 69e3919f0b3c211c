package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * What one layer of an overlay has by a path, and what becomes of it in the mount.
 *
 * @param layer index among the layers, the topmost being 0; data-only ones come after the others
 * @param path in that layer, from its root: another one than was asked for below a redirect
 * @param kind what it is there
 * @param bytes the length of a regular file's own data; 0 for all else
 * @param role what it is in the mount
 * @param opaque a directory that nothing below shines through
 * @param metadataOnly a file whose data lies further below
 * @param redirect where the layers below have what this one names so; absolute from their roots
 * @param cover why it is not seen; present where the role is {@link Role#HIDDEN}
 */
public record Holding(
    int layer,
    OsPath path,
    Kind kind,
    long bytes,
    Role role,
    boolean opaque,
    boolean metadataOnly,
    Optional<OsPath> redirect,
    Optional<Cover> cover) {

  /** What a file is. */
  public enum Kind {
    FILE,
    DIRECTORY,
    SYMLINK,
    FIFO,
    SOCKET,
    DEVICE,
    WHITEOUT
  }

  /** What a file is in the mount. */
  public enum Role {
    /** It is what is seen: the file, or the attributes of the directory. */
    SERVES,
    /** What is in this directory is seen, too. */
    MERGES,
    /** The data of the metadata-only copy that serves. */
    DATA,
    /** A whiteout: nothing of that name is seen. */
    DELETES,
    /** It is not seen. */
    HIDDEN
  }

  /**
   * What hides a file.
   *
   * @param layer that has it
   * @param path in that layer
   * @param why it hides all that the layers below have there
   */
  public record Cover(int layer, OsPath path, Why why) {}

  /** Why something hides what lies below it. */
  public enum Why {
    WHITEOUT,
    OPAQUE,
    /** A file, or a directory where the layer below has none. */
    OTHER_FILE
  }
}
