package dev.ovl.engine.merge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.ConvertedLayers;
import dev.ovl.engine.diff.OverlayLab;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.RandomLayers;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.move.MoveWatch;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import dev.ovl.testkit.FaultInjector;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Branches of aufs of which the topmost is merged: into one on the same file system, and into one
 * on another. They show the same as before, times included, and so do those without it.
 *
 * <p>They are made of layers that overlayfs has written; {@code AufsConformanceTest} and {@code
 * AufsStackTest} compare what is read of branches with what aufs shows. {@code
 * -Dovl.merge.histories=N}, {@code -Dovl.merge.seed=S} as for {@link RandomMergesTest}.
 */
class RandomBranchMergesTest {
  private static final int HISTORIES = 500;
  private static final int FAILING = 3;
  private static final int FRESH = 50;

  @RegisterExtension static final Scratch SCRATCH = Scratch.tmpfs();
  @RegisterExtension static final Scratch ELSEWHERE = Scratch.tmpfs();

  private final Syscalls sys = new LinuxSyscalls();
  private final Files files = new Files(sys);

  /** Branches, topmost first, and what they show. */
  private final class Made {
    final List<OsPath> branches;
    final OsPath journal;
    final ConvertedLayers converted;

    /**
     * @param name of a directory that is not there yet
     */
    Made(long seed, String name, List<String> log) throws Exception {
      Random random = new Random(seed);
      OsPath place = SCRATCH.resolve(name);
      OverlayLab lab = new OverlayLab(place);
      RandomLayers made = RandomLayers.make(random, lab, log);
      converted = new ConvertedLayers(sys, lab);
      List<View> views = ConvertedLayers.views(made.layers(), made.books());
      branches = converted.convert(views, LayerForm.AUFS);
      journal = place.resolve("journal");
      if (random.nextInt(3) == 0) {
        log.add("the upper lies elsewhere");
        OsPath elsewhere = ELSEWHERE.resolve(name);
        files.mkdirs(elsewhere, 0755);
        OsPath moved = elsewhere.resolve("u");
        new CrossDeviceMove(sys).move(branches.getFirst(), moved, 0, MoveWatch.NONE);
        branches.set(0, moved);
      }
    }

    LayerMerge merge(Syscalls with) {
      return new LayerMerge(with, View.aufs(branches), Optional.empty(), journal);
    }

    /** Links apart: a file that is copied from further below leaves names behind. */
    List<String> shown() throws Exception {
      return converted.shown(View.aufs(branches), false);
    }

    List<String> shownBelow() throws Exception {
      return converted.shown(View.aufs(branches.subList(1, branches.size())), false);
    }

    void assertMerged(List<String> before) throws Exception {
      assertSame(before, shown());
      assertSame(before, shownBelow());
      assertEquals(List.of(), files.list(branches.getFirst()), "left in the upper");
      assertEquals(Optional.empty(), files.lstat(journal), "journal");
    }
  }

  private static void assertSame(List<String> expected, List<String> actual) {
    List<String> lost = new ArrayList<>(expected);
    lost.removeAll(actual);
    List<String> more = new ArrayList<>(actual);
    more.removeAll(expected);
    assertTrue(lost.isEmpty() && more.isEmpty(), () -> "lost " + lost + ", more " + more);
  }

  /** What is done with a history. */
  private interface Proof {
    void of(long seed, String name, List<String> log) throws Exception;
  }

  private static void histories(int count, Proof proof) throws Exception {
    Requires.overlay();
    Optional<Long> only =
        Optional.ofNullable(System.getProperty("ovl.merge.seed")).map(Long::valueOf);
    long start = only.orElseGet(System::nanoTime);
    for (int i = 0; i < (only.isPresent() ? 1 : count); i++) {
      if (i % FRESH == 0) {
        SCRATCH.empty();
        ELSEWHERE.empty();
      }
      List<String> log = new ArrayList<>();
      try {
        proof.of(start + i, "h" + i, log);
      } catch (Exception | AssertionError e) {
        throw new AssertionError(
            "-Dovl.merge.seed=" + (start + i) + "\n" + String.join("\n", log) + "\n" + e, e);
      }
    }
  }

  @Test
  void theViewStaysTheSame() throws Exception {
    histories(
        Integer.getInteger("ovl.merge.histories", HISTORIES),
        (seed, name, log) -> {
          Made made = new Made(seed, name, log);
          List<String> before = made.shown();
          made.merge(sys).run(Progress.NONE, () -> false);
          made.assertMerged(before);
        });
  }

  @Test
  void eachCallMayFail() throws Exception {
    histories(
        FAILING,
        (seed, name, log) -> {
          boolean struck = true;
          for (int n = 1; struck; n++) {
            log.clear();
            Made made = new Made(seed, name + "-" + n, log);
            FaultInjector failing = new FaultInjector(sys).failAt(n, Errno.EIO);
            List<String> before = made.shown();
            try {
              made.merge(failing).run(Progress.NONE, () -> false);
            } catch (EngineException | ErrnoException e) {
              log.add("failed: " + failing.struck());
              assertSame(timeless(before), timeless(made.shown()));
              made.merge(sys).recover();
              assertSame(before, made.shown());
              made.merge(sys).run(Progress.NONE, () -> false);
            }
            struck = failing.struck().isPresent();
            made.assertMerged(before);
          }
        });
  }

  /** As if nobody could see times: recovery gives directories theirs again. */
  private static List<String> timeless(List<String> lines) {
    return lines.stream().map(line -> line.replaceFirst(" mtime=[0-9.-]+", "")).toList();
  }
}
