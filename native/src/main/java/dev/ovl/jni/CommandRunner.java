package dev.ovl.jni;

import java.util.function.Consumer;

/**
 * Who starts commands: this process ({@link ForkedCommand#start}), or another one that it serves.
 */
public interface CommandRunner {
  /**
   * Starts a command; when this returns it is being executed.
   *
   * @param notes told what is not as one would expect and keeps nobody from running
   * @throws StartException why it does not run
   * @throws NativeLibraryException the library that does it is not there
   */
  RunningCommand start(CommandPlan plan, Consumer<Problem> notes)
      throws StartException, NativeLibraryException;
}
