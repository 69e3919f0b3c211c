package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackFinding;
import dev.ovl.cli.output.Output;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl fsck}. */
@Command(
    name = "fsck",
    sortOptions = false,
    description = {
      "Looks a stack over: redirects, origins, whiteouts, marks and metadata-only copies in its"
          + " upper, its index and work directory, its links, who else has its upper; and, while it"
          + " is up, whether the mount shows what the upper has.",
      "With --repair it mends what can be mended without losing any file's content; the stack must"
          + " be down.",
      "Exit status: 0 nothing is wrong, or all of it repaired, 1 there are problems. Notes are"
          + " harmless."
    })
final class FsckCommand extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Option(names = "--repair", description = "Mend what can be mended.")
  private boolean repair;

  @Option(
      names = "--lowers",
      description = "Walk the lowers, too, which takes as long as they are large.")
  private boolean lowers;

  @Override
  int run(CommandHost host) {
    boolean[] left = {false};
    int status =
        each(
            label(),
            List.of(name),
            stack -> {
              List<StackFinding> findings = fsck(host, stack);
              left[0] = findings.stream().anyMatch(StackFinding::isLeft);
              if (ovlctl().json()) {
                output().json(findings.stream().map(StackFinding::json).toList());
              } else {
                findings.forEach(finding -> print(output(), finding, repair && !ovlctl().dryRun()));
              }
            });
    return status == Ovlctl.DONE && left[0] ? Ovlctl.FAILED : status;
  }

  private List<StackFinding> fsck(CommandHost host, String stack) throws HostException {
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      return host.fsck(stack, repair, lowers, ovlctl().dryRun(), watch);
    }
  }

  /** As {@code doctor} tells what it finds. */
  static void print(Output output, StackFinding finding, boolean repairing) {
    String place =
        finding.path().equals("/") ? finding.directory() : finding.directory() + finding.path();
    output.line(finding.severity() + ": " + OsPath.quoted(place) + ": " + finding.finding());
    String about =
        switch (finding.outcome()) {
          case "mended" -> "repaired: " + finding.repair().orElse("");
          case "failed" -> "not repaired: " + finding.failure().orElse("");
          default ->
              finding.repair().isPresent() && !repairing
                  ? "repair: " + finding.repair().get()
                  : "not repaired: " + finding.reason().orElse("");
        };
    output.line("    " + about);
  }
}
