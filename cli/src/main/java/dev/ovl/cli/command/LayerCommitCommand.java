package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer commit}. */
@Command(
    name = "commit",
    sortOptions = false,
    description = {"Makes layers read-only for good. One that is so already is fine."})
final class LayerCommitCommand extends HostCommand {
  @Parameters(paramLabel = "LAYER", arity = "1..*", description = "The layers' ids.")
  private List<String> ids = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    return attempt(ids, id -> note(host.commitLayer(layer(id), ovlctl().dryRun())));
  }
}
