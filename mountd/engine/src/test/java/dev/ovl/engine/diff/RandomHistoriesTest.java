package dev.ovl.engine.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
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

  private final Syscalls sys = new LinuxSyscalls();

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
    List<OsPath> lowers = layers.subList(1, layers.size());
    View.Books books = user ? View.Books.USER : View.Books.TRUSTED;
    View newer = new View.Overlay(layers, List.of(), books);
    View older = new View.Overlay(lowers, List.of(), books);
    Listing[] listings = new Listing[2];
    lab.shown(lowers, user, mounted -> listings[0] = Listing.of(mounted));
    lab.shown(layers, user, mounted -> listings[1] = Listing.of(mounted));
    Listing before = listings[0];
    Listing after = listings[1];

    OsPath copy = lab.directory("copy");
    try (TreeDiff all = compare(older, new View.Nothing())) {
      all.stream(new PlainSink(copy, Optional.empty()));
    }
    assertSame(before.lines(Optional.empty()), Listing.of(copy).lines(Optional.empty()));

    try (TreeDiff diff = compare(newer, older)) {
      List<String> changes = diff.changes().stream().map(Change::toString).toList();
      assertSame(after.changesSince(before), changes);
      PlainSink sink = new PlainSink(copy, Optional.empty());
      diff.stream(sink);
      assertTrue(sink.isFinished());
      assertEquals(sink.bytes(), diff.size());
      assertSame(after.lines(Optional.of(before)), Listing.of(copy).lines(after, before));

      if (sink.isEmpty()) {
        return 0; // an empty layer has a root of its own, which its maker takes from the parent
      }
      OsPath layer = lab.directory("applied");
      diff.stream(new PlainSink(layer, Optional.of(user ? "user.overlay." : "trusted.overlay.")));
      List<OsPath> applied = new ArrayList<>(lowers);
      applied.add(0, layer);
      lab.shown(
          applied,
          user,
          mounted ->
              assertSame(
                  after.lines(Optional.of(before)), Listing.of(mounted).lines(after, before)));
      return changes.size();
    }
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

  private TreeDiff compare(View newer, View older) throws Exception {
    return TreeDiff.compare(sys, newer, older, Progress.NONE, () -> false);
  }

  private static void assertSame(List<String> expected, List<String> actual) {
    List<String> missing = new ArrayList<>(expected);
    missing.removeAll(actual);
    List<String> odd = new ArrayList<>(actual);
    odd.removeAll(expected);
    if (!missing.isEmpty() || !odd.isEmpty()) {
      throw new AssertionError(
          "missing:\n  " + String.join("\n  ", missing) + "\nodd:\n  " + String.join("\n  ", odd));
    }
    assertEquals(expected, actual);
  }
}
