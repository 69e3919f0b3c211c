package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer exists}. */
@Command(
    name = "exists",
    sortOptions = false,
    description = {"Tells by its exit status whether there is such a layer; prints nothing."},
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:There is.",
      "1:There is none, or it cannot be told, which is an error.",
      "2:The command line or the environment makes no sense."
    })
final class LayerExistsCommand extends HostCommand {
  @Parameters(paramLabel = "LAYER", description = "The layer's id.")
  private String id;

  @Override
  int run(CommandHost host) {
    boolean[] exists = {false};
    int status = attempt(id, () -> exists[0] = host.layerExists(layer(id)));
    return status == Ovlctl.DONE && !exists[0] ? Ovlctl.FAILED : status;
  }
}
