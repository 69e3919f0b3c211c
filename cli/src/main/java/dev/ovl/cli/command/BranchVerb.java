package dev.ovl.cli.command;

import dev.ovl.api.BranchPatch;
import dev.ovl.api.CommandHost;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/** What the verbs on branches have in common: a stack, directories, and a change for each. */
abstract class BranchVerb extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "DIR[=PERM]",
      description = "A directory and, where it matters, what aufs may do with it (default: ro+wh).")
  private List<String> branches = new ArrayList<>();

  /**
   * The change for one directory.
   *
   * @param branch with an absolute path
   */
  abstract BranchPatch patch(String branch);

  /** The directories in the order in which they are changed. */
  List<String> inTurn(List<String> given) {
    return given;
  }

  @Override
  final int run(CommandHost host) throws EngineException {
    List<BranchPatch> patches = new ArrayList<>();
    for (String branch : inTurn(branches)) {
      patches.add(patch(StackOptions.absoluteBranch(branch, ovlctl())));
    }
    return each(
        label(),
        List.of(name),
        stack -> {
          for (BranchPatch patch : patches) {
            note(host.changeBranch(stack, patch, ovlctl().dryRun()));
          }
          report(host, stack);
        });
  }
}
