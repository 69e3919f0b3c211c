package dev.ovl.cli.command;

import dev.ovl.cli.demo.WalkThrough;
import dev.ovl.engine.EngineException;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl demo}. */
@Command(
    name = "demo",
    sortOptions = false,
    description = {
      "Shows what a union mount is, step by step, and checks all that it says.",
      "Works in a scratch directory below $TMPDIR (or /tmp), with a root of its own: your stacks",
      "are not touched, and nothing stays."
    })
final class DemoCommand implements Callable<Integer>, OwnProcess {
  @ParentCommand private Ovlctl ovlctl;

  @Option(
      names = "--keep",
      description = "Leave the directory and the mount to look around in; says how to remove them.")
  private boolean keep;

  @Override
  public Integer call() throws EngineException, ErrnoException {
    Syscalls sys = ovlctl.syscalls();
    if (ovlctl.dryRun()) {
      list(WalkThrough.titles());
      return Ovlctl.DONE;
    }
    ovlctl.requireRoot(sys);
    WalkThrough walk =
        new WalkThrough(sys, ovlctl.output(), ovlctl.json(), ovlctl.session().cancellation());
    int claims = walk.run(temporaryDirectory(), keep);
    ovlctl.output().note("demo: all " + claims + " claims hold");
    return Ovlctl.DONE;
  }

  private OsPath temporaryDirectory() throws EngineException {
    String wanted = ovlctl.session().environment().getOrDefault("TMPDIR", "");
    return ovlctl.absolute(wanted.isEmpty() ? "/tmp" : wanted);
  }

  private void list(List<String> titles) {
    if (ovlctl.json()) {
      List<Map<String, Object>> steps = new ArrayList<>();
      for (String title : titles) {
        Map<String, Object> step = new LinkedHashMap<>();
        step.put("step", title);
        steps.add(step);
      }
      ovlctl.output().json(steps);
    } else {
      for (int i = 0; i < titles.size(); i++) {
        ovlctl.output().line((i + 1) + ". " + titles.get(i));
      }
    }
  }
}
