package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import java.util.Locale;

/** How mounts and unmounts beneath a mount travel to its copies (mount_namespaces(7)). */
public enum Propagation {
  /** Both ways. */
  SHARED(Linux.MS_SHARED),
  /** From the master only. */
  SLAVE(Linux.MS_SLAVE),
  /** Not at all. */
  PRIVATE(Linux.MS_PRIVATE),
  /** Not at all, and bind mounts of it are refused. */
  UNBINDABLE(Linux.MS_UNBINDABLE);

  private final long ms;

  Propagation(long ms) {
    this.ms = ms;
  }

  /** The MS_ bit. */
  public long ms() {
    return ms;
  }

  /** The word on the command line: {@code shared}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The kind that a word names.
   *
   * @throws EngineException USAGE: there is none
   */
  public static Propagation of(String word) throws EngineException {
    for (Propagation propagation : values()) {
      if (propagation.word().equals(word)) {
        return propagation;
      }
    }
    throw EngineException.usage(
        "unknown propagation "
            + OsPath.quoted(word)
            + "; known are shared, slave, private, unbindable");
  }
}
