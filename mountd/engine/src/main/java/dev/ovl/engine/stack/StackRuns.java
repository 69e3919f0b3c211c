package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.run.CommandException;
import dev.ovl.engine.run.CommandStart;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.jni.CommandRunner;
import dev.ovl.jni.RunningCommand;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.MountAttr;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Starts commands in stacks. A stack that is up is shared with its command; one that is down is
 * mounted for the command alone, where nobody else sees it, so that nothing is left of the mount
 * however this process ends.
 */
final class StackRuns {
  private final Syscalls sys;
  private final StackMounts mounts;
  private final StackLifecycle lifecycle;
  private final CommandStart start;

  StackRuns(Syscalls sys, StackMounts mounts, StackLifecycle lifecycle, CommandRunner runner) {
    this.sys = sys;
    this.mounts = mounts;
    this.lifecycle = lifecycle;
    this.start = new CommandStart(sys, runner);
  }

  /** What is to be done with a stack after a command's end. */
  enum After {
    /** It was up before. */
    NOTHING,
    /** It was mounted for the command alone. */
    CLEAR,
    /** It was brought up for the command. */
    DOWN
  }

  /**
   * A stack's part in a command's tree.
   *
   * @param target where it is there
   */
  record Part(OsPath target, StackDefinition stack) {}

  /** A command, and what is to be done with the stacks that it runs in. */
  record Run(RunningCommand command, Map<StackName, After> after) {}

  /** A stack, mounted for a command. */
  private record Mounted(StackDefinition stack, Fd tree, After after) {}

  /**
   * Starts a command. Its caller holds the locks of the stacks, and may give them up then.
   *
   * @param parts outer ones first; where none of them is the root directory, that is the host's,
   *     read-only
   * @throws EngineException a stack cannot be mounted; what the request names is not there
   * @throws CommandException the command does not run
   */
  Run start(List<Part> parts, RunRequest request, boolean acceptVolatile, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    List<Mounted> mounted = new ArrayList<>();
    boolean started = false;
    try {
      Map<OsPath, Fd> trees = new LinkedHashMap<>();
      for (Part part : parts) {
        mounted.add(mount(part.stack(), acceptVolatile));
        trees.put(part.target(), mounted.getLast().tree());
      }
      RunningCommand command = start(trees, request, notes);
      started = true;
      Map<StackName, After> after = new LinkedHashMap<>();
      mounted.forEach(one -> after.put(one.stack().name(), one.after()));
      return new Run(command, after);
    } finally {
      mounted.forEach(one -> one.tree().close());
      if (!started) {
        for (Mounted one : mounted) {
          end(one.stack(), one.after());
        }
      }
    }
  }

  private RunningCommand start(Map<OsPath, Fd> trees, RunRequest request, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    Map<OsPath, Fd> inside = new LinkedHashMap<>(trees);
    Fd root = inside.remove(OsPath.ROOT);
    if (root != null) {
      return start.start(root, inside, request, notes);
    }
    try (Fd host = start.copy(OsPath.ROOT)) {
      int flags = Linux.AT_EMPTY_PATH | Linux.AT_RECURSIVE;
      MountAttr readOnly = new MountAttr(Linux.MOUNT_ATTR_RDONLY, 0, 0, 0);
      sys.mount_setattr(host.number(), OsPath.EMPTY, flags, readOnly);
      return start.start(host, inside, request, notes);
    }
  }

  private Mounted mount(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    Sighting sighting = mounts.look(stack);
    Optional<MountEntry> up = sighting.state().mounted();
    if (up.isPresent()) {
      return new Mounted(stack, start.copy(up.get().point()), After.NOTHING);
    }
    Optional<Fd> detached = lifecycle.mountDetached(sighting, acceptVolatile);
    return detached.isPresent()
        ? new Mounted(stack, detached.get(), After.CLEAR)
        : new Mounted(stack, broughtUp(stack, acceptVolatile), After.DOWN);
  }

  private Fd broughtUp(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    OsPath point = lifecycle.up(stack, acceptVolatile);
    try {
      return start.copy(point);
    } catch (ErrnoException failure) {
      end(stack, After.DOWN);
      throw failure;
    }
  }

  /** Does what is due after a command's end. Its caller holds the stack's lock. */
  void end(StackDefinition stack, After after) throws EngineException, ErrnoException {
    switch (after) {
      case NOTHING -> {}
      case CLEAR -> lifecycle.ended(stack);
      case DOWN -> lifecycle.down(stack, false);
    }
  }
}
