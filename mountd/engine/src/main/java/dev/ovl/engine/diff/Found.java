package dev.ovl.engine.diff;

import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.List;

/**
 * What a name of a merged tree leads to.
 *
 * @param top the file whose attributes are shown
 * @param stack of a directory: the real ones it is made of, topmost first
 * @param data of a regular file: the one that holds the data; else the top
 */
record Found(Real top, List<Place> stack, Real data) {

  /**
   * A real file, as it was when it was looked at.
   *
   * @param where the directory it was found in, which may be closed by now
   * @param xattrs the names of its extended attributes; only of regular files and directories
   */
  record Real(OpenDirectory where, OsPath name, Statx stat, List<String> xattrs) {
    Place place() {
      return new Place(where.layer(), where.path(), name);
    }

    Identity identity() {
      return Identity.of(stat);
    }
  }

  boolean isDirectory() {
    return top.stat().isDirectory();
  }

  /** The data is where the attributes are. */
  boolean isWhole() {
    return top.stat().sameFile(data.stat());
  }

  /** The attributes come from the same file, and so does the data. */
  boolean sameFile(Found other) {
    return top.stat().sameFile(other.top.stat()) && data.stat().sameFile(other.data.stat());
  }
}
