package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl flatten}. */
@Command(
    name = "flatten",
    sortOptions = false,
    description = {
      "Makes one read-only layer, which lies on no other, of all that a stack shows now, and prints"
          + " its id.",
      "The stack stays as it is, and may be up. Data is shared where the file system can."
    })
final class FlattenCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", description = "The stack.")
  private String name;

  @Option(
      names = "--as",
      paramLabel = "LAYER",
      completionCandidates = Candidates.Nothing.class,
      description = "The new layer's id (default: one is made up).")
  private String as;

  @Override
  int run(CommandHost host) {
    return each(label(), List.of(name), stack -> flatten(host, stack));
  }

  private void flatten(CommandHost host, String stack) throws EngineException, HostException {
    Optional<String> id = as == null ? Optional.empty() : Optional.of(layer(as).id());
    if (ovlctl().dryRun()) {
      note(host.checkFlatten(stack, id));
      return;
    }
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      String made = host.flatten(stack, id, watch);
      watch.close();
      if (ovlctl().json()) {
        output().json(Map.of("layer", made));
      } else {
        output().line(made);
      }
    }
  }
}
