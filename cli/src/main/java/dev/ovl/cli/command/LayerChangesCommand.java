package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ovlctl layer changes}. */
@Command(
    name = "changes",
    sortOptions = false,
    description = {
      "Lists what a layer has that its parent has not, as docker diff does.",
      "A line a path, in order: A added, C changed, D deleted."
    })
final class LayerChangesCommand extends ChangesVerb {
  @Mixin private LayerOperand layer;

  @Override
  String name() {
    return layer.id();
  }

  @Override
  Subject subject() throws EngineException {
    return layer.subject(this);
  }

  @Override
  Optional<String> against() throws EngineException {
    return layer.against(this);
  }
}
