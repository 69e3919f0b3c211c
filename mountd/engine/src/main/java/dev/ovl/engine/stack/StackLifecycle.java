package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Optional;

/** Mounts and unmounts stacks. Its caller holds the stack's lock. */
final class StackLifecycle {
  private final Syscalls sys;
  private final Files files;
  private final UnionKinds kinds;
  private final StackMounts mounts;
  private final StackUsers users;
  private final MountRecords records;

  StackLifecycle(
      Syscalls sys, UnionKinds kinds, StackMounts mounts, StackUsers users, MountRecords records) {
    this.sys = sys;
    this.files = new Files(sys);
    this.kinds = kinds;
    this.mounts = mounts;
    this.users = users;
    this.records = records;
  }

  // ---- up -----------------------------------------------------------------------------------

  /** Mounts the stack unless it is mounted. Returns the target. */
  OsPath up(StackDefinition stack, boolean acceptVolatile) throws EngineException, ErrnoException {
    Sighting sighting = mounts.look(stack);
    StackState state = sighting.state();
    switch (state) {
      case StackState.Up up -> {
        return mounts.target(stack);
      }
      case StackState.Covered covered ->
          throw EngineException.failed("is mounted but " + state.remark().orElseThrow());
      case StackState.Moved moved ->
          throw EngineException.failed("is mounted but " + state.remark().orElseThrow());
      case StackState.Down down -> mount(sighting, acceptVolatile);
    }
    return mounts.target(stack);
  }

  private void mount(Sighting sighting, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    StackDefinition stack = sighting.stack();
    users.refuseUsedUpper(sighting);
    UnionKind kind = kinds.of(stack);
    OsPath target = mounts.target(stack);
    if (stack.target().isPresent()) {
      checkTarget(kind, sighting);
    }
    kind.refuseUnmountable(stack);
    boolean madeTarget = stack.target().isEmpty() && files.mkdir(target, 0700);
    try {
      kind.mount(stack, acceptVolatile);
      MountEntry made = mounts.made(stack);
      records.write(stack.name(), MountRecords.Made.of(made));
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      takeBack(stack, madeTarget, failure);
      throw failure;
    }
  }

  /**
   * Makes the mount, attached nowhere; it ends with the descriptor, and then {@link #ended} is due.
   *
   * @return empty where the stack must be up to be used: see {@link UnionKind#mountDetached}
   */
  Optional<Fd> mountDetached(Sighting sighting, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    StackDefinition stack = sighting.stack();
    users.refuseUsedUpper(sighting);
    kinds.of(stack).refuseUnmountable(stack);
    return kinds.of(stack).mountDetached(stack, acceptVolatile);
  }

  /** Clears up in the upper after a mount that was attached nowhere. */
  void ended(StackDefinition stack) throws ErrnoException {
    kinds.of(stack).ended(stack);
  }

  /** What is done with a mount that is attached nowhere. */
  interface Attaching {
    void attach(Fd tree) throws EngineException, ErrnoException;
  }

  /**
   * Mounts the stack where this namespace does not see it. After a failure it is not mounted.
   *
   * @param attaching attaches it somewhere
   * @throws EngineException its union must be up here to be shown elsewhere
   */
  void mountElsewhere(Sighting sighting, boolean acceptVolatile, Attaching attaching)
      throws EngineException, ErrnoException {
    StackDefinition stack = sighting.stack();
    Optional<Fd> detached = mountDetached(sighting, acceptVolatile);
    if (detached.isEmpty()) {
      throw EngineException.failed(
          "a stack of " + stack.driver() + " must be up before it can be attached elsewhere",
          Errno.EOPNOTSUPP);
    }
    try (Fd tree = detached.get()) {
      records.write(stack.name(), made(tree));
      attaching.attach(tree);
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      // the descriptor is closed, and the mount has ended with it unless it is attached all the
      // same
      try {
        Optional<MountRecords.Made> made = records.find(stack.name());
        if (made.isEmpty() || !users.isAlive(stack, made.get())) {
          settle(stack, true);
        }
      } catch (ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  private MountRecords.Made made(Fd tree) throws ErrnoException {
    Statx root = sys.statx(tree.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, mounts.idMask());
    return new MountRecords.Made(
        root.mountId(), new MountEntry.Device(root.devMajor(), root.devMinor()));
  }

  /** Unmounts what was made before the failure, and removes the directory made for it. */
  private void takeBack(StackDefinition stack, boolean madeTarget, Exception failure) {
    try {
      Optional<MountEntry> made = mounts.onTop(stack);
      if (made.isPresent()) {
        sys.umount2(made.get().point(), Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
      }
      if (madeTarget) {
        files.rmdir(mounts.target(stack));
      }
    } catch (ErrnoException second) {
      failure.addSuppressed(second);
    }
  }

  /**
   * Refuses a target that is no directory, before the kernel has made a superblock for it, and one
   * where something is mounted already, unless that is what the stack lies over: a lower may be
   * mounted on the very directory.
   */
  private void checkTarget(UnionKind kind, Sighting sighting)
      throws EngineException, ErrnoException {
    OsPath target = mounts.target(sighting.stack());
    Optional<MountEntry> onTarget = sighting.onTarget();
    Optional<Statx> stat = files.stat(target);
    if (stat.filter(Statx::isDirectory).isEmpty()) {
      kind.checkTarget(target);
    }
    if (onTarget.isEmpty()) {
      return;
    }
    for (StackDefinition.Lower lower : sighting.stack().lowers()) {
      Optional<Statx> theirs = files.stat(lower.path());
      if (theirs.filter(l -> stat.filter(l::sameFile).isPresent()).isPresent()) {
        return;
      }
    }
    throw EngineException.failed(
        "target is busy: "
            + onTarget.get().source().quoted()
            + " ("
            + onTarget.get().type()
            + ") is mounted on "
            + target.quoted(),
        Errno.EBUSY);
  }

  // ---- down ---------------------------------------------------------------------------------

  /**
   * Unmounts the stack if it is mounted.
   *
   * @param lazy detach it although it is in use: it ends when its users do
   */
  void down(StackDefinition stack, boolean lazy) throws EngineException, ErrnoException {
    Sighting sighting = mounts.look(stack);
    StackState state = sighting.state();
    switch (state) {
      case StackState.Covered covered ->
          throw EngineException.failed(
              "is " + state.remark().orElseThrow() + ": unmount that first", Errno.EBUSY);
      case StackState.Up up -> end(stack, up.mount(), lazy);
      case StackState.Moved moved -> {
        if (!moved.mount().point().isAbsolute()) {
          throw EngineException.failed(
              "was " + state.remark().orElseThrow() + " and cannot be unmounted from here");
        }
        end(stack, moved.mount(), lazy);
      }
      case StackState.Down down -> {
        Optional<MountRecords.Made> earlier = sighting.record();
        if (earlier.isEmpty() || !users.isAlive(stack, earlier.get())) {
          settle(stack, earlier.isPresent());
        }
      }
    }
  }

  /** Removes what is known of the stack's mount. */
  void forget(StackDefinition stack) throws ErrnoException {
    records.forget(stack.name());
    kinds.of(stack).forget(stack.name());
  }

  private void end(StackDefinition stack, MountEntry mount, boolean lazy)
      throws EngineException, ErrnoException {
    if (!lazy) {
      users.refuseCopies(mount);
    }
    kinds.of(stack).unmount(mount, Linux.UMOUNT_NOFOLLOW | (lazy ? Linux.MNT_DETACH : 0));
    if (!users.outlives(stack, MountRecords.Made.of(mount))) {
      settle(stack, true);
    }
  }

  /**
   * Clears up after a mount that has ended: what it left in the upper, the driver's mount point,
   * the record. What is still alive somewhere keeps them: the next up must know, and removing a
   * directory detaches what is mounted on it in other namespaces.
   *
   * @param wasMounted whether there was a mount
   */
  private void settle(StackDefinition stack, boolean wasMounted) throws ErrnoException {
    if (wasMounted) {
      kinds.of(stack).ended(stack);
    }
    if (stack.target().isEmpty()) {
      files.rmdir(mounts.target(stack));
    }
    records.delete(stack.name());
  }
}
