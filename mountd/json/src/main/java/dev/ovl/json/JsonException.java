package dev.ovl.json;

/** A text that is not the JSON that was expected; the message says what and where, on one line. */
public final class JsonException extends Exception {
  private static final long serialVersionUID = 1L;

  /**
   * @param message one line
   */
  public JsonException(String message) {
    super(message.lines().findFirst().orElse(""));
  }
}
