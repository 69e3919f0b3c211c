package dev.ovl.api;

/** A request was refused or failed; see {@link Failure}. Nothing has changed unless it says so. */
public final class HostException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient Failure failure;

  /**
   * @param cause what is behind it; may be null
   */
  public HostException(Failure failure, Throwable cause) {
    super(failure.message(), cause);
    this.failure = failure;
  }

  /** Without a cause. */
  public HostException(Failure failure) {
    this(failure, null);
  }

  /** Why. */
  public Failure failure() {
    return failure;
  }
}
