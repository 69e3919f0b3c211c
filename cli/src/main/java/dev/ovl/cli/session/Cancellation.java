package dev.ovl.cli.session;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether the user wants to stop: asked between the parts of long work, or told to who waits. For
 * any number of threads.
 */
public final class Cancellation {
  private final List<Runnable> told = new ArrayList<>();
  private boolean requested;

  /** Asks whatever runs to end soon, with everything left whole. */
  public void request() {
    List<Runnable> now;
    synchronized (this) {
      requested = true;
      now = List.copyOf(told);
    }
    now.forEach(Runnable::run);
  }

  /** True once it was requested. */
  public synchronized boolean isRequested() {
    return requested;
  }

  /** Runs an action when it is requested, in the thread that does; at once if it was already. */
  public void onRequest(Runnable action) {
    boolean now;
    synchronized (this) {
      told.add(action);
      now = requested;
    }
    if (now) {
      action.run();
    }
  }
}
