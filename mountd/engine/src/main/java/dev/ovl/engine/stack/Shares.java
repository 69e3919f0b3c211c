package dev.ovl.engine.stack;

import dev.ovl.engine.diff.TreeShares;
import java.util.List;

/**
 * Which of a stack's directories what is seen beneath a path comes from.
 *
 * @param parts the directories, topmost first; {@link TreeShares.Share#layer} counts these
 * @param shares of those that give something; none when the stack shows no such path
 */
public record Shares(List<Whereabouts.Part> parts, List<TreeShares.Share> shares) {
  /** Keeps copies of the lists. */
  public Shares {
    parts = List.copyOf(parts);
    shares = List.copyOf(shares);
  }
}
