package dev.ovl.engine.probe;

import java.util.List;
import java.util.Optional;

/**
 * Which driver a new layer in this root would be made with, and why.
 *
 * @param name the driver's; empty when none can be used here
 * @param why in words, on one line
 * @param candidates all drivers that ovl knows of, first choice first
 */
public record DriverChoice(Optional<String> name, String why, List<Candidate> candidates) {

  /** Copies the list. */
  public DriverChoice {
    candidates = List.copyOf(candidates);
  }

  /**
   * A driver that was considered.
   *
   * @param name its name, which is also that of its directory under the root
   * @param chosen whether it is the one
   * @param why it was or was not taken, in words
   */
  public record Candidate(String name, boolean chosen, String why) {}
}
