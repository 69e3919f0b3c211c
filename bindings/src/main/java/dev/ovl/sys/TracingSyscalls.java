package dev.ovl.sys;

import java.util.function.Consumer;

/**
 * Prints each system call on one line, after it was made, as strace(1) would: {@code
 * openat(AT_FDCWD, "x", O_RDONLY|O_PATH) = 3}. Flags that this library adds by itself (O_CLOEXEC
 * and its like) are not shown; what the kernel filled in stands in parentheses after the result.
 */
public final class TracingSyscalls extends ObservedSyscalls {
  private final Consumer<String> lines;

  /**
   * @param sys what makes the calls
   * @param lines gets each line, without its end, on the thread that made the call; must not throw,
   *     for a descriptor just opened would be lost
   */
  public TracingSyscalls(Syscalls sys, Consumer<String> lines) {
    super(sys);
    this.lines = lines;
  }

  @Override
  protected <T> T observe(Invocation<T> invocation) throws ErrnoException {
    String call = invocation.name() + "(" + invocation.arguments() + ") = ";
    try {
      T result = invocation.perform();
      lines.accept(call + invocation.result(result));
      return result;
    } catch (ErrnoException e) {
      lines.accept(call + Call.failure(e.errno()));
      throw e;
    }
  }
}
