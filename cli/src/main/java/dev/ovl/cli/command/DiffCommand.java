package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl diff}. */
@Command(
    name = "diff",
    sortOptions = false,
    description = {
      "Packs what a stack has that its lowers have not as a tar.",
      "The stack may be up."
    })
final class DiffCommand extends DiffVerb {
  @Parameters(index = "0", paramLabel = "NAME", description = "The stack.")
  private String name;

  @Override
  String name() {
    return name;
  }

  @Override
  Subject subject() throws EngineException {
    return new Subject.Stack(StackName.of(name).text());
  }
}
