package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl umount}. */
@Command(
    name = "umount",
    sortOptions = false,
    description =
        "Unmounts the topmost overlay on a directory, and says who holds it when it is busy.")
final class UmountCommand extends HostCommand {
  @Option(
      names = "--lazy",
      description = "Detach the mount although it is in use: it ends when its users do.")
  private boolean lazy;

  @Parameters(paramLabel = "TARGET", description = "The directory.")
  private String target;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    note(host.umount(ovlctl().absolute(target).toString(), lazy, ovlctl().dryRun()));
    return Ovlctl.DONE;
  }
}
