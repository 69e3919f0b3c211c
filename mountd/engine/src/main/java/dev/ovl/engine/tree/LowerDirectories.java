package dev.ovl.engine.tree;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OpenHow;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;

/**
 * What the directories are like that a layer is put on: an archive may leave a file's parents out,
 * and the directories that are made for it then hide those below.
 */
public final class LowerDirectories implements TreeWriter.Parents {
  private static final long BENEATH = Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_SYMLINKS;

  private final Syscalls sys;
  private final NodeReader nodes;
  private final List<OsPath> layers;

  /**
   * @param layers nearest first
   */
  public LowerDirectories(Syscalls sys, List<OsPath> layers) {
    this.sys = sys;
    this.nodes = new NodeReader(sys, OverlayXattrs::unescaped);
    this.layers = layers;
  }

  /** As {@link TreeWriter.Parents}; does not follow what overlayfs renamed. */
  @Override
  public Optional<Attributes> attributes(OsPath path) throws ErrnoException {
    for (OsPath layer : layers) {
      try (Fd top = new Fd(sys, sys.openat(Linux.AT_FDCWD, layer, Linux.O_PATH, 0))) {
        OpenHow how = new OpenHow((long) Linux.O_RDONLY | Linux.O_DIRECTORY, 0, BENEATH);
        try (Fd directory = new Fd(sys, sys.openat2(top.number(), path, how))) {
          Statx stat = nodes.stat(directory, OsPath.DOT);
          return Optional.of(nodes.attributes(directory, OsPath.DOT, stat));
        } catch (ErrnoException e) {
          if (!e.is(Errno.ENOENT)) {
            return absent(e);
          }
        }
      }
    }
    return Optional.empty();
  }

  /** A file or a whiteout in the way: nothing below it is seen. */
  private static Optional<Attributes> absent(ErrnoException e) throws ErrnoException {
    if (e.is(Errno.ENOTDIR) || e.is(Errno.ELOOP)) {
      return Optional.empty();
    }
    throw e;
  }
}
