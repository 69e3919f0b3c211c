package dev.ovl.cli.command;

import dev.ovl.engine.EngineException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * {@code ovlctl unshare}. The command is executed by {@code ovl-userns}, in the place of Java: what
 * comes here is a call that is only checked, or one that cannot be.
 */
@Command(
    name = "unshare",
    sortOptions = false,
    exitCodeOnInvalidInput = ProgramVerb.NOT_STARTED,
    description = {
      "Without root: runs a command, or a shell, where the mounts of your daemon are seen, as root of",
      "its user namespace; in a new one if no daemon runs. What is mounted in it by 'up' and 'mount'",
      "lasts as long as some process is in it."
    },
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "125:There is no such namespace.",
      "126:The command cannot be executed.",
      "127:There is no such command.",
      "else:Its own."
    })
final class UnshareCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  @Parameters(
      arity = "0..*",
      paramLabel = "CMD",
      description = "The command and its arguments (default: your shell).")
  private List<String> command = new ArrayList<>();

  @Override
  public Integer call() {
    try {
      if (ovlctl.dryRun()) {
        List<String> words = command.stream().map(OsPath::quoted).toList();
        ovlctl
            .output()
            .note("unshare: would run " + (words.isEmpty() ? "a shell" : String.join(" ", words)));
        return Ovlctl.DONE;
      }
      ovlctl.requireRoot(ovlctl.syscalls());
      throw EngineException.failed("root needs no user namespace", Errno.EINVAL);
    } catch (EngineException e) {
      ovlctl.output().error("unshare: " + Ovlctl.message(e));
      return ProgramVerb.NOT_STARTED;
    }
  }
}
