package dev.ovl.engine.merge;

import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The extended attributes in which overlayfs keeps its books in a layer. All others are the files'
 * own and stay as they are, those that an overlay inside the overlay has set ({@code
 * trusted.overlay.overlay.X}) among them.
 */
final class Bookkeeping {
  private static final String ESCAPE = "overlay.";
  private static final byte[] YES = {'y'};

  private final Syscalls sys;
  private final String prefix;

  Bookkeeping(Syscalls sys, View.Books books) {
    this.sys = sys;
    this.prefix = books.prefix().orElseThrow();
  }

  private boolean isOwn(String attribute) {
    return attribute.startsWith(prefix) && !attribute.startsWith(ESCAPE, prefix.length());
  }

  /** Reads files without it, all other names as they are in the layer. */
  NodeReader.XattrFilter without() {
    return name -> isOwn(name) ? Optional.empty() : Optional.of(name);
  }

  /** What there is of it on an open directory. */
  Map<String, byte[]> of(Fd directory) throws ErrnoException {
    Map<String, byte[]> found = new TreeMap<>();
    for (String name : sys.flistxattr(directory.number())) {
      Optional<byte[]> value =
          isOwn(name) ? sys.fgetxattr(directory.number(), name) : Optional.empty();
      value.ifPresent(it -> found.put(name, it));
    }
    return found;
  }

  /** Takes all of it from a file, but what makes a directory opaque where that is to stay. */
  void strip(Fd directory, OsPath name, boolean keepOpaque) throws ErrnoException {
    OsPath path = path(directory, name);
    List<String> names;
    try {
      names = sys.listxattr(path, false);
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return;
      }
      throw e;
    }
    for (String attribute : names) {
      if (isOwn(attribute) && !(keepOpaque && attribute.equals(opaque()))) {
        sys.removexattr(path, attribute, false);
      }
    }
  }

  /** Makes a directory opaque. */
  void hideBelow(Fd directory, OsPath name) throws ErrnoException {
    sys.setxattr(path(directory, name), opaque(), YES, 0, false);
  }

  /** Has the layers below be asked by the directory's own name again. */
  void removeRedirect(Fd directory, OsPath name) throws ErrnoException {
    sys.removexattr(path(directory, name), prefix + OverlayXattrs.REDIRECT, false);
  }

  /** The attribute of an opaque directory. */
  String opaque() {
    return prefix + OverlayXattrs.OPAQUE;
  }

  /** The value of that attribute. */
  static byte[] yes() {
    return YES.clone();
  }

  private static OsPath path(Fd directory, OsPath name) {
    return Files.procPath(directory).resolve(name);
  }
}
