package dev.ovl.engine.stack;

import dev.ovl.engine.fsck.Finding;
import java.util.Optional;

/**
 * What was found in a stack, and what became of it.
 *
 * @param failure why it could not be mended
 */
public record Examined(Finding finding, Outcome outcome, Optional<String> failure) {

  /** What was done about it. */
  public enum Outcome {
    /** Nothing. */
    LEFT,
    /** It is no more. */
    MENDED,
    /** It was tried, and it is there still. */
    FAILED
  }
}
