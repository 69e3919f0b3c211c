package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.MergeReport;
import dev.ovl.api.Subject;
import dev.ovl.cli.output.ManyLines;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl merge}. */
@Command(
    name = "merge",
    sortOptions = false,
    description = {
      "Folds what was changed in a stack into the layer or directory right below its upper, and"
          + " prints the layer's id or the directory. The upper is empty then; the stack shows the same as before.",
      "The stack is down, and nobody else uses that layer or directory: no other stack, no child"
          + " layer, no mount.",
      "A merge that is interrupted, fails or dies leaves a stack that shows what it did; another"
          + " merge goes on where it was.",
      "With --dry-run nothing is done, and the changes are listed as by 'changes'."
    })
final class MergeCommand extends HostCommand {
  @Parameters(paramLabel = "NAME", description = "The stack.")
  private String name;

  @Override
  int run(CommandHost host) {
    return each(label(), List.of(name), stack -> merge(host, stack));
  }

  private void merge(CommandHost host, String stack) throws HostException {
    try (Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      if (ovlctl().dryRun()) {
        note(host.checkMerge(stack));
        list(host, stack, watch);
        return;
      }
      MergeReport merged = host.merge(stack, watch);
      watch.close();
      if (ovlctl().json()) {
        output().json(merged.json());
      } else {
        output().line(merged.layer().orElseGet(() -> OsPath.quoted(merged.directory())));
      }
    }
  }

  private void list(CommandHost host, String stack, Following watch) throws HostException {
    boolean json = ovlctl().json();
    boolean quoted = ovlctl().session().terminal().out();
    try (ManyLines lines = json ? output().jsonArray() : output().lines(false)) {
      host.changes(
          new Subject.Stack(stack),
          Optional.empty(),
          change -> {
            if (json) {
              lines.json(change.json());
            } else {
              String path = quoted ? OsPath.quoted(change.path()) : change.path();
              lines.text(change.kind() + " " + path);
            }
            return true;
          },
          watch);
      lines.end();
    }
  }
}
