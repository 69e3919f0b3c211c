package dev.ovl.engine.archive;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.tree.Content;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Syscalls;
import java.io.IOException;
import java.io.InputStream;

/** Where an archive comes from. */
public final class ByteSources {
  private ByteSources() {}

  /** A file or pipe that is open for reading; the giver closes it. */
  public static Content.Source of(Syscalls sys, Fd file) {
    return buffer -> sys.read(file.number(), buffer);
  }

  /** A stream; the giver closes it. */
  public static Content.Source of(InputStream stream) {
    byte[] copy = new byte[64 * 1024];
    return buffer -> {
      int length;
      try {
        length = stream.read(copy, 0, Math.min(copy.length, buffer.remaining()));
      } catch (ErrnoException e) {
        throw e;
      } catch (IOException e) {
        throw EngineException.failed("the archive does not come: " + e.getMessage());
      }
      if (length > 0) {
        buffer.put(copy, 0, length);
      }
      return Math.max(length, 0);
    };
  }
}
