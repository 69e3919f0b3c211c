package dev.ovl.jni;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * What keeps a command from running, or is not as one would expect.
 *
 * @param what a sentence, {@code "cannot execute"}
 * @param about the name in the plan that the sentence ends with
 * @param errno why
 */
public record Problem(String what, Optional<OsPath> about, Optional<Errno> errno) {
  /** As a person is told. */
  public String message() {
    return what
        + about.map(name -> " " + name.quoted()).orElse("")
        + errno.map(e -> ": " + e.message() + " (" + e + ")").orElse("");
  }
}
