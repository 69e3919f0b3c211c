package dev.ovl.cli.command;

import dev.ovl.cli.output.ByteSize;
import dev.ovl.cli.output.Output;
import dev.ovl.cli.output.ProgressLine;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.move.CrossDeviceMove;
import dev.ovl.engine.move.MoveWatch;
import dev.ovl.engine.move.Moved;
import dev.ovl.engine.move.Recovery;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code ovlctl mv}. Always in this process: paths and permissions are the caller's. */
@Command(
    name = "mv",
    sortOptions = false,
    description = {
      "Renames files and directories, as mv(1) does; where the kernel refuses (EXDEV), across file",
      "systems and for what an overlay's lower holds, copies and removes, so that after any failure,",
      "crash or interruption the source or the destination is whole. All attributes are kept.",
      "A move that was cut short is finished or undone by the next into the same directory."
    })
final class MoveCommand implements Callable<Integer>, OwnProcess {
  @ParentCommand private Ovlctl ovlctl;

  @Option(
      names = {"-n", "--no-clobber"},
      description = "Replace nothing: fail where the destination exists.")
  private boolean noClobber;

  @Option(
      names = {"-T", "--no-target-directory"},
      description = "Take the destination for the new name, even if it is a directory.")
  private boolean noTargetDirectory;

  @Option(
      names = {"-t", "--target-directory"},
      paramLabel = "DIR",
      description = "Move all sources into this directory.")
  private String targetDirectory;

  @Option(
      names = "--recover",
      description = "Only finish or undo what was cut short, in the directories given.")
  private boolean recover;

  @Parameters(paramLabel = "SRC… DST", description = "Sources, and where they are to go.")
  private List<String> paths = new ArrayList<>();

  /** One move. */
  private record Step(OsPath source, OsPath destination) {}

  @Override
  public Integer call() throws EngineException {
    CrossDeviceMove move = new CrossDeviceMove(ovlctl.syscalls());
    if (recover) {
      return recoverAll(move);
    }
    int status = Ovlctl.DONE;
    Optional<OsPath> recovered = Optional.empty();
    for (Step step : steps()) {
      if (ovlctl.session().cancellation().isRequested()) {
        output().error("mv: interrupted before " + step.source().quoted());
        return Ovlctl.FAILED;
      }
      Optional<OsPath> into = Optional.of(step.destination().parent());
      if (!ovlctl.dryRun() && !into.equals(recovered)) {
        // what of an earlier one cannot be ended is told, and is not this one's failure
        recover(move, into.get());
        recovered = into;
      }
      status = Math.max(status, run(move, step));
    }
    return status;
  }

  private Output output() {
    return ovlctl.output();
  }

  // ---- what goes where ----------------------------------------------------------------------

  private List<Step> steps() throws EngineException {
    if (targetDirectory != null && noTargetDirectory) {
      throw EngineException.usage("-t and -T exclude each other");
    }
    List<OsPath> given = new ArrayList<>();
    for (String path : paths) {
      given.add(absolute(path));
    }
    if (targetDirectory != null) {
      OsPath directory = absolute(targetDirectory);
      if (given.isEmpty()) {
        throw EngineException.usage("a source is missing");
      }
      if (!isDirectory(directory)) {
        throw EngineException.failed(
            directory.quoted() + ": " + Errno.ENOTDIR.message(), Errno.ENOTDIR);
      }
      return into(directory, given);
    }
    if (given.size() < 2) {
      throw EngineException.usage(
          given.isEmpty() ? "source and destination are missing" : "the destination is missing");
    }
    OsPath last = given.removeLast();
    if (noTargetDirectory) {
      if (given.size() > 1) {
        throw EngineException.usage("-T takes one source");
      }
      return List.of(new Step(given.getFirst(), last));
    }
    if (isDirectory(last)) {
      return into(last, given);
    }
    if (given.size() > 1) {
      throw EngineException.failed(
          last.quoted() + ": several sources need a directory", Errno.ENOTDIR);
    }
    return List.of(new Step(given.getFirst(), last));
  }

  private static List<Step> into(OsPath directory, List<OsPath> sources) {
    return sources.stream()
        .map(source -> new Step(source, directory.resolve(source.fileName())))
        .toList();
  }

  /** With its trailing slashes and dots, for they mean something to rename(2). */
  private OsPath absolute(String path) throws EngineException {
    if (path.isEmpty()) {
      throw EngineException.usage("a path cannot be empty");
    }
    OsPath given = OsPath.of(path);
    return given.isAbsolute() ? given : ovlctl.session().place().directory().resolve(given);
  }

  private boolean isDirectory(OsPath path) throws EngineException {
    try {
      return new Files(ovlctl.syscalls()).stat(path).filter(Statx::isDirectory).isPresent();
    } catch (ErrnoException e) {
      throw EngineException.failed(path.quoted() + ": " + e.errno().message(), e);
    }
  }

  // ---- moving -------------------------------------------------------------------------------

  private int run(CrossDeviceMove move, Step step) {
    int flags = noClobber ? Linux.RENAME_NOREPLACE : 0;
    try (Following watch = new Following()) {
      Moved moved =
          ovlctl.dryRun()
              ? move.plan(step.source(), step.destination(), flags, watch)
              : move.move(step.source(), step.destination(), flags, watch);
      watch.close();
      return report(step, moved);
    } catch (EngineException e) {
      output().error("mv " + step.source().quoted() + ": " + Ovlctl.message(e));
      return Ovlctl.status(e);
    }
  }

  private int report(Step step, Moved moved) {
    if (ovlctl.json()) {
      output().jsonLine(json(step, moved));
    } else if (ovlctl.dryRun()) {
      output().note(step.source().quoted() + ": " + would(step, moved));
    }
    if (moved instanceof Moved.Copied copied && copied.left().isPresent()) {
      output()
          .error(
              "mv "
                  + step.source().quoted()
                  + ": was moved, but "
                  + inside(step.source(), copied.left().get()).quoted()
                  + " came to be there meanwhile and was left");
      return Ovlctl.FAILED;
    }
    return Ovlctl.DONE;
  }

  private static OsPath inside(OsPath source, OsPath path) {
    return path.equals(OsPath.DOT) ? source : source.resolve(path);
  }

  private static String would(Step step, Moved moved) {
    String to = " to " + step.destination().quoted();
    return switch (moved) {
      case Moved.Renamed() -> "would rename" + to;
      case Moved.Same() -> "would do nothing, for it is the same file as" + to.substring(3);
      case Moved.Copied copied -> "would copy " + amount(copied) + to + ", and remove them here";
      case Moved.RenamedUnlessRefused(Moved.Copied copied) ->
          "would rename"
              + to
              + ", or copy "
              + amount(copied)
              + " where the overlay refuses that (EXDEV)";
    };
  }

  private static String amount(Moved.Copied copied) {
    return copied.files() + " files, " + copied.bytes() + " bytes";
  }

  private static Map<String, Object> json(Step step, Moved moved) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("source", step.source().toString());
    map.put("destination", step.destination().toString());
    switch (moved) {
      case Moved.Renamed() -> map.put("how", "renamed");
      case Moved.Same() -> map.put("how", "same");
      case Moved.Copied copied -> {
        map.put("how", "copied");
        amounts(map, copied);
      }
      case Moved.RenamedUnlessRefused(Moved.Copied copied) -> {
        map.put("how", "renamed-or-copied");
        amounts(map, copied);
      }
    }
    return map;
  }

  private static void amounts(Map<String, Object> map, Moved.Copied copied) {
    map.put("files", copied.files());
    map.put("bytes", copied.bytes());
    copied.left().ifPresent(path -> map.put("left", path.toString()));
  }

  /** Shows how far a move is, and ends it when the user wants to stop. */
  private final class Following implements MoveWatch, AutoCloseable {
    private final ProgressLine line = output().progress("mv");

    @Override
    public void at(long files, long bytes) {
      line.show(() -> files + " files, " + ByteSize.text(bytes));
    }

    @Override
    public boolean isCancelled() {
      return ovlctl.session().cancellation().isRequested();
    }

    @Override
    public void close() {
      line.close();
    }
  }

  // ---- what was cut short -------------------------------------------------------------------

  private int recoverAll(CrossDeviceMove move) throws EngineException {
    if (paths.isEmpty() || noClobber || noTargetDirectory || targetDirectory != null) {
      throw EngineException.usage("--recover takes directories and no other option of mv");
    }
    if (ovlctl.dryRun()) {
      throw EngineException.usage("--recover and --dry-run exclude each other");
    }
    int status = Ovlctl.DONE;
    for (String path : paths) {
      status = Math.max(status, recover(move, absolute(path)));
    }
    return status;
  }

  private int recover(CrossDeviceMove move, OsPath directory) {
    List<Recovery> recoveries;
    try {
      recoveries = move.recover(directory);
    } catch (ErrnoException e) {
      if (!recover) {
        return Ovlctl.DONE; // the move itself says what is wrong with the directory
      }
      output().error("mv: " + directory.quoted() + ": " + e.errno().message());
      return Ovlctl.FAILED;
    }
    int status = Ovlctl.DONE;
    for (Recovery recovery : recoveries) {
      if (recover && ovlctl.json()) {
        output().jsonLine(json(recovery));
      }
      status = Math.max(status, tell(recovery));
    }
    return status;
  }

  private int tell(Recovery recovery) {
    String move =
        "mv: an earlier move of "
            + recovery.source().quoted()
            + " to "
            + recovery.destination().quoted();
    String detail = recovery.detail().orElse("");
    switch (recovery.outcome()) {
      case FINISHED -> output().note(move + " was finished");
      case UNDONE -> output().note(move + " was undone");
      case LEFT -> output().note(move + " was done, but the source is still there");
      case FINISHED_WITH_REST -> {
        output().error(move + " was finished, but " + detail + " is new or changed and was left");
        return Ovlctl.FAILED;
      }
      case FAILED -> {
        output().error(move + " cannot be finished or undone: " + detail);
        return Ovlctl.FAILED;
      }
    }
    return Ovlctl.DONE;
  }

  private static Map<String, Object> json(Recovery recovery) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("source", recovery.source().toString());
    map.put("destination", recovery.destination().toString());
    map.put("outcome", recovery.outcome().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    recovery.detail().ifPresent(detail -> map.put("detail", detail));
    return map;
  }
}
