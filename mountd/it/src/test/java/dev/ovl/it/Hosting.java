package dev.ovl.it;

import dev.ovl.testkit.Scratch;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Gives a test its {@link Ovlctl} by a {@link Host}, with the daemon that this takes. To be
 * registered after the scratch directory, so that the daemon ends before that goes.
 */
final class Hosting implements AfterEachCallback {
  private final Scratch scratch;
  private final List<Mountd> daemons = new ArrayList<>();

  Hosting(Scratch scratch) {
    this.scratch = scratch;
  }

  /** With the root {@code root} and the run directory {@code run} in the scratch directory. */
  Ovlctl ovlctl(Host host) {
    return ovlctl(host, Ovlctl.of(scratch));
  }

  /** In the environment and the directory of {@code like}, as the daemon is. */
  Ovlctl ovlctl(Host host, Ovlctl like) {
    return switch (host) {
      case IN_PROCESS -> like.with("OVL_HOST", "none");
      case DAEMON -> like.installed().with("OVL_HOST", daemon(like).host());
      case HANDED_OVER -> {
        daemon(like);
        yield like.installed();
      }
    };
  }

  /** A daemon that ends with the test; with the environment of {@code like}. */
  Mountd daemon(Ovlctl like, String... options) {
    Mountd daemon = Mountd.start(like, options);
    daemons.add(daemon);
    return daemon;
  }

  /** Ends them all, and fails when one met a defect of its own. */
  @Override
  public void afterEach(ExtensionContext context) {
    for (Mountd daemon : daemons) {
      daemon.close();
    }
    daemons.forEach(Mountd::assertNoDefect);
  }
}
