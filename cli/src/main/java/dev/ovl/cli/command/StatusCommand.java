package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.StackSummary;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.sys.OsPath;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl status}. */
@Command(
    name = "status",
    sortOptions = false,
    description = "Tells whether a stack is up.",
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:It is up.",
      "1:It cannot be told.",
      "2:The command line or the environment makes no sense.",
      "3:It is down.",
      "4:There is no such stack."
    })
final class StatusCommand extends HostCommand {
  private static final int DOWN = 3;
  private static final int NO_SUCH_STACK = 4;

  @Parameters(paramLabel = "NAME", description = "The stack.")
  private String name;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    StackSummary stack;
    try {
      stack = host.status(StackName.of(name).text());
    } catch (HostException e) {
      output().error("status " + OsPath.quoted(name) + ": " + e.getMessage());
      return e.failure().kind() == Failure.Kind.NO_SUCH_STACK ? NO_SUCH_STACK : Ovlctl.status(e);
    }
    if (ovlctl().json()) {
      output().json(stack.json());
    } else {
      output()
          .line(
              stack.name()
                  + ": "
                  + stack.state()
                  + (stack.up() ? " on " + OsPath.quoted(stack.target()) : "")
                  + stack.remark().map(remark -> ", " + remark).orElse(""));
    }
    return stack.up() ? Ovlctl.DONE : DOWN;
  }
}
