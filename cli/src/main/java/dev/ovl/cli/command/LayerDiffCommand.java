package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ovlctl layer diff}. */
@Command(
    name = "diff",
    sortOptions = false,
    description = {"Packs what a layer has that its parent has not as a tar."})
final class LayerDiffCommand extends DiffVerb {
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
