package dev.ovl.engine.stack;

import dev.ovl.engine.diff.Holding;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;

/**
 * Which of the directories that a stack is made of hold a path.
 *
 * @param parts the directories, topmost first; {@link Holding#layer} counts these
 * @param holdings topmost first
 */
public record Whereabouts(List<Part> parts, List<Holding> holdings) {
  /** Keeps copies of the lists. */
  public Whereabouts {
    parts = List.copyOf(parts);
    holdings = List.copyOf(holdings);
  }

  /**
   * One of the directories that a stack is made of.
   *
   * @param layer whose content it is; absent for a plain directory and for the stack's own upper
   * @param writable it is the upper
   */
  public record Part(OsPath directory, Optional<LayerId> layer, boolean writable) {}
}
