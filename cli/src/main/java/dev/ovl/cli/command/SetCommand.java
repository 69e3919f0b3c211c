package dev.ovl.cli.command;

import dev.ovl.cli.output.StackJson;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code ovlctl set}. */
@Command(
    name = "set",
    sortOptions = false,
    description = {
      "Changes a stack that is down. What is not given stays as it is.",
      "'--at default', '--method auto', '--propagation default' and \"-o ''\" take settings back."
    })
final class SetCommand extends EngineCommand {
  @Parameters(paramLabel = "NAME", description = "The stack.")
  private String name;

  @Mixin private LayerOptions layers;

  @Override
  boolean changes() {
    return true;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    return each(
        "set",
        List.of(name),
        stack -> {
          if (ovlctl().dryRun()) {
            stacks.checkSet(stack, layers.change(ovlctl()));
            output().note("would change " + stack);
            return;
          }
          stacks.set(stack, layers.change(ovlctl()));
          if (ovlctl().json()) {
            output().json(List.of(StackJson.report(stacks.report(stack))));
          }
        });
  }
}
