package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.OsPath;
import dev.ovl.testkit.Leaks;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Layers that the kernel has written, with one set of mount options and another, compared without a
 * mount and by brute force in two mounts; and the stream applied.
 *
 * <p>{@code -Dovl.diff.histories=N} for another number of histories, {@code -Dovl.diff.seed=S} for
 * the one that failed alone.
 */
class RandomHistoriesTest {
  private static final int HISTORIES = 2_000;
  private static final int FRESH = 50;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();

  @Test
  void everyHistoryIsToldAsItWas() throws Exception {
    Requires.overlay();
    Optional<Long> only =
        Optional.ofNullable(System.getProperty("ovl.diff.seed")).map(Long::valueOf);
    int histories = only.isPresent() ? 1 : Integer.getInteger("ovl.diff.histories", HISTORIES);
    long start = only.orElseGet(System::nanoTime);
    Leaks leaks = Leaks.beneath(SCRATCH.path());
    int told = 0;
    for (int i = 0; i < histories; i++) {
      if (i % FRESH == 0) {
        SCRATCH.empty();
      }
      long seed = start + i;
      List<String> log = new ArrayList<>();
      try {
        told += history(seed, SCRATCH.resolve("h" + i), log);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.diff.seed=" + seed + "\n" + String.join("\n", log) + "\n" + e.getMessage(), e);
      }
    }
    leaks.assertNone();
    assertTrue(told > histories, "there was hardly anything to tell: " + told);
  }

  /** Returns the number of changes. */
  private int history(long seed, OsPath place, List<String> log) throws Exception {
    Random random = new Random(seed);
    OverlayLab lab = new OverlayLab(place);
    RandomLayers made = RandomLayers.make(random, lab, log);
    return new Proof(lab, random.nextBoolean()).changes(made.layers(), 1, made.books()).size();
  }
}
