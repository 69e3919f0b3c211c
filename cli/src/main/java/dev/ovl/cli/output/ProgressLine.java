package dev.ovl.cli.output;

import dev.ovl.cli.session.Session;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Duration;

/**
 * A line on a terminal that tells how far long work is, and goes when that ends. Elsewhere, and
 * when nothing is to be said, nothing is written.
 */
public final class ProgressLine implements AutoCloseable {
  private static final long PAUSE_NANOS = Duration.ofMillis(100).toNanos();
  private static final String CLEAR = "\r\033[K";

  private final OutputStream err;
  private final boolean shown;
  private final String label;
  private long last = System.nanoTime();
  private boolean written;

  /** What is told, asked for when it is shown. */
  public interface Text {
    /** Without a line's end. */
    String now();
  }

  /**
   * @param label at the beginning of the line
   * @param quiet whether nothing is to be said
   */
  public ProgressLine(Session session, boolean quiet, String label) {
    this.err = session.err();
    this.shown = session.terminal().err() && !quiet;
    this.label = label;
  }

  /** May be called often. */
  public void show(Text text) {
    if (!shown || System.nanoTime() - last < PAUSE_NANOS) {
      return;
    }
    write(CLEAR + label + ": " + text.now());
    written = true;
    last = System.nanoTime();
  }

  private void write(String text) {
    try {
      err.write(OsPath.encode(text));
      err.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (written) {
      write(CLEAR);
    }
  }
}
