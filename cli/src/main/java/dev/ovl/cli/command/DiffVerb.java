package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.Packing;
import dev.ovl.api.Subject;
import dev.ovl.api.Tally;
import dev.ovl.cli.archive.Outgoing;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What {@code diff} and {@code layer diff} have in common. */
abstract class DiffVerb extends ContentCommand {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write to this file, and only when all went well (default: standard output).")
  private String file;

  @Option(
      names = "--format",
      paramLabel = "F",
      completionCandidates = Candidates.Formats.class,
      description =
          "How deletions are told: oci or aufs, by names .wh.NAME; overlay, by devices 0:0 (default: oci).")
  private String format;

  @Option(
      names = "--compress",
      paramLabel = "C",
      completionCandidates = Candidates.Compressions.class,
      description = "none, gzip or zstd (default: none).")
  private String compression;

  @Override
  void work(CommandHost host, Subject subject) throws EngineException, HostException {
    if (file == null && !ovlctl().dryRun() && ovlctl().session().terminal().out()) {
      throw EngineException.usage("refusing to write an archive to a terminal; use -o");
    }
    Packing packing =
        new Packing(against(), Optional.ofNullable(format), Optional.ofNullable(compression));
    Tally tally = pack(host, subject, packing);
    if (tally.sockets() > 0) {
      output()
          .note(
              label()
                  + " "
                  + name()
                  + ": sockets left out, since archives cannot hold them: "
                  + tally.sockets());
    }
    if (ovlctl().dryRun()) {
      output().note("would write " + tally.entries() + " entries, " + tally.bytes() + " bytes");
    } else if (file != null && ovlctl().json()) {
      output().json(tally.json());
    }
  }

  private Tally pack(CommandHost host, Subject subject, Packing packing)
      throws EngineException, HostException {
    try (Outgoing to = open();
        Following watch = new Following(ovlctl(), label(), Optional.empty())) {
      Tally tally = host.diff(subject, packing, to, watch);
      to.keep();
      return tally;
    } catch (IOException e) {
      throw EngineException.failed("cannot write the archive: " + e.getMessage());
    }
  }

  private Outgoing open() throws EngineException, IOException {
    if (ovlctl().dryRun()) {
      return Outgoing.stream(OutputStream.nullOutputStream());
    }
    if (file == null) {
      return Outgoing.stream(ovlctl().session().out());
    }
    OsPath path = ovlctl().absolute(file);
    return Outgoing.file(ovlctl().syscalls(), path);
  }
}
