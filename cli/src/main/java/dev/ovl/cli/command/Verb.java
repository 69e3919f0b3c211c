package dev.ovl.cli.command;

import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;

/**
 * The verbs of ovlctl, in the order of its help text.
 *
 * <p>They stand here, and not in an annotation of {@link Ovlctl}, so that a command line is read
 * with those verbs alone that it names: the options of the others would cost more than the command.
 */
enum Verb {
  CREATE("create", CreateCommand.class),
  SET("set", SetCommand.class),
  BRANCH("branch", BranchCommand.class),
  CLONE("clone", CloneCommand.class),
  UP("up", UpCommand.class),
  DOWN("down", DownCommand.class),
  REMOVE("rm", RemoveCommand.class),
  LIST("ls", ListCommand.class),
  STATUS("status", StatusCommand.class),
  INSPECT("inspect", InspectCommand.class),
  TREE("tree", TreeCommand.class),
  WHICH("which", WhichCommand.class),
  COPY_UP("copy-up", CopyUpCommand.class),
  FSCK("fsck", FsckCommand.class),
  CHANGES("changes", ChangesCommand.class),
  DIFF("diff", DiffCommand.class),
  APPLY("apply", ApplyCommand.class),
  SIZE("size", SizeCommand.class),
  COMMIT("commit", CommitCommand.class),
  MERGE("merge", MergeCommand.class),
  FLATTEN("flatten", FlattenCommand.class),
  MOVE("mv", MoveCommand.class),
  RUN("run", RunCommand.class),
  TRY("try", TryCommand.class),
  UNSHARE("unshare", UnshareCommand.class),
  LAYER("layer", LayerCommand.class),
  MOUNT("mount", MountCommand.class),
  UMOUNT("umount", UmountCommand.class),
  MOUNT_HELPER("mount.ovl", MountHelperCommand.class),
  FSCK_HELPER("fsck.overlay", FsckHelperCommand.class),
  INFO("info", InfoCommand.class),
  STATS("stats", StatsCommand.class),
  EVENTS("events", EventsCommand.class),
  DOCTOR("doctor", DoctorCommand.class),
  DEMO("demo", DemoCommand.class),
  COMPLETION("completion", CompletionCommand.class),
  VERSION("version", VersionCommand.class);

  /** All of them. */
  static final Set<Verb> ALL = Collections.unmodifiableSet(EnumSet.allOf(Verb.class));

  private final String word;
  private final Class<? extends Callable<Integer>> command;

  Verb(String word, Class<? extends Callable<Integer>> command) {
    this.word = word;
    this.command = command;
  }

  /** Those that are words of a command line, wherever they stand in it and whatever they mean. */
  static Set<Verb> among(List<String> words) {
    Set<Verb> among = EnumSet.noneOf(Verb.class);
    for (Verb verb : values()) {
      if (words.contains(verb.word)) {
        among.add(verb);
      }
    }
    return among;
  }

  /** As it is typed. */
  String word() {
    return word;
  }

  /** The class of its command. */
  Class<? extends Callable<Integer>> command() {
    return command;
  }
}
