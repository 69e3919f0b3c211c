package dev.ovl.engine.archive;

/** What is wrong with an archive, without where. */
final class TarException extends Exception {
  private static final long serialVersionUID = 1L;

  TarException(String message) {
    super(message, null, false, false);
  }
}
