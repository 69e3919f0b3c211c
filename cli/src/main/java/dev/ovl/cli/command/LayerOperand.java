package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The layer that a verb is about, and the one that it is compared with. */
final class LayerOperand {
  @Parameters(index = "0", paramLabel = "LAYER", description = "The layer's id.")
  private String id;

  @Option(
      names = "--against",
      paramLabel = "LAYER",
      description = "The layer to compare it with (default: its parent).")
  private String against;

  /** The id as it was given. */
  String id() {
    return id;
  }

  /** The layer, with the driver that was asked for. */
  Subject subject(HostCommand verb) throws EngineException {
    return new Subject.Layer(verb.layer(id));
  }

  /** Empty: its parent. */
  Optional<String> against(HostCommand verb) throws EngineException {
    return against == null ? Optional.empty() : Optional.of(verb.layer(against).id());
  }
}
