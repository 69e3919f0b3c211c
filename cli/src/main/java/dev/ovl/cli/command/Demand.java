package dev.ovl.cli.command;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * What a command line needs of whoever carries it out.
 *
 * @param ownProcess whether it must have a process to itself
 * @param target the stacks that it is about, if it is about any
 */
public record Demand(boolean ownProcess, Optional<Target> target) {
  static final Demand NOTHING = new Demand(false, Optional.empty());
  static final Demand OWN_PROCESS = new Demand(true, Optional.empty());

  /**
   * Where stacks are, and who is to work on them.
   *
   * @param root the root directory, absolute
   * @param run the run directory, absolute
   * @param host as the option {@code --host} has it
   */
  public record Target(OsPath root, OsPath run, String host) {}

  static Demand of(OsPath root, OsPath run, String host) {
    return new Demand(false, Optional.of(new Target(root, run, host)));
  }
}
