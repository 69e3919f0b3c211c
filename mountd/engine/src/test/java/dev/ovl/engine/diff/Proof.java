package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.OverlayXattrs;
import dev.ovl.engine.tree.TreeSink;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Compares layers without a mount, and then shows that all is as the kernel has it: the list is
 * what brute force finds in two mounts; the stream makes the newer tree of a copy of the older one,
 * and of an empty layer above the older layers; the size is that of the files that came.
 */
final class Proof {
  private final Syscalls sys = new LinuxSyscalls();
  private final OverlayLab lab;
  private final boolean writer;

  /**
   * @param writer streams are written by a {@link TreeWriter} where there is a choice
   */
  Proof(OverlayLab lab, boolean writer) {
    this.lab = lab;
    this.writer = writer;
  }

  /**
   * The changes by the topmost layers.
   *
   * @param layers of the newer tree, topmost first
   * @param top how many of them the older tree does not have
   */
  List<String> changes(List<OsPath> layers, int top, View.Books books) throws Exception {
    boolean user = books == View.Books.USER;
    List<OsPath> lowers = layers.subList(top, layers.size());
    View newer = new View.Union(layers, List.of(), books);
    View older = new View.Union(lowers, List.of(), books);
    Listing[] listings = new Listing[2];
    lab.shown(lowers, user, mounted -> listings[0] = Listing.of(mounted));
    lab.shown(layers, user, mounted -> listings[1] = Listing.of(mounted));
    Listing before = listings[0];
    Listing after = listings[1];

    OsPath copy = lab.directory("copy");
    try (TreeDiff all = compare(older, new View.Nothing())) {
      write(all, copy);
    }
    assertSame(before.lines(Optional.empty()), Listing.of(copy).lines(Optional.empty()));

    try (TreeDiff diff = compare(newer, older)) {
      List<String> changes = diff.changes().stream().map(Change::toString).toList();
      assertSame(after.changesSince(before), changes);
      write(diff, copy);
      assertSame(after.lines(Optional.of(before)), Listing.of(copy).lines(after, before));

      OsPath layer = lab.directory("applied");
      PlainSink sink =
          new PlainSink(layer, Optional.of(user ? OverlayXattrs.USER : OverlayXattrs.TRUSTED));
      diff.stream(sink);
      assertTrue(sink.isFinished());
      assertEquals(sink.bytes(), diff.size());
      if (!sink.isEmpty()) {
        // an empty layer has a root of its own, which its maker takes from the parent
        List<OsPath> applied = new ArrayList<>(lowers);
        applied.add(0, layer);
        lab.shown(
            applied,
            user,
            mounted ->
                assertSame(
                    after.lines(Optional.of(before)), Listing.of(mounted).lines(after, before)));
      }
      return changes;
    }
  }

  private void write(TreeDiff diff, OsPath into) throws Exception {
    if (writer) {
      try (TreeWriter sink =
          new TreeWriter(sys, into, LayerForm.PLAIN, TreeWriter.Parents.UNKNOWN)) {
        diff.stream(sink);
      }
    } else {
      TreeSink sink = new PlainSink(into, Optional.empty());
      diff.stream(sink);
    }
  }

  private TreeDiff compare(View newer, View older) throws Exception {
    return TreeDiff.compare(sys, newer, older, Progress.NONE, () -> false);
  }

  static void assertSame(List<String> expected, List<String> actual) {
    List<String> missing = new ArrayList<>(expected);
    missing.removeAll(actual);
    List<String> odd = new ArrayList<>(actual);
    odd.removeAll(expected);
    if (!missing.isEmpty() || !odd.isEmpty()) {
      throw new AssertionError("missing:" + printable(missing) + "\nodd:" + printable(odd));
    }
    assertEquals(expected, actual);
  }

  /** What is no ASCII would end the report. */
  private static String printable(List<String> lines) {
    StringBuilder text = new StringBuilder();
    for (String line : lines) {
      text.append("\n  ").append(line.replaceAll("[^ -~]", "?"));
    }
    return text.toString();
  }
}
