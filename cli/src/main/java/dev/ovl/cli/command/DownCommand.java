package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl down}. */
@Command(
    name = "down",
    sortOptions = false,
    description = "Unmounts stacks. One that is down already is fine.")
final class DownCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", arity = "0..*", description = "The stacks, in this order.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--all", description = "All stacks, those that lie on others first.")
  private boolean all;

  @Option(
      names = "--lazy",
      description = "Detach the mount although it is in use: it ends when its users do.")
  private boolean lazy;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    return each(
        "down",
        namesOrAll(host, names, all, true),
        stack -> note(host.down(stack, lazy, ovlctl().dryRun())));
  }
}
