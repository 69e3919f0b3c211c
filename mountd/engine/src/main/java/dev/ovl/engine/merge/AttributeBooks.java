package dev.ovl.engine.merge;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The books of overlayfs: devices 0:0 for whiteouts, and extended attributes. All others of these
 * are the files' own and stay as they are, those that an overlay inside the overlay has set ({@code
 * trusted.overlay.overlay.X}) among them.
 */
final class AttributeBooks implements Bookkeeping {
  private static final String ESCAPE = "overlay.";
  private static final byte[] YES = {'y'};

  private final Syscalls sys;
  private final Files files;
  private final String prefix;

  /**
   * @param prefix of these attributes
   */
  AttributeBooks(Syscalls sys, String prefix) {
    this.sys = sys;
    this.files = new Files(sys);
    this.prefix = prefix;
  }

  private boolean isOwn(String attribute) {
    return attribute.startsWith(prefix) && !attribute.startsWith(ESCAPE, prefix.length());
  }

  @Override
  public NodeReader.XattrFilter without() {
    return name -> isOwn(name) ? Optional.empty() : Optional.of(name);
  }

  @Override
  public Map<String, byte[]> of(Fd directory) throws ErrnoException {
    Map<String, byte[]> found = new TreeMap<>();
    for (String name : sys.flistxattr(directory.number())) {
      Optional<byte[]> value =
          isOwn(name) ? sys.fgetxattr(directory.number(), name) : Optional.empty();
      value.ifPresent(it -> found.put(name, it));
    }
    return found;
  }

  @Override
  public void strip(Fd directory, OsPath name, boolean keepOpaque) throws ErrnoException {
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

  @Override
  public void hideBelow(Fd directory, OsPath name) throws ErrnoException {
    sys.setxattr(path(directory, name), opaque(), YES, 0, false);
  }

  @Override
  public void uncover(Fd directory, OsPath name) {
    // what takes a whiteout's name takes its place
  }

  @Override
  public void removeAll(Fd directory, OsPath name) throws ErrnoException {
    files.removeAny(directory, name);
  }

  @Override
  public OsPath whiteout(OsPath name) {
    return name;
  }

  @Override
  public Node whiteout(OsPath path, Statx like) {
    Attributes plain = new Attributes(0, like.uid(), like.gid(), like.modified(), Xattrs.NONE);
    return new Node(path, new Node.Kind.Device(false, 0, 0), plain);
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
