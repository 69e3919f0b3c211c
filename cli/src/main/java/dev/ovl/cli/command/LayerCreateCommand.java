package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.LayerDraft;
import dev.ovl.api.LayerName;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer create}. */
@Command(
    name = "create",
    sortOptions = false,
    description = {"Makes an empty layer, to be filled by 'layer apply' or through a mount."})
final class LayerCreateCommand extends HostCommand {
  @Parameters(
      paramLabel = "LAYER",
      completionCandidates = Candidates.Nothing.class,
      description = "The new layer's id.")
  private String id;

  @Option(
      names = "--parent",
      paramLabel = "LAYER",
      description = "The layer below, which is committed by this (default: none).")
  private String parent;

  @Option(names = "--read-write", description = "To be mounted and written to.")
  private boolean readWrite;

  @Override
  int run(CommandHost host) {
    return attempt(
        id,
        () -> {
          LayerName layer = layer(id);
          Optional<String> below =
              parent == null ? Optional.empty() : Optional.of(layer(parent).id());
          LayerDraft draft = new LayerDraft(layer.id(), layer.driver(), below, readWrite);
          note(host.createLayer(draft, ovlctl().dryRun()));
          if (ovlctl().json() && !ovlctl().dryRun()) {
            output().json(List.of(host.layer(layer).json()));
          }
        });
  }
}
