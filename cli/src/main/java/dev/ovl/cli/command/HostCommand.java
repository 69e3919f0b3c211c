package dev.ovl.cli.command;

import dev.ovl.api.Attachment;
import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.HostException;
import dev.ovl.api.LayerName;
import dev.ovl.cli.output.Output;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.stack.StackName;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A verb that is carried out by a host: the daemon, or the engine in this process. */
abstract class HostCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  /** The options that all verbs have. */
  Ovlctl ovlctl() {
    return (Ovlctl) spec.root().userObject();
  }

  Output output() {
    return ovlctl().output();
  }

  /** The verb as it is typed, {@code "layer rm"}. */
  String label() {
    return Ovlctl.verb(spec);
  }

  /** The driver that was asked for. */
  Optional<String> driver() {
    return Optional.ofNullable(ovlctl().driver());
  }

  /**
   * The layer of an id, with the driver that was asked for.
   *
   * @throws EngineException USAGE: no layer can have such an id
   */
  LayerName layer(String id) throws EngineException {
    return new LayerName(LayerId.of(id).text(), driver());
  }

  /**
   * A place in the mount namespace of a process.
   *
   * @param target as the process sees it
   */
  Attachment attachment(long pid, Optional<String> target) {
    return new Attachment(pid, ovlctl().session().place().pidNamespace(), target);
  }

  /** Does the work. Returns the exit status. */
  abstract int run(CommandHost host) throws EngineException, HostException;

  @Override
  public Integer call() throws EngineException, HostException {
    try (CommandHost host = ovlctl().host()) {
      return run(host);
    }
  }

  /** What is done with one of several stacks or layers. */
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
    return each(verb, names, true, work);
  }

  /** As {@link #each}, on what need not be stacks: the work checks its names itself. */
  int attempt(List<String> names, Work work) {
    return each(label(), names, false, work);
  }

  /** Works on one, and reports a failure with its name. */
  int attempt(String name, Attempt work) {
    return attempt(List.of(name), any -> work.run());
  }

  /** What is done with one. */
  interface Attempt {
    void run() throws EngineException, HostException;
  }

  private int each(String verb, List<String> names, boolean stacks, Work work) {
    int status = Ovlctl.DONE;
    for (String name : names) {
      if (ovlctl().session().cancellation().isRequested()) {
        output().error(verb + ": interrupted before " + OsPath.quoted(name));
        return Ovlctl.FAILED;
      }
      try {
        work.on(stacks ? StackName.of(name).text() : name);
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
    if (ovlctl().json() && !ovlctl().dryRun()) {
      output().json(List.of(host.inspect(name).json()));
    }
  }

  /** Prints reports, for a person a field a line. */
  void print(List<Map<String, Object>> reports) {
    if (ovlctl().json()) {
      output().json(reports);
    } else {
      reports.forEach(report -> report.forEach(this::print));
    }
  }

  private void print(String field, Object value) {
    switch (value) {
      case null -> {}
      case Optional<?> optional -> optional.ifPresent(content -> print(field, content));
      case List<?> list -> list.forEach(element -> print(field, element));
      case Map<?, ?> map -> map.forEach((name, content) -> print(name.toString(), content));
      default -> output().line(field + ": " + OsPath.quoted(value.toString()));
    }
  }
}
