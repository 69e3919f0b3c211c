package dev.ovl.engine.merge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.engine.diff.OverlayLab;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.RandomLayers;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.move.MoveWatch;
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
 * Layers that the kernel has written, with one set of mount options and another, of which the
 * topmost is merged: into one on the same file system, and into one on another. A mount shows the
 * same as before, to the nanosecond, and the same without the upper.
 *
 * <p>{@code -Dovl.merge.histories=N} for another number of histories, {@code -Dovl.merge.seed=S}
 * for the one that failed alone.
 */
class RandomMergesTest {
  private static final int HISTORIES = 1_000;
  private static final int FRESH = 50;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();
  @RegisterExtension static final Scratch ELSEWHERE = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  @Test
  void theViewStaysTheSame() throws Exception {
    Requires.overlay();
    Optional<Long> only =
        Optional.ofNullable(System.getProperty("ovl.merge.seed")).map(Long::valueOf);
    int histories = only.isPresent() ? 1 : Integer.getInteger("ovl.merge.histories", HISTORIES);
    long start = only.orElseGet(System::nanoTime);
    Leaks leaks = Leaks.beneath(SCRATCH.path());
    for (int i = 0; i < histories; i++) {
      if (i % FRESH == 0) {
        SCRATCH.empty();
        ELSEWHERE.empty();
      }
      long seed = start + i;
      List<String> log = new ArrayList<>();
      try {
        history(seed, SCRATCH.resolve("h" + i), ELSEWHERE.resolve("h" + i), log);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.merge.seed=" + seed + "\n" + String.join("\n", log) + "\n" + e.getMessage(), e);
      }
    }
    leaks.assertNone();
  }

  private void history(long seed, OsPath place, OsPath elsewhere, List<String> log)
      throws Exception {
    Random random = new Random(seed);
    OverlayLab lab = new OverlayLab(place);
    RandomLayers made = RandomLayers.make(random, lab, log);
    boolean user = made.books() == View.Books.USER;
    List<OsPath> layers = new ArrayList<>(made.layers());
    OsPath work = lab.directory("work");
    if (random.nextInt(3) == 0) {
      log.add("the upper lies elsewhere");
      files.mkdirs(elsewhere, 0755);
      OsPath moved = elsewhere.resolve("u");
      new CrossDeviceMove(sys).move(layers.get(0), moved, 0, MoveWatch.NONE);
      layers.set(0, moved);
      work = elsewhere.resolve("work");
      files.mkdirs(work, 0755);
    }
    Trees.Snapshot before = shown(lab, layers, user);
    View.Union view = new View.Union(layers, List.of(), made.books());
    OsPath journal = place.resolve("journal");
    new LayerMerge(sys, view, Optional.of(work), journal).run(Progress.NONE, () -> false);
    boolean keepsLinks =
        (layers.size() == 2 && !work.startsWith(elsewhere))
            || log.stream().noneMatch(line -> line.contains("redirect_dir=on"));
    Trees.assertSame(
        comparable(before, keepsLinks), comparable(shown(lab, layers, user), keepsLinks));
    List<OsPath> rest = layers.subList(1, layers.size());
    Trees.assertSame(
        comparable(before, keepsLinks), comparable(shown(lab, rest, user), keepsLinks));
    assertEquals(List.of(), files.list(layers.get(0)), "left in the upper");
    assertEquals(Optional.empty(), files.lstat(journal), "journal");
  }

  private static Trees.Snapshot shown(OverlayLab lab, List<OsPath> layers, boolean user)
      throws Exception {
    List<Trees.Snapshot> seen = new ArrayList<>();
    lab.shown(layers, user, mounted -> seen.add(Trees.snapshotWithTimes(mounted)));
    return seen.getFirst();
  }

  /** A file that is copied from further below leaves names behind. */
  private static Trees.Snapshot comparable(Trees.Snapshot tree, boolean withLinks) {
    return withLinks ? tree : MergeLab.withoutLinks(tree);
  }
}
