package dev.ovl.engine.archive;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** Where an archive goes. */
public interface ByteSink {
  /**
   * Takes all of the buffer.
   *
   * @param bytes direct
   */
  void write(ByteBuffer bytes) throws EngineException, ErrnoException;

  /** There is no more. Closes nothing that it did not open. */
  default void finish() throws EngineException, ErrnoException {}

  /** A file or pipe that is open for writing; the giver closes it. */
  static ByteSink of(Syscalls sys, Fd file) {
    return bytes -> {
      while (bytes.hasRemaining()) {
        sys.write(file.number(), bytes);
      }
    };
  }

  /** A stream; the giver closes it. */
  static ByteSink of(OutputStream stream) {
    byte[] copy = new byte[64 * 1024];
    return bytes -> {
      try {
        while (bytes.hasRemaining()) {
          int length = Math.min(copy.length, bytes.remaining());
          bytes.get(copy, 0, length);
          stream.write(copy, 0, length);
        }
      } catch (ErrnoException e) {
        throw e;
      } catch (IOException e) {
        throw EngineException.failed("the archive cannot be passed on: " + e.getMessage());
      }
    };
  }
}
