package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ovlctl layer size}. */
@Command(
    name = "size",
    sortOptions = false,
    description = {"Tells how many bytes the files have that 'layer diff' would pack."})
final class LayerSizeCommand extends SizeVerb {
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
