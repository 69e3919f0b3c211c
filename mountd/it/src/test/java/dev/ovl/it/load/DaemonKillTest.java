package dev.ovl.it.load;

import dev.ovl.api.HostException;
import dev.ovl.api.HttpHost;
import dev.ovl.it.Mountd;
import dev.ovl.testkit.Requires;
import dev.ovl.testkit.Scratch;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A daemon is killed at random moments while ten clients work on a hundred stacks, and started
 * again. Then what was answered holds; what was refused has changed nothing; and what was not
 * answered was done or was not, with nothing half done left.
 *
 * <p>Two requests are two operations of the engine each, {@code create --up} and {@code rm --force}
 * of a stack that is up: after those there may be a stack that is down.
 *
 * <p>Options as of {@link DaemonLoadTest}: {@code -Dovl.load.kills=200}, {@code
 * -Dovl.load.seed=42}.
 */
class DaemonKillTest {
  private static final int CLIENTS = 10;
  private static final int STACKS = 100;
  private static final int MAX_MICROS = 1_000_000;

  @RegisterExtension final Scratch scratch = Scratch.tmpfs();

  @BeforeEach
  void overlay() {
    Requires.overlay();
  }

  @Test
  void allIsAsTheLastAnswersSaid() throws HostException {
    int kills = Integer.getInteger("ovl.load.kills", 15);
    long seed = Long.getLong("ovl.load.seed", System.nanoTime());
    System.out.println("DaemonKillTest seed " + seed + ", " + kills + " kills");
    Random random = new Random(seed);
    Mountd daemon = Mountd.start(scratch, Map.of());
    try (Load load = new Load(scratch, daemon, CLIENTS, STACKS, seed)) {
      load.populate(daemon);
      for (int i = 0; i < kills; i++) {
        load.roundUntilKilled(daemon, random.nextInt(MAX_MICROS));
        daemon = Mountd.start(scratch, Map.of());
        try (HttpHost host = daemon.client()) {
          host.about();
          load.check(host);
        }
      }
      System.out.println("DaemonKillTest " + load.answered() + " answers");
      try (HttpHost host = daemon.client()) {
        host.about();
        load.removeAll(host);
      }
    } finally {
      daemon.close();
    }
  }
}
