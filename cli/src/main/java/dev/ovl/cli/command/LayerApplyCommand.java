package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer apply}. */
@Command(
    name = "apply",
    sortOptions = false,
    description = {
      "Writes what a tar holds into a layer that is neither committed nor mounted.",
      "When it fails the layer is as it was."
    })
final class LayerApplyCommand extends ApplyVerb {
  @Parameters(index = "0", paramLabel = "LAYER", description = "The layer's id.")
  private String id;

  @Override
  String name() {
    return id;
  }

  @Override
  Subject subject() throws EngineException {
    return new Subject.Layer(layer(id));
  }
}
