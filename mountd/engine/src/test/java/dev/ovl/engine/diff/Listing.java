package dev.ovl.engine.diff;

import dev.ovl.engine.diff.Change.Kind;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Everything that a mounted tree shows, and what changed from one to another, found by brute force
 * and with nothing of the code under test: each name is compared by all that can be seen of it.
 *
 * <p>Inode numbers are those of the real files: overlayfs shows these where all layers are of one
 * file system and no layer is writable.
 */
final class Listing {
  /** A directory comes before what is in it, names are compared by bytes. */
  static final Comparator<OsPath> ORDER =
      (some, other) -> {
        List<OsPath> a = some.components();
        List<OsPath> b = other.components();
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
          int order = a.get(i).compareTo(b.get(i));
          if (order != 0) {
            return order;
          }
        }
        return Integer.compare(a.size(), b.size());
      };

  private final SortedMap<OsPath, Item> items = new TreeMap<>(ORDER);
  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  /**
   * @param looks all that counts but its names, as text
   */
  record Item(boolean directory, String looks, long inode, int links) {}

  private Listing() {}

  /** Lists a tree; the root is the empty path. */
  static Listing of(OsPath root) throws ErrnoException {
    Listing listing = new Listing();
    listing.add(root, OsPath.EMPTY, listing.stat(root).orElseThrow());
    return listing;
  }

  SortedMap<OsPath, Item> items() {
    return items;
  }

  private Optional<Statx> stat(OsPath path) throws ErrnoException {
    return files.lstat(path);
  }

  private void add(OsPath at, OsPath path, Statx stat) throws ErrnoException {
    items.put(path, new Item(stat.isDirectory(), looks(at, stat), stat.inode(), stat.links()));
    if (stat.isDirectory()) {
      for (OsPath name : files.list(at)) {
        OsPath inside = at.resolve(name);
        // overlayfs lists whiteouts of directories that only one layer has
        Optional<Statx> found = stat(inside);
        if (found.isPresent()) {
          add(inside, path.resolve(name), found.get());
        }
      }
    }
  }

  private String looks(OsPath at, Statx stat) throws ErrnoException {
    StringBuilder text = new StringBuilder();
    text.append(String.format("%06o %d:%d", stat.mode(), stat.uid(), stat.gid()));
    text.append(" mtime=" + stat.modified().seconds() + "." + stat.modified().nanoseconds());
    int type = stat.mode() & Linux.S_IFMT;
    if (type == Linux.S_IFREG) {
      text.append(" size=" + stat.size() + " " + hash(at));
    } else if (type == Linux.S_IFLNK) {
      text.append(" -> " + sys.readlinkat(Linux.AT_FDCWD, at));
    } else if (type == Linux.S_IFCHR || type == Linux.S_IFBLK) {
      text.append(" " + stat.rdevMajor() + ":" + stat.rdevMinor());
    }
    for (String name : new TreeSet<>(sys.listxattr(at, false))) {
      text.append(" " + name + "=");
      text.append(HexFormat.of().formatHex(sys.getxattr(at, name, false).orElseThrow()));
    }
    return text.toString();
  }

  private String hash(OsPath at) throws ErrnoException {
    try (Fd fd = new Fd(sys, sys.openat(Linux.AT_FDCWD, at, Linux.O_RDONLY, 0))) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      ByteBuffer buffer = ByteBuffer.allocateDirect(65536);
      while (sys.read(fd.number(), buffer.clear()) > 0) {
        digest.update(buffer.flip());
      }
      return HexFormat.of().formatHex(Arrays.copyOf(digest.digest(), 8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JVM has SHA-256", e);
    }
  }

  /** What is to be told as changed since an older tree. */
  List<String> changesSince(Listing older) {
    SortedMap<OsPath, Kind> kinds = new TreeMap<>(ORDER);
    for (OsPath path : older.items.keySet()) {
      if (!items.containsKey(path) && isDirectory(path.parent())) {
        kinds.put(path, Kind.DELETED);
      }
    }
    items.forEach(
        (path, item) -> {
          Item before = older.items.get(path);
          if (before == null) {
            kinds.put(path, Kind.ADDED);
          } else if (!item.looks().equals(before.looks()) || isRelinked(path, older)) {
            kinds.put(path, Kind.CHANGED);
          }
        });
    for (OsPath path : List.copyOf(kinds.keySet())) {
      for (OsPath up = parent(path); !up.isEmpty(); up = parent(up)) {
        kinds.putIfAbsent(up, Kind.CHANGED);
      }
    }
    kinds.remove(OsPath.EMPTY);
    List<String> lines = new ArrayList<>();
    kinds.forEach((path, kind) -> lines.add(kind.letter() + " /" + path));
    return lines;
  }

  private static OsPath parent(OsPath path) {
    OsPath parent = path.parent();
    return parent.equals(OsPath.DOT) ? OsPath.EMPTY : parent;
  }

  private boolean isDirectory(OsPath path) {
    Item item = items.get(path.equals(OsPath.DOT) ? OsPath.EMPTY : path);
    return item != null && item.directory();
  }

  /** Files that both trees share count as the same, whatever other names they got or lost. */
  private boolean isMoved(OsPath path, Listing older) {
    Item before = older.items.get(path);
    return before == null || before.directory() || before.inode() != items.get(path).inode();
  }

  private static boolean sameFile(Item some, Item other) {
    return some != null
        && other != null
        && !some.directory()
        && !other.directory()
        && some.inode() == other.inode();
  }

  private boolean isRelinked(OsPath path, Listing older) {
    Item item = items.get(path);
    Item before = older.items.get(path);
    if (item.directory() || !isMoved(path, older)) {
      return false;
    }
    for (Map.Entry<OsPath, Item> other : items.entrySet()) {
      if (!other.getKey().equals(path)
          && sameFile(item, other.getValue())
          && isMoved(other.getKey(), older)
          && !sameFile(before, older.items.get(other.getKey()))) {
        return true;
      }
    }
    int names = 0;
    for (Map.Entry<OsPath, Item> other : older.items.entrySet()) {
      if (sameFile(before, other.getValue()) && isDirectory(other.getKey().parent())) {
        names++;
        Item now = items.get(other.getKey());
        if (now != null && !now.directory() && !sameFile(item, now)) {
          return true;
        }
      }
    }
    return names < before.links();
  }

  /** The whole tree as lines, in which the names of a file are told. */
  List<String> lines(Optional<Listing> older) {
    return older.isEmpty()
        ? lines(path -> true, Set.of())
        : lines(path -> isMoved(path, older.get()), torn(older.get()));
  }

  /** A tree's lines when the moved names are those of another comparison. */
  List<String> lines(Listing newer, Listing older) {
    return lines(
        path -> !newer.items.containsKey(path) || newer.isMoved(path, older), newer.torn(older));
  }

  /**
   * Names that are of the same file as before while others of that file came or moved: they stay
   * with it, unless they are sent again on behalf of a directory that takes the place of another.
   */
  private Set<OsPath> torn(Listing older) {
    Set<Long> moved = new HashSet<>();
    items.forEach(
        (path, item) -> {
          if (!item.directory() && isMoved(path, older)) {
            moved.add(item.inode());
          }
        });
    Set<OsPath> torn = new HashSet<>();
    items.forEach(
        (path, item) -> {
          if (moved.contains(item.inode()) && !isMoved(path, older)) {
            torn.add(path);
          }
        });
    return torn;
  }

  private List<String> lines(Predicate<OsPath> moved, Set<OsPath> alone) {
    Map<String, OsPath> first = new TreeMap<>();
    List<String> lines = new ArrayList<>();
    items.forEach(
        (path, item) -> {
          String line = "/" + path + " " + item.looks();
          if (!item.directory() && item.links() > 1 && !alone.contains(path)) {
            // a name that shares its file with the older tree is none of a file that moved
            OsPath same = first.putIfAbsent(item.inode() + " " + moved.test(path), path);
            line += same == null ? "" : " = /" + same;
          }
          lines.add(line);
        });
    return lines;
  }
}
