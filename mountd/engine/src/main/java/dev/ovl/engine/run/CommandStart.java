package dev.ovl.engine.run;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.jni.CommandPlan;
import dev.ovl.jni.CommandRunner;
import dev.ovl.jni.NativeLibraries;
import dev.ovl.jni.NativeLibraryException;
import dev.ovl.jni.RunningCommand;
import dev.ovl.jni.StartException;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Starts commands in trees. */
public final class CommandStart {
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final String PRELOAD = "LD_PRELOAD";

  /** In the command's own /dev, so that nothing is made in its tree. */
  private static final OsPath PRELOADED = OsPath.of("/dev/libovl-exdev.so");

  private final Syscalls sys;
  private final CommandRunner runner;
  private final Files files;

  /**
   * @param sys what to call
   * @param runner who starts them
   */
  public CommandStart(Syscalls sys, CommandRunner runner) {
    this.sys = sys;
    this.runner = runner;
    this.files = new Files(sys);
  }

  /**
   * Starts a command whose root directory is a mount; when this returns it is being executed.
   *
   * @param root attached nowhere; it stays the caller's, who may close it afterwards
   * @param inside other such mounts, for directories of the tree, mounted before the volumes
   * @param notes told what is not as one would expect and keeps nobody from running
   * @throws EngineException a volume's source is not there; the tree has no such user; the native
   *     library is missing; nothing runs
   * @throws CommandException why it does not run
   */
  public RunningCommand start(
      Fd root, Map<OsPath, Fd> inside, RunRequest request, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    TreeUsers.User user = TreeUsers.of(sys, root).find(request.user());
    Map<String, String> environment = environment(request, user);
    List<CommandPlan.Volume> opened = new ArrayList<>();
    try {
      for (Volume volume : request.volumes()) {
        opened.add(open(volume));
      }
      if (request.recoversRenames()) {
        Optional<OsPath> library = NativeLibraries.exdev();
        if (library.isPresent()) {
          opened.add(open(new Volume(library.get(), PRELOADED, true)));
          environment.merge(PRELOAD, PRELOADED.toString(), (given, ours) -> ours + ":" + given);
        } else {
          notes.accept("libovl-exdev.so is not there: renames that meet EXDEV will fail");
        }
      }
      List<CommandPlan.Volume> volumes = new ArrayList<>();
      inside.forEach((at, tree) -> volumes.add(new CommandPlan.Volume(tree, at, true, false)));
      volumes.addAll(opened);
      CommandPlan plan =
          new CommandPlan(
              root,
              volumes,
              request.command(),
              environment.entrySet().stream()
                  .map(variable -> OsPath.of(variable.getKey() + "=" + variable.getValue()))
                  .toList(),
              request.directory(),
              user.ids(),
              request.ownNetwork(),
              request.terminal());
      return runner.start(plan, problem -> notes.accept(problem.message()));
    } catch (StartException e) {
      throw new CommandException(e);
    } catch (NativeLibraryException e) {
      throw EngineException.failed(e.getMessage());
    } finally {
      opened.forEach(volume -> volume.tree().close());
    }
  }

  private static Map<String, String> environment(RunRequest request, TreeUsers.User user) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", PATH);
    environment.put("HOME", user.home());
    for (OsPath variable : request.environment()) {
      String text = variable.toString();
      int equals = text.indexOf('=');
      environment.put(text.substring(0, equals), text.substring(equals + 1));
    }
    return environment;
  }

  private CommandPlan.Volume open(Volume volume) throws EngineException, ErrnoException {
    Statx source =
        files
            .stat(volume.source())
            .orElseThrow(
                () ->
                    EngineException.failed(
                        "there is no " + volume.source().quoted() + " to mount", Errno.ENOENT));
    return new CommandPlan.Volume(
        copy(volume.source()), volume.target(), source.isDirectory(), volume.readOnly());
  }

  /** A copy of what a path leads to and of all that is mounted there, attached nowhere. */
  public Fd copy(OsPath path) throws ErrnoException {
    int flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | Linux.AT_RECURSIVE;
    return new Fd(sys, sys.open_tree(Linux.AT_FDCWD, path, flags));
  }
}
