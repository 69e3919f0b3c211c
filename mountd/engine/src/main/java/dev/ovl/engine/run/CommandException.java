package dev.ovl.engine.run;

import dev.ovl.jni.StartException;

/** A command was not started, for reasons of its own; nothing runs, nothing is mounted. */
public final class CommandException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;

  CommandException(StartException cause) {
    super(cause.getMessage(), cause);
    this.status = cause.status();
  }

  /** The exit status for it, as of docker run: 125, 126 or 127. */
  public int status() {
    return status;
  }
}
