package dev.ovl.sys;

import java.io.IOException;
import java.util.function.Supplier;

/**
 * A system call that failed: which one, on what, and why.
 *
 * <p>Thrown by {@link Syscalls} alone; layers above catch the errnos that they expect and let the
 * rest pass, or explain it. Since most are expected it is cheap: it has no stack trace, and its
 * text is made when somebody reads it.
 */
public final class ErrnoException extends IOException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final transient Supplier<String> arguments;
  private final Errno errno;

  /**
   * @param call the C name of the call, {@code "mount"}
   * @param arguments gives the arguments as strace prints them, without parentheses; asked whenever
   *     the text is read
   * @param errno why it failed
   */
  public ErrnoException(String call, Supplier<String> arguments, Errno errno) {
    this.call = call;
    this.arguments = arguments;
    this.errno = errno;
  }

  /**
   * None: the call and its arguments tell where it failed, and filling one costs more than the
   * call.
   */
  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }

  @Override
  public String getMessage() {
    return call + "(" + arguments() + "): " + errno.message() + " (" + errno.name() + ")";
  }

  /** The C name of the call. */
  public String call() {
    return call;
  }

  /** The arguments as strace prints them. */
  public String arguments() {
    return arguments.get();
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
