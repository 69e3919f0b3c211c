package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Goes through all that a merged tree shows beneath a path: a directory before what is in it. */
final class MergedWalk {
  private final MergedTree tree;
  private final BooleanSupplier cancelled;

  MergedWalk(MergedTree tree, BooleanSupplier cancelled) {
    this.tree = tree;
    this.cancelled = cancelled;
  }

  /** Hears of each file. */
  interface Visitor {
    /**
     * A name of the tree.
     *
     * @param path from the root of the tree
     */
    void visit(OsPath path, Found found) throws EngineException;
  }

  /** A directory that is still to be listed. */
  private record Waiting(OsPath path, List<Place> stack) {}

  /**
   * Goes through it.
   *
   * @param path from the root of the tree
   * @param start what it leads to, visited first
   * @throws EngineException a layer cannot be read; cancelled
   */
  void walk(OsPath path, Found start, Visitor visitor) throws EngineException {
    Deque<Waiting> waiting = new ArrayDeque<>();
    visit(path, start, visitor, waiting);
    while (!waiting.isEmpty()) {
      Waiting directory = waiting.pop();
      try (OpenStack open = new OpenStack(directory.stack(), Linux.O_RDONLY)) {
        for (OsPath name : open.names()) {
          var found = tree.lookup(open.directories(), name);
          if (found.isPresent()) {
            visit(directory.path().resolve(name), found.get(), visitor, waiting);
          }
        }
      }
    }
  }

  private void visit(OsPath path, Found found, Visitor visitor, Deque<Waiting> waiting)
      throws EngineException {
    if (cancelled.getAsBoolean()) {
      throw EngineException.failed("cancelled", Errno.ECANCELED);
    }
    visitor.visit(path, found);
    if (found.isDirectory()) {
      waiting.push(new Waiting(path, found.stack()));
    }
  }
}
