package dev.ovl.jni;

/** A command could not be started; nothing runs, nothing is mounted. */
public final class StartException extends Exception {
  private static final long serialVersionUID = 1;

  private final int status;

  /**
   * @param status what to exit with
   */
  public StartException(int status, Problem problem) {
    super(problem.message());
    this.status = status;
  }

  /**
   * The exit status for it: 127 for a command that is not there, 126 for one that cannot be
   * executed, 125 else.
   */
  public int status() {
    return status;
  }
}
