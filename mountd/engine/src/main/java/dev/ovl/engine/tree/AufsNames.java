package dev.ovl.engine.tree;

import dev.ovl.sys.OsPath;

/** Names with a meaning in a branch of aufs, and in the archives of images. */
public final class AufsNames {
  /** What the name of a mark begins with. */
  public static final String PREFIX = ".wh.";

  /** What the names begin with by which aufs keeps its books. */
  public static final String OWN_PREFIX = ".wh..wh.";

  /** The file that makes its directory opaque. */
  public static final OsPath OPAQUE = OsPath.of(".wh..wh..opq");

  private AufsNames() {}

  /** The file that hides a name. */
  public static OsPath whiteout(OsPath name) {
    return OsPath.of(PREFIX + name);
  }

  /** Whether it is a mark, or aufs' own. */
  public static boolean isMark(OsPath name) {
    return startsWith(name, PREFIX);
  }

  /** Whether it is aufs' own; the opaque mark is. */
  public static boolean isOwn(OsPath name) {
    return startsWith(name, OWN_PREFIX);
  }

  private static boolean startsWith(OsPath name, String ascii) {
    if (name.length() < ascii.length()) {
      return false;
    }
    for (int i = 0; i < ascii.length(); i++) {
      if (name.at(i) != ascii.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
