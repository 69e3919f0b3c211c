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

/** {@code ovlctl branch rm}. */
@Command(
    name = "rm",
    sortOptions = false,
    description = {
      "Takes directories away. What is in them stays. One of which files are in use is refused."
    })
final class BranchRemoveCommand extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(index = "1", arity = "1..*", paramLabel = "DIR", description = "The directories.")
  private List<String> branches = new ArrayList<>();

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    List<BranchPatch> patches = new ArrayList<>();
    for (String branch : branches) {
      String absolute = StackOptions.absoluteBranch(branch, ovlctl());
      patches.add(new BranchPatch(BranchPatch.REMOVE, absolute, Optional.empty()));
    }
    return each(
        "branch rm",
        List.of(name),
        stack -> {
          for (BranchPatch patch : patches) {
            note(host.changeBranch(stack, patch, ovlctl().dryRun()));
          }
          report(host, stack);
        });
  }
}
