package dev.ovl.cli.command;

import dev.ovl.api.HostException;
import dev.ovl.cli.output.Output;
import dev.ovl.engine.EngineException;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ParentCommand;

/**
 * A verb that runs a program in stacks and ends with its status. The engine of this process does
 * it, never a daemon over its API: the program is this process's child, or its client's.
 */
abstract class ProgramVerb implements Callable<Integer> {
  /** As docker run and env(1) say it of themselves. */
  static final int NOT_STARTED = 125;

  /** Values of {@code --net}. */
  enum Network {
    HOST,
    NONE
  }

  @ParentCommand private Ovlctl ovlctl;

  /** What failures begin with, {@code "run web"}. */
  abstract String label();

  /** The program and its arguments. */
  abstract List<String> command();

  /** Does it. Returns the exit status. */
  abstract int run(EngineHost engine) throws EngineException, HostException;

  @Override
  public Integer call() {
    try (EngineHost engine = ovlctl.engine()) {
      if (command().getFirst().isEmpty()) {
        throw EngineException.usage("a command's name cannot be empty");
      }
      return run(engine);
    } catch (EngineException | HostException e) {
      output().error(label() + ": " + Ovlctl.message(e));
      return NOT_STARTED;
    }
  }

  Ovlctl ovlctl() {
    return ovlctl;
  }

  Output output() {
    return ovlctl.output();
  }

  /** Says how it goes on, for a person. */
  void note(String text) {
    output().note(label() + ": " + text);
  }

  /** The program and its arguments, for execve(2). */
  List<OsPath> words() {
    return command().stream().map(OsPath::of).toList();
  }

  /** The program and its arguments, for a person. */
  String shown() {
    return command().stream().map(OsPath::quoted).collect(Collectors.joining(" "));
  }

  /** Whether it is to have a terminal of its own. */
  boolean onTerminal() {
    return ovlctl.session().terminal().in() && ovlctl.session().terminal().out();
  }
}
