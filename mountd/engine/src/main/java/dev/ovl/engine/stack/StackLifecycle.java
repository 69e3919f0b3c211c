package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountFailure;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.OverlayChecks;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.mount.VolatileMarker;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.Optional;

/** Mounts and unmounts stacks. Its caller holds the stack's lock. */
final class StackLifecycle {
  private final Syscalls sys;
  private final Files files;
  private final Overlay2Home home;
  private final StackMounts mounts;
  private final StackUsers users;
  private final MountRecords records;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;
  private final MountHolders holders;

  StackLifecycle(
      Syscalls sys,
      Overlay2Home home,
      StackMounts mounts,
      StackUsers users,
      MountRecords records,
      OverlayMounter mounter,
      MountHolders holders) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.mounts = mounts;
    this.users = users;
    this.records = records;
    this.mounter = mounter;
    this.checks = new OverlayChecks(sys);
    this.holders = holders;
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
    OverlayMount mount = mounts.mount(stack);
    if (stack.target().isPresent()) {
      checkTarget(mount, sighting.onTarget());
    }
    OverlayMounter.Plan plan = mounter.plan(mount, stack.method());
    if (acceptVolatile && mount.upper().isPresent()) {
      new VolatileMarker(sys, mount.upper().get().work()).remove();
    }
    if (plan.method() == MountMethod.RELATIVE) {
      restoreLinks(stack);
    }
    boolean madeTarget = stack.target().isEmpty() && files.mkdir(mount.target(), 0700);
    try {
      mounter.mount(mount, plan);
      MountEntry made = mounts.made(stack);
      records.write(stack.name(), MountRecords.Made.of(made));
    } catch (MountFailure failure) {
      EngineException explained = explain(mount, failure);
      takeBack(stack, madeTarget, explained);
      throw explained;
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      takeBack(stack, madeTarget, failure);
      throw failure;
    }
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

  private EngineException explain(OverlayMount mount, MountFailure failure) throws ErrnoException {
    if (mount.upper().isPresent()
        && new VolatileMarker(sys, mount.upper().get().work()).isPresent()) {
      return EngineException.failed(
          "its last mount was volatile and not ended by 'down': what was written before the crash may be"
              + " lost or torn in "
              + mount.upper().get().directory().quoted()
              + "; check it, then 'up --accept-volatile'",
          failure.refusal());
    }
    return checks.explain(mount, failure);
  }

  /**
   * Refuses a target that is no directory, before the kernel has made a superblock for it, and one
   * where something is mounted already, unless that is what the stack lies over: a lower may be
   * mounted on the very directory.
   */
  private void checkTarget(OverlayMount mount, Optional<MountEntry> onTarget)
      throws EngineException, ErrnoException {
    Optional<Statx> target = files.stat(mount.target());
    if (target.filter(Statx::isDirectory).isEmpty()) {
      checks.checkTarget(mount.target());
    }
    if (onTarget.isEmpty()) {
      return;
    }
    for (OsPath lower : mount.lowers()) {
      if (files.stat(lower).filter(l -> target.filter(l::sameFile).isPresent()).isPresent()) {
        return;
      }
    }
    throw EngineException.failed(
        "target is busy: "
            + onTarget.get().source().quoted()
            + " ("
            + onTarget.get().type()
            + ") is mounted on "
            + mount.target().quoted(),
        Errno.EBUSY);
  }

  private void restoreLinks(StackDefinition stack) throws ErrnoException {
    ShortLinks links = home.links();
    for (StackDefinition.Lower lower : stack.lowers()) {
      links.restore(lower.link(), lower.layer().map(Overlay2Home::linkTarget).orElse(lower.path()));
    }
    if (stack.layer().isPresent()) {
      StackDefinition.Layer layer = stack.layer().get();
      links.restore(layer.link(), Overlay2Home.linkTarget(layer.id()));
    }
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
    mounts.forget(stack.name());
  }

  private void end(StackDefinition stack, MountEntry mount, boolean lazy)
      throws EngineException, ErrnoException {
    if (!lazy) {
      users.refuseCopies(mount);
    }
    holders.unmount(mount, Linux.UMOUNT_NOFOLLOW | (lazy ? Linux.MNT_DETACH : 0));
    if (!users.outlives(stack, MountRecords.Made.of(mount))) {
      settle(stack, true);
    }
  }

  /**
   * Clears up after a mount that has ended: the volatile marker, the driver's mount point, the
   * record. What is still alive somewhere keeps them: the next up must know, and removing a
   * directory detaches what is mounted on it in other namespaces.
   *
   * @param wasMounted whether there was a mount
   */
  private void settle(StackDefinition stack, boolean wasMounted) throws ErrnoException {
    if (wasMounted) {
      endVolatile(stack);
    }
    if (stack.target().isEmpty()) {
      files.rmdir(mounts.target(stack));
    }
    records.delete(stack.name());
  }

  private void endVolatile(StackDefinition stack) throws ErrnoException {
    Optional<OverlayMount.Upper> upper = mounts.upper(stack);
    if (upper.isEmpty() || !stack.options().isVolatile()) {
      return;
    }
    VolatileMarker marker = new VolatileMarker(sys, upper.get().work());
    if (marker.isPresent()) {
      files.syncFileSystem(upper.get().directory());
      marker.remove();
    }
  }
}
