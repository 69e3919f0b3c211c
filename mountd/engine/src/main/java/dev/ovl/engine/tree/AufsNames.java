package dev.ovl.engine.tree;

import dev.ovl.sys.OsPath;
import java.util.Arrays;

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

  /** The name that a whiteout hides. */
  public static OsPath hidden(OsPath whiteout) {
    byte[] name = whiteout.bytes();
    return OsPath.of(Arrays.copyOfRange(name, PREFIX.length(), name.length));
  }

  /** Whether it is a mark, or aufs' own. */
  public static boolean isMark(OsPath name) {
    return startsWith(name, PREFIX);
  }

  /** Whether it is aufs' own; the opaque mark is. */
  public static boolean isOwn(OsPath name) {
    return startsWith(name, OWN_PREFIX);
  }

  /** Whether a component of a path is a mark, or aufs' own. */
  public static boolean hasMark(OsPath path) {
    for (int i = 0; i + PREFIX.length() <= path.length(); i++) {
      if ((i == 0 || path.at(i - 1) == '/') && isAt(path, i, PREFIX)) {
        return true;
      }
    }
    return false;
  }

  private static boolean startsWith(OsPath name, String ascii) {
    return name.length() >= ascii.length() && isAt(name, 0, ascii);
  }

  private static boolean isAt(OsPath path, int start, String ascii) {
    for (int i = 0; i < ascii.length(); i++) {
      if (path.at(start + i) != ascii.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
