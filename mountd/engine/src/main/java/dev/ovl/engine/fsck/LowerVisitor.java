package dev.ovl.engine.fsck;

import dev.ovl.engine.diff.LayerEntry;
import dev.ovl.engine.diff.LayerWalk;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.fsck.Finding.Kind;
import dev.ovl.sys.OsPath;
import java.util.List;

/**
 * Judges what a lower holds. Nothing of it is ever repaired, since others may have the same one;
 * and whiteouts that hide nothing are told of the lowest alone, since builders of images make some.
 */
final class LowerVisitor implements LayerWalk.Visitor {
  private static final String LOWERS_STAY = "a lower may be others' too";

  private final OsPath directory;
  private final boolean lowest;
  private final List<Finding> found;

  LowerVisitor(View.Union view, List<Finding> found) {
    this.directory = view.layers().getFirst();
    this.lowest = view.layers().size() == 1;
    this.found = found;
  }

  @Override
  public void visit(LayerEntry entry) {
    Verdict.of(entry).ifPresent(verdict -> add(entry, verdict.kind(), verdict.text()));
    if (lowest && entry.whiteout()) {
      add(entry, Kind.WHITEOUT_USELESS, "a whiteout in the lowest layer");
    } else if (lowest && entry.opaque() && !entry.path().isEmpty()) {
      add(entry, Kind.OPAQUE_USELESS, "an opaque directory in the lowest layer");
    }
  }

  private void add(LayerEntry entry, Kind kind, String text) {
    found.add(Finding.of(kind, directory, entry.path(), text, LOWERS_STAY));
  }
}
