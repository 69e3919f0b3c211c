package dev.ovl.engine.merge;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.AufsNames;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Map;

/**
 * The books of aufs: files {@code .wh.NAME} beside what they hide, {@code .wh..wh..opq} in opaque
 * directories. It keeps none in attributes. A mark of an opaque directory stays where nothing is
 * left for it to hide.
 */
final class MarkBooks implements Bookkeeping {
  private static final int PERMISSIONS = 0444;

  private final Syscalls sys;
  private final Files files;

  MarkBooks(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  @Override
  public NodeReader.XattrFilter without() {
    return NodeReader.XattrFilter.ALL;
  }

  @Override
  public Map<String, byte[]> of(Fd directory) {
    return Map.of();
  }

  @Override
  public void strip(Fd directory, OsPath name, boolean keepOpaque) {
    // there are no such attributes
  }

  /** The directory's time stays; {@link UpperSurvey} has noted it, should this end in between. */
  @Override
  public void hideBelow(Fd directory, OsPath name) throws ErrnoException {
    int look = Linux.AT_SYMLINK_NOFOLLOW;
    Statx before = sys.statx(directory.number(), name, look, Linux.STATX_BASIC_STATS);
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_NOFOLLOW;
    OsPath mark = name.resolve(AufsNames.OPAQUE);
    sys.close(sys.openat(directory.number(), mark, flags, PERMISSIONS));
    sys.utimensat(directory.number(), name, Attributes.UNKNOWN, before.modified(), look);
  }

  @Override
  public void uncover(Fd directory, OsPath name) throws ErrnoException {
    try {
      sys.unlinkat(directory.number(), AufsNames.whiteout(name), 0);
    } catch (ErrnoException e) {
      // ENAMETOOLONG: such a name cannot be hidden
      if (!e.is(Errno.ENOENT) && !e.is(Errno.ENAMETOOLONG)) {
        throw e;
      }
    }
  }

  @Override
  public void removeAll(Fd directory, OsPath name) throws ErrnoException {
    files.removeAny(directory, name);
    uncover(directory, name);
  }

  @Override
  public OsPath whiteout(OsPath name) {
    return AufsNames.whiteout(name);
  }

  @Override
  public Node whiteout(OsPath path, Statx like) {
    Attributes plain =
        new Attributes(PERMISSIONS, like.uid(), like.gid(), like.modified(), Xattrs.NONE);
    OsPath mark = AufsNames.whiteout(path.fileName());
    boolean atTop = path.components().size() == 1;
    return new Node(atTop ? mark : path.parent().resolve(mark), new Node.Kind.Regular(0), plain);
  }
}
