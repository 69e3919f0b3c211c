package dev.ovl.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The settings. A setting {@code group-access} is the option {@code --group-access}, the variable
 * {@code OVL_GROUP_ACCESS} and the key {@code group-access} in the file.
 */
public enum Setting {
  CONFIG(
      new Kind.Path(),
      "FILE",
      "/etc/ovl/config.toml",
      Readers.BOTH,
      Change.BY_RESTART,
      "Settings are read from this file. An ordinary user's is ~/.config/ovl/config.toml."),

  ROOT(
      new Kind.Path(),
      "DIR",
      "/var/lib/ovl",
      Readers.BOTH,
      Change.BY_RESTART,
      "What lasts is kept here. An ordinary user's is ~/.local/share/ovl."),

  RUN(
      new Kind.Path(),
      "DIR",
      "/run/ovl",
      Readers.BOTH,
      Change.BY_RESTART,
      "What ends with the boot is kept here. An ordinary user's is $XDG_RUNTIME_DIR/ovl."),

  HOST(
      new Kind.Text(
          Pattern.compile("auto|none|unix:///.*", Pattern.DOTALL),
          "auto, none or unix://PATH with an absolute path",
          List.of("auto", "none", "unix://")),
      "HOST",
      "auto",
      Readers.OVLCTL,
      Change.BY_RESTART,
      "Who does the work. 'none': this process, without a daemon; unix://PATH: the daemon on that"
          + " socket; 'auto': the daemon in the run directory if it has this root and this mount"
          + " namespace, else this process."),

  GROUP(
      new Kind.Text(Pattern.compile("[^\\s:\\p{Cntrl}]+"), "the name of a group", List.of()),
      "GROUP",
      "ovl",
      Readers.MOUNTD,
      Change.BY_RESTART,
      "The group that owns the socket."),

  GROUP_ACCESS(
      new Kind.Word(List.of("none", "read", "write")),
      "ACCESS",
      "read",
      Readers.MOUNTD,
      Change.BY_RELOAD,
      "What the members of that group may do: 'none', nothing; 'read', look at stacks; 'write', all"
          + " that root may. Who may mount anything anywhere is as good as root."),

  REQUEST_TIMEOUT(
      new Kind.Seconds(1, 86_400),
      "SECONDS",
      "60",
      Readers.MOUNTD,
      Change.BY_RELOAD,
      "How long a request may take before its client is told that it takes too long."),

  WORKERS(
      new Kind.Count(1, 4_096),
      "N",
      "64",
      Readers.MOUNTD,
      Change.BY_RESTART,
      "How many requests are carried out at the same time; others wait."),

  USAGE_INTERVAL(
      new Kind.Seconds(0, 31_536_000),
      "SECONDS",
      "600",
      Readers.MOUNTD,
      Change.BY_RELOAD,
      "How often the bytes and inodes that uppers use are measured in the background; 0: never."),

  LOG_LEVEL(
      new Kind.Word(List.of("error", "warn", "info", "debug")),
      "LEVEL",
      "info",
      Readers.MOUNTD,
      Change.BY_RELOAD,
      "The least urgent messages that are logged: 'error', 'warn', 'info' or 'debug'.");

  /** When a new value is taken up by a daemon that runs. */
  private enum Change {
    BY_RELOAD,
    BY_RESTART
  }

  private static final class Readers {
    static final Set<Program> BOTH = Set.of(Program.OVLCTL, Program.MOUNTD);
    static final Set<Program> OVLCTL = Set.of(Program.OVLCTL);
    static final Set<Program> MOUNTD = Set.of(Program.MOUNTD);
  }

  @SuppressWarnings("Immutable") // all kinds are records of what does not change
  private final Kind kind;

  private final String label;
  private final String defaultText;

  @SuppressWarnings("Immutable") // made by Set.of
  private final Set<Program> readers;

  private final Change change;
  private final String description;

  Setting(
      Kind kind,
      String label,
      String defaultText,
      Set<Program> readers,
      Change change,
      String description) {
    this.kind = kind;
    this.label = label;
    this.defaultText = defaultText;
    this.readers = readers;
    this.change = change;
    this.description = description;
  }

  /** Those that a program reads, in their order. */
  public static List<Setting> of(Program program) {
    return Arrays.stream(values()).filter(setting -> setting.readers.contains(program)).toList();
  }

  /** The one of this key, if it can stand in the file. */
  public static Optional<Setting> ofKey(String key) {
    return Arrays.stream(values())
        .filter(setting -> setting.inFile() && setting.key().equals(key))
        .findFirst();
  }

  /** The key in the file, {@code "group-access"}. */
  public String key() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The option, {@code "--group-access"}. */
  public String option() {
    return "--" + key();
  }

  /** The variable of the environment, {@code "OVL_GROUP_ACCESS"}. */
  public String variable() {
    return "OVL_" + name();
  }

  /** Whether it can stand in the file: only the file's own name cannot. */
  public boolean inFile() {
    return this != CONFIG;
  }

  /** What its value may be. */
  public Kind kind() {
    return kind;
  }

  /** What stands for the value in a usage line, {@code "DIR"}. */
  public String label() {
    return label;
  }

  /** The value that it has when nobody sets it. */
  public String defaultText() {
    return defaultText;
  }

  /** What it is for, in one or more sentences. */
  public String description() {
    return description;
  }

  /** Who reads it. */
  public Set<Program> readers() {
    return readers;
  }

  /** Whether a daemon that runs takes up a new value when it is told to reload. */
  public boolean isReloadable() {
    return change == Change.BY_RELOAD;
  }
}
