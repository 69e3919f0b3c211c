package dev.ovl.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.ovl.sys.OsPath;
import java.util.List;
import org.junit.jupiter.api.Assertions;

/**
 * How a process ended.
 *
 * @param command what was run, for messages
 * @param out standard output, in the text form of {@link OsPath}
 * @param err standard error, likewise
 */
record Result(String command, int status, String out, String err) {

  /** Fails unless it ended so. */
  Result ended(int expected) {
    if (status != expected) {
      Assertions.fail(command + " ended with " + status + " instead of " + expected + "\n" + this);
    }
    return this;
  }

  /** Fails unless it ended well and said nothing on standard error. */
  Result fine() {
    ended(0);
    assertEquals("", err, command);
    return this;
  }

  /** Fails unless it failed so with one line, and returns that line without {@code ovlctl: }. */
  String failed(int expected) {
    ended(expected);
    assertEquals("", out, command);
    return errorLine();
  }

  /** The one line on standard error, without {@code ovlctl: }. */
  String errorLine() {
    List<String> lines = err.lines().toList();
    if (lines.size() != 1 || !lines.get(0).startsWith("ovlctl: ") || !err.endsWith("\n")) {
      Assertions.fail(command + " did not say one line\n" + this);
    }
    return lines.get(0).substring("ovlctl: ".length());
  }

  /** The lines on standard output. */
  List<String> lines() {
    return out.lines().toList();
  }

  /** Standard output as JSON. */
  Object json() {
    return JsonText.parse(out);
  }

  @Override
  public String toString() {
    return command + "\nstatus: " + status + "\nout:\n" + out + "err:\n" + err;
  }
}
