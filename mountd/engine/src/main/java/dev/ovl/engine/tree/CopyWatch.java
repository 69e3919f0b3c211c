package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;

/** Hears of data as it is written, every few megabytes at least, and may end the work. */
public interface CopyWatch {
  /** Hears nothing. */
  CopyWatch NONE = bytes -> {};

  /**
   * So many more bytes were written, or shared.
   *
   * @throws EngineException the work is to end
   */
  void written(long bytes) throws EngineException;
}
