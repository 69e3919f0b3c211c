package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer rm}. */
@Command(
    name = "rm",
    sortOptions = false,
    description = {"Removes layers that neither a layer nor a stack needs."})
final class LayerRemoveCommand extends HostCommand {
  @Parameters(paramLabel = "LAYER", arity = "1..*", description = "The layers' ids.")
  private List<String> ids = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    return attempt(ids, id -> note(host.removeLayer(layer(id), ovlctl().dryRun())));
  }
}
