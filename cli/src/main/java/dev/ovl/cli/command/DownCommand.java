package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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

  @Option(
      names = "--into",
      paramLabel = "PID",
      description = "Unmount in the mount namespace of this process, where 'up --into' mounted.")
  private Long into;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    return each(
        "down",
        namesOrAll(host, names, all, true),
        stack -> note(down(host, stack, ovlctl().dryRun())));
  }

  private Done down(CommandHost host, String stack, boolean dryRun) throws HostException {
    return into == null
        ? host.down(stack, lazy, dryRun)
        : host.detach(stack, attachment(into, Optional.empty()), lazy, dryRun);
  }
}
