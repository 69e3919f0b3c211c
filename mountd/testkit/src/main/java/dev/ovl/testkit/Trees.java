package dev.ovl.testkit;

import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Assertions;

/**
 * Directory trees as values: every name, type, owner, content and attribute, to the byte, so that
 * two can be compared and the difference read.
 *
 * <p>Names are bytes throughout. Mounts beneath the root are followed, symbolic links are not. A
 * name that is listed and then not there is none: overlayfs lists whiteouts of directories that
 * only one layer has.
 */
public final class Trees {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final Syscalls sys;
  private final boolean times;
  private final SortedMap<OsPath, Node> nodes = new TreeMap<>();
  private final Map<String, OsPath> firstOfInode = new HashMap<>();

  private Trees(Syscalls sys, boolean times) {
    this.sys = sys;
    this.times = times;
  }

  /**
   * One name in a tree.
   *
   * @param mode type and permissions
   * @param size in bytes; 0 unless a regular file
   * @param content SHA-256 in hexadecimal; of regular files
   * @param device {@code major:minor}; of device files
   * @param linkTarget of symbolic links
   * @param xattrs values in hexadecimal by name, those of security modules included
   * @param sameAs the first path in the tree that is the same inode; of files with several links
   * @param modified only where asked for
   */
  public record Node(
      int mode,
      int uid,
      int gid,
      long size,
      Optional<String> content,
      Optional<String> device,
      Optional<OsPath> linkTarget,
      SortedMap<String, String> xattrs,
      Optional<OsPath> sameAs,
      Optional<Timestamp> modified) {

    /** On one line: {@code file 0644 0:0 12 bytes sha256=…}. */
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(type());
      text.append(String.format(Locale.ROOT, " %04o %d:%d", mode & 07777, uid, gid));
      content.ifPresent(hash -> text.append(' ').append(size).append(" bytes sha256=" + hash));
      device.ifPresent(d -> text.append(' ').append(d));
      linkTarget.ifPresent(target -> text.append(" -> ").append(target.quoted()));
      xattrs.forEach((name, value) -> text.append(' ').append(name).append("=0x").append(value));
      sameAs.ifPresent(path -> text.append(" same as ").append(path.quoted()));
      modified.ifPresent(
          t ->
              text.append(
                  String.format(Locale.ROOT, " mtime=%d.%09d", t.seconds(), t.nanoseconds())));
      return text.toString();
    }

    private String type() {
      int type = mode & Linux.S_IFMT;
      if (type == Linux.S_IFREG) {
        return "file";
      } else if (type == Linux.S_IFDIR) {
        return "directory";
      } else if (type == Linux.S_IFLNK) {
        return "link";
      } else if (type == Linux.S_IFCHR) {
        return "char";
      } else if (type == Linux.S_IFBLK) {
        return "block";
      } else if (type == Linux.S_IFIFO) {
        return "fifo";
      }
      return "socket";
    }
  }

  /**
   * A tree at one moment.
   *
   * @param nodes by path relative to the root, which is {@code .}
   */
  public record Snapshot(SortedMap<OsPath, Node> nodes) {
    /** Keeps the map, unmodifiable. */
    public Snapshot {
      nodes = Collections.unmodifiableSortedMap(nodes);
    }

    /**
     * What is different here, one line a path: {@code - } expected and missing, {@code + } not
     * expected, {@code ! } expected otherwise. Empty when both are the same.
     */
    public List<String> differences(Snapshot expected) {
      SortedSet<OsPath> paths = new TreeSet<>(nodes.keySet());
      paths.addAll(expected.nodes.keySet());
      List<String> lines = new ArrayList<>();
      for (OsPath path : paths) {
        Node here = nodes.get(path);
        Node there = expected.nodes.get(path);
        if (here == null) {
          lines.add("- " + path.quoted() + ": " + there);
        } else if (there == null) {
          lines.add("+ " + path.quoted() + ": " + here);
        } else if (!here.equals(there)) {
          lines.add("! " + path.quoted() + ": " + here + ", expected " + there);
        }
      }
      return lines;
    }

    /** One line a path. */
    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      nodes.forEach((path, node) -> text.append(path.quoted() + ": " + node + "\n"));
      return text.toString();
    }
  }

  /** The tree beneath a directory, without times. */
  public static Snapshot snapshot(OsPath root) throws ErrnoException {
    return snapshot(root, false);
  }

  /** As {@link #snapshot}, with modification times. */
  public static Snapshot snapshotWithTimes(OsPath root) throws ErrnoException {
    return snapshot(root, true);
  }

  private static Snapshot snapshot(OsPath root, boolean times) throws ErrnoException {
    Trees trees = new Trees(new LinuxSyscalls(), times);
    try (Fd fd = new Fd(trees.sys, trees.openDirectory(Linux.AT_FDCWD, root))) {
      trees.add(fd, OsPath.DOT, OsPath.DOT, trees.stat(fd, OsPath.DOT).orElseThrow());
      trees.addEntries(fd, OsPath.EMPTY);
    }
    return new Snapshot(trees.nodes);
  }

  /** Fails when the trees differ, and says where. */
  public static void assertSame(Snapshot expected, Snapshot actual) {
    List<String> differences = actual.differences(expected);
    if (!differences.isEmpty()) {
      Assertions.fail("the trees differ:\n" + String.join("\n", differences));
    }
  }

  private int openDirectory(int parent, OsPath name) throws ErrnoException {
    return sys.openat(parent, name, Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW, 0);
  }

  private void addEntries(Fd directory, OsPath path) throws ErrnoException {
    for (OsPath name : FileTree.list(sys, directory)) {
      OsPath entry = path.resolve(name);
      Optional<Statx> stat = stat(directory, name);
      if (stat.isEmpty()) {
        continue;
      }
      add(directory, name, entry, stat.get());
      if (stat.get().isDirectory()) {
        try (Fd fd = new Fd(sys, openDirectory(directory.number(), name))) {
          addEntries(fd, entry);
        }
      }
    }
  }

  private Optional<Statx> stat(Fd directory, OsPath name) throws ErrnoException {
    int flags = Linux.AT_SYMLINK_NOFOLLOW;
    try {
      return Optional.of(sys.statx(directory.number(), name, flags, Linux.STATX_BASIC_STATS));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private void add(Fd directory, OsPath name, OsPath path, Statx stat) throws ErrnoException {
    boolean file = stat.isRegularFile();
    int type = stat.mode() & Linux.S_IFMT;
    nodes.put(
        path,
        new Node(
            stat.mode(),
            stat.uid(),
            stat.gid(),
            file ? stat.size() : 0,
            file ? Optional.of(hash(directory, name)) : Optional.empty(),
            type == Linux.S_IFCHR || type == Linux.S_IFBLK
                ? Optional.of(stat.rdevMajor() + ":" + stat.rdevMinor())
                : Optional.empty(),
            stat.isSymbolicLink()
                ? Optional.of(sys.readlinkat(directory.number(), name))
                : Optional.empty(),
            xattrs(directory, name),
            sameAs(stat, path),
            times ? Optional.of(stat.modified()) : Optional.empty()));
  }

  private Optional<OsPath> sameAs(Statx stat, OsPath path) {
    if (stat.isDirectory() || stat.links() < 2) {
      return Optional.empty();
    }
    String inode = stat.devMajor() + ":" + stat.devMinor() + ":" + stat.inode();
    return Optional.ofNullable(firstOfInode.putIfAbsent(inode, path));
  }

  private String hash(Fd directory, OsPath name) throws ErrnoException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JVM has SHA-256", e);
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    int flags = Linux.O_RDONLY | Linux.O_NOFOLLOW;
    try (Fd fd = new Fd(sys, sys.openat(directory.number(), name, flags, 0))) {
      while (sys.read(fd.number(), buffer.clear()) > 0) {
        digest.update(buffer.flip());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** By way of /proc, for these calls know no directory descriptors. */
  private SortedMap<String, String> xattrs(Fd directory, OsPath name) throws ErrnoException {
    OsPath path = OsPath.of("/proc/self/fd/" + directory.number()).resolve(name);
    SortedMap<String, String> found = new TreeMap<>();
    try {
      for (String attribute : sys.listxattr(path, false)) {
        Optional<byte[]> value = sys.getxattr(path, attribute, false);
        value.ifPresent(v -> found.put(attribute, HexFormat.of().formatHex(v)));
      }
    } catch (ErrnoException e) {
      if (!e.is(Errno.EOPNOTSUPP)) {
        throw e;
      }
    }
    return found;
  }
}
