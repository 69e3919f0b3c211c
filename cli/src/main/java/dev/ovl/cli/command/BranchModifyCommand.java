package dev.ovl.cli.command;

import dev.ovl.api.BranchPatch;
import java.util.Optional;
import picocli.CommandLine.Command;

/** {@code ovlctl branch mod}. */
@Command(
    name = "mod",
    sortOptions = false,
    description = {"Gives directories another permission."})
final class BranchModifyCommand extends BranchVerb {
  @Override
  BranchPatch patch(String branch) {
    return new BranchPatch(BranchPatch.MODIFY, branch, Optional.empty());
  }
}
