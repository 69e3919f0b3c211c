package dev.ovl.cli.command;

import dev.ovl.cli.output.StackJson;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl create}. */
@Command(
    name = "create",
    sortOptions = false,
    description = "Writes down a stack: directories that 'up' mounts as one tree.")
final class CreateCommand extends EngineCommand {
  @Parameters(paramLabel = "NAME", description = "The new stack's name.")
  private String name;

  @Mixin private LayerOptions layers;

  @Option(names = "--read-only", description = "No upper: the tree cannot be written to.")
  private boolean readOnly;

  @Option(names = "--up", description = "Mount it at once.")
  private boolean up;

  @Override
  boolean changes() {
    return true;
  }

  @Override
  int run(Stacks stacks) throws EngineException, ErrnoException {
    return each("create", List.of(name), stack -> create(stacks, stack));
  }

  private void create(Stacks stacks, StackName stack) throws EngineException, ErrnoException {
    StackRequest request =
        new StackRequest(
            stack,
            Optional.ofNullable(ovlctl().driver()),
            layers.lowers(ovlctl()),
            readOnly,
            layers.upper(ovlctl()),
            layers.target(ovlctl()),
            layers.options(),
            layers.propagation(),
            layers.method());
    if (ovlctl().dryRun()) {
      stacks.checkCreate(request);
      output().note("would create " + stack);
      return;
    }
    stacks.create(request);
    if (up) {
      OsPath target = upOrForget(stacks, stack);
      if (!ovlctl().json()) {
        output().path(target);
      }
    }
    if (ovlctl().json()) {
      output().json(List.of(StackJson.report(stacks.report(stack))));
    }
  }

  /** A stack that cannot be mounted as asked is not created either. */
  private static OsPath upOrForget(Stacks stacks, StackName stack)
      throws EngineException, ErrnoException {
    try {
      return stacks.up(stack, false);
    } catch (EngineException | ErrnoException failure) {
      try {
        stacks.remove(stack, false);
      } catch (EngineException | ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }
}
