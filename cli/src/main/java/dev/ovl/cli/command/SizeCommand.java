package dev.ovl.cli.command;

import dev.ovl.api.Subject;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code ovlctl size}. */
@Command(
    name = "size",
    sortOptions = false,
    description = {"Tells how many bytes the files have that 'diff' would pack."})
final class SizeCommand extends SizeVerb {
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
