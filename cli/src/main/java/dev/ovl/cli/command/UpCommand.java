package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  @Option(
      names = "--into",
      paramLabel = "PID",
      description =
          "Mount in the mount namespace of this process, which ends the mount with itself.")
  private Long into;

  @Option(
      names = "--at",
      paramLabel = "TARGET",
      description =
          "With --into: a directory as the process sees it. Default: of the same name as the target.")
  private String at;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    if (at != null && (into == null || names.size() != 1)) {
      throw EngineException.usage("--at goes with --into and one name");
    }
    List<Map<String, Object>> reports = new ArrayList<>();
    int status = each("up", namesOrAll(host, names, all, false), stack -> up(host, stack, reports));
    if (ovlctl().json()) {
      output().json(reports);
    }
    return status;
  }

  private void up(CommandHost host, String stack, List<Map<String, Object>> reports)
      throws HostException {
    boolean dryRun = ovlctl().dryRun();
    Done done =
        into == null
            ? host.up(stack, acceptVolatile, dryRun)
            : host.attach(stack, attachment(into, Optional.ofNullable(at)), acceptVolatile, dryRun);
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
