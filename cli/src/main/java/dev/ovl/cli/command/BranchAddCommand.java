package dev.ovl.cli.command;

import dev.ovl.api.BranchPatch;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ovlctl branch add}. */
@Command(
    name = "add",
    sortOptions = false,
    description = {
      "Adds directories, topmost first. What is a branch with that permission already is fine."
    })
final class BranchAddCommand extends BranchVerb {
  @Option(
      names = "--index",
      paramLabel = "N",
      description = "Where among all branches, 0 for the top (default: right below the upper).")
  private Long index;

  @Override
  BranchPatch patch(String branch) {
    return new BranchPatch(BranchPatch.ADD, branch, Optional.ofNullable(index));
  }

  /** Each goes above the one before. */
  @Override
  List<String> inTurn(List<String> given) {
    return given.reversed();
  }
}
