package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;

/**
 * Takes a tree, or the difference of two, file by file. A directory comes before all that is in it;
 * parents that did not change need not come at all. Whatever throws has ended the stream.
 */
public interface TreeSink {

  /**
   * A file that is new or replaces what had its name; a directory in the place of a directory
   * changes its attributes only.
   *
   * @param content the data of a regular file
   */
  void put(Node node, Content content) throws EngineException, ErrnoException;

  /** The name, with all beneath it, is no more. */
  void delete(OsPath path) throws EngineException, ErrnoException;

  /**
   * Nothing of what was in the directory before this stream is there any more; what came in this
   * stream is. A diff says so right after the directory itself, an archive may say it later.
   */
  void opaque(OsPath directory) throws EngineException, ErrnoException;

  /** The end: what was put off is done now. Called once, and not after a failure. */
  void finish() throws EngineException, ErrnoException;
}
