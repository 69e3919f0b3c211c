package dev.ovl.engine.tree;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** Reads files as {@link Node}s. For any number of threads. */
public final class NodeReader {
  private static final int FLAGS = Linux.AT_SYMLINK_NOFOLLOW | Linux.AT_NO_AUTOMOUNT;

  /** XFS shows by these names what {@code system.posix_acl_…} tells. */
  private static final String ACL_OF_XFS = "trusted.SGI_ACL_";

  private final Syscalls sys;
  private final XattrFilter filter;
  private final boolean accessTimes;

  /** Which extended attributes are the file's, and by which name. */
  public interface XattrFilter {
    /** All, as they are. */
    XattrFilter ALL = Optional::of;

    /** The name under which it is read; empty when it is left out. */
    Optional<String> read(String name);
  }

  /**
   * @param filter for the names of extended attributes
   */
  public NodeReader(Syscalls sys, XattrFilter filter) {
    this(sys, filter, false);
  }

  private NodeReader(Syscalls sys, XattrFilter filter, boolean accessTimes) {
    this.sys = sys;
    this.filter = filter;
    this.accessTimes = accessTimes;
  }

  /** Reads all that can be written again: every extended attribute, and the times of access. */
  public static NodeReader ofEverything(Syscalls sys) {
    return new NodeReader(sys, XattrFilter.ALL, true);
  }

  /** statx(2) of a name in a directory, not of what a link points to. */
  public Statx stat(Fd directory, OsPath name) throws ErrnoException {
    return sys.statx(directory.number(), name, FLAGS, Linux.STATX_BASIC_STATS);
  }

  /**
   * Reads a file; one with several names is told as a regular file each time.
   *
   * @param directory that holds it
   * @param name in that directory; {@link OsPath#DOT} for the directory itself
   * @param path that the node is to have
   * @param stat of the file, with STATX_BASIC_STATS
   * @throws ErrnoException ENOENT: it is gone by now
   */
  public Node read(Fd directory, OsPath name, OsPath path, Statx stat) throws ErrnoException {
    return new Node(path, kind(directory, name, stat), attributes(directory, name, stat));
  }

  private Node.Kind kind(Fd directory, OsPath name, Statx stat) throws ErrnoException {
    int type = stat.mode() & Linux.S_IFMT;
    if (type == Linux.S_IFDIR) {
      return new Node.Kind.Directory();
    } else if (type == Linux.S_IFREG) {
      return new Node.Kind.Regular(stat.size());
    } else if (type == Linux.S_IFLNK) {
      return new Node.Kind.Symlink(sys.readlinkat(directory.number(), name));
    } else if (type == Linux.S_IFIFO) {
      return new Node.Kind.Fifo();
    } else if (type == Linux.S_IFSOCK) {
      return new Node.Kind.Socket();
    }
    return new Node.Kind.Device(type == Linux.S_IFBLK, stat.rdevMajor(), stat.rdevMinor());
  }

  /** As {@link #read}: what is kept of the file besides kind and data. */
  public Attributes attributes(Fd directory, OsPath name, Statx stat) throws ErrnoException {
    return new Attributes(
        stat.permissions(),
        stat.uid(),
        stat.gid(),
        stat.modified(),
        xattrs(directory, name),
        accessTimes ? stat.accessed() : Attributes.UNKNOWN);
  }

  private Xattrs xattrs(Fd directory, OsPath name) throws ErrnoException {
    // the calls of this family take a path or an open file, and not every file can be opened
    OsPath path = OsPath.of("/proc/self/fd/" + directory.number()).resolve(name);
    List<String> names;
    try {
      names = sys.listxattr(path, false);
    } catch (ErrnoException e) {
      if (e.is(Errno.EOPNOTSUPP)) {
        return Xattrs.NONE;
      }
      throw e;
    }
    if (names.isEmpty()) {
      return Xattrs.NONE;
    }
    TreeMap<String, byte[]> values = new TreeMap<>();
    for (String stored : names) {
      Optional<String> shown =
          stored.startsWith(ACL_OF_XFS) ? Optional.empty() : filter.read(stored);
      if (shown.isPresent()) {
        Optional<byte[]> value = sys.getxattr(path, stored, false);
        value.ifPresent(bytes -> values.put(shown.get(), bytes));
      }
    }
    return Xattrs.of(values);
  }
}
