package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code ovlctl layer}: the verbs on layers. */
@Command(
    name = "layer",
    sortOptions = false,
    description = "Works on layers, of which stacks and images are made, by their ids.",
    subcommands = {
      LayerCreateCommand.class,
      LayerCommitCommand.class,
      LayerGetCommand.class,
      LayerPutCommand.class,
      LayerExistsCommand.class,
      LayerChangesCommand.class,
      LayerDiffCommand.class,
      LayerApplyCommand.class,
      LayerSizeCommand.class,
      LayerRemoveCommand.class,
      LayerListCommand.class,
      LayerInspectCommand.class,
      LayerConvertCommand.class,
      LayerStatusCommand.class,
      LayerCleanupCommand.class
    })
final class LayerCommand implements Callable<Integer> {
  @Override
  public Integer call() throws EngineException {
    throw EngineException.usage("a verb is missing (try 'ovlctl layer --help')");
  }
}
