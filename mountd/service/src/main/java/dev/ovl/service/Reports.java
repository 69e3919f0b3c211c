package dev.ovl.service;

import dev.ovl.api.LayerReport;
import dev.ovl.api.LayerSummary;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.MergeReport;
import dev.ovl.api.PathReport;
import dev.ovl.api.SharesReport;
import dev.ovl.api.StackFinding;
import dev.ovl.api.StackLevel;
import dev.ovl.api.StackUsage;
import dev.ovl.api.WastedCopy;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.diff.Holding;
import dev.ovl.engine.diff.TreeShares;
import dev.ovl.engine.diff.WastedCopies;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.fsck.Finding;
import dev.ovl.engine.fsck.Mend;
import dev.ovl.engine.mount.Propagation;
import dev.ovl.engine.stack.Elsewhere;
import dev.ovl.engine.stack.Examined;
import dev.ovl.engine.stack.SharedLower;
import dev.ovl.engine.stack.Shares;
import dev.ovl.engine.stack.StackDefinition;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackReport;
import dev.ovl.engine.stack.StackSummary;
import dev.ovl.engine.stack.Whereabouts;
import dev.ovl.engine.usage.CachedFiles;
import dev.ovl.engine.usage.FileSystemRoom;
import dev.ovl.engine.usage.UpperUsage;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** The engine's values, as the API answers them. */
final class Reports {
  private Reports() {}

  static dev.ovl.api.StackSummary summary(StackSummary summary) {
    return new dev.ovl.api.StackSummary(
        summary.definition().name().text(),
        summary.definition().driver(),
        summary.state().mounted().isPresent(),
        summary.state().remark().or(() -> attached(summary)),
        summary.target().toString(),
        summary.definition().lowers().size());
  }

  static dev.ovl.api.StackReport report(StackReport report) {
    StackDefinition stack = report.definition();
    return new dev.ovl.api.StackReport(
        stack.name().text(),
        stack.driver(),
        report.state().mounted().isPresent(),
        report.state().remark(),
        report.target().toString(),
        report.state().mounted().map(mount -> mount.point().toString()),
        texts(stack.lowers().stream().map(Lower::path).toList()),
        texts(stack.lowers().stream().flatMap(lower -> lower.layer().stream()).toList()),
        branches(report),
        report.upper().map(upper -> upper.directory().toString()),
        report.upper().flatMap(upper -> upper.work()).map(OsPath::toString),
        report.options(),
        stack.propagation().map(Propagation::word),
        report.methodWord(),
        stack.union() instanceof Union.Overlay overlay && overlay.method().isPresent(),
        report.nested(),
        report.state().mounted().map(mount -> mount.id()),
        report.state().mounted().map(mount -> mount.device().toString()),
        stack.layer().map(layer -> layer.id().text()),
        stack.links().toList(),
        report.elsewhere().stream().map(Reports::elsewhere).toList());
  }

  private static Optional<String> attached(StackSummary summary) {
    return summary.elsewhere().isEmpty()
        ? Optional.empty()
        : Optional.of(
            summary.elsewhere().stream()
                .map(Elsewhere::toString)
                .collect(Collectors.joining("; ", "mounted on ", "")));
  }

  private static dev.ovl.api.Elsewhere elsewhere(Elsewhere elsewhere) {
    return new dev.ovl.api.Elsewhere(
        elsewhere.namespaceName(),
        elsewhere.point().toString(),
        elsewhere.pid().map(Integer::longValue));
  }

  private static List<String> branches(StackReport report) {
    List<String> branches = new ArrayList<>();
    if (report.definition().union() instanceof Union.Aufs aufs) {
      report.upper().ifPresent(upper -> branches.add(branch(upper.directory(), aufs.upper())));
      for (Lower lower : report.definition().lowers()) {
        branches.add(branch(lower.path(), lower.permission().orElseThrow()));
      }
    }
    return branches;
  }

  private static String branch(OsPath directory, AufsPermission permission) {
    return directory + "=" + permission.text();
  }

  static StackUsage usage(String name, Optional<UpperUsage> usage, Optional<FileSystemRoom> room) {
    return new StackUsage(
        name,
        usage.map(of -> tree(of.upper())),
        usage.map(of -> tree(of.work())),
        usage.map(UpperUsage::whiteouts).orElse(0L),
        room.map(
            of ->
                new StackUsage.Room(
                    of.bytes(),
                    of.bytesAvailable(),
                    optional(of.inodes()),
                    optional(of.inodesFree()))));
  }

  static StackLevel level(dev.ovl.engine.stack.StackLevel level) {
    return new StackLevel(
        level.directory().toString(),
        level.layer().map(LayerId::text),
        level.writable(),
        level.usage().bytes(),
        level.usage().inodes());
  }

  static MergeReport merge(Lower lower) {
    return new MergeReport(lower.path().toString(), lower.layer().map(LayerId::text));
  }

  static PathReport path(String path, Whereabouts found) {
    return new PathReport(
        path, found.holdings().stream().map(holding -> holding(holding, found.parts())).toList());
  }

  static SharesReport shares(String path, Shares found) {
    List<SharesReport.Share> shares = new ArrayList<>();
    for (TreeShares.Share share : found.shares()) {
      Whereabouts.Part part = found.parts().get(share.layer());
      shares.add(
          new SharesReport.Share(
              part.directory().toString(),
              part.layer().map(LayerId::text),
              part.writable(),
              share.names(),
              share.bytes()));
    }
    return new SharesReport(path, shares);
  }

  static WastedCopy wasted(WastedCopies.Wasted copy) {
    return new WastedCopy(
        copy.path().toString(),
        copy.bytes(),
        word(copy.reason()),
        copy.from().map(OsPath::toString));
  }

  private static PathReport.Holding holding(Holding holding, List<Whereabouts.Part> parts) {
    Whereabouts.Part part = parts.get(holding.layer());
    return new PathReport.Holding(
        part.directory().toString(),
        part.layer().map(LayerId::text),
        part.writable(),
        rooted(holding.path()),
        word(holding.kind()),
        holding.bytes(),
        word(holding.role()),
        holding.opaque(),
        holding.metadataOnly(),
        holding.redirect().map(OsPath::toString),
        holding.cover().map(cover -> cover(cover, parts.get(cover.layer()))));
  }

  static StackFinding finding(Examined examined) {
    Finding finding = examined.finding();
    return new StackFinding(
        word(finding.kind()),
        word(finding.kind().severity()),
        finding.directory().toString(),
        rooted(finding.path()),
        finding.text(),
        finding.mend().map(Mend::words),
        finding.reason(),
        switch (examined.outcome()) {
          case LEFT -> "found";
          case MENDED -> "mended";
          case FAILED -> "failed";
        },
        examined.failure());
  }

  private static PathReport.Cover cover(Holding.Cover cover, Whereabouts.Part part) {
    return new PathReport.Cover(
        part.directory().toString(),
        part.layer().map(LayerId::text),
        part.writable(),
        rooted(cover.path()),
        word(cover.why()));
  }

  private static String rooted(OsPath path) {
    return OsPath.ROOT.resolve(path).toString();
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static LayerSummary summary(Driver driver, LayerId id) throws EngineException, ErrnoException {
    return new LayerSummary(
        id.text(),
        driver.name(),
        driver.ancestors(id).stream().findFirst().map(LayerId::text),
        driver.isCommitted(id),
        driver.isMounted(id));
  }

  static LayerReport report(dev.ovl.engine.layer.LayerReport layer) {
    return new LayerReport(
        layer.id().text(),
        layer.driver(),
        texts(layer.ancestors()),
        layer.committed(),
        layer.mounted(),
        layer.gets(),
        layer.user(),
        layer.metadata());
  }

  private static StackUsage.Tree tree(UpperUsage.Tree tree) {
    return new StackUsage.Tree(tree.bytes(), tree.inodes());
  }

  private static Optional<Long> optional(OptionalLong number) {
    return number.isPresent() ? Optional.of(number.getAsLong()) : Optional.empty();
  }

  static LowerUsage lower(SharedLower lower) {
    String path = lower.directory().toString();
    List<String> stacks = texts(lower.stacks());
    return switch (lower.cached()) {
      case CachedFiles.Told told ->
          new LowerUsage(
              path,
              stacks,
              Optional.of(told.bytes()),
              Optional.of(told.files()),
              told.whole(),
              Optional.empty());
      case CachedFiles.NotTold not ->
          new LowerUsage(
              path, stacks, Optional.empty(), Optional.empty(), false, Optional.of(not.reason()));
    };
  }

  private static List<String> texts(List<?> values) {
    return values.stream().map(Object::toString).toList();
  }
}
