package dev.ovl.server.event;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Tells each change to all who listen, in the thread that made it. For any number of threads. */
public final class Changes {
  private final List<Consumer<Change>> listeners = new CopyOnWriteArrayList<>();

  /** Listens from now on; a listener must not wait for anything. */
  public void listen(Consumer<Change> listener) {
    listeners.add(listener);
  }

  /** Listens no more. */
  public void leave(Consumer<Change> listener) {
    listeners.remove(listener);
  }

  /** Tells a change. */
  public void tell(Change change) {
    for (Consumer<Change> listener : listeners) {
      listener.accept(change);
    }
  }
}
