package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.OverlayLab;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.move.MoveWatch;
import dev.ovl.engine.tree.RichTree;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Layers that the kernel writes, of which the topmost is merged. */
final class MergeLab {
  static final String FULL = ",redirect_dir=on,metacopy=on";

  final Syscalls sys = new LinuxSyscalls();
  final Files files = new Files(sys);
  final OverlayLab lab;
  private final OsPath place;
  private final String options;
  private OsPath work;
  final List<OsPath> layers = new ArrayList<>();

  MergeLab(OsPath place, String options) throws ErrnoException {
    this.place = place;
    this.options = options;
    this.lab = new OverlayLab(place);
    this.work = lab.directory("work");
  }

  /** Does something to a tree. */
  interface Work {
    void in(RichTree tree, OsPath root) throws Exception;
  }

  /** Puts a layer on top of those that are there, made by work in a mount, or in the directory. */
  MergeLab layer(Work work) throws Exception {
    if (layers.isEmpty()) {
      OsPath base = lab.directory("l");
      work.in(new RichTree(base), base);
      layers.add(base);
    } else {
      layers.add(0, lab.upper(layers, options, mounted -> work.in(new RichTree(mounted), mounted)));
    }
    return this;
  }

  /** Moves the upper to another file system. */
  MergeLab elsewhere(OsPath other) throws Exception {
    files.mkdirs(other, 0755);
    OsPath moved = other.resolve("u");
    new CrossDeviceMove(sys).move(upper(), moved, 0, MoveWatch.NONE);
    layers.set(0, moved);
    work = other.resolve("work");
    files.mkdirs(work, 0755);
    return this;
  }

  OsPath upper() {
    return layers.get(0);
  }

  OsPath lower() {
    return layers.get(1);
  }

  OsPath work() {
    return work;
  }

  OsPath journal() {
    return place.resolve("journal");
  }

  private boolean user() {
    return options.contains("userxattr");
  }

  LayerMerge merge(Syscalls with) {
    View.Books books = user() ? View.Books.USER : View.Books.TRUSTED;
    return new LayerMerge(
        with, new View.Union(layers, List.of(), books), Optional.of(work), journal());
  }

  void merge() throws EngineException, ErrnoException {
    merge(sys).run(Progress.NONE, () -> false);
  }

  /** What a mount shows of all layers. */
  Trees.Snapshot shown(boolean times) throws Exception {
    return shown(layers, times);
  }

  /** What a mount shows without the upper. */
  Trees.Snapshot shownBelow() throws Exception {
    return shown(layers.subList(1, layers.size()), true);
  }

  /** As if no two names were one file's. */
  static Trees.Snapshot withoutLinks(Trees.Snapshot tree) {
    SortedMap<OsPath, Trees.Node> nodes = new TreeMap<>();
    tree.nodes().forEach((path, node) -> nodes.put(path, withoutLinks(node)));
    return new Trees.Snapshot(nodes);
  }

  private static Trees.Node withoutLinks(Trees.Node n) {
    return new Trees.Node(
        n.mode(),
        n.uid(),
        n.gid(),
        n.size(),
        n.content(),
        n.device(),
        n.linkTarget(),
        n.xattrs(),
        Optional.empty(),
        n.modified());
  }

  private Trees.Snapshot shown(List<OsPath> some, boolean times) throws Exception {
    List<Trees.Snapshot> seen = new ArrayList<>();
    lab.shown(
        some,
        user(),
        mounted -> seen.add(times ? Trees.snapshotWithTimes(mounted) : Trees.snapshot(mounted)));
    return seen.getFirst();
  }
}
