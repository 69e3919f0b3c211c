package dev.ovl.api;

/**
 * Follows work that may take long, and may end it. The methods are called by the thread that works.
 */
public interface Watch {
  /** Follows nothing, ends nothing. */
  Watch NONE = new Watch() {};

  /**
   * What can be checked beforehand is in order: what fails from now on fails in the middle. Called
   * once, unless the work fails before.
   */
  default void begun() {}

  /**
   * How far it is. Called often, so it should be quick.
   *
   * @param entries so far
   * @param bytes so far
   */
  default void at(long entries, long bytes) {}

  /** Whether it is to end, with everything as it was. Asked often. */
  default boolean isCancelled() {
    return false;
  }
}
