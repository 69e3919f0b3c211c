package dev.ovl.cli.command;

import dev.ovl.cli.output.StackJson;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackReport;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl up}. */
@Command(
    name = "up",
    sortOptions = false,
    description = "Mounts stacks and prints each target. One that is up already is fine.")
final class UpCommand extends EngineCommand {
  @Parameters(paramLabel = "NAME", arity = "0..*", description = "The stacks, in this order.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--all", description = "All stacks, those that others lie on first.")
  private boolean all;

  @Option(
      names = "--accept-volatile",
      description =
          "Mount although a volatile mount was not ended by 'down': what was written may be lost or torn.")
  private boolean acceptVolatile;

  @Override
  boolean changes() {
    return true;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    List<Map<String, Object>> reports = new ArrayList<>();
    int status =
        each("up", namesOrAll(stacks, names, all, false), stack -> up(stacks, stack, reports));
    if (ovlctl().json()) {
      output().json(reports);
    }
    return status;
  }

  private void up(Stacks stacks, StackName stack, List<Map<String, Object>> reports)
      throws EngineException, ErrnoException {
    if (ovlctl().dryRun()) {
      StackReport report = stacks.report(stack);
      output()
          .note(
              report.state().mounted().isPresent()
                  ? stack + " is up already"
                  : "would mount "
                      + stack
                      + " on "
                      + report.target().quoted()
                      + " by "
                      + report.method().word()
                      + (report.nested() ? ", nested" : ""));
      return;
    }
    OsPath target = stacks.up(stack, acceptVolatile);
    if (ovlctl().json()) {
      reports.add(StackJson.report(stacks.report(stack)));
    } else {
      output().path(target);
    }
  }
}
