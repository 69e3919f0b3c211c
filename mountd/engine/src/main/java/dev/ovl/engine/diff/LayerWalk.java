package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.engine.diff.LayerEntry.Below;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/**
 * Visits everything that the topmost layer of an overlay holds, and tells of each name what lies
 * below it, which {@link MergedTree} looks up. What makes no sense to the kernel is told as well,
 * and the walk goes on: to what is in a directory whose redirect is broken, nothing lies below.
 *
 * <p>The cost grows with that layer; the others are asked by name only.
 */
public final class LayerWalk {
  private static final String REDIRECT = "redirect";

  private final Syscalls sys;
  private final View.Union view;

  /**
   * @param sys what to call
   * @param view the layers, of which the topmost is walked
   */
  public LayerWalk(Syscalls sys, View.Union view) {
    this.sys = sys;
    this.view = view;
  }

  /** Sees what the walk meets. */
  public interface Visitor {
    /** A name. The root comes first; a directory comes some time before what is in it. */
    void visit(LayerEntry entry) throws EngineException, ErrnoException;

    /**
     * The names of a directory come now.
     *
     * @param directory open for reading until {@link #leave}
     */
    default void enter(OsPath path, Fd directory) throws EngineException, ErrnoException {}

    /** That were all of its names. */
    default void leave(OsPath path, Fd directory) throws EngineException, ErrnoException {}
  }

  /**
   * Walks.
   *
   * @param progress hears of every name
   * @param cancelled asked before every name
   * @throws EngineException a layer cannot be read; cancelled (ECANCELED); the visitor's own
   */
  public void walk(Visitor visitor, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    try (MergedTree tree = MergedTree.open(sys, view)) {
      new Walk(tree, visitor, progress, cancelled).run();
    }
  }

  /** One walk. */
  private static final class Walk {
    private final MergedTree tree;
    private final Visitor visitor;
    private final Progress progress;
    private final BooleanSupplier cancelled;
    private final Deque<List<Place>> waiting = new ArrayDeque<>();

    Walk(MergedTree tree, Visitor visitor, Progress progress, BooleanSupplier cancelled) {
      this.tree = tree;
      this.visitor = visitor;
      this.progress = progress;
      this.cancelled = cancelled;
    }

    void run() throws EngineException, ErrnoException {
      root();
      while (!waiting.isEmpty()) {
        directory(waiting.pop());
      }
    }

    private void root() throws EngineException, ErrnoException {
      List<Place> stack = tree.root();
      Layer layer = stack.getFirst().layer();
      try (OpenDirectory open = new OpenDirectory(layer, OsPath.EMPTY, Linux.O_RDONLY)) {
        Optional<Fd> fd = open.fd();
        Optional<Real> real = layer.find(open, OsPath.EMPTY);
        if (fd.isPresent() && real.isPresent()) {
          visitor.visit(
              new LayerEntry(
                  OsPath.EMPTY,
                  fd.get(),
                  OsPath.DOT,
                  real.get().stat(),
                  real.get().xattrs(),
                  false,
                  MergedTree.isOpaque(real.get()),
                  false,
                  true,
                  hasRedirect(real.get()),
                  Optional.empty(),
                  Optional.empty(),
                  below(stack)));
        }
      }
      waiting.push(stack);
    }

    private void directory(List<Place> stack) throws EngineException, ErrnoException {
      List<OpenDirectory> open = new ArrayList<>();
      try {
        for (Place place : stack) {
          int access = open.isEmpty() ? Linux.O_RDONLY : Linux.O_PATH;
          open.add(new OpenDirectory(place.layer(), place.path(), access));
        }
        Optional<Fd> fd = open.getFirst().fd();
        if (fd.isEmpty()) {
          return;
        }
        OsPath path = open.getFirst().path();
        visitor.enter(path, fd.get());
        SortedSet<OsPath> names = new TreeSet<>();
        open.getFirst().layer().list(open.getFirst(), names);
        for (OsPath name : names) {
          if (cancelled.getAsBoolean()) {
            throw EngineException.failed("cancelled", Errno.ECANCELED);
          }
          progress.looked();
          Optional<Real> real = open.getFirst().layer().find(open.getFirst(), name);
          if (real.isPresent()) {
            visitor.visit(look(open, fd.get(), real.get()));
          }
        }
        visitor.leave(path, fd.get());
      } finally {
        open.forEach(OpenDirectory::close);
      }
    }

    private LayerEntry look(List<OpenDirectory> open, Fd directory, Real real)
        throws EngineException {
      boolean whiteout = MergedTree.isWhiteout(real);
      boolean isDirectory = real.stat().isDirectory();
      boolean metadataOnly =
          !whiteout && real.stat().isRegularFile() && MergedTree.isMetadataOnly(real);
      boolean redirected = !whiteout && hasRedirect(real);
      Optional<String> badRedirect = redirected ? badRedirect(real) : Optional.empty();
      Optional<String> broken = Optional.empty();
      Optional<Below> below = Optional.empty();
      List<Place> stack = List.of(real.place());
      try {
        if (whiteout) {
          below = hidden(open.subList(1, open.size()), real);
        } else if (isDirectory && badRedirect.isEmpty()) {
          Optional<Found> found = tree.lookup(open, real.name());
          stack = found.map(Found::stack).filter(s -> !s.isEmpty()).orElse(stack);
          below = below(stack);
        } else if (metadataOnly) {
          Optional<Found> found = tree.lookup(open, real.name());
          if (found.isPresent() && !found.get().isWhole()) {
            below = Optional.of(below(found.get().data()));
          }
        }
      } catch (EngineException e) {
        broken = Optional.of(reason(e));
      }
      if (isDirectory) {
        waiting.push(stack);
      }
      return new LayerEntry(
          real.where().path().resolve(real.name()),
          directory,
          real.name(),
          real.stat(),
          real.xattrs(),
          whiteout,
          isDirectory && MergedTree.isOpaque(real),
          metadataOnly,
          open.size() > 1,
          redirected,
          badRedirect,
          broken,
          below);
    }

    private static Optional<String> badRedirect(Real real) throws EngineException {
      try {
        Redirect.of(real);
        return Optional.empty();
      } catch (EngineException e) {
        return Optional.of(reason(e));
      }
    }

    /** Why something makes no sense; what could not be read is thrown on. */
    private static String reason(EngineException e) throws EngineException {
      if (e.errno().isPresent()) {
        throw e;
      }
      return e.getMessage();
    }

    /** What a whiteout hides. What is there and cannot be made sense of is hidden, too. */
    private Optional<Below> hidden(List<OpenDirectory> lowers, Real whiteout)
        throws EngineException {
      try {
        return tree.lookup(lowers, whiteout.name()).map(found -> below(found.top()));
      } catch (EngineException e) {
        reason(e);
        return Optional.of(new Below(1, OsPath.EMPTY, whiteout.stat()));
      }
    }

    private Optional<Below> below(List<Place> stack) throws EngineException {
      if (stack.size() < 2) {
        return Optional.empty();
      }
      Place place = stack.get(1);
      try (OpenDirectory where =
          new OpenDirectory(place.layer(), place.directory(), Linux.O_PATH)) {
        return place.layer().find(where, place.name()).map(this::below);
      }
    }

    private Below below(Real real) {
      Place place = real.place();
      return new Below(tree.index(place.layer()), place.path(), real.stat());
    }

    private static boolean hasRedirect(Real real) throws EngineException {
      return real.where().layer().book(real, REDIRECT).isPresent();
    }
  }
}
