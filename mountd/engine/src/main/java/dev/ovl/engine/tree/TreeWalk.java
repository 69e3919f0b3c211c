package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.DirectoryEntries;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Visits everything in a tree: openat2(2) by directory, getdents64(2), statx(2) by entry.
 *
 * <p>Follows no link and enters no mount: not another file system, and not a piece of the same one
 * that is bound there, for an overlay shows neither. The tree may change under the walk. What
 * vanishes between two calls was not there, what is moved meanwhile may be met twice or not at all.
 *
 * <p>However deep the tree, three descriptors are open and the Java stack stays flat: a directory
 * that waits is kept by its path, which is opened in parts where it is longer than the kernel
 * takes.
 */
public final class TreeWalk {
  private final Beneath beneath;
  private final Files files;

  /**
   * @param sys what to call
   */
  public TreeWalk(Syscalls sys) {
    this.beneath = new Beneath(sys);
    this.files = new Files(sys);
  }

  /** Sees what the walk meets. */
  public interface Visitor {
    /**
     * Called for every name once, and for the root as {@code .}; a directory comes before what is
     * in it.
     *
     * @param directory open for reading; it is closed when the walk leaves it
     */
    void visit(Fd directory, OsPath name, Statx stat) throws EngineException, ErrnoException;

    /**
     * The names that come now are in this directory.
     *
     * @param directory open for reading
     * @param path from the root of the tree, which is {@code .}
     */
    default void enter(Fd directory, OsPath path) throws EngineException, ErrnoException {}

    /** Something is mounted there, where the walk does not go. */
    default void mounted(OsPath path) throws EngineException {}
  }

  /**
   * Walks.
   *
   * @param stop asked before each entry
   * @return false when it was stopped
   * @throws EngineException what the visitor says
   * @throws ErrnoException ENOENT, ENOTDIR: there is no such root; EACCES: a directory is shut
   */
  public boolean walk(OsPath root, Visitor visitor, BooleanSupplier stop)
      throws EngineException, ErrnoException {
    Deque<OsPath> waiting = new ArrayDeque<>();
    try (Fd top = files.openDirectory(root)) {
      Statx rootStat = beneath.stat(top, OsPath.EMPTY).orElseThrow();
      visitor.visit(top, OsPath.DOT, rootStat);
      waiting.push(OsPath.DOT);
      while (!waiting.isEmpty()) {
        OsPath path = waiting.pop();
        Optional<Fd> opened = beneath.open(top, path);
        if (opened.isPresent()) {
          try (Fd directory = opened.get()) {
            visitor.enter(directory, path);
            if (!entries(directory, path, rootStat, visitor, stop, waiting)) {
              return false;
            }
          }
        }
      }
      return true;
    }
  }

  private boolean entries(
      Fd directory,
      OsPath path,
      Statx rootStat,
      Visitor visitor,
      BooleanSupplier stop,
      Deque<OsPath> waiting)
      throws EngineException, ErrnoException {
    while (true) {
      List<DirectoryEntries.Entry> some;
      try {
        some = files.nextEntries(directory);
      } catch (ErrnoException e) {
        if (Beneath.isGone(e)) {
          return true;
        }
        throw e;
      }
      if (some.isEmpty()) {
        return true;
      }
      for (DirectoryEntries.Entry entry : some) {
        if (stop.getAsBoolean()) {
          return false;
        }
        Optional<Statx> stat = beneath.stat(directory, entry.name());
        if (stat.isEmpty()) {
          continue;
        }
        if (Beneath.isMounted(stat.get(), rootStat)) {
          visitor.mounted(below(path, entry.name()));
          continue;
        }
        visitor.visit(directory, entry.name(), stat.get());
        if (stat.get().isDirectory()) {
          waiting.push(below(path, entry.name()));
        }
      }
    }
  }

  private static OsPath below(OsPath path, OsPath name) {
    return path.equals(OsPath.DOT) ? name : path.resolve(name);
  }
}
