package dev.ovl.cli.command;

import dev.ovl.reference.Shell;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl completion}. */
@Command(
    name = "completion",
    sortOptions = false,
    description = {
      "Prints a script by which a shell completes command lines of ovlctl.",
      "bash and zsh: source <(ovlctl completion bash); fish: ovlctl completion fish | source."
    })
final class CompletionCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
  private Shell shell;

  @Override
  public Integer call() {
    ovlctl.output().line(shell.script(ovlctl.model()).stripTrailing());
    return Ovlctl.DONE;
  }
}
