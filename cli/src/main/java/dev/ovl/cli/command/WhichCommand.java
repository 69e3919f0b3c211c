package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.PathReport;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl which}. */
@Command(
    name = "which",
    sortOptions = false,
    description = {
      "Tells which of the directories that a stack is made of hold a path, the one that serves it"
          + " first, and what whiteouts, opaque directories, redirects and metadata-only copies make"
          + " of the others.",
      "The exit status is 1 when the stack shows one of the paths not."
    })
final class WhichCommand extends HostCommand {
  private static final List<String> HEADLINE = List.of("PATH", "IN", "WHAT", "BYTES", "ROLE");

  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PATH",
      completionCandidates = Candidates.Nothing.class,
      description = "From the root of the stack, as 'changes' tells it.")
  private List<String> paths = new ArrayList<>();

  @Override
  int run(CommandHost host) {
    boolean[] seen = {true};
    int status =
        each(
            label(),
            List.of(name),
            stack -> {
              List<PathReport> reports = host.which(stack, paths);
              seen[0] = reports.stream().allMatch(PathReport::isSeen);
              tell(reports);
            });
    return status == Ovlctl.DONE && !seen[0] ? Ovlctl.FAILED : status;
  }

  private void tell(List<PathReport> reports) throws HostException {
    if (ovlctl().json()) {
      output().json(reports.stream().map(PathReport::json).toList());
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    for (PathReport report : reports) {
      for (PathReport.Holding holding : report.holdings()) {
        rows.add(row(report, holding));
      }
    }
    if (!rows.isEmpty()) {
      output().table(HEADLINE, rows);
    }
    for (PathReport report : reports) {
      if (report.holdings().isEmpty()) {
        output()
            .error(
                label()
                    + " "
                    + OsPath.quoted(name)
                    + ": nothing has "
                    + OsPath.quoted(report.path())
                    + " (ENOENT)");
      }
    }
  }

  private static List<String> row(PathReport report, PathReport.Holding holding) {
    return List.of(
        OsPath.quoted(report.path()),
        part(holding),
        holding.kind(),
        holding.kind().equals("file") && !holding.metacopy()
            ? String.valueOf(holding.bytes())
            : "-",
        role(report, holding));
  }

  private static String part(PathReport.Holding holding) {
    return holding
        .layer()
        .map(id -> "layer " + id)
        .orElse(holding.writable() ? "upper" : "lower " + OsPath.quoted(holding.directory()));
  }

  private static String role(PathReport report, PathReport.Holding holding) {
    List<String> words = new ArrayList<>();
    words.add(
        switch (holding.role()) {
          case "merges" -> "merges into it";
          case "data" -> "has its data";
          case "deletes" -> "deletes what is below";
          case "hidden" -> "hidden" + holding.cover().map(c -> by(report, c)).orElse("");
          default -> holding.role();
        });
    if (!OsPath.of(report.path()).components().equals(OsPath.of(holding.path()).components())) {
      words.add("as " + OsPath.quoted(holding.path()));
    }
    if (holding.opaque()) {
      words.add("opaque");
    }
    if (holding.metacopy()) {
      words.add("metadata only");
    }
    holding.redirect().ifPresent(to -> words.add("redirects to " + OsPath.quoted(to)));
    return String.join(", ", words);
  }

  private static String by(PathReport report, PathReport.Cover cover) {
    Optional<PathReport.Holding> same =
        report.holdings().stream()
            .filter(h -> h.directory().equals(cover.directory()) && h.path().equals(cover.path()))
            .findFirst();
    String what =
        switch (cover.why()) {
          case "whiteout" -> "a whiteout";
          case "opaque" -> "an opaque directory";
          default -> "another file";
        };
    return " by "
        + what
        + (same.isPresent()
            ? " in " + part(same.get())
            : ": " + OsPath.quoted(cover.directory() + cover.path()));
  }
}
