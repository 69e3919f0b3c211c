package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.PathReport;
import dev.ovl.api.SharesReport;
import dev.ovl.api.WastedCopy;
import dev.ovl.cli.output.ByteSize;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
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
      arity = "0..*",
      paramLabel = "PATH",
      completionCandidates = Candidates.Nothing.class,
      description = {
        "From the root of the stack, as 'changes' tells it. Needed but with --tree and --wasted,",
        "which take the root otherwise."
      })
  private List<String> paths = new ArrayList<>();

  @ArgGroup private Whole whole = new Whole();

  /** Questions about all that is beneath the paths. */
  private static final class Whole {
    @Option(
        names = "--tree",
        description = {
          "For all that is seen beneath the paths: how many names, and bytes of data, each directory",
          "gives."
        })
    private boolean tree;

    @Option(
        names = "--wasted",
        description = {
          "The files that take room in the upper for data that a directory below has, too: copied up",
          "for new attributes alone (chown, chmod, touch), by a move, or for nothing."
        })
    private boolean wasted;
  }

  @Override
  int run(CommandHost host) throws EngineException {
    if (paths.isEmpty() && !whole.tree && !whole.wasted) {
      throw EngineException.usage("which path?");
    }
    boolean[] seen = {true};
    int status = each(label(), List.of(name), stack -> seen[0] = tell(host, stack));
    return status == Ovlctl.DONE && !seen[0] ? Ovlctl.FAILED : status;
  }

  /** Returns whether the stack shows all paths. */
  private boolean tell(CommandHost host, String stack) throws HostException {
    List<String> beneath = paths.isEmpty() ? List.of("/") : paths;
    if (!whole.tree && !whole.wasted) {
      List<PathReport> reports = host.which(stack, paths);
      tell(reports);
      return reports.stream().allMatch(PathReport::isSeen);
    }
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      if (whole.wasted) {
        tellWasted(host.wasted(stack, beneath, watch));
        return true;
      }
      List<SharesReport> reports = host.shares(stack, beneath, watch);
      tellShares(reports);
      return reports.stream().noneMatch(report -> report.shares().isEmpty());
    }
  }

  private void tellShares(List<SharesReport> reports) throws HostException {
    if (ovlctl().json()) {
      output().json(reports.stream().map(SharesReport::json).toList());
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    for (SharesReport report : reports) {
      for (SharesReport.Share share : report.shares()) {
        rows.add(
            List.of(
                OsPath.quoted(report.path()),
                part(share.layer(), share.writable(), share.directory()),
                String.valueOf(share.names()),
                ByteSize.text(share.bytes())));
      }
    }
    table(List.of("BENEATH", "IN", "NAMES", "BYTES"), rows);
    reports.stream().filter(r -> r.shares().isEmpty()).forEach(r -> missing(r.path()));
  }

  private void tellWasted(List<WastedCopy> copies) throws HostException {
    if (ovlctl().json()) {
      output().json(copies.stream().map(WastedCopy::json).toList());
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    long bytes = 0;
    for (WastedCopy copy : copies) {
      rows.add(List.of(OsPath.quoted(copy.path()), ByteSize.text(copy.bytes()), reason(copy)));
      bytes += copy.bytes();
    }
    table(List.of("PATH", "BYTES", "COPIED UP FOR"), rows);
    output()
        .line(
            ByteSize.text(bytes)
                + " wasted in "
                + copies.size()
                + (copies.size() == 1 ? " file" : " files"));
  }

  private static String reason(WastedCopy copy) {
    return switch (copy.reason()) {
      case "attributes" -> "attributes alone";
      case "moved" -> "a move from " + OsPath.quoted(copy.from().orElse(""));
      default -> "nothing that is left of it";
    };
  }

  private void table(List<String> headline, List<List<String>> rows) {
    if (!rows.isEmpty()) {
      output().table(headline, rows);
    }
  }

  private void missing(String path) {
    output()
        .error(
            label()
                + " "
                + OsPath.quoted(name)
                + ": nothing has "
                + OsPath.quoted(path)
                + " (ENOENT)");
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
    table(HEADLINE, rows);
    reports.stream().filter(r -> r.holdings().isEmpty()).forEach(r -> missing(r.path()));
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
    return part(holding.layer(), holding.writable(), holding.directory());
  }

  private static String part(Optional<String> layer, boolean writable, String directory) {
    return layer
        .map(id -> "layer " + id)
        .orElse(writable ? "upper" : "lower " + OsPath.quoted(directory));
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
    String what =
        switch (cover.why()) {
          case "whiteout" -> "a whiteout";
          case "opaque" -> "an opaque directory";
          default -> "another file";
        };
    boolean samePath =
        OsPath.of(report.path()).components().equals(OsPath.of(cover.path()).components());
    return " by "
        + what
        + (samePath ? "" : " of " + OsPath.quoted(cover.path()))
        + " in "
        + part(cover.layer(), cover.writable(), cover.directory());
  }
}
