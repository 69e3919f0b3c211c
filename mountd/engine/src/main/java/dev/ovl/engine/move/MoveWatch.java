package dev.ovl.engine.move;

/** Hears how far a move is, and may end it. Called often, so it should be quick. */
public interface MoveWatch {
  /** Hears nothing, and lets it come to its end. */
  MoveWatch NONE =
      new MoveWatch() {
        @Override
        public void at(long files, long bytes) {}

        @Override
        public boolean isCancelled() {
          return false;
        }
      };

  /**
   * Something more was copied.
   *
   * @param files copied so far, directories and links included
   * @param bytes of data, written or shared
   */
  void at(long files, long bytes);

  /** Whether it is to be undone; not asked any more once the copy has the destination's name. */
  boolean isCancelled();
}
