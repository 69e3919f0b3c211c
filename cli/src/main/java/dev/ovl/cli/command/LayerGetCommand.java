package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.sys.OsPath;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer get}. */
@Command(
    name = "get",
    sortOptions = false,
    description = {
      "Prints where the tree of a layer is seen, and mounts it where that takes a mount."
    })
final class LayerGetCommand extends HostCommand {
  @Parameters(paramLabel = "LAYER", description = "The layer's id.")
  private String id;

  @Override
  int run(CommandHost host) {
    return attempt(
        id,
        () -> {
          Done done = host.getLayer(layer(id), ovlctl().dryRun());
          note(done);
          if (done.target().isPresent()) {
            print(done.target().get());
          }
        });
  }

  private void print(String place) {
    if (ovlctl().json()) {
      output().json(Map.of("target", place));
    } else {
      output().path(OsPath.of(place));
    }
  }
}
