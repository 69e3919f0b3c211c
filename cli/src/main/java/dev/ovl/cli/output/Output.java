package dev.ovl.cli.output;

import dev.ovl.cli.session.Session;
import dev.ovl.json.Json;
import dev.ovl.sys.OsPath;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * Where a command writes: data on standard output, all else on standard error, in bytes of UTF-8
 * with stray bytes as they came.
 */
public final class Output {
  private static final String PROGRAM = "ovlctl: ";

  private final Session session;
  private final boolean quiet;
  private final Json json = new Json();

  /**
   * @param quiet whether {@link #note} is silent
   */
  public Output(Session session, boolean quiet) {
    this.session = session;
    this.quiet = quiet;
  }

  /** One line of data. */
  public void line(String text) {
    write(session.out(), OsPath.encode(text + "\n"));
  }

  /** A path on a line of its own: as ls(1) does, quoted for a person and as it is for a program. */
  public void path(OsPath path) {
    if (session.terminal().out()) {
      line(path.quoted());
    } else {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      bytes.writeBytes(path.bytes());
      bytes.write('\n');
      write(session.out(), bytes.toByteArray());
    }
  }

  /** Rows under a headline, in columns. */
  public void table(List<String> headline, List<List<String>> rows) {
    for (String line : Table.lines(headline, rows)) {
      line(line);
    }
  }

  /** Lines of data of which there may be many. */
  public ManyLines lines(boolean endedByNul) {
    return new ManyLines(session.out(), false, endedByNul ? '\0' : '\n');
  }

  /** An array as JSON, of which there may be much: an element a line. */
  public ManyLines jsonArray() {
    return new ManyLines(session.out(), true, '\n');
  }

  /** A line for a person that tells how far long work is; to be closed. */
  public ProgressLine progress(String label) {
    return new ProgressLine(session, quiet, PROGRAM + label);
  }

  /** A value as JSON ({@link Json}). */
  public void json(Object value) {
    write(session.out(), json.writePretty(value));
  }

  /** A value as JSON on one line, for streams. */
  public void jsonLine(Object value) {
    write(session.out(), json.writeLine(value));
  }

  /** A line for a person, on standard error. */
  public void note(String text) {
    if (!quiet) {
      write(session.err(), OsPath.encode(PROGRAM + text + "\n"));
    }
  }

  /** A line for a person without the program's name, where standard output is another program's. */
  public void aside(String text) {
    if (!quiet) {
      write(session.err(), OsPath.encode(text + "\n"));
    }
  }

  /** A question to a person, which the answer follows on the line. */
  public void prompt(String text) {
    write(session.err(), OsPath.encode(text));
  }

  /** A failure on one line: {@code ovlctl: up web: why}. */
  public void error(String text) {
    write(session.err(), OsPath.encode(PROGRAM + text.replace("\n", " ") + "\n"));
  }

  /** A line of a trace, on standard error. */
  public void trace(String text) {
    write(session.err(), OsPath.encode(text + "\n"));
  }

  private static void write(OutputStream stream, byte[] bytes) {
    try {
      stream.write(bytes);
      stream.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
