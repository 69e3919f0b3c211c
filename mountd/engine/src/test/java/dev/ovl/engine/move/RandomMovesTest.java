package dev.ovl.engine.move;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.ovl.engine.diff.RandomWork;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.LinuxSyscalls;
import dev.ovl.testkit.Scratch;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Random trees, moved between file systems and compared byte for byte. */
class RandomMovesTest {
  /** A seed to run again, as {@code -Dovl.seed=…}; random otherwise. */
  private static final String SEED = "ovl.seed";

  private static final int TREES = 60;
  private static final int STEPS = 120;

  @RegisterExtension static final Scratch HERE = Scratch.tmpfs();
  @RegisterExtension static final Scratch THERE = Scratch.ext4();

  @Test
  void everyTreeIsTheSame() throws Exception {
    long seed =
        Optional.ofNullable(System.getProperty(SEED))
            .map(Long::parseLong)
            .orElseGet(System::nanoTime);
    System.out.println("RandomMovesTest: seed " + seed);
    for (int i = 0; i < TREES; i++) {
      Random random = new Random(seed + i);
      HERE.empty();
      TwoPlaces places = new TwoPlaces(HERE.resolve("from"), THERE.resolve("to" + i));
      new Files(new LinuxSyscalls()).mkdirs(places.from("it"), 0755);
      RandomWork work = new RandomWork(random);
      work.begin(places.from("it"), STEPS);
      work.run(places.from("it"), STEPS);
      TwoPlaces.State before = places.state();
      Moved moved =
          new CrossDeviceMove(new LinuxSyscalls())
              .move(places.from("it"), places.to("it"), 0, MoveWatch.NONE);
      assertInstanceOf(Moved.Copied.class, moved);
      TwoPlaces.State now = places.state();
      String name = "seed " + seed + ", tree " + i;
      assertTrue(
          now.isMoved(before),
          () -> name + ": " + now.to().differences(before.from()) + "\n" + now);
    }
  }
}
