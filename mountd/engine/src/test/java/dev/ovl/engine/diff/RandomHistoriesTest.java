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
    boolean user = random.nextInt(6) == 0;
    List<OsPath> layers = new ArrayList<>();
    boolean metacopy = false;
    int count = 2 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      RandomWork work = new RandomWork(random);
      int steps = 3 + random.nextInt(15);
      try {
        if (layers.isEmpty()) {
          OsPath base = lab.directory("l");
          work.begin(base, 15);
          work.run(base, steps);
          layers.add(base);
          log.add("base");
        } else {
          String options = options(random, user, metacopy);
          metacopy |= options.contains("metacopy=on");
          log.add("layer" + options);
          layers.add(0, lab.upper(layers, options, mounted -> work.run(mounted, steps)));
        }
      } finally {
        log.addAll(work.log());
      }
    }
    View.Books books = user ? View.Books.USER : View.Books.TRUSTED;
    return new Proof(lab, random.nextBoolean()).changes(layers, 1, books).size();
  }

  private static String options(Random random, boolean user, boolean metacopy) {
    if (user) {
      return ",userxattr";
    }
    String index = random.nextInt(4) == 0 ? ",index=on" : "";
    if (metacopy) {
      return ",metacopy=on,redirect_dir=on" + index;
    }
    return switch (random.nextInt(5)) {
      case 0 -> index;
      case 1, 2 -> ",redirect_dir=on" + index;
      default -> ",metacopy=on,redirect_dir=on" + index;
    };
  }
}
