package dev.ovl.engine.diff;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/** Which layers of an overlay what is seen beneath a path comes from. */
public final class TreeShares {
  private final MergedTree tree;
  private final Set<Identity> counted = new HashSet<>();
  private final Map<Integer, Share> shares = new TreeMap<>();

  /**
   * What one layer gives.
   *
   * @param layer index among the layers, the topmost being 0; data-only ones come after the others
   * @param names that show a file of this layer, directories included; a directory that several
   *     layers have is the topmost one's
   * @param bytes of data that this layer has of the regular files among all names, holes included,
   *     those of a file with several names once
   */
  public record Share(int layer, long names, long bytes) {}

  private TreeShares(MergedTree tree) {
    this.tree = tree;
  }

  /**
   * Looks at all that is seen. The cost grows with that.
   *
   * @param path from the root of the tree
   * @param cancelled asked before every name
   * @return of the layers that give something, topmost first; none when there is no such path
   * @throws EngineException USAGE: the path has {@code ..} in it; a layer cannot be read; cancelled
   */
  public static List<Share> of(
      Syscalls sys, View.Union view, OsPath path, BooleanSupplier cancelled)
      throws EngineException {
    List<OsPath> components = PathSearch.components(path);
    try (MergedTree tree = MergedTree.open(sys, view)) {
      TreeShares shares = new TreeShares(tree);
      Optional<Found> start = tree.find(components);
      if (start.isPresent()) {
        new MergedWalk(tree, cancelled).walk(path, start.get(), (at, found) -> shares.add(found));
      }
      return new ArrayList<>(shares.shares.values());
    }
  }

  private void add(Found found) {
    add(found.top(), 1, 0);
    boolean isData = found.data().stat().isRegularFile();
    // names may be those of a metadata-only copy, whose data has one name only
    boolean linked = !found.isWhole() || found.data().stat().links() > 1;
    if (isData && (!linked || counted.add(found.data().identity()))) {
      add(found.data(), 0, found.data().stat().size());
    }
  }

  private void add(Found.Real real, long names, long bytes) {
    shares.merge(
        tree.indexOf(real.where().layer()),
        new Share(tree.indexOf(real.where().layer()), names, bytes),
        (a, b) -> new Share(a.layer(), a.names() + b.names(), a.bytes() + b.bytes()));
  }
}
