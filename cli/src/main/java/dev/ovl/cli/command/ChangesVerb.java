package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.PathChange;
import dev.ovl.api.Subject;
import dev.ovl.cli.output.ManyLines;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What {@code changes} and {@code layer changes} have in common. */
abstract class ChangesVerb extends ContentCommand {
  @Option(
      names = {"-z", "--null"},
      description = "End each line with NUL, and quote nothing.")
  private boolean nul;

  @Override
  void work(CommandHost host, Subject subject) throws EngineException, HostException {
    boolean json = ovlctl().json();
    try (Following watch = new Following(ovlctl(), label(), Optional.empty());
        ManyLines lines = json ? output().jsonArray() : output().lines(nul)) {
      host.changes(
          subject,
          against(),
          change -> {
            if (json) {
              lines.json(change.json());
            } else {
              lines.text(text(change));
            }
            return true;
          },
          watch);
      lines.end();
    }
  }

  private String text(PathChange change) {
    boolean quoted = !nul && ovlctl().session().terminal().out();
    return change.kind() + " " + (quoted ? OsPath.quoted(change.path()) : change.path());
  }
}
