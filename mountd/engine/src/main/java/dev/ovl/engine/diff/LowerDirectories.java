package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Attributes;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Optional;

/**
 * What the directories are like that a layer is put on: an archive may leave a file's parents out,
 * and the directories that are made for it then hide those below.
 */
public final class LowerDirectories implements TreeWriter.Parents {
  private final Syscalls sys;
  private final View below;
  private final NodeReader nodes;

  /**
   * @param below what the layer is put on
   */
  public LowerDirectories(Syscalls sys, View below) {
    this.sys = sys;
    this.below = below;
    this.nodes = new NodeReader(sys, filter(below));
  }

  /** Undoes what the writer does to the names of attributes. */
  private static NodeReader.XattrFilter filter(View below) {
    return below instanceof View.Union union && union.books().prefix().isPresent()
        ? OverlayXattrs::unescaped
        : NodeReader.XattrFilter.ALL;
  }

  /** As {@link TreeWriter.Parents}: of the directory that is shown there. */
  @Override
  public Optional<Attributes> attributes(OsPath path) throws EngineException, ErrnoException {
    try (MergedTree tree = MergedTree.open(sys, below)) {
      Optional<Found> found = tree.find(path.components()).filter(Found::isDirectory);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      Place place = found.get().top().place();
      try (OpenDirectory opened = new OpenDirectory(place.layer(), place.path(), Linux.O_PATH)) {
        Optional<Fd> directory = opened.fd();
        if (directory.isEmpty()) {
          return Optional.empty();
        }
        Statx stat = nodes.stat(directory.get(), OsPath.DOT);
        return Optional.of(nodes.attributes(directory.get(), OsPath.DOT, stat));
      }
    }
  }
}
