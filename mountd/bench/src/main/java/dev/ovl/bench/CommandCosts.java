package dev.ovl.bench;

import java.nio.file.Path;
import java.util.List;

/**
 * What a short command costs, from its start to its end. Started by {@code mountd/bench/run
 * commands}, which makes the scratch directory and sets what ovlctl takes from its environment.
 */
public final class CommandCosts {
  private CommandCosts() {}

  /**
   * @param args {@code bin/ovlctl} of a distribution; the scratch directory; {@code full} or {@code
   *     quick}; some of {@code in-process}, {@code status}, {@code programs}, {@code try}
   */
  public static void main(String[] args) throws Exception {
    Path program = Path.of(args[0]);
    Path scratch = Path.of(args[1]);
    ShortCommands.Effort effort =
        args[2].equals("quick") ? ShortCommands.Effort.QUICK : ShortCommands.Effort.FULL;
    List<String> wanted = List.of(args).subList(3, args.length);
    Machine.describe(effort.toString());
    ShortCommands commands = new ShortCommands(program, scratch, effort);
    if (wanted.contains("in-process")) {
      commands.inProcess();
    }
    if (wanted.contains("status")) {
      commands.status();
    }
    if (wanted.contains("programs")) {
      commands.programs();
    }
    if (wanted.contains("try")) {
      commands.tries();
    }
  }
}
