package dev.ovl.cli.command;

import dev.ovl.cli.output.Output;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ParentCommand;

/** A verb that works on the stacks of a root, in this process. */
abstract class EngineCommand implements Callable<Integer> {
  @ParentCommand private Ovlctl ovlctl;

  /** The options that all verbs have. */
  Ovlctl ovlctl() {
    return ovlctl;
  }

  Output output() {
    return ovlctl.output();
  }

  /** Whether the verb changes anything, for which it needs root. */
  abstract boolean changes();

  /** Does the work. Returns the exit status. */
  abstract int run(Stacks stacks) throws EngineException, ErrnoException;

  @Override
  public Integer call() throws EngineException, ErrnoException {
    ovlctl.checkHost();
    Syscalls sys = ovlctl.syscalls();
    OsPath root = ovlctl.root();
    if (changes()) {
      Ovlctl.requireRoot(sys);
    }
    try {
      return call(sys, root);
    } catch (ErrnoException e) {
      if (e.is(Errno.EACCES)) {
        Ovlctl.requireRoot(sys);
      }
      throw e;
    }
  }

  private int call(Syscalls sys, OsPath root) throws EngineException, ErrnoException {
    try (Stacks stacks = new Stacks(sys, root, ovlctl.runDirectory())) {
      if (changes() && !ovlctl.dryRun()) {
        stacks.recover();
      }
      return run(stacks);
    }
  }

  /** What is done with one of several stacks. */
  interface Work {
    void on(StackName name) throws EngineException, ErrnoException;
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
        work.on(StackName.of(name));
      } catch (EngineException | ErrnoException e) {
        output().error(verb + " " + OsPath.quoted(name) + ": " + Ovlctl.message(e));
        status = Math.max(status, Ovlctl.status(e));
      }
    }
    return status;
  }

  /** The names given, or all in the order of their dependencies. */
  static List<String> namesOrAll(
      Stacks stacks, List<String> names, boolean all, boolean dependentsFirst)
      throws EngineException, ErrnoException {
    if (all != names.isEmpty()) {
      throw EngineException.usage(
          all ? "names and --all exclude each other" : "a name is missing, or --all");
    }
    if (!all) {
      return names;
    }
    List<StackName> sorted = stacks.namesByDependency();
    return (dependentsFirst ? sorted.reversed() : sorted).stream().map(StackName::text).toList();
  }
}
