package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackPatch;
import dev.ovl.engine.EngineException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code ovlctl set}. */
@Command(
    name = "set",
    sortOptions = false,
    description = {
      "Changes a stack that is down. What is not given stays as it is.",
      "'--at default', '--method auto', '--propagation default' and \"-o ''\" take settings back."
    })
final class SetCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", description = "The stack.")
  private String name;

  @Mixin private StackOptions layers;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    StackPatch patch = layers.patch(ovlctl());
    return each(
        "set",
        List.of(name),
        stack -> {
          note(host.set(stack, patch, ovlctl().dryRun()));
          report(host, stack);
        });
  }
}
