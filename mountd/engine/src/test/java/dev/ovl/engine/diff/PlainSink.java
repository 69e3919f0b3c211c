package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Writes a stream the simplest way that is right, into a plain tree or into an overlay's layer. */
final class PlainSink implements TreeSink {
  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);
  private final OsPath root;
  private final Optional<String> books;
  private final Map<OsPath, Timestamp> times = new LinkedHashMap<>();
  private final Set<OsPath> came = new HashSet<>();
  private long bytes;
  private boolean finished;

  /**
   * @param books the prefix of the layer's own extended attributes; empty for a plain tree
   */
  PlainSink(OsPath root, Optional<String> books) {
    this.root = root;
    this.books = books;
  }

  /** Of all regular files. */
  long bytes() {
    return bytes;
  }

  /** Nothing came. */
  boolean isEmpty() {
    return came.isEmpty();
  }

  boolean isFinished() {
    return finished;
  }

  private OsPath at(OsPath path) {
    return path.equals(OsPath.DOT) ? root : root.resolve(path);
  }

  @Override
  public void put(Node node, Content content) throws EngineException, ErrnoException {
    if (!came.add(node.path())) {
      throw new AssertionError("twice: " + node.path());
    }
    OsPath at = at(node.path());
    if (!(node.kind() instanceof Node.Kind.Regular) && !(content instanceof Content.None)) {
      throw new AssertionError("data of what is no file: " + node.path());
    }
    boolean directory = node.kind() instanceof Node.Kind.Directory;
    Optional<Statx> there = files.lstat(at);
    boolean stays = directory && there.isPresent() && there.get().isDirectory();
    if (!stays && there.isPresent()) {
      remove(at);
    }
    int mode = node.attributes().permissions();
    switch (node.kind()) {
      case Node.Kind.Directory d -> {
        if (!stays) {
          sys.mkdirat(Linux.AT_FDCWD, at, 0700);
        }
      }
      case Node.Kind.Regular regular -> {
        bytes += regular.size();
        write(at, regular.size(), content);
      }
      case Node.Kind.Symlink link -> sys.symlinkat(link.target(), Linux.AT_FDCWD, at);
      case Node.Kind.HardLink link -> {
        if (!came.contains(link.to())) {
          throw new AssertionError("a link to what did not come: " + link.to());
        }
        sys.linkat(Linux.AT_FDCWD, at(link.to()), Linux.AT_FDCWD, at, 0);
        return;
      }
      case Node.Kind.Device device ->
          sys.mknodat(
              Linux.AT_FDCWD,
              at,
              (device.block() ? Linux.S_IFBLK : Linux.S_IFCHR) | 0600,
              device.major(),
              device.minor());
      case Node.Kind.Fifo f -> sys.mknodat(Linux.AT_FDCWD, at, Linux.S_IFIFO | 0600, 0, 0);
      case Node.Kind.Socket s -> sys.mknodat(Linux.AT_FDCWD, at, Linux.S_IFSOCK | 0600, 0, 0);
    }
    sys.fchownat(
        Linux.AT_FDCWD,
        at,
        node.attributes().uid(),
        node.attributes().gid(),
        Linux.AT_SYMLINK_NOFOLLOW);
    for (String old : sys.listxattr(at, false)) {
      sys.removexattr(at, old, false);
    }
    for (Map.Entry<String, byte[]> xattr : node.attributes().xattrs().values().entrySet()) {
      sys.setxattr(at, stored(xattr.getKey()), xattr.getValue(), 0, false);
    }
    if (!(node.kind() instanceof Node.Kind.Symlink)) {
      sys.fchmodat(Linux.AT_FDCWD, at, mode);
    }
    if (directory) {
      times.put(at, node.attributes().modified());
    } else {
      setTime(at, node.attributes().modified());
    }
  }

  private String stored(String name) {
    return books.isPresent() && name.startsWith(books.get())
        ? books.get() + "overlay." + name.substring(books.get().length())
        : name;
  }

  private void write(OsPath at, long size, Content content) throws EngineException, ErrnoException {
    int flags = Linux.O_WRONLY | Linux.O_CREAT | Linux.O_EXCL;
    try (Fd to = new Fd(sys, sys.openat(Linux.AT_FDCWD, at, flags, 0600))) {
      long left = size;
      if (content instanceof Content.OfFile from) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(65536);
        while (sys.read(from.file().number(), buffer.clear()) > 0) {
          left -= buffer.position();
          buffer.flip();
          while (buffer.hasRemaining()) {
            sys.write(to.number(), buffer);
          }
        }
      }
      if (left != 0) {
        throw new AssertionError(at + " has not the size that was told, by " + left);
      }
    }
  }

  private void setTime(OsPath at, Timestamp time) throws ErrnoException {
    Timestamp omit = new Timestamp(0, Linux.UTIME_OMIT);
    sys.utimensat(Linux.AT_FDCWD, at, omit, time, Linux.AT_SYMLINK_NOFOLLOW);
  }

  private void remove(OsPath at) throws ErrnoException {
    Optional<Statx> there = files.lstat(at);
    if (there.isPresent() && there.get().isDirectory()) {
      files.removeTree(at);
    } else {
      files.remove(at);
    }
  }

  @Override
  public void delete(OsPath path) throws ErrnoException {
    remove(at(path));
    if (books.isPresent()) {
      sys.mknodat(Linux.AT_FDCWD, at(path), Linux.S_IFCHR, 0, 0);
    }
  }

  @Override
  public void opaque(OsPath directory) throws ErrnoException {
    if (books.isPresent()) {
      sys.setxattr(at(directory), books.get() + "opaque", new byte[] {'y'}, 0, false);
    } else {
      for (OsPath name : files.list(at(directory))) {
        remove(at(directory).resolve(name));
      }
    }
  }

  @Override
  public void finish() throws ErrnoException {
    finished = true;
    for (Map.Entry<OsPath, Timestamp> time : times.entrySet()) {
      setTime(time.getKey(), time.getValue());
    }
  }
}
