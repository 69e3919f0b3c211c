package dev.ovl.cli.session;

import dev.ovl.sys.OsPath;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;

/**
 * All that a command gets from whoever runs it: it touches nothing of the process around it, so
 * that it can run anywhere.
 *
 * @param in standard input
 * @param out for data; unbuffered is fine
 * @param err for everything else
 * @param place where it runs
 * @param environment variables, in the text form of {@link OsPath}
 * @param terminal what the streams lead to
 * @param cancellation set when the user wants to stop
 */
public record Session(
    InputStream in,
    OutputStream out,
    OutputStream err,
    Place place,
    Map<String, String> environment,
    Terminal terminal,
    Cancellation cancellation) {

  /**
   * @param in whether standard input is a terminal
   * @param out whether standard output is a terminal
   * @param err whether standard error is a terminal
   */
  public record Terminal(boolean in, boolean out, boolean err) {}
}
