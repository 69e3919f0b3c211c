package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl up}. */
@Command(
    name = "up",
    sortOptions = false,
    description = "Mounts stacks and prints each target. One that is up already is fine.")
final class UpCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", arity = "0..*", description = "The stacks, in this order.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--all", description = "All stacks, those that others lie on first.")
  private boolean all;

  @Option(
      names = "--accept-volatile",
      description =
          "Mount although a volatile mount was not ended by 'down': what was written may be lost or torn.")
  private boolean acceptVolatile;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    List<Map<String, Object>> reports = new ArrayList<>();
    int status = each("up", namesOrAll(host, names, all, false), stack -> up(host, stack, reports));
    if (ovlctl().json()) {
      output().json(reports);
    }
    return status;
  }

  private void up(CommandHost host, String stack, List<Map<String, Object>> reports)
      throws HostException {
    Done done = host.up(stack, acceptVolatile, ovlctl().dryRun());
    note(done);
    if (done.target().isEmpty()) {
      return;
    }
    if (ovlctl().json()) {
      reports.add(host.inspect(stack).json());
    } else {
      output().path(OsPath.of(done.target().get()));
    }
  }
}
