package dev.ovl.config;

/** Where a value comes from; as a text, what a message begins with. */
public sealed interface Origin {
  /** An option on the command line, {@code "--root"}. */
  record Option(Setting setting) implements Origin {
    @Override
    public String toString() {
      return setting.option();
    }
  }

  /** A variable of the environment, {@code "OVL_ROOT"}. */
  record Variable(Setting setting) implements Origin {
    @Override
    public String toString() {
      return setting.variable();
    }
  }

  /**
   * A place in a file, {@code "/etc/ovl/config.toml:3:1"}.
   *
   * @param line from 1
   * @param column from 1, in characters
   */
  record Place(String file, int line, int column) implements Origin {
    @Override
    public String toString() {
      return file + ":" + line + ":" + column;
    }
  }

  /** Nobody set it. */
  record Default() implements Origin {
    @Override
    public String toString() {
      return "default";
    }
  }
}
