package dev.ovl.cli.command;

import dev.ovl.api.BranchPatch;
import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.engine.EngineException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl branch mod}. */
@Command(
    name = "mod",
    sortOptions = false,
    description = {"Gives directories another permission."})
final class BranchModifyCommand extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(
      index = "1",
      paramLabel = "DIR=PERM",
      description = "A directory and what aufs may do with it.")
  private List<String> branches = new ArrayList<>();

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    List<BranchPatch> patches = new ArrayList<>();
    for (String branch : branches) {
      String absolute = StackOptions.absoluteBranch(branch, ovlctl());
      patches.add(new BranchPatch(BranchPatch.MODIFY, absolute, Optional.empty()));
    }
    return each(
        "branch mod",
        List.of(name),
        stack -> {
          for (BranchPatch patch : patches) {
            note(host.changeBranch(stack, patch, ovlctl().dryRun()));
          }
          report(host, stack);
        });
  }
}
