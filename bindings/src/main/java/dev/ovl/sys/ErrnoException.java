package dev.ovl.sys;

import java.io.IOException;

/**
 * A system call that failed: which one, on what, and why.
 *
 * <p>Thrown by {@link Syscalls} alone; layers above catch the errnos that they expect and let the
 * rest pass, or explain it.
 */
public final class ErrnoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final String arguments;
  private final Errno errno;

  /**
   * @param call the C name of the call, {@code "mount"}
   * @param arguments the arguments as strace prints them, without parentheses
   * @param errno why it failed
   */
  public ErrnoException(String call, String arguments, Errno errno) {
    super(call + "(" + arguments + "): " + errno.message() + " (" + errno.name() + ")");
    this.call = call;
    this.arguments = arguments;
    this.errno = errno;
  }

  /** The C name of the call. */
  public String call() {
    return call;
  }

  /** The arguments as strace prints them. */
  public String arguments() {
    return arguments;
  }

  /** Why it failed. */
  public Errno errno() {
    return errno;
  }

  /** True when the call failed with this errno. */
  public boolean is(Errno expected) {
    return errno == expected;
  }
}
