package dev.ovl.config;

import java.util.Map;
import java.util.Optional;

/**
 * Where an ordinary user keeps what root keeps for the system: the defaults of the XDG Base
 * Directory Specification. {@code ovl-userns} finds the daemon's socket by the same rules.
 *
 * @param environment variables; relative paths in them count as none, as the specification has it
 */
record UserDirectories(Map<String, String> environment) {
  private static final String OURS = "/ovl";

  /** The default of a setting; absent: root's, which is not for a user without a home. */
  Optional<String> of(Setting setting) {
    return switch (setting) {
      case CONFIG ->
          place("XDG_CONFIG_HOME").or(() -> home("/.config")).map(at -> at + "/config.toml");
      case ROOT -> data();
      // it may outlast the boot there, as what is in it allows
      case RUN -> place("XDG_RUNTIME_DIR").or(() -> data().map(at -> at + "/run"));
      case HOST, GROUP, GROUP_ACCESS, REQUEST_TIMEOUT, WORKERS, USAGE_INTERVAL, LOG_LEVEL ->
          Optional.empty();
    };
  }

  private Optional<String> data() {
    return place("XDG_DATA_HOME").or(() -> home("/.local/share"));
  }

  private Optional<String> home(String below) {
    return directory("HOME").map(home -> home + below + OURS);
  }

  private Optional<String> place(String variable) {
    return directory(variable).map(directory -> directory + OURS);
  }

  private Optional<String> directory(String variable) {
    return Optional.ofNullable(environment.get(variable)).filter(path -> path.startsWith("/"));
  }
}
