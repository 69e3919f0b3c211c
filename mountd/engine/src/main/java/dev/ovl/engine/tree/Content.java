package dev.ovl.engine.tree;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import java.nio.ByteBuffer;

/** The data of a regular file, to be read once. */
public sealed interface Content {

  /**
   * Another file's data, which may be cloned and whose holes are seen.
   *
   * @param file open for reading, at its beginning; the giver closes it
   */
  record OfFile(Fd file) implements Content {}

  /** Data as it comes, exactly as many bytes as the node says. */
  record OfStream(Source source) implements Content {}

  /** No data: of what is no regular file, and of an empty one. */
  record None() implements Content {}

  /** Where data comes from. */
  interface Source {
    /**
     * Reads some of what is left.
     *
     * @param buffer direct; filled from its position on, at least one byte, as far as there is room
     *     and data
     * @return the number of bytes, 0 at the end
     * @throws EngineException what it is read from is broken: names what and where
     */
    int read(ByteBuffer buffer) throws EngineException, ErrnoException;
  }
}
