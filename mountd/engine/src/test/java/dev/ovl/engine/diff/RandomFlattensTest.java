package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import dev.ovl.testkit.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Layers that the kernel has written, made one: a mount of that one shows what a mount of them
 * shows, to the nanosecond.
 *
 * <p>{@code -Dovl.diff.seed=S} for the history that failed alone.
 */
class RandomFlattensTest {
  private static final int HISTORIES = 500;
  private static final int FRESH = 50;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private int compared;

  @Test
  void theLayerIsWhatAMountShows() throws Exception {
    Requires.overlay();
    Optional<Long> only = Optional.ofNullable(Long.getLong("ovl.diff.seed"));
    long start = only.orElseGet(System::nanoTime);
    Leaks leaks = Leaks.beneath(SCRATCH.path());
    for (int i = 0; i < (only.isPresent() ? 1 : HISTORIES); i++) {
      if (i % FRESH == 0) {
        SCRATCH.empty();
      }
      List<String> log = new ArrayList<>();
      try {
        history(new Random(start + i), new OverlayLab(SCRATCH.resolve("h" + i)), log);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.diff.seed=" + (start + i) + "\n" + String.join("\n", log) + "\n" + e, e);
      }
    }
    leaks.assertNone();
    assertTrue(only.isPresent() || compared > HISTORIES / 2, () -> "compared only " + compared);
  }

  private void history(Random random, OverlayLab lab, List<String> log) throws Exception {
    RandomLayers made = RandomLayers.make(random, lab, log);
    Trees.Snapshot shown = shown(lab, made.layers(), made.books() == View.Books.USER);
    if (shown.toString().contains("user.overlay.")) {
      return; // is kept by another name, which a mount without userxattr shows: see OverlayXattrs
    }
    OsPath flat = lab.directory("flat");
    View view = new View.Union(made.layers(), List.of(), made.books());
    try (TreeDiff all =
            TreeDiff.compare(sys, view, new View.Nothing(), Progress.NONE, () -> false);
        TreeWriter writer =
            new TreeWriter(sys, flat, LayerForm.OVERLAY, TreeWriter.Parents.UNKNOWN)) {
      all.stream(writer);
    }
    Trees.assertSame(shown, shown(lab, List.of(flat), false));
    View layer = View.overlay(List.of(flat));
    try (TreeDiff none = TreeDiff.compare(sys, view, layer, Progress.NONE, () -> false)) {
      assertEquals(List.of(), none.changes());
    }
    compared++;
  }

  private static Trees.Snapshot shown(OverlayLab lab, List<OsPath> layers, boolean user)
      throws Exception {
    List<Trees.Snapshot> seen = new ArrayList<>();
    lab.shown(layers, user, mounted -> seen.add(Trees.snapshotWithTimes(mounted)));
    return seen.getFirst();
  }
}
