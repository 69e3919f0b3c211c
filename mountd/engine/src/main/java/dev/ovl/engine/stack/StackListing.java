package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;

/** What a list of all stacks says of one. */
public sealed interface StackListing {
  /** Which stack. */
  StackName name();

  /** It could be told. */
  record Told(StackSummary summary) implements StackListing {
    @Override
    public StackName name() {
      return summary.definition().name();
    }
  }

  /**
   * It could not be told.
   *
   * @param why its definition cannot be read, or it lies on a file system that does not answer
   */
  record Untold(StackName name, EngineException why) implements StackListing {}
}
