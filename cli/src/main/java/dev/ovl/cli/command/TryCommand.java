package dev.ovl.cli.command;

import dev.ovl.api.HostException;
import dev.ovl.api.PathChange;
import dev.ovl.api.StackDraft;
import dev.ovl.api.Subject;
import dev.ovl.cli.session.Session;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.run.HostMounts.HostMount;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.run.Volume;
import dev.ovl.engine.stack.PlacedStack;
import dev.ovl.engine.stack.StackName;
import dev.ovl.service.EngineHost;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ovlctl try}. */
@Command(
    name = "try",
    sortOptions = false,
    exitCodeOnInvalidInput = ProgramVerb.NOT_STARTED,
    description = {
      "Runs a command over the whole system, or over some directories, without changing them: what",
      "it writes goes into stacks of its own. Shows then what it changed, and asks what is to become",
      "of it. Without a terminal and one of --commit, --discard and --keep it is kept.",
      "It has its own /dev, /proc and /sys; what is beside the directories of --over, and what no",
      "overlay can cover, is read-only. It is no sandbox: sockets and devices of the network work."
    },
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "125:The command was not started, or what it changed could not be committed.",
      "126:It cannot be executed.",
      "127:There is no such command.",
      "128 + N:It was ended by signal N.",
      "else:Its own."
    })
final class TryCommand extends ProgramVerb {
  private static final int SHOWN = 40;
  private static final int DIGITS = 8;

  /** What becomes of the changes. */
  private enum Outcome {
    COMMITTED,
    DISCARDED,
    KEPT,
    UNCHANGED
  }

  /** At most one of them. */
  private static final class Decision {
    @Option(
        names = "--commit",
        description = "Take the changes over, if the command ends with 0; else keep them.")
    private boolean commit;

    @Option(names = "--discard", description = "Delete the changes.")
    private boolean discard;

    @Option(names = "--keep", description = "Keep them in stacks, which are named.")
    private boolean keep;
  }

  @Option(
      names = "--over",
      paramLabel = "DIR",
      description = "Only this directory and what is in it; repeats (default: /).")
  private List<String> over = new ArrayList<>();

  @ArgGroup private Decision decision = new Decision();

  @Option(
      names = "--net",
      paramLabel = "host|none",
      description = "The network that it sees (default: host).")
  private Network network = Network.HOST;

  @Parameters(
      arity = "1..*",
      paramLabel = "CMD",
      description = "The command and its arguments; options of ours come before it.")
  private List<String> command;

  /** Whether the user wanted to stop in place of an answer. */
  private boolean unanswered;

  /**
   * What is changed.
   *
   * @param stacks that have any of it
   * @param first as many as are shown
   */
  private record Changes(List<PlacedStack> stacks, List<PathChange> first, long count) {}

  @Override
  String label() {
    return "try";
  }

  @Override
  List<String> command() {
    return command;
  }

  @Override
  int run(EngineHost engine) throws EngineException, HostException {
    List<OsPath> directories = directories(engine);
    if (ovlctl().dryRun()) {
      note("would run " + shown() + " over " + directories);
      return Ovlctl.DONE;
    }
    return attempt(engine, directories);
  }

  private List<OsPath> directories(EngineHost engine) throws EngineException, HostException {
    Files files = new Files(ovlctl().syscalls());
    List<OsPath> directories = new ArrayList<>();
    for (String directory : over) {
      OsPath given = ovlctl().absolute(directory);
      try {
        // what is mounted beneath it is known by the names without links
        directories.add(files.resolve(given).orElse(given));
      } catch (ErrnoException e) {
        throw EngineException.failed(e.getMessage(), e.errno());
      }
    }
    if (!directories.isEmpty()) {
      return directories;
    }
    return ovlctl().session().place().privilege().ordinary() ? own(engine) : List.of(OsPath.ROOT);
  }

  /**
   * Where an ordinary user writes: the home directory, those for temporary files, and this one.
   * Overlayfs copies nothing up whose owner the user namespace lacks, and so nothing below a
   * directory of root's but an overlay's own root; and it takes no lower with mounts in it.
   */
  private List<OsPath> own(EngineHost engine) throws HostException {
    Session session = ovlctl().session();
    List<OsPath> own = new ArrayList<>();
    Optional.ofNullable(session.environment().get("HOME"))
        .filter(home -> home.startsWith("/"))
        .ifPresent(home -> own.add(OsPath.of(home).normalized()));
    for (OsPath other :
        List.of(OsPath.of("/tmp"), OsPath.of("/var/tmp"), session.place().directory())) {
      boolean covers = own.stream().anyMatch(one -> one.startsWith(other) || other.startsWith(one));
      if (!covers
          && session.place().fileId(other).isPresent()
          && engine.mountsBeneath(other).isEmpty()) {
        own.add(other);
      }
    }
    return own.isEmpty() ? List.of(session.place().directory()) : own;
  }

  // ---- running ------------------------------------------------------------------------------

  private int attempt(EngineHost engine, List<OsPath> directories)
      throws EngineException, HostException {
    List<PlacedStack> stacks = new ArrayList<>();
    List<Volume> uncovered = new ArrayList<>();
    boolean ran = false;
    EngineHost.Ended ended;
    try {
      String name = "try-" + UUID.randomUUID().toString().substring(0, DIGITS);
      for (OsPath directory : directories) {
        cover(engine, name, directory, stacks);
        for (HostMount mount : engine.mountsBeneath(directory)) {
          if (mount.coverable()) {
            cover(engine, name, mount.point(), stacks);
          } else {
            uncovered.add(new Volume(mount.point(), mount.point(), true));
          }
        }
      }
      ended = engine.run(stacks, request(uncovered), this::note);
      ran = ended.problem().isEmpty();
    } finally {
      if (!ran) {
        remove(engine, stacks);
      }
    }
    if (!ran) {
      output().error("try: " + ended.problem().orElseThrow());
      return ended.status();
    }
    return decide(engine, stacks, ended.status());
  }

  private static void cover(
      EngineHost engine, String base, OsPath directory, List<PlacedStack> stacks)
      throws EngineException, HostException {
    String name = stacks.isEmpty() ? base : base + "-" + stacks.size();
    engine.create(StackDraft.over(name, List.of(directory.toString())), false, false);
    stacks.add(new PlacedStack(directory, StackName.of(name)));
  }

  private static void remove(EngineHost engine, List<PlacedStack> stacks) throws HostException {
    for (PlacedStack placed : stacks.reversed()) {
      engine.remove(placed.stack().text(), false, false);
    }
  }

  private RunRequest request(List<Volume> uncovered) {
    Session session = ovlctl().session();
    return new RunRequest(
        words(),
        session.environment().entrySet().stream()
            .map(variable -> OsPath.of(variable.getKey() + "=" + variable.getValue()))
            .toList(),
        session.place().directory(),
        Optional.empty(),
        uncovered,
        network == Network.NONE,
        onTerminal(),
        false);
  }

  // ---- what becomes of it -------------------------------------------------------------------

  private int decide(EngineHost engine, List<PlacedStack> all, int status) throws HostException {
    Changes changes = changes(engine, all);
    List<PlacedStack> unchanged = new ArrayList<>(all);
    unchanged.removeAll(changes.stacks());
    remove(engine, unchanged);
    Outcome outcome = changes.count() == 0 ? Outcome.UNCHANGED : wanted(changes, status);
    List<PlacedStack> kept = changes.stacks();
    switch (outcome) {
      case COMMITTED -> kept = commit(engine, changes.stacks());
      case DISCARDED -> {
        remove(engine, changes.stacks());
        kept = List.of();
      }
      case KEPT, UNCHANGED -> {}
    }
    tellKept(kept);
    boolean failed = outcome == Outcome.COMMITTED && !kept.isEmpty();
    if (ovlctl().json()) {
      output().json(json(kept, changes, status, failed ? Outcome.KEPT : outcome));
    }
    return failed || unanswered ? NOT_STARTED : status;
  }

  private Changes changes(EngineHost engine, List<PlacedStack> stacks) throws HostException {
    List<PlacedStack> changed = new ArrayList<>();
    List<PathChange> first = new ArrayList<>();
    long count = 0;
    try (Following watch = new Following(ovlctl(), "try", Optional.empty())) {
      for (PlacedStack placed : stacks) {
        long some =
            engine.changes(
                new Subject.Stack(placed.stack().text()),
                Optional.empty(),
                change -> {
                  if (ovlctl().json() || first.size() < SHOWN) {
                    first.add(within(placed.target(), change));
                  }
                  return true;
                },
                watch);
        count += some;
        if (some > 0) {
          changed.add(placed);
        }
      }
    }
    return new Changes(changed, first, count);
  }

  private static PathChange within(OsPath target, PathChange change) {
    return target.equals(OsPath.ROOT)
        ? change
        : new PathChange(change.kind(), target + change.path());
  }

  private Outcome wanted(Changes changes, int status) {
    if (!ovlctl().json()) {
      changes
          .first()
          .forEach(change -> output().aside(change.kind() + " " + OsPath.quoted(change.path())));
      if (changes.count() > changes.first().size()) {
        output().aside("… and " + (changes.count() - changes.first().size()) + " more");
      }
    }
    if (decision.commit) {
      return status == 0 ? Outcome.COMMITTED : Outcome.KEPT;
    }
    if (decision.discard) {
      return Outcome.DISCARDED;
    }
    boolean asks = ovlctl().session().terminal().in() && ovlctl().session().terminal().err();
    return decision.keep || !asks ? Outcome.KEPT : asked();
  }

  /** Whoever says nothing that is understood, or stops, keeps all. */
  private Outcome asked() {
    output().prompt("commit, discard or keep these changes? [c/d/K] ");
    String answer = answer();
    if (ovlctl().session().cancellation().isRequested()) {
      unanswered = true;
      output().error("try: interrupted");
      return Outcome.KEPT;
    }
    return switch (answer.strip().toLowerCase(Locale.ROOT)) {
      case "c", "commit" -> Outcome.COMMITTED;
      case "d", "discard" -> Outcome.DISCARDED;
      default -> Outcome.KEPT;
    };
  }

  private String answer() {
    try {
      return Answer.of(ovlctl().session());
    } catch (IOException e) {
      // as if nothing had been said
      return "";
    }
  }

  /** Returns those that could not be committed, and what comes after them. */
  private List<PlacedStack> commit(EngineHost engine, List<PlacedStack> stacks)
      throws HostException {
    for (int i = 0; i < stacks.size(); i++) {
      String name = stacks.get(i).stack().text();
      try (Following watch = new Following(ovlctl(), "try", Optional.empty())) {
        engine.mergeIntoLive(name, watch);
      } catch (HostException e) {
        output()
            .error(
                "try: commit over " + stacks.get(i).target().quoted() + ": " + Ovlctl.message(e));
        return stacks.subList(i, stacks.size());
      }
      engine.remove(name, false, false);
    }
    return List.of();
  }

  private void tellKept(List<PlacedStack> stacks) {
    for (PlacedStack placed : stacks) {
      note(
          "what it changed in "
              + placed.target().quoted()
              + " is kept in stack "
              + placed.stack()
              + ": see 'ovlctl changes', take it over by 'merge' or delete it by 'rm'");
    }
  }

  private static Map<String, Object> json(
      List<PlacedStack> kept, Changes changes, int status, Outcome outcome) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("status", status);
    map.put("outcome", outcome.name().toLowerCase(Locale.ROOT));
    map.put("stacks", kept.stream().map(placed -> placed.stack().text()).toList());
    map.put("changes", changes.first().stream().map(PathChange::json).toList());
    return map;
  }
}
