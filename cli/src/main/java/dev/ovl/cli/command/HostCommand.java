package dev.ovl.cli.command;

import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.HostException;
import dev.ovl.cli.output.Output;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ParentCommand;

/** A verb that is carried out by a host: the daemon, or the engine in this process. */
abstract class HostCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  /** The options that all verbs have. */
  Ovlctl ovlctl() {
    return ovlctl;
  }

  Output output() {
    return ovlctl.output();
  }

  /** Does the work. Returns the exit status. */
  abstract int run(CommandHost host) throws EngineException, HostException;

  @Override
  public Integer call() throws EngineException, HostException {
    try (CommandHost host = ovlctl.host()) {
      return run(host);
    }
  }

  /** What is done with one of several stacks. */
  interface Work {
    void on(String name) throws EngineException, HostException;
  }

  /**
   * Works on names in order. One that fails is reported and does not stop the rest, unless the user
   * wants to stop.
   *
   * @return the exit status
   */
  int each(String verb, List<String> names, Work work) {
    int status = Ovlctl.DONE;
    for (String name : names) {
      if (ovlctl.session().cancellation().isRequested()) {
        output().error(verb + ": interrupted before " + OsPath.quoted(name));
        return Ovlctl.FAILED;
      }
      try {
        work.on(StackName.of(name).text());
      } catch (EngineException | HostException e) {
        output().error(verb + " " + OsPath.quoted(name) + ": " + Ovlctl.message(e));
        status = Math.max(status, Ovlctl.status(e));
      }
    }
    return status;
  }

  /** The names given, or all in the order of their dependencies. */
  static List<String> namesOrAll(
      CommandHost host, List<String> names, boolean all, boolean dependentsFirst)
      throws EngineException, HostException {
    if (all != names.isEmpty()) {
      throw EngineException.usage(
          all ? "names and --all exclude each other" : "a name is missing, or --all");
    }
    if (!all) {
      return names;
    }
    List<String> sorted = host.namesByDependency();
    return dependentsFirst ? sorted.reversed() : sorted;
  }

  /** Prints what was only checked. */
  void note(Done done) {
    done.note().ifPresent(output()::note);
  }

  /** Prints a stack that was written down, for who wants JSON. */
  void report(CommandHost host, String name) throws HostException {
    if (ovlctl.json() && !ovlctl.dryRun()) {
      output().json(List.of(host.inspect(name).json()));
    }
  }
}
