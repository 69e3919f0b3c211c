package dev.ovl.engine.diff;

/** Hears how far a comparison or a stream is. Called often, so it should be quick. */
public interface Progress {
  /** Hears nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public void looked() {}

        @Override
        public void read(long bytes) {}
      };

  /** One more name was looked at. */
  void looked();

  /** So many more bytes of file data were read to be compared. */
  void read(long bytes);
}
