package dev.ovl.it.load;

import dev.ovl.api.Failure;
import dev.ovl.api.HostException;

/**
 * What a request was answered, without what differs from run to run, such as ids.
 *
 * @param text equal for equal answers
 */
record Answer(String text) {
  static final Answer DONE = new Answer("done");
  static final Answer NO_SUCH_STACK = new Answer("no such stack");
  static final Answer EXISTS = new Answer("exists already");
  static final Answer IS_UP = new Answer("refused since it is up");

  /** Of {@code status}: what that shows of a stack. */
  static Answer status(boolean up, long lowers, boolean givenTarget) {
    return new Answer(
        (up ? "up" : "down") + " of " + lowers + (givenTarget ? " on the given target" : ""));
  }

  /** Of {@code inspect}: all of a stack. */
  static Answer inspected(StackState.Present stack) {
    return new Answer(stack.toString());
  }

  /**
   * A refusal.
   *
   * @throws HostException it is none that a rule foresees
   */
  static Answer refusal(HostException e) throws HostException {
    if (e.failure().kind() == Failure.Kind.NO_SUCH_STACK) {
      return NO_SUCH_STACK;
    }
    if (e.failure().kind() == Failure.Kind.FAILED) {
      if (e.getMessage().equals("a stack of that name exists (EEXIST)")) {
        return EXISTS;
      }
      if (e.getMessage().contains("; 'down' it before you ")) {
        return IS_UP;
      }
    }
    throw e;
  }
}
