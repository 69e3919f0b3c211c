package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.run.CommandStart;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.jni.CommandException;
import dev.ovl.jni.RunningCommand;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
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

  StackRuns(Syscalls sys, StackMounts mounts, StackLifecycle lifecycle) {
    this.sys = sys;
    this.mounts = mounts;
    this.lifecycle = lifecycle;
    this.start = new CommandStart(sys);
  }

  /** What is to be done after a command's end. */
  enum After {
    /** The stack was up before. */
    NOTHING,
    /** It was mounted for the command alone. */
    CLEAR,
    /** It was brought up for the command. */
    DOWN
  }

  /** A command, and the stack that it runs in. */
  record Run(RunningCommand command, StackDefinition stack, After after) {}

  /**
   * Starts a command. Its caller holds the stack's lock, and may give it up then.
   *
   * @throws EngineException the stack cannot be mounted; what the request names is not there
   * @throws CommandException the command does not run
   */
  Run start(
      StackDefinition stack, RunRequest request, boolean acceptVolatile, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    Sighting sighting = mounts.look(stack);
    Optional<MountEntry> mounted = sighting.state().mounted();
    if (mounted.isPresent()) {
      return new Run(start(mounted.get().point(), request, notes), stack, After.NOTHING);
    }
    Optional<Fd> detached = lifecycle.mountDetached(sighting, acceptVolatile);
    boolean started = false;
    try {
      RunningCommand command =
          detached.isPresent()
              ? start.start(detached.get(), request, notes)
              : start(lifecycle.up(stack, acceptVolatile), request, notes);
      started = true;
      return new Run(command, stack, detached.isPresent() ? After.CLEAR : After.DOWN);
    } finally {
      detached.ifPresent(Fd::close);
      if (!started) {
        end(stack, detached.isPresent() ? After.CLEAR : After.DOWN);
      }
    }
  }

  private RunningCommand start(OsPath point, RunRequest request, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    int flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC | Linux.AT_RECURSIVE;
    try (Fd copy = new Fd(sys, sys.open_tree(Linux.AT_FDCWD, point, flags))) {
      return start.start(copy, request, notes);
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
