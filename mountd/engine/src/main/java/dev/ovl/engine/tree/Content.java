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
     * The hole that comes next, which is passed over.
     *
     * @return its length in bytes; 0 where data comes next, or nothing
     */
    default long skipHole() {
      return 0;
    }

    /**
     * Reads some of what is left; of a hole, zeros.
     *
     * @param buffer direct; filled from its position on, at least one byte, as far as there is room
     *     and data
     * @return the number of bytes, 0 at the end
     * @throws EngineException what it is read from is broken: names what and where
     */
    int read(ByteBuffer buffer) throws EngineException, ErrnoException;
  }
}
