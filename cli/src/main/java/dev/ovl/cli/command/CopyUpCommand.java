package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.Tally;
import dev.ovl.cli.output.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl copy-up}. */
@Command(
    name = "copy-up",
    sortOptions = false,
    description = {
      "Has the kernel copy files of a stack that is up into its upper, data included, without"
          + " touching their times; of directories also all that is in them.",
      "A program that opens a file for reading before another one writes to it goes on mapping the"
          + " old one in memory. After this both have the same file."
    })
final class CopyUpCommand extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PATH",
      completionCandidates = Candidates.Nothing.class,
      description = "From the root of the stack.")
  private List<String> paths = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    return each(label(), List.of(name), stack -> copyUp(host, stack));
  }

  private void copyUp(CommandHost host, String stack) throws HostException {
    Tally tally;
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      tally = host.copyUp(stack, paths, ovlctl().dryRun(), watch);
    }
    if (ovlctl().json()) {
      output().json(tally.json());
    } else if (ovlctl().dryRun()) {
      output()
          .note(
              "would copy up "
                  + tally.entries()
                  + (tally.entries() == 1 ? " file, " : " files, ")
                  + ByteSize.text(tally.bytes()));
    }
  }
}
