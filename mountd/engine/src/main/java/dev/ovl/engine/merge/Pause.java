package dev.ovl.engine.merge;

import dev.ovl.engine.EngineException;

/** Between two entries: where a merge is told how far it is, and may be ended. */
interface Pause {
  /**
   * Goes on.
   *
   * @throws EngineException ECANCELED: the merge is to end here
   */
  void check() throws EngineException;
}
