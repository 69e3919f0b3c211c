package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.Subject;
import dev.ovl.api.Tally;
import dev.ovl.cli.archive.Incoming;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code apply} and {@code layer apply} have in common. */
abstract class ApplyVerb extends ContentCommand {
  private static final String STANDARD_INPUT = "-";

  @Option(
      names = "--format",
      paramLabel = "F",
      completionCandidates = Candidates.Formats.class,
      description =
          "How deletions are told: oci or aufs, by names .wh.NAME; overlay, by devices 0:0 (default: oci).")
  private String format;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE",
      description =
          "The archive: a tar, plain or packed by gzip or zstd (default: standard input, as '-').")
  private String file;

  @Override
  void work(CommandHost host, Subject subject) throws EngineException, HostException {
    Tally tally;
    try (Incoming archive = open();
        Following watch = new Following(ovlctl(), label(), Optional.of(archive))) {
      tally = host.apply(subject, Optional.ofNullable(format), archive, ovlctl().dryRun(), watch);
    }
    if (ovlctl().dryRun()) {
      output().note("would write " + tally.entries() + " entries, " + tally.bytes() + " bytes");
    } else if (ovlctl().json()) {
      output().json(tally.json());
    }
  }

  private Incoming open() throws EngineException {
    if (file == null || file.equals(STANDARD_INPUT)) {
      if (ovlctl().session().terminal().in()) {
        throw EngineException.usage("refusing to read an archive from a terminal; name a file");
      }
      return Incoming.stream(ovlctl().session().in(), ovlctl().session().cancellation());
    }
    try {
      return Incoming.file(
          ovlctl().syscalls(), ovlctl().absolute(file), ovlctl().session().cancellation());
    } catch (ErrnoException e) {
      throw EngineException.failed("cannot open the archive: " + e.getMessage());
    }
  }
}
