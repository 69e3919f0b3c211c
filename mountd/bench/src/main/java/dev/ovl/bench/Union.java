package dev.ovl.bench;

import java.nio.file.Path;

/** A mount of a writable directory above layers, which comes and goes. */
interface Union extends Turns.Way {
  void mount() throws Exception;

  void unmount() throws Exception;

  /** Its own directories are here. */
  Path home();

  /** Where it is mounted. */
  default Path root() {
    return home().resolve("merged");
  }

  /** The writable directory. */
  default Path upper() {
    return home().resolve("upper");
  }

  /** Up and down. */
  @Override
  default void once() throws Exception {
    mount();
    unmount();
  }
}
