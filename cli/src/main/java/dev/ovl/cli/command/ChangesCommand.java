package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl changes}. */
@Command(
    name = "changes",
    sortOptions = false,
    description = {
      "Lists what a stack has that its lowers have not, as docker diff does.",
      "A line a path, in order: A added, C changed, D deleted."
    })
final class ChangesCommand extends ChangesVerb {
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
