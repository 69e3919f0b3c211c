package dev.ovl.cli.command;

import dev.ovl.cli.output.StackJson;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code ovlctl clone}. */
@Command(
    name = "clone",
    sortOptions = false,
    description = {
      "Writes down a stack like another one. Its own layer starts empty;",
      "an upper or a target of yours cannot be shared: give others."
    })
final class CloneCommand extends EngineCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack to copy.")
  private String name;

  @Parameters(index = "1", paramLabel = "NEW", description = "The new stack's name.")
  private String as;

  @Mixin private LayerOptions layers;

  @Override
  boolean changes() {
    return true;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    return each(
        "clone",
        List.of(name),
        stack -> {
          StackName copy = StackName.of(as);
          if (ovlctl().dryRun()) {
            stacks.checkCopy(stack, copy, layers.change(ovlctl()));
            output().note("would copy " + stack + " as " + copy);
            return;
          }
          stacks.copy(stack, copy, layers.change(ovlctl()));
          if (ovlctl().json()) {
            output().json(List.of(StackJson.report(stacks.report(copy))));
          }
        });
  }
}
