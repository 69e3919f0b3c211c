package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.tree.LayerForm;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Layers that overlayfs has written become branches of aufs, and layers again: all three are the
 * same tree, and tell the same changes, layer by layer.
 *
 * <p>{@code -Dovl.diff.histories=N}, {@code -Dovl.diff.seed=S} as for {@link RandomHistoriesTest}.
 */
class RandomConversionsTest {
  private static final int HISTORIES = 500;
  private static final int FRESH = 50;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();

  @Test
  void branchesAreTheSameTree() throws Exception {
    Requires.overlay();
    Optional<Long> only =
        Optional.ofNullable(System.getProperty("ovl.diff.seed")).map(Long::valueOf);
    int histories = only.isPresent() ? 1 : Integer.getInteger("ovl.diff.histories", HISTORIES);
    long start = only.orElseGet(System::nanoTime);
    int told = 0;
    for (int i = 0; i < histories; i++) {
      if (i % FRESH == 0) {
        SCRATCH.empty();
      }
      List<String> log = new ArrayList<>();
      try {
        told += history(new Random(start + i), new OverlayLab(SCRATCH.resolve("h" + i)), log);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.diff.seed=" + (start + i) + "\n" + String.join("\n", log) + "\n" + e, e);
      }
    }
    assertTrue(told > histories, "there was hardly anything to tell: " + told);
  }

  private int history(Random random, OverlayLab lab, List<String> log) throws Exception {
    RandomLayers made = RandomLayers.make(random, lab, log);
    ConvertedLayers converted = new ConvertedLayers(sys, lab);
    List<View> layers = ConvertedLayers.views(made.layers(), made.books());
    List<View> branches =
        ConvertedLayers.views(converted.convert(layers, LayerForm.AUFS), View.Books.AUFS);
    boolean user = made.books() == View.Books.USER;
    LayerForm form = user ? LayerForm.USER_OVERLAY : LayerForm.OVERLAY;
    List<View> back = ConvertedLayers.views(converted.convert(branches, form), made.books());
    // a name that nobody touched stays a link of what was renamed only as long as there are
    // redirects
    boolean linked = log.stream().noneMatch(line -> line.contains("redirect_dir=on"));
    int told = 0;
    for (int i = 0; i < layers.size(); i++) {
      List<String> shown = converted.shown(layers.get(i), linked);
      Proof.assertSame(shown, converted.shown(branches.get(i), linked));
      Proof.assertSame(shown, converted.shown(back.get(i), linked));
      if (i > 0) {
        List<String> changes = changes(back.get(i - 1), back.get(i));
        assertEquals(changes, changes(branches.get(i - 1), branches.get(i)), "branch " + i);
        told += changes.size();
      }
    }
    return told;
  }

  private List<String> changes(View newer, View older) throws Exception {
    try (TreeDiff diff = TreeDiff.compare(sys, newer, older, Progress.NONE, () -> false)) {
      return diff.changes().stream().map(Change::toString).toList();
    }
  }
}
