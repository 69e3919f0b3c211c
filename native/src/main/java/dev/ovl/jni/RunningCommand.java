package dev.ovl.jni;

/** A command that was started. */
public interface RunningCommand {
  /**
   * Waits for the end of the command and of all that it left; to be called once.
   *
   * @return its exit status, 128 plus the signal's number if a signal ended it
   */
  int await();
}
