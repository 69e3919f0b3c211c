package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackState;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl down}. */
@Command(
    name = "down",
    sortOptions = false,
    description = "Unmounts stacks. One that is down already is fine.")
final class DownCommand extends EngineCommand {
  @Parameters(paramLabel = "NAME", arity = "0..*", description = "The stacks, in this order.")
  private List<String> names = new ArrayList<>();

  @Option(names = "--all", description = "All stacks, those that lie on others first.")
  private boolean all;

  @Option(
      names = "--lazy",
      description = "Detach the mount although it is in use: it ends when its users do.")
  private boolean lazy;

  @Override
  boolean changes() {
    return true;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    return each("down", namesOrAll(stacks, names, all, true), stack -> down(stacks, stack));
  }

  private void down(Stacks stacks, StackName stack) throws EngineException, ErrnoException {
    if (ovlctl().dryRun()) {
      StackState state = stacks.state(stack);
      output()
          .note(
              state.mounted().isPresent()
                  ? "would unmount " + state.mounted().get().point().quoted()
                  : stack + " is down already");
      return;
    }
    stacks.down(stack, lazy);
  }
}
