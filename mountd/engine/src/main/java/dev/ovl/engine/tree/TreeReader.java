package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Streams a directory as it is: each directory before what is in it, names sorted by bytes, depth
 * first; the first name of a file as what it is, the others as hard links.
 *
 * <p>Follows no link and enters no mount, whose point is left out too. The tree may change
 * meanwhile: what vanishes between two calls was not there. For one thread.
 */
public final class TreeReader {
  /** Directories kept open; those above are opened again when they are come back to. */
  private static final int OPEN_DIRECTORIES = 64;

  private final Syscalls sys;
  private final NodeReader nodes;
  private final Beneath beneath;
  private final Files files;

  /**
   * @param nodes reads attributes, and leaves out what is not to be told
   */
  public TreeReader(Syscalls sys, NodeReader nodes) {
    this.sys = sys;
    this.nodes = nodes;
    this.beneath = new Beneath(sys);
    this.files = new Files(sys);
  }

  /** A directory that is being listed. */
  private static final class Level {
    private final OsPath path;
    private final Iterator<OsPath> names;
    private Optional<Fd> directory;

    Level(OsPath path, Iterator<OsPath> names, Fd directory) {
      this.path = path;
      this.names = names;
      this.directory = Optional.of(directory);
    }

    void close() {
      directory.ifPresent(Fd::close);
      directory = Optional.empty();
    }
  }

  /** The first name of a file that has others to come. */
  private static final class Linked {
    private final OsPath first;
    private int missing;

    Linked(OsPath first, int missing) {
      this.first = first;
      this.missing = missing;
    }
  }

  /**
   * Streams all, the root itself as {@code .}; the sink is not told the end.
   *
   * @param cancelled asked before each file
   * @throws EngineException cancelled, or what the sink says
   * @throws ErrnoException ENOENT, ENOTDIR: there is no such root; EACCES: something is shut
   */
  public void read(OsPath root, TreeSink sink, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    try (Fd top = files.openDirectory(root)) {
      read(top, sink, cancelled);
    }
  }

  /**
   * As {@link #read(OsPath, TreeSink, BooleanSupplier)}, of a name in an open directory that may be
   * any file; a link is not followed.
   *
   * @throws ErrnoException ENOENT: it is not there
   */
  public void read(Fd directory, OsPath name, TreeSink sink, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Statx stat = nodes.stat(directory, name);
    if (!stat.isDirectory()) {
      Node node = nodes.read(directory, name, OsPath.DOT, stat);
      try (Opened data = open(directory, name, stat)) {
        sink.put(node, data.content());
      }
      return;
    }
    int flags = Linux.O_RDONLY | Linux.O_DIRECTORY | Linux.O_NOFOLLOW;
    try (Fd top = new Fd(sys, sys.openat(directory.number(), name, flags, 0))) {
      read(top, sink, cancelled);
    }
  }

  private void read(Fd top, TreeSink sink, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Deque<Level> levels = new ArrayDeque<>();
    try {
      new Reading(top, sink, cancelled, levels).run();
    } finally {
      levels.forEach(Level::close);
    }
  }

  /** The data of a file, to be closed. */
  private record Opened(Optional<Fd> file) implements AutoCloseable {
    Content content() {
      return file.isPresent() ? new Content.OfFile(file.get()) : new Content.None();
    }

    @Override
    public void close() {
      file.ifPresent(Fd::close);
    }
  }

  private Opened open(Fd directory, OsPath name, Statx stat) throws ErrnoException {
    if (!stat.isRegularFile() || stat.size() == 0) {
      return new Opened(Optional.empty());
    }
    // what has taken the name meanwhile is not to be waited for
    int flags = Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK;
    return new Opened(Optional.of(new Fd(sys, sys.openat(directory.number(), name, flags, 0))));
  }

  /** One run. */
  private final class Reading {
    private final Fd top;
    private final TreeSink sink;
    private final BooleanSupplier cancelled;
    private final Deque<Level> levels;
    private final Map<String, Linked> linked = new HashMap<>();
    private final Statx rootStat;

    Reading(Fd top, TreeSink sink, BooleanSupplier cancelled, Deque<Level> levels)
        throws ErrnoException {
      this.top = top;
      this.sink = sink;
      this.cancelled = cancelled;
      this.levels = levels;
      this.rootStat = beneath.stat(top, OsPath.EMPTY).orElseThrow();
    }

    void run() throws EngineException, ErrnoException {
      sink.put(nodes.read(top, OsPath.DOT, OsPath.DOT, rootStat), new Content.None());
      enter(OsPath.DOT);
      while (!levels.isEmpty()) {
        Level level = levels.getLast();
        if (!level.names.hasNext() || !isOpen(level)) {
          level.close();
          levels.removeLast();
          continue;
        }
        if (cancelled.getAsBoolean()) {
          throw EngineException.failed("cancelled", Errno.ECANCELED);
        }
        OsPath name = level.names.next();
        OsPath path = level.path.equals(OsPath.DOT) ? name : level.path.resolve(name);
        tell(level.directory.orElseThrow(), name, path);
      }
    }

    private boolean isOpen(Level level) throws ErrnoException {
      if (level.directory.isEmpty()) {
        level.directory = beneath.open(top, level.path);
      }
      return level.directory.isPresent();
    }

    private void tell(Fd directory, OsPath name, OsPath path)
        throws EngineException, ErrnoException {
      Optional<Statx> stat = beneath.stat(directory, name);
      if (stat.isEmpty() || Beneath.isMounted(stat.get(), rootStat)) {
        return;
      }
      Node node;
      try {
        node = nodes.read(directory, name, path, stat.get());
      } catch (ErrnoException e) {
        if (Beneath.isGone(e) || e.is(Errno.EINVAL)) {
          return; // gone, or no symbolic link any more
        }
        throw e;
      }
      boolean hasOthers = !stat.get().isDirectory() && stat.get().links() > 1;
      Linked known = hasOthers ? linked.get(stat.get().identity()) : null;
      if (known != null) {
        Node.Kind link = new Node.Kind.HardLink(known.first);
        sink.put(new Node(path, link, node.attributes()), new Content.None());
        if (--known.missing == 0) {
          linked.remove(stat.get().identity());
        }
      } else if (stat.get().isDirectory()) {
        sink.put(node, new Content.None());
        enter(path);
      } else if (isPut(directory, name, node, stat.get()) && hasOthers) {
        linked.put(stat.get().identity(), new Linked(path, stat.get().links() - 1));
      }
    }

    /** Passes a file on; false when it is gone. */
    private boolean isPut(Fd directory, OsPath name, Node node, Statx stat)
        throws EngineException, ErrnoException {
      Opened opened;
      try {
        opened = open(directory, name, stat);
      } catch (ErrnoException e) {
        if (Beneath.isGone(e) || e.is(Errno.ENXIO)) {
          return false;
        }
        throw e;
      }
      try (opened) {
        sink.put(node, opened.content());
      }
      return true;
    }

    private void enter(OsPath path) throws ErrnoException {
      Optional<Fd> opened = beneath.open(top, path);
      if (opened.isEmpty()) {
        return;
      }
      Fd directory = opened.get();
      List<OsPath> names;
      try {
        names = files.list(directory);
      } catch (ErrnoException e) {
        directory.close();
        if (Beneath.isGone(e)) {
          return;
        }
        throw e;
      }
      levels.addLast(new Level(path, names.iterator(), directory));
      if (levels.size() > OPEN_DIRECTORIES) {
        closeHighest();
      }
    }

    private void closeHighest() {
      for (Level level : levels) {
        if (level.directory.isPresent()) {
          level.close();
          return;
        }
      }
    }
  }
}
