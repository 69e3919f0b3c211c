package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import picocli.CommandLine.Command;

/** {@code ovlctl layer cleanup}. */
@Command(
    name = "cleanup",
    sortOptions = false,
    description = {"Unmounts all layers that 'layer get' mounted, whoever has them still."})
final class LayerCleanupCommand extends HostCommand {
  @Override
  int run(CommandHost host) throws HostException {
    note(host.cleanUpLayers(driver(), ovlctl().dryRun()));
    return Ovlctl.DONE;
  }
}
