package dev.ovl.it.load;

import java.util.List;
import java.util.Optional;

/** What a stack is, as far as requests can change and see it. */
sealed interface StackState {
  /** There is none of that name. */
  StackState ABSENT = new Absent();

  /** There is none of that name. */
  record Absent() implements StackState {}

  /** There is one. */
  record Present(Shape shape, boolean up) implements StackState {}

  /** Whose the upper is. */
  enum Upper {
    /** A layer of ovl's. */
    OWN,
    /** A directory of the user's. */
    GIVEN,
    /** Nobody's: it is read-only. */
    NONE
  }

  /**
   * A definition.
   *
   * @param lowers names of the site's lowers, topmost first
   * @param givenTarget whether its target is the site's for it, not ovl's own
   * @param options of {@link Site#OPTIONS}
   * @param method forced
   */
  record Shape(
      List<String> lowers,
      Upper upper,
      boolean givenTarget,
      List<String> options,
      Optional<String> method) {}
}
