package dev.ovl.cli.command;

import dev.ovl.api.BranchPatch;
import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl branch add}. */
@Command(
    name = "add",
    sortOptions = false,
    description = {
      "Adds directories, topmost first. What is a branch with that permission already is fine."
    })
final class BranchAddCommand extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(
      index = "1",
      paramLabel = "DIR=PERM",
      description = "A directory and what aufs may do with it (default: ro+wh).")
  private List<String> branches = new ArrayList<>();

  @Option(
      names = "--index",
      paramLabel = "N",
      description = "Where among all branches, 0 for the top (default: right below the upper).")
  private Long index;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    List<BranchPatch> patches = new ArrayList<>();
    // each goes above the one before
    for (String branch : branches.reversed()) {
      String absolute = StackOptions.absoluteBranch(branch, ovlctl());
      patches.add(new BranchPatch(BranchPatch.ADD, absolute, Optional.ofNullable(index)));
    }
    return each(
        "branch add",
        List.of(name),
        stack -> {
          for (BranchPatch patch : patches) {
            note(host.changeBranch(stack, patch, ovlctl().dryRun()));
          }
          report(host, stack);
        });
  }
}
