package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Found.Real;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What an overlay of layers shows, directory by directory, and which layer has what of it: for who
 * takes layers apart. Nothing is mounted.
 */
public final class MergedLayers implements AutoCloseable {
  private final MergedTree tree;
  private final List<Layer> layers;

  private MergedLayers(MergedTree tree) {
    this.tree = tree;
    this.layers = tree.root().stream().map(Place::layer).toList();
  }

  /** Opens the layers. */
  public static MergedLayers open(Syscalls sys, View.Union union) throws EngineException {
    return new MergedLayers(MergedTree.open(sys, union));
  }

  /**
   * A file of a layer.
   *
   * @param layer 0 for the topmost
   * @param path from the root of the layer, which is {@link OsPath#EMPTY}
   */
  public record Part(int layer, OsPath path) {}

  /**
   * What a name leads to.
   *
   * @param stat of the file whose attributes are shown
   * @param parts of a directory: those that are shown merged, topmost first; else the one file
   * @param data of a regular file: the file that has its data; else the first part
   */
  public record Shown(Statx stat, List<Part> parts, Part data) {
    /** Keeps a copy of the list. */
    public Shown {
      parts = List.copyOf(parts);
    }

    /** What the name has in a layer; empty where nothing of that layer is shown. */
    public Optional<Part> in(int layer) {
      return parts.stream().filter(part -> part.layer() == layer).findFirst();
    }
  }

  /**
   * What one layer has by a name, shown or not.
   *
   * @param whiteout it hides the name
   * @param opaque a directory that nothing below shines through
   * @param redirected a directory that is looked for below by another name or path
   * @param metadataOnly a regular file whose data is elsewhere
   */
  public record Own(
      Statx stat, boolean whiteout, boolean opaque, boolean redirected, boolean metadataOnly) {}

  /** The roots of all layers. */
  public Directory root() {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      parts.add(new Part(i, OsPath.EMPTY));
    }
    return directory(parts);
  }

  /** Opens a directory when it is first looked into. */
  public Directory directory(List<Part> parts) {
    return new Directory(parts);
  }

  /** Opens the data of a regular file; empty when it is gone. */
  public Optional<Fd> openData(Part part) throws EngineException {
    OsPath path = part.path();
    OsPath above = path.components().size() > 1 ? path.parent() : OsPath.EMPTY;
    Layer layer = layers.get(part.layer());
    return layer.openData(new Place(layer, above, path.fileName()));
  }

  /** A directory of the overlay. */
  public final class Directory implements AutoCloseable {
    private final List<Part> parts;
    private final List<OpenDirectory> open = new ArrayList<>();

    private Directory(List<Part> parts) {
      this.parts = List.copyOf(parts);
      for (Part part : this.parts) {
        open.add(new OpenDirectory(layers.get(part.layer()), part.path(), Linux.O_RDONLY));
      }
    }

    /** What it is made of, topmost first. */
    public List<Part> parts() {
      return parts;
    }

    /** One of the parts, open for reading, until this is closed. */
    public Fd open(int index) throws EngineException {
      OpenDirectory directory = open.get(index);
      return directory
          .fd()
          .orElseThrow(
              () ->
                  EngineException.failed(
                      "vanished: " + directory.path().quoted() + " of a layer of the stack"));
    }

    /** The names in the topmost of its parts, whiteouts among them. */
    public List<OsPath> ownNames() throws EngineException {
      SortedSet<OsPath> names = new TreeSet<>();
      list(0, names);
      return List.copyOf(names);
    }

    /** The names in all its parts, those that are hidden among them. */
    public List<OsPath> allNames() throws EngineException {
      SortedSet<OsPath> names = new TreeSet<>();
      for (int i = 0; i < open.size(); i++) {
        list(i, names);
      }
      return List.copyOf(names);
    }

    private void list(int index, SortedSet<OsPath> names) throws EngineException {
      open.get(index).layer().list(open.get(index), names);
    }

    /** What is shown by a name. */
    public Optional<Shown> lookup(OsPath name) throws EngineException {
      return lookup(name, open);
    }

    /** What would be shown by a name if the topmost layers, so many, were not there. */
    public Optional<Shown> lookupBelow(int first, OsPath name) throws EngineException {
      List<OpenDirectory> below = new ArrayList<>();
      for (int i = 0; i < open.size(); i++) {
        if (parts.get(i).layer() >= first) {
          below.add(open.get(i));
        }
      }
      return lookup(name, below);
    }

    private Optional<Shown> lookup(OsPath name, List<OpenDirectory> stack) throws EngineException {
      Optional<Found> found = tree.lookup(stack, name);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      Found it = found.get();
      List<Part> made =
          it.isDirectory()
              ? it.stack().stream().map(MergedLayers.this::part).toList()
              : List.of(part(it.top().place()));
      return Optional.of(new Shown(it.top().stat(), made, part(it.data().place())));
    }

    /** What the topmost of its parts has by a name. */
    public Optional<Own> own(OsPath name) throws EngineException {
      Optional<Real> found = open.getFirst().layer().find(open.getFirst(), name);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      Real real = found.get();
      Layer layer = real.where().layer();
      Statx stat = real.stat();
      return Optional.of(
          new Own(
              stat,
              MergedTree.isWhiteout(real),
              stat.isDirectory() && MergedTree.isOpaque(real),
              stat.isDirectory() && layer.book(real, OverlayXattrs.REDIRECT).isPresent(),
              stat.isRegularFile() && MergedTree.isMetadataOnly(real)));
    }

    @Override
    public void close() {
      open.forEach(OpenDirectory::close);
    }
  }

  private Part part(Place place) {
    return new Part(layers.indexOf(place.layer()), place.path());
  }

  @Override
  public void close() {
    tree.close();
  }
}
