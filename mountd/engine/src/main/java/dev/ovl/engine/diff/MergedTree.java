package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks names up as overlayfs does (the kernel's Documentation/filesystems/overlayfs.rst), and in
 * branches of aufs as aufs does (aufs(5)), which knows neither redirects nor metadata-only copies.
 *
 * <p>A directory is the list of the real ones that it is made of, its stack. A name in it is looked
 * for in these from the top: a whiteout or anything that is no directory ends the search, and so
 * does an opaque directory; a redirect changes the name under which the layers below are asked, and
 * an absolute one asks their roots. A metadata-only copy is a regular file that sends the search on
 * for its data.
 */
final class MergedTree implements AutoCloseable {
  private static final String METACOPY = "metacopy";

  private final List<Layer> layers;
  private final List<Layer> dataOnly;

  private MergedTree(List<Layer> layers, List<Layer> dataOnly) {
    this.layers = layers;
    this.dataOnly = dataOnly;
  }

  /** Opens the layers of a view. */
  static MergedTree open(Syscalls sys, View view) throws EngineException {
    MergedTree tree = new MergedTree(new ArrayList<>(), new ArrayList<>());
    try {
      switch (view) {
        case View.Union union -> {
          for (OsPath path : union.layers()) {
            tree.layers.add(Layer.open(sys, path, Optional.of(union.booksOf(path))));
          }
          for (OsPath path : union.dataOnly()) {
            tree.dataOnly.add(Layer.open(sys, path, Optional.of(union.books())));
          }
        }
        case View.Plain plain ->
            tree.layers.add(Layer.open(sys, plain.directory(), Optional.empty()));
        case View.Nothing nothing -> {}
      }
      return tree;
    } catch (EngineException e) {
      tree.close();
      throw e;
    }
  }

  /**
   * Takes the other tree's layers for those at the bottom that both have, so that places in these
   * can be compared: from there down both trees look for names in the same way.
   *
   * @return true when all layers of this tree are the other's too
   */
  boolean shareBottom(MergedTree other) {
    if (!sameLayers(dataOnly, other.dataOnly)) {
      return false;
    }
    int shared = 0;
    while (shared < layers.size()
        && shared < other.layers.size()
        && fromBottom(layers, shared).isSame(fromBottom(other.layers, shared))) {
      fromBottom(layers, shared).close();
      layers.set(layers.size() - 1 - shared, fromBottom(other.layers, shared));
      shared++;
    }
    return shared > 0 && shared == layers.size();
  }

  private static Layer fromBottom(List<Layer> layers, int height) {
    return layers.get(layers.size() - 1 - height);
  }

  private static boolean sameLayers(List<Layer> some, List<Layer> others) {
    if (some.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < some.size(); i++) {
      if (!some.get(i).isSame(others.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The layer's number, the topmost being 0. */
  int index(Layer layer) {
    int index = layers.indexOf(layer);
    return index >= 0 ? index : layers.size() + dataOnly.indexOf(layer);
  }

  /** What the root is made of; nothing in an empty tree. */
  List<Place> root() {
    return layers.stream().map(Place::rootOf).toList();
  }

  /**
   * Looks a path up from the root.
   *
   * @param path none of them {@code .} or {@code ..}; empty for the root itself
   * @return empty when the tree has no such path; the directories that it was found in are closed
   */
  Optional<Found> find(List<OsPath> path) throws EngineException {
    List<Place> stack = root();
    Optional<Found> found;
    try (OpenStack open = new OpenStack(stack, Linux.O_PATH)) {
      found = root(open.directories());
    }
    for (OsPath name : path) {
      try (OpenStack open = new OpenStack(stack, Linux.O_PATH)) {
        found = lookup(open.directories(), name);
      }
      if (found.isEmpty()) {
        return found;
      }
      stack = found.get().stack();
    }
    return found;
  }

  /**
   * The root, which is all layers' roots, whatever their attributes say; empty in an empty tree.
   *
   * @param stack {@link #root()}, open
   */
  Optional<Found> root(List<OpenDirectory> stack) throws EngineException {
    if (stack.isEmpty()) {
      return Optional.empty();
    }
    OpenDirectory top = stack.getFirst();
    return top.layer().find(top, OsPath.EMPTY).map(real -> new Found(real, root(), real));
  }

  /**
   * Which of the tree's layers this is, the topmost being 0; data-only ones come after the others.
   */
  int indexOf(Layer layer) {
    int index = layers.indexOf(layer);
    return index >= 0 ? index : layers.size() + dataOnly.indexOf(layer);
  }

  /**
   * Looks a name up.
   *
   * @param stack what the directory is made of, open
   * @return empty when the tree has no such name
   * @throws EngineException a layer cannot be read, or what it holds makes no sense
   */
  Optional<Found> lookup(List<OpenDirectory> stack, OsPath name) throws EngineException {
    return new Search(name).run(stack);
  }

  /** One name on its way down. */
  private final class Search {
    /** The path to look for in each layer's root, after an absolute redirect; else empty. */
    private List<OsPath> path = List.of();

    private OsPath name;
    private final List<Real> found = new ArrayList<>();
    private boolean directory;
    private boolean dataMissing;
    private boolean ended;

    Search(OsPath name) {
      this.name = name;
    }

    Optional<Found> run(List<OpenDirectory> stack) throws EngineException {
      for (int i = 0; !ended && path.isEmpty() && i < stack.size(); i++) {
        OpenDirectory where = stack.get(i);
        one(where, name, true).ifPresent(found::add);
        if (!path.isEmpty()) {
          belowByPath(where.layer());
        }
      }
      if (dataMissing) {
        fromDataOnly();
      }
      if (found.isEmpty()) {
        return Optional.empty();
      }
      Real top = found.getFirst();
      return Optional.of(
          new Found(
              top,
              directory ? found.stream().map(Real::place).toList() : List.of(),
              directory ? top : found.getLast()));
    }

    private void belowByPath(Layer from) throws EngineException {
      for (int i = layers.indexOf(from) + 1; !ended && i < layers.size(); i++) {
        byPath(layers.get(i)).ifPresent(found::add);
      }
    }

    private Optional<Real> byPath(Layer layer) throws EngineException {
      OsPath at = OsPath.EMPTY;
      for (int i = 0; ; i++) {
        try (OpenDirectory where = new OpenDirectory(layer, at, Linux.O_PATH)) {
          int before = path.size();
          OsPath component = path.get(i);
          boolean last = i == before - 1;
          Optional<Real> real = one(where, component, last, i);
          if (real.isEmpty() || last) {
            return real;
          }
          // a redirect on the way replaces what was walked so far, and leaves the rest
          i += path.size() - before;
          at = at.resolve(component);
        }
      }
    }

    private Optional<Real> one(OpenDirectory where, OsPath component, boolean last)
        throws EngineException {
      return one(where, component, last, -1);
    }

    /**
     * One component in one layer.
     *
     * @param index of the component in the path; -1 for a name in a stack
     */
    private Optional<Real> one(OpenDirectory where, OsPath component, boolean last, int index)
        throws EngineException {
      Layer layer = where.layer();
      Optional<Real> real = layer.find(where, component);
      if (real.isEmpty()) {
        return Optional.empty();
      }
      Real it = real.get();
      if (isWhiteout(it)) {
        ended = true;
        return Optional.empty();
      }
      if (!it.stat().isDirectory()) {
        ended = true;
        if (directory || !last || (dataMissing && !it.stat().isRegularFile())) {
          return Optional.empty();
        }
        dataMissing = it.stat().isRegularFile() && isMetadataOnly(it);
        if (!dataMissing) {
          return real;
        }
        ended = false;
      } else {
        if (last && dataMissing) {
          ended = true;
          return Optional.empty();
        }
        directory |= last;
        if (isOpaque(it)) {
          ended = true;
          return real;
        }
      }
      redirect(it, index);
      if (dataMissing && !layer.follows()) {
        throw layer.broken(it.place(), "is a metadata-only copy, which userxattr does not follow");
      }
      return real;
    }

    private void redirect(Real real, int index) throws EngineException {
      Optional<Redirect> redirect = Redirect.of(real);
      if (redirect.isEmpty()) {
        return;
      }
      List<OsPath> to = redirect.get().components();
      if (redirect.get().isAbsolute()) {
        List<OsPath> rest = index < 0 ? List.of() : path.subList(index + 1, path.size());
        path = joined(to, rest);
        // an opaque directory further up the path is not on the way any more
        ended = false;
      } else if (index < 0) {
        name = to.getFirst();
      } else {
        path = new ArrayList<>(path);
        path.set(index, to.getFirst());
      }
    }

    private static List<OsPath> joined(List<OsPath> some, List<OsPath> more) {
      List<OsPath> all = new ArrayList<>(some);
      all.addAll(more);
      return all;
    }

    private void fromDataOnly() throws EngineException {
      Place top = found.getFirst().place();
      for (Layer layer : path.isEmpty() ? List.<Layer>of() : dataOnly) {
        OsPath at = path.stream().limit(path.size() - 1L).reduce(OsPath.EMPTY, OsPath::resolve);
        try (OpenDirectory where = new OpenDirectory(layer, at, Linux.O_PATH)) {
          Optional<Real> real =
              layer.find(where, path.getLast()).filter(it -> it.stat().isRegularFile());
          if (real.isPresent()) {
            found.add(real.get());
            return;
          }
        }
      }
      throw top.layer().broken(top, "is a metadata-only copy of data that no layer has");
    }
  }

  /** Nothing is there, whatever lies below. */
  static boolean isWhiteout(Real real) throws EngineException {
    return real.where().layer().isWhiteout(real);
  }

  /** The file's data is elsewhere. */
  static boolean isMetadataOnly(Real real) throws EngineException {
    return real.where().layer().book(real, METACOPY).isPresent();
  }

  /** A directory that nothing below shines through. */
  static boolean isOpaque(Real real) throws EngineException {
    return real.where().layer().isOpaque(real);
  }

  @Override
  public void close() {
    layers.forEach(Layer::close);
    dataOnly.forEach(Layer::close);
  }
}
