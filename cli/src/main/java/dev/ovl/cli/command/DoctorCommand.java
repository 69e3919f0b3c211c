package dev.ovl.cli.command;

import dev.ovl.cli.doctor.Examination;
import dev.ovl.cli.doctor.Finding;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl doctor}. */
@Command(
    name = "doctor",
    sortOptions = false,
    description = {
      "Looks the installation over: kernel, root, leftovers of crashes, daemon, units; names a remedy",
      "for each finding. Exit status: 0 nothing to mend, 1 there are problems."
    })
final class DoctorCommand implements Callable<Integer>, OwnProcess {
  @ParentCommand private Ovlctl ovlctl;

  @Option(
      names = "--sweep",
      description = "Remove leftovers, but for layers with files in them, which would be lost.")
  private boolean sweep;

  @Option(names = "--sweep-data", description = "Remove those as well.")
  private boolean sweepData;

  @Override
  public Integer call() throws EngineException {
    Syscalls sys = ovlctl.syscalls();
    if (sweep || sweepData) {
      ovlctl.requireRoot(sys);
    }
    List<Finding> findings =
        new Examination(sys, ovlctl.root(), ovlctl.runDirectory(), ovlctl.session().place())
            .examine(extent());
    if (ovlctl.json()) {
      ovlctl.output().json(findings.stream().map(Finding::json).toList());
    } else {
      findings.forEach(this::print);
    }
    boolean problem =
        findings.stream().anyMatch(finding -> finding.severity() == Finding.Severity.PROBLEM);
    return problem ? Ovlctl.FAILED : Ovlctl.DONE;
  }

  private Examination.Sweep extent() {
    if (ovlctl.dryRun()) {
      return Examination.Sweep.NOTHING;
    }
    if (sweepData) {
      return Examination.Sweep.ALL;
    }
    return sweep ? Examination.Sweep.WITHOUT_DATA : Examination.Sweep.NOTHING;
  }

  private void print(Finding finding) {
    ovlctl
        .output()
        .line(finding.severity().word() + ": " + finding.subject() + ": " + finding.text());
    finding.remedy().ifPresent(remedy -> ovlctl.output().line("    remedy: " + remedy));
  }
}
