package dev.ovl.config;

/** A setting that makes no sense, told in one line: where, which and why. */
public final class ConfigurationException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean usage;

  private ConfigurationException(String message, boolean usage, Throwable cause) {
    super(message, cause);
    this.usage = usage;
  }

  /** Of an option or a variable: the caller should call otherwise. */
  static ConfigurationException ofCall(Origin origin, String why) {
    return new ConfigurationException(origin + ": " + why, true, null);
  }

  /** Of the file, or a place in it. */
  static ConfigurationException ofFile(Object place, String why) {
    return new ConfigurationException(place + ": " + why, false, null);
  }

  /** The file cannot be read. */
  static ConfigurationException ofFile(String file, String why, Exception cause) {
    return new ConfigurationException(file + ": " + why, false, cause);
  }

  /** Whether an option or a variable is wrong, and not the file. */
  public boolean isUsage() {
    return usage;
  }
}
