package dev.ovl.jni;

import dev.ovl.sys.Errno;
import dev.ovl.sys.OsPath;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A command in new mount and process namespaces, with its own process 1, a child of this process.
 * All that it left behind ends with it, and it ends with this process, however that does: see
 * src/main/c/run/run.h.
 */
public final class ForkedCommand implements RunningCommand {
  /** Of the native structure; 0 when the command has ended. */
  private long address;

  private ForkedCommand(long address) {
    this.address = address;
  }

  /** As {@link CommandRunner#start}. */
  public static ForkedCommand start(CommandPlan plan, Consumer<Problem> notes)
      throws StartException, NativeLibraryException {
    NativeLibrary.load();
    List<CommandPlan.Volume> volumes = plan.volumes();
    int[] trees = new int[volumes.size()];
    boolean[] directories = new boolean[trees.length];
    boolean[] readOnly = new boolean[trees.length];
    for (int i = 0; i < trees.length; i++) {
      trees[i] = volumes.get(i).tree().number();
      directories[i] = volumes.get(i).directory();
      readOnly[i] = volumes.get(i).readOnly();
    }
    Problems problems = new Problems(notes);
    long address =
        start(
            plan.root().number(),
            trees,
            bytes(volumes.stream().map(CommandPlan.Volume::target).toList()),
            directories,
            readOnly,
            plan.directory().bytes(),
            bytes(plan.arguments()),
            bytes(plan.environment()),
            plan.user().uid(),
            plan.user().gid(),
            plan.user().groups().stream().mapToInt(Integer::intValue).toArray(),
            plan.ownNetwork(),
            plan.terminal(),
            problems);
    if (address < 0) {
      throw new StartException((int) -address, problems.failure.orElseThrow());
    }
    return new ForkedCommand(address);
  }

  private static byte[][] bytes(List<OsPath> paths) {
    return paths.stream().map(OsPath::bytes).toArray(byte[][]::new);
  }

  /** What the native side tells. */
  private static final class Problems {
    private final Consumer<Problem> notes;
    private Optional<Problem> failure = Optional.empty();

    Problems(Consumer<Problem> notes) {
      this.notes = notes;
    }

    /** Called by its name, from C. */
    @SuppressWarnings("unused")
    void add(boolean isNote, String what, byte[] about, int errno) {
      Problem problem =
          new Problem(
              what,
              Optional.ofNullable(about).map(OsPath::of),
              errno == 0 ? Optional.empty() : Optional.of(Errno.of(errno)));
      if (isNote) {
        notes.accept(problem);
      } else {
        failure = Optional.of(problem);
      }
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>Signals that this process gets meanwhile are the command's: HUP, INT, QUIT, TERM, USR1, USR2
   * and WINCH. One command of a process may be waited for at a time.
   */
  @Override
  public int await() {
    if (address == 0) {
      throw new IllegalStateException("its end was waited for already");
    }
    long ending = address;
    address = 0;
    return await(ending);
  }

  private static native long start(
      int root,
      int[] trees,
      byte[][] targets,
      boolean[] directories,
      boolean[] readOnly,
      byte[] directory,
      byte[][] arguments,
      byte[][] environment,
      int uid,
      int gid,
      int[] groups,
      boolean ownNetwork,
      boolean terminal,
      Problems problems);

  private static native int await(long address);
}
