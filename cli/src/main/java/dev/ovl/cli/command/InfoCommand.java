package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.probe.DriverChoice;
import dev.ovl.engine.probe.Feature;
import dev.ovl.engine.probe.Probe;
import dev.ovl.engine.probe.ProbeReport;
import dev.ovl.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl info}. */
@Command(
    name = "info",
    sortOptions = false,
    description = "Tells what this kernel and the root's file system can do, by trying it.")
final class InfoCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  @Override
  public Integer call() throws EngineException, ErrnoException {
    ovlctl.checkHost();
    ProbeReport report = new Probe(ovlctl.syscalls(), ovlctl.root()).run();
    if (ovlctl.json()) {
      ovlctl.output().json(report.json());
    } else {
      print(report);
    }
    return Ovlctl.DONE;
  }

  private void print(ProbeReport report) {
    ovlctl.output().line("kernel: " + report.kernel());
    ovlctl
        .output()
        .line(
            "root: "
                + report.root().root().quoted()
                + " on "
                + report.root().type()
                + ", "
                + report.root().bytesAvailable()
                + " bytes free"
                + (report.root().inodesFree().isPresent()
                    ? ", " + report.root().inodesFree().getAsLong() + " inodes free"
                    : ""));
    ovlctl
        .output()
        .line("driver: " + report.driver().name().orElse("none") + ", " + report.driver().why());
    List<List<String>> candidates = new ArrayList<>();
    for (DriverChoice.Candidate candidate : report.driver().candidates()) {
      candidates.add(
          List.of(candidate.name(), candidate.chosen() ? "chosen" : "-", candidate.why()));
    }
    ovlctl.output().line("");
    ovlctl.output().table(List.of("DRIVER", "", "WHY"), candidates);
    for (Feature.Group group : Feature.Group.values()) {
      List<List<String>> rows = new ArrayList<>();
      for (Feature feature : report.features(group)) {
        rows.add(List.of(feature.title(), feature.result().word(), feature.result().detail()));
      }
      ovlctl.output().line("");
      ovlctl.output().table(List.of(group.title().toUpperCase(Locale.ROOT), "", ""), rows);
    }
  }
}
