package dev.ovl.cli.output;

import dev.ovl.json.Json;
import dev.ovl.sys.OsPath;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Data of which there may be a lot: written many lines at a time, and never held as a whole. */
public final class ManyLines implements AutoCloseable {
  private static final int ENOUGH_BYTES = 64 * 1024;

  private final OutputStream out;
  private final boolean array;
  private final byte end;
  private final Json json = new Json();
  private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();
  private boolean first = true;

  /**
   * @param array whether all of it is one array of JSON
   * @param end of a line of text
   */
  ManyLines(OutputStream out, boolean array, char end) {
    this.out = out;
    this.array = array;
    this.end = (byte) end;
  }

  /** A line of text. */
  public void text(String text) {
    waiting.writeBytes(OsPath.encode(text));
    waiting.write(end);
    passIfEnough();
  }

  /** An element of the array. */
  public void json(Object value) {
    byte[] line = json.writeLine(value);
    waiting.writeBytes((first ? "[\n  " : ",\n  ").getBytes(StandardCharsets.US_ASCII));
    waiting.write(line, 0, line.length - 1);
    first = false;
    passIfEnough();
  }

  /** That was all, and it was right. */
  public void end() {
    if (array) {
      waiting.writeBytes((first ? "[]\n" : "\n]\n").getBytes(StandardCharsets.US_ASCII));
    }
  }

  private void passIfEnough() {
    if (waiting.size() >= ENOUGH_BYTES) {
      close();
    }
  }

  /** Writes what waits. */
  @Override
  public void close() {
    try {
      waiting.writeTo(out);
      waiting.reset();
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
