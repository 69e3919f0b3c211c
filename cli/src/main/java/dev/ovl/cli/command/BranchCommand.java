package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code ovlctl branch}: the verbs on branches. */
@Command(
    name = "branch",
    sortOptions = false,
    description = {
      "Changes the branches of a stack of aufs, whether it is up or down. Its own layer and the",
      "layers that it lies on stay as they are."
    },
    subcommands = {BranchAddCommand.class, BranchRemoveCommand.class, BranchModifyCommand.class})
final class BranchCommand implements Callable<Integer> {
  @Override
  public Integer call() throws EngineException {
    throw EngineException.usage("a verb is missing (try 'ovlctl branch --help')");
  }
}
