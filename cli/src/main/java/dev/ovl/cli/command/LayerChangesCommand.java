package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl layer changes}. */
@Command(
    name = "changes",
    sortOptions = false,
    description = {
      "Lists what a layer has that its parent has not, as docker diff does.",
      "A line a path, in order: A added, C changed, D deleted."
    })
final class LayerChangesCommand extends ChangesVerb {
  @Parameters(index = "0", paramLabel = "LAYER", description = "The layer's id.")
  private String id;

  @Option(
      names = "--against",
      paramLabel = "LAYER",
      description = "The layer to compare it with (default: its parent).")
  private String against;

  @Override
  String name() {
    return id;
  }

  @Override
  Subject subject() throws EngineException {
    return new Subject.Layer(layer(id));
  }

  @Override
  Optional<String> against() throws EngineException {
    return against == null ? Optional.empty() : Optional.of(layer(against).id());
  }
}
