package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackReport;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl rm}. */
@Command(
    name = "rm",
    sortOptions = false,
    description =
        "Forgets stacks and deletes their own layers. An upper of yours is never deleted.")
final class RemoveCommand extends EngineCommand {
  @Parameters(paramLabel = "NAME", arity = "1..*", description = "The stacks, in this order.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--force", description = "Unmount it first.")
  private boolean force;

  @Override
  boolean changes() {
    return true;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    return each("rm", names, stack -> remove(stacks, stack));
  }

  private void remove(Stacks stacks, StackName stack) throws EngineException, ErrnoException {
    if (ovlctl().dryRun()) {
      StackReport report = stacks.report(stack);
      output()
          .note(
              "would forget "
                  + stack
                  + report
                      .definition()
                      .layer()
                      .map(layer -> " and delete its layer " + layer.id())
                      .orElse(""));
      return;
    }
    stacks.remove(stack, force);
  }
}
