package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.MergedLayers;
import dev.ovl.engine.diff.MergedLayers.Directory;
import dev.ovl.engine.diff.MergedLayers.Own;
import dev.ovl.engine.diff.MergedLayers.Part;
import dev.ovl.engine.diff.MergedLayers.Shown;
import dev.ovl.engine.tree.NodeReader;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * What of an upper is not all in the upper and in its place, and which of its directories a merge
 * will take something from.
 *
 * @param copies metadata-only copies whose data lies anywhere but in the same place of the lower
 * @param renamed directories that are made of something below that has another name or path there
 * @param stale directories with a redirect that means nothing
 * @param times of the directories that lose something, or may gain a mark
 */
record UpperSurvey(
    List<Item> copies, List<Item> renamed, List<Item> stale, List<MergeJournal.Time> times) {

  /**
   * A file of the upper.
   *
   * @param directory that holds it, from the root of the upper, which is {@link OsPath#EMPTY}
   */
  record Item(OsPath directory, OsPath name, Own own, Shown shown) {}

  /**
   * Looks at all of the upper.
   *
   * @param marks whether directories are opaque by what is in them
   * @param pause called before each name
   */
  static UpperSurvey of(MergedLayers layers, NodeReader reader, boolean marks, Pause pause)
      throws EngineException, ErrnoException {
    UpperSurvey survey =
        new UpperSurvey(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    Deque<List<Part>> waiting = new ArrayDeque<>();
    try (Directory root = layers.root()) {
      waiting.push(root.parts());
    }
    while (!waiting.isEmpty()) {
      try (Directory directory = layers.directory(waiting.pop())) {
        survey.look(directory, reader, marks, pause, waiting);
      }
    }
    return survey;
  }

  private void look(
      Directory directory, NodeReader reader, boolean marks, Pause pause, Deque<List<Part>> waiting)
      throws EngineException, ErrnoException {
    OsPath path = directory.parts().getFirst().path();
    boolean loses = Folding.isFolded(directory.parts());
    for (OsPath name : directory.ownNames()) {
      pause.check();
      Optional<Own> found = directory.own(name);
      if (found.isPresent()) {
        loses |= found.get().whiteout() || look(directory, name, found.get(), marks, waiting);
      }
    }
    if (loses) {
      Statx stat = reader.stat(directory.open(0), OsPath.DOT);
      times.add(new MergeJournal.Time(path.isEmpty() ? OsPath.DOT : path, stat.modified()));
    }
  }

  /** Returns whether the name is to be taken from its directory before that is folded. */
  private boolean look(
      Directory directory, OsPath name, Own own, boolean marks, Deque<List<Part>> waiting)
      throws EngineException {
    boolean isDirectory = own.stat().isDirectory();
    if (!isDirectory && (!own.metadataOnly() || Folding.isCopyInPlace(directory, name, own))) {
      return false;
    }
    Shown shown = directory.lookup(name).orElseThrow();
    Item item = new Item(directory.parts().getFirst().path(), name, own, shown);
    if (!isDirectory) {
      copies.add(item);
      return true;
    }
    if (own.redirected() && !isInPlace(directory, name, shown)) {
      if (!own.opaque() && shown.parts().size() > 1) {
        renamed.add(item);
        return true;
      }
      stale.add(item);
    }
    if (marks && !own.opaque() && shown.parts().size() == 1) {
      // folding may make it opaque, and that touches it
      times.add(new MergeJournal.Time(item.directory().resolve(name), own.stat().modified()));
    }
    waiting.push(shown.parts());
    return false;
  }

  /**
   * Whether a redirect leads to where the name leads anyway: overlayfs writes such before a rename
   * that fails.
   */
  private static boolean isInPlace(Directory directory, OsPath name, Shown shown) {
    List<Part> below = shown.parts().subList(1, shown.parts().size());
    return !below.isEmpty()
        && below.stream()
            .allMatch(
                part ->
                    directory.parts().stream()
                        .anyMatch(
                            parent ->
                                parent.layer() == part.layer()
                                    && parent.path().resolve(name).equals(part.path())));
  }
}
