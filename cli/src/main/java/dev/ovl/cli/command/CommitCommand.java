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
      "The stack stays as it is, and may be up. The layer lies on the stack's parent.",
      "With --move nothing is copied: the upper of a stack that is down becomes the layer, and the"
          + " stack gets a new one above it."
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

  @Option(
      names = "--move",
      description =
          "Make the stack's own upper the layer, as it is: with redirects and metadata-only copies,"
              + " which other engines may not understand.")
  private boolean move;

  @Override
  int run(CommandHost host) {
    return each(label(), List.of(name), stack -> commit(host, stack));
  }

  private void commit(CommandHost host, String stack) throws EngineException, HostException {
    if (move && as != null) {
      throw EngineException.usage("--move and --as exclude each other: the layer keeps its id");
    }
    Optional<String> id = as == null ? Optional.empty() : Optional.of(layer(as).id());
    if (ovlctl().dryRun()) {
      note(move ? host.checkCommitByMove(stack) : host.checkCommit(stack, id));
      return;
    }
    String made = move ? host.commitByMove(stack) : copy(host, stack, id);
    if (ovlctl().json()) {
      output().json(Map.of("layer", made));
    } else {
      output().line(made);
    }
  }

  private String copy(CommandHost host, String stack, Optional<String> id) throws HostException {
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      return host.commit(stack, id, watch);
    }
  }
}
