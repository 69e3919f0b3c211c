package dev.ovl.cli.session;

/**
 * Whether the user wants to stop: asked between the parts of long work. For any number of threads.
 */
public final class Cancellation {
  private volatile boolean requested;

  /** Asks whatever runs to end soon, with everything left whole. */
  public void request() {
    requested = true;
  }

  /** True once it was requested. */
  public boolean isRequested() {
    return requested;
  }
}
