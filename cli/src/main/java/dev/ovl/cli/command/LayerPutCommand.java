package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer put}. */
@Command(
    name = "put",
    sortOptions = false,
    description = {"Takes back one 'layer get' of each; the last one unmounts."})
final class LayerPutCommand extends HostCommand {
  @Parameters(paramLabel = "LAYER", arity = "1..*", description = "The layers' ids.")
  private List<String> ids = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    return attempt(ids, id -> note(host.putLayer(layer(id), ovlctl().dryRun())));
  }
}
