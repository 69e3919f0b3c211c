package dev.ovl.engine.move;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * What became of a move that had been cut short.
 *
 * @param source of that move
 * @param destination of that move
 * @param outcome what was done about it
 * @param detail what more there is to say, in words
 */
public record Recovery(
    OsPath source, OsPath destination, Outcome outcome, Optional<String> detail) {

  /** What was done. */
  public enum Outcome {
    /** The copy was in place: the source was removed. */
    FINISHED,
    /** The copy was in place; of the source, what came to be in it later was left. */
    FINISHED_WITH_REST,
    /** The copy was not in place: it was removed, and the source is as it was. */
    UNDONE,
    /** The destination is no more what had been moved there: the source was left as it is. */
    LEFT,
    /** It could not be done; the journal stays for the next attempt. */
    FAILED
  }
}
