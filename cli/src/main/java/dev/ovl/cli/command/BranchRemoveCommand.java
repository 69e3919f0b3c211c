package dev.ovl.cli.command;

import dev.ovl.api.BranchPatch;
import java.util.Optional;
import picocli.CommandLine.Command;

/** {@code ovlctl branch rm}. */
@Command(
    name = "rm",
    sortOptions = false,
    description = {
      "Takes directories away. What is in them stays. One of which files are in use is refused."
    })
final class BranchRemoveCommand extends BranchVerb {
  @Override
  BranchPatch patch(String branch) {
    return new BranchPatch(BranchPatch.REMOVE, branch, Optional.empty());
  }
}
