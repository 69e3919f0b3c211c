package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.HostException;
import dev.ovl.api.StackCopy;
import dev.ovl.engine.EngineException;
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
final class CloneCommand extends HostCommand {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack to copy.")
  private String name;

  @Parameters(index = "1", paramLabel = "NEW", description = "The new stack's name.")
  private String as;

  @Mixin private StackOptions layers;

  @Override
  int run(CommandHost host) throws EngineException, HostException {
    StackCopy copy = new StackCopy(as, layers.patch(ovlctl()));
    return each(
        "clone",
        List.of(name),
        stack -> {
          note(host.copy(stack, copy, ovlctl().dryRun()));
          report(host, as);
        });
  }
}
