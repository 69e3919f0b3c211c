package dev.ovl.cli.command;

import dev.ovl.cli.output.StackJson;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackSummary;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl status}. */
@Command(
    name = "status",
    sortOptions = false,
    description = "Tells whether a stack is up. Exit status: 0 up, 3 down, 4 no such stack.")
final class StatusCommand extends EngineCommand {
  private static final int DOWN = 3;
  private static final int NO_SUCH_STACK = 4;

  @Parameters(paramLabel = "NAME", description = "The stack.")
  private String name;

  @Override
  boolean changes() {
    return false;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    StackName stack = StackName.of(name);
    StackSummary summary;
    try {
      summary = stacks.summary(stack);
    } catch (EngineException e) {
      if (e.kind() != EngineException.Kind.NO_SUCH_STACK) {
        throw e.within(stack + ": ");
      }
      output().error("status " + stack + ": " + e.getMessage());
      return NO_SUCH_STACK;
    }
    if (ovlctl().json()) {
      output().json(StackJson.summary(summary));
    } else {
      output()
          .line(
              stack
                  + ": "
                  + StackJson.word(summary.state())
                  + (summary.state().mounted().isPresent()
                      ? " on " + summary.target().quoted()
                      : "")
                  + summary.state().remark().map(remark -> ", " + remark).orElse(""));
    }
    return summary.state().mounted().isPresent() ? Ovlctl.DONE : DOWN;
  }
}
