package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl rm}. */
@Command(
    name = "rm",
    sortOptions = false,
    description =
        "Forgets stacks and deletes their own layers. An upper of yours is never deleted.")
final class RemoveCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", arity = "1..*", description = "The stacks, in this order.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--force", description = "Unmount it first.")
  private boolean force;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    return each("rm", names, stack -> note(host.remove(stack, force, ovlctl().dryRun())));
  }
}
