package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl apply}. */
@Command(
    name = "apply",
    sortOptions = false,
    description = {
      "Writes what a tar holds into the upper of a stack that is down.",
      "When it fails the upper is as it was."
    })
final class ApplyCommand extends ApplyVerb {
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
