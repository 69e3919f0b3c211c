package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.MergedLayers;
import dev.ovl.engine.diff.MergedLayers.Directory;
import dev.ovl.engine.diff.MergedLayers.Own;
import dev.ovl.engine.diff.MergedLayers.Part;
import dev.ovl.engine.diff.MergedLayers.Shown;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.Content;
import dev.ovl.engine.tree.CopyWatch;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.Node;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.engine.tree.Xattrs;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import dev.ovl.sys.Timestamp;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Gives the lower what the upper has, name by name. Whatever is done to a name of the lower, the
 * upper has something that hides it: a file, a whiteout, an opaque directory, a directory whose
 * attributes are the ones that are seen. A file or a directory that is no merged one is renamed
 * from the one to the other, at one stroke; where that cannot be it is copied, and what hides the
 * copy stays. So the view is the same after every call.
 *
 * <p>What is left of the upper afterwards hides only its like. For uppers that {@link
 * Materialisation} has been at.
 */
final class Folding {
  private static final Timestamp LEAVE = Attributes.UNKNOWN;
  private static final int FILE = Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK;

  private final Syscalls sys;
  private final Files files;
  private final MergedLayers layers;
  private final Bookkeeping books;
  private final NodeReader reader;
  private final TreeWriter writer;
  private final Pause pause;
  private final Map<String, OsPath> placed = new HashMap<>();
  private final Deque<List<Part>> waiting = new ArrayDeque<>();

  /** Renames are of no use: the two lie on different file systems, mounts or projects. */
  private boolean across;

  private Folding(
      Syscalls sys, MergedLayers layers, Bookkeeping books, TreeWriter writer, Pause pause) {
    this.sys = sys;
    this.files = new Files(sys);
    this.layers = layers;
    this.books = books;
    this.reader = new NodeReader(sys, NodeReader.XattrFilter.ALL);
    this.writer = writer;
    this.pause = pause;
  }

  /**
   * Folds all of it.
   *
   * @param lower the directory of the second layer
   */
  static void run(
      Syscalls sys,
      MergedLayers layers,
      Bookkeeping books,
      OsPath lower,
      Pause pause,
      CopyWatch watch)
      throws EngineException, ErrnoException {
    try (TreeWriter writer =
        new TreeWriter(sys, lower, LayerForm.EXACT, TreeWriter.Parents.UNKNOWN, watch)) {
      new Folding(sys, layers, books, writer, pause).all();
      writer.finish();
    }
  }

  /** Whether a directory of the upper is folded into one of the lower. */
  static boolean isFolded(List<Part> directory) {
    return directory.size() > 1 && directory.get(1).layer() == 1;
  }

  /**
   * Whether a metadata-only copy has its data in the lower by the same name, in a file that has no
   * other name: it is enough to give that file the attributes.
   */
  static boolean isCopyInPlace(Directory directory, OsPath name, Own own) throws EngineException {
    if (!isFolded(directory.parts()) || own.stat().links() > 1) {
      return false;
    }
    Part there = new Part(1, directory.parts().get(1).path().resolve(name));
    return directory.lookup(name).filter(shown -> shown.data().equals(there)).isPresent()
        && directory.lookupBelow(1, name).filter(below -> below.stat().links() == 1).isPresent();
  }

  /** Other extended attributes. */
  static Attributes with(Attributes it, SortedMap<String, byte[]> xattrs) {
    return new Attributes(
        it.permissions(), it.uid(), it.gid(), it.modified(), Xattrs.of(xattrs), it.accessed());
  }

  private void all() throws EngineException, ErrnoException {
    try (Directory root = layers.root()) {
      waiting.push(root.parts());
    }
    while (!waiting.isEmpty()) {
      try (Directory directory = layers.directory(waiting.pop())) {
        Fd from = directory.open(0);
        Fd to = directory.open(1);
        OsPath path = directory.parts().getFirst().path();
        if (!path.isEmpty() || isOurs(to)) {
          writer.put(attributes(from, to, path), new Content.None());
        }
        for (OsPath name : directory.ownNames()) {
          pause.check();
          Optional<Own> own = directory.own(name);
          if (own.isPresent()) {
            one(new Entry(directory, from, to, path.resolve(name), name, own.get()));
          }
        }
      }
    }
  }

  /**
   * Whether a directory's owner is one whom this user namespace has. An upper's root directory lies
   * over any directory; what is in it was copied up, for which the kernel wants such an owner.
   */
  private boolean isOurs(Fd directory) throws ErrnoException {
    Statx stat = reader.stat(directory, OsPath.DOT);
    try {
      int number = directory.number();
      sys.fchownat(number, OsPath.EMPTY, stat.uid(), stat.gid(), Linux.AT_EMPTY_PATH);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.EINVAL) || e.is(Errno.EPERM)) {
        return false;
      }
      throw e;
    }
  }

  /** A directory of the lower with the attributes of the upper's, but its own bookkeeping. */
  private Node attributes(Fd from, Fd to, OsPath path) throws ErrnoException {
    NodeReader own = new NodeReader(sys, books.without());
    OsPath as = path.isEmpty() ? OsPath.DOT : path;
    Node node = own.read(from, OsPath.DOT, as, own.stat(from, OsPath.DOT));
    TreeMap<String, byte[]> xattrs = new TreeMap<>(node.attributes().xattrs().values());
    xattrs.putAll(books.of(to));
    return new Node(as, node.kind(), with(node.attributes(), xattrs));
  }

  /**
   * A name in a directory that both have.
   *
   * @param from the upper's, open
   * @param to the lower's, open
   * @param path from the root of both
   */
  private record Entry(Directory directory, Fd from, Fd to, OsPath path, OsPath name, Own own) {}

  private void one(Entry entry) throws EngineException, ErrnoException {
    if (entry.own().whiteout()) {
      books.removeAll(entry.to(), entry.name());
      if (entry.directory().lookupBelow(2, entry.name()).isPresent()) {
        writer.put(books.whiteout(entry.path(), entry.own().stat()), new Content.None());
      }
    } else if (!entry.own().stat().isDirectory()) {
      file(entry);
    } else {
      Shown shown = entry.directory().lookup(entry.name()).orElseThrow();
      if (isFolded(shown.parts())) {
        waiting.push(shown.parts());
      } else {
        whole(entry, shown);
      }
    }
  }

  // ---- files --------------------------------------------------------------------------------

  private void file(Entry entry) throws EngineException, ErrnoException {
    if (entry.own().metadataOnly()) {
      setAttributes(entry);
      return;
    }
    books.strip(entry.from(), entry.name(), false);
    books.uncover(entry.to(), entry.name());
    if (!isRenamed(entry)) {
      copy(entry.from(), entry.name(), entry.path(), entry.own().stat());
    }
  }

  /** False where it has to be copied. */
  private boolean isRenamed(Entry entry) throws ErrnoException {
    while (!across) {
      try {
        int from = entry.from().number();
        sys.renameat2(from, entry.name(), entry.to().number(), entry.name(), 0);
        return true;
      } catch (ErrnoException e) {
        switch (e.errno()) {
          case EXDEV -> across = true;
          case EISDIR -> files.removeAny(entry.to(), entry.name());
          default -> throw e;
        }
      }
    }
    return false;
  }

  private void copy(Fd from, OsPath name, OsPath path, Statx stat)
      throws EngineException, ErrnoException {
    Node node = reader.read(from, name, path, stat);
    OsPath first = stat.links() > 1 ? placed.putIfAbsent(stat.identity(), path) : null;
    if (first != null) {
      Node.Kind link = new Node.Kind.HardLink(first);
      writer.put(new Node(path, link, node.attributes()), new Content.None());
    } else if (stat.isRegularFile() && stat.size() > 0) {
      try (Fd data = new Fd(sys, sys.openat(from.number(), name, FILE, 0))) {
        writer.put(node, new Content.OfFile(data));
      }
    } else {
      writer.put(node, new Content.None());
    }
  }

  /** The lower's file has the data: it gets the attributes of the metadata-only copy. */
  private void setAttributes(Entry entry) throws ErrnoException {
    NodeReader own = new NodeReader(sys, books.without());
    Attributes wanted = own.attributes(entry.from(), entry.name(), entry.own().stat());
    try (Fd file = new Fd(sys, sys.openat(entry.to().number(), entry.name(), FILE, 0))) {
      int number = file.number();
      sys.fchownat(number, OsPath.EMPTY, wanted.uid(), wanted.gid(), Linux.AT_EMPTY_PATH);
      for (String name : sys.flistxattr(number)) {
        boolean ofModule = name.startsWith("security.") && !name.equals("security.capability");
        if (!ofModule && !wanted.xattrs().values().containsKey(name)) {
          remove(number, name);
        }
      }
      for (Map.Entry<String, byte[]> xattr : wanted.xattrs().values().entrySet()) {
        sys.fsetxattr(number, xattr.getKey(), xattr.getValue(), 0);
      }
      sys.fchmod(number, wanted.permissions());
    }
    int flags = Linux.AT_SYMLINK_NOFOLLOW;
    sys.utimensat(entry.to().number(), entry.name(), LEAVE, wanted.modified(), flags);
  }

  private void remove(int file, String attribute) throws ErrnoException {
    try {
      sys.fremovexattr(file, attribute);
    } catch (ErrnoException e) {
      // XFS shows an ACL by two names, and a change of the owner takes capabilities away
      if (!e.is(Errno.ENODATA)) {
        throw e;
      }
    }
  }

  // ---- directories that are no merged ones ----------------------------------------------------

  private void whole(Entry entry, Shown shown) throws EngineException, ErrnoException {
    boolean merges = shown.parts().size() > 1;
    boolean hides = !merges && entry.directory().lookupBelow(2, entry.name()).isPresent();
    if (!merges) {
      if (!entry.own().opaque()) {
        books.hideBelow(entry.from(), entry.name());
      }
      books.removeAll(entry.to(), entry.name());
    }
    clean(shown.parts());
    books.strip(entry.from(), entry.name(), merges || hides);
    if (!isRenamed(entry)) {
      copyTree(entry);
    }
  }

  /**
   * Takes the bookkeeping away that means nothing any more in a directory of the upper, and all
   * that is in it: whiteouts of nothing among it.
   */
  private void clean(List<Part> top) throws EngineException, ErrnoException {
    Deque<List<Part>> inside = new ArrayDeque<>(List.of(top));
    while (!inside.isEmpty()) {
      try (Directory directory = layers.directory(inside.pop())) {
        Fd fd = directory.open(0);
        Timestamp modified = reader.stat(fd, OsPath.DOT).modified();
        boolean loses = false;
        for (OsPath name : directory.ownNames()) {
          pause.check();
          Own own = directory.own(name).orElseThrow();
          boolean hides = directory.lookupBelow(1, name).isPresent();
          if (own.whiteout()) {
            if (!hides) {
              sys.unlinkat(fd.number(), books.whiteout(name), 0);
              loses = true;
            }
          } else {
            books.strip(fd, name, own.stat().isDirectory() && hides);
            if (own.stat().isDirectory()) {
              inside.push(directory.lookup(name).orElseThrow().parts());
            }
          }
        }
        if (loses) {
          sys.utimensat(fd.number(), OsPath.DOT, LEAVE, modified, 0);
        }
      }
    }
  }

  private void copyTree(Entry entry) throws EngineException, ErrnoException {
    Deque<OsPath> inside = new ArrayDeque<>(List.of(entry.path()));
    while (!inside.isEmpty()) {
      OsPath path = inside.pop();
      try (Directory directory = layers.directory(List.of(new Part(0, path)))) {
        Fd fd = directory.open(0);
        Statx stat = reader.stat(fd, OsPath.DOT);
        writer.put(reader.read(fd, OsPath.DOT, path, stat), new Content.None());
        for (OsPath name : files.list(fd)) {
          pause.check();
          Statx found = reader.stat(fd, name);
          if (found.isDirectory()) {
            inside.push(path.resolve(name));
          } else {
            copy(fd, name, path.resolve(name), found);
          }
        }
      }
    }
  }
}
