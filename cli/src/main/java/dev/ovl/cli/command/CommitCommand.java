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

/** {@code ovlctl commit}. */
@Command(
    name = "commit",
    sortOptions = false,
    description = {
      "Makes a read-only layer that shows what a stack shows now, and prints its id.",
      "The stack stays as it is, and may be up. The layer lies on the stack's parent."
    })
final class CommitCommand extends HostCommand {
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
    return each(label(), List.of(name), stack -> commit(host, stack));
  }

  private void commit(CommandHost host, String stack) throws EngineException, HostException {
    Optional<String> id = as == null ? Optional.empty() : Optional.of(layer(as).id());
    if (ovlctl().dryRun()) {
      note(host.checkCommit(stack, id));
      return;
    }
    String made;
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      made = host.commit(stack, id, watch);
    }
    if (ovlctl().json()) {
      output().json(Map.of("layer", made));
    } else {
      output().line(made);
    }
  }
}
