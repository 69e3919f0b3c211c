package dev.ovl.engine.diff;

import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Layers written anew in another form, and what views show, without a mount. */
public final class ConvertedLayers {
  private final Syscalls sys;
  private final OverlayLab lab;

  /**
   * @param lab where directories are made
   */
  public ConvertedLayers(Syscalls sys, OverlayLab lab) {
    this.sys = sys;
    this.lab = lab;
  }

  /** What each of these layers shows with all below it, topmost first. */
  public static List<View> views(List<OsPath> layers, View.Books books) {
    List<View> views = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      views.add(new View.Union(layers.subList(i, layers.size()), List.of(), books));
    }
    return views;
  }

  /** Directories of another form which show the same, topmost first. */
  public List<OsPath> convert(List<View> views, LayerForm form) throws Exception {
    List<OsPath> made = new ArrayList<>();
    View below = new View.Nothing();
    for (View view : views.reversed()) {
      OsPath layer = lab.directory("converted");
      try (TreeDiff diff = TreeDiff.compare(sys, view, below, Progress.NONE, () -> false);
          TreeWriter writer = new TreeWriter(sys, layer, form, TreeWriter.Parents.UNKNOWN)) {
        diff.stream(writer);
      }
      made.addFirst(layer);
      below = view;
    }
    return made;
  }

  /**
   * All that a view shows but the root, which an empty layer has from its maker.
   *
   * @param linked whether it counts which names belong together
   */
  public List<String> shown(View view, boolean linked) throws Exception {
    OsPath copy = lab.directory("shown");
    try (TreeDiff all =
            TreeDiff.compare(sys, view, new View.Nothing(), Progress.NONE, () -> false);
        TreeWriter writer =
            new TreeWriter(sys, copy, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
      all.stream(writer);
    }
    return Listing.of(copy).lines(Optional.empty()).stream()
        .filter(line -> !line.startsWith("/ "))
        // see OverlayXattrs: both kinds are escaped
        .map(line -> line.replace(".overlay.overlay.", ".overlay."))
        .map(line -> linked ? line : line.replaceFirst("(?s) = /.*", ""))
        .toList();
  }
}
