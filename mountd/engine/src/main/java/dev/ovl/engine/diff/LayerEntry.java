package dev.ovl.engine.diff;

import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.List;
import java.util.Optional;

/**
 * What a layer has by a name, and what the layers below it have to do with it.
 *
 * @param path from the root of the layer; empty for the root itself
 * @param directory that holds it, open for reading while it is visited
 * @param name in that directory; {@link OsPath#DOT} for the root itself
 * @param stat of the file
 * @param xattrs the names of its extended attributes; only of regular files and directories
 * @param whiteout it stands for nothing
 * @param opaque a directory that nothing below shines through
 * @param metadataOnly a file whose data lies below
 * @param merging something below shines through the directory that holds it
 * @param redirected it has a redirect, whatever that is worth
 * @param badRedirect why its redirect is none; absent where it is one
 * @param broken why what lies below cannot be told
 * @param below what it stands on
 */
public record LayerEntry(
    OsPath path,
    Fd directory,
    OsPath name,
    Statx stat,
    List<String> xattrs,
    boolean whiteout,
    boolean opaque,
    boolean metadataOnly,
    boolean merging,
    boolean redirected,
    Optional<String> badRedirect,
    Optional<String> broken,
    Optional<Below> below) {

  /**
   * What lies below: of a directory the topmost one that merges with it; of a metadata-only copy
   * its data; of a whiteout what it hides. For other files it is not looked for.
   *
   * @param layer its number, the layer of the entry being 0
   * @param path from the root of that layer; empty where it is known only that something is there
   * @param stat of the file there
   */
  public record Below(int layer, OsPath path, Statx stat) {}
}
