package dev.ovl.sys;

/**
 * An open file descriptor, closed once by {@link #close}. Meant for try-with-resources; not shared
 * between threads.
 */
public final class Fd implements AutoCloseable {
  private final Syscalls sys;
  private int number;

  /**
   * Takes ownership of an open descriptor.
   *
   * @param sys what closes it
   * @param number an open descriptor, not negative
   */
  public Fd(Syscalls sys, int number) {
    if (number < 0) {
      throw new IllegalArgumentException("not a descriptor: " + number);
    }
    this.sys = sys;
    this.number = number;
  }

  /**
   * The descriptor's number.
   *
   * @throws IllegalStateException after {@link #close}
   */
  public int number() {
    if (number < 0) {
      throw new IllegalStateException("the descriptor is closed");
    }
    return number;
  }

  /**
   * Closes the descriptor; a second call does nothing. What close(2) reports is not told: it can
   * only be that data written earlier did not reach the disk, and whoever wrote ends with {@link
   * #closeWritten}. The number is free in any case.
   */
  @Override
  public void close() {
    try {
      closeWritten();
    } catch (ErrnoException e) {
      // nothing was written through this descriptor, so nothing is lost
    }
  }

  /**
   * Closes a descriptor that was written through; a later {@link #close} does nothing. The number
   * is free afterwards even when this throws, as close(2) has it on Linux.
   *
   * @throws ErrnoException EIO, ENOSPC, EDQUOT: what was written earlier did not reach the disk
   */
  public void closeWritten() throws ErrnoException {
    if (number >= 0) {
      int closing = number;
      number = -1;
      sys.close(closing);
    }
  }
}
