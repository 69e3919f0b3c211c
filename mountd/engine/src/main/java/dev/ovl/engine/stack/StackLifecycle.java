package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountFailure;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayCensus.Found;
import dev.ovl.engine.mount.OverlayChecks;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.mount.VolatileMarker;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;

/** Mounts and unmounts stacks. Its caller holds the stack's lock. */
final class StackLifecycle {
  private final Syscalls sys;
  private final Files files;
  private final Overlay2Home home;
  private final MountTable table;
  private final StackMounts mounts;
  private final MountRecords records;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;
  private final MountHolders holders;

  StackLifecycle(
      Syscalls sys,
      Overlay2Home home,
      MountTable table,
      StackMounts mounts,
      MountRecords records,
      OverlayMounter mounter,
      MountHolders holders) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.table = table;
    this.mounts = mounts;
    this.records = records;
    this.mounter = mounter;
    this.checks = new OverlayChecks(sys);
    this.holders = holders;
  }

  // ---- up -----------------------------------------------------------------------------------

  /** Mounts the stack unless it is mounted. Returns the target. */
  OsPath up(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    OverlayCensus.Snapshot overlays = mounts.overlays();
    StackState state = mounts.state(stack, overlays);
    switch (state) {
      case StackState.Up up -> {
        return mounts.target(stack);
      }
      case StackState.Covered covered ->
          throw EngineException.failed("is mounted but " + state.remark().orElseThrow());
      case StackState.Moved moved ->
          throw EngineException.failed("is mounted but " + state.remark().orElseThrow());
      case StackState.Down down -> mount(stack, acceptVolatile, overlays);
    }
    return mounts.target(stack);
  }

  private void mount(
      StackDefinition stack, boolean acceptVolatile, OverlayCensus.Snapshot overlays)
      throws EngineException, ErrnoException {
    mounts.refuseUsedUpper(stack, records.find(stack.name()), overlays);
    OverlayMount mount = mounts.mount(stack);
    refuseBusyTarget(mount);
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
    OsPath target = mounts.target(stack);
    try {
      if (mounts.isMade(stack)) {
        sys.umount2(target, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
      }
      if (madeTarget) {
        files.rmdir(target);
      }
    } catch (ErrnoException second) {
      failure.addSuppressed(second);
    }
  }

  private EngineException explain(OverlayMount mount, MountFailure failure)
      throws ErrnoException {
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
   * Refuses a target where something is mounted already, unless that is what the stack lies over: a lower
   * may be mounted on the very directory.
   */
  private void refuseBusyTarget(OverlayMount mount)
      throws EngineException, ErrnoException {
    Optional<MountEntry> there = table.at(mount.target());
    if (there.isEmpty()) {
      return;
    }
    Optional<Statx> target = files.stat(mount.target());
    for (OsPath lower : mount.lowers()) {
      if (files.stat(lower).filter(l -> target.filter(l::sameFile).isPresent()).isPresent()) {
        return;
      }
    }
    throw EngineException.failed(
        "target is busy: "
            + there.get().source().quoted()
            + " ("
            + there.get().type()
            + ") is mounted on "
            + mount.target().quoted(),
        Errno.EBUSY);
  }

  private void restoreLinks(StackDefinition stack) throws ErrnoException {
    ShortLinks links = home.links();
    for (StackDefinition.Lower lower : stack.lowers()) {
      links.restore(lower.link(), lower.path());
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
    StackState state = mounts.state(stack);
    switch (state) {
      case StackState.Covered covered ->
          throw EngineException.failed(
              "is " + state.remark().orElseThrow() + ": unmount that first", Errno.EBUSY);
      case StackState.Up up -> {
        refuseCopies(up.mount(), lazy);
        unmount(up.mount(), mounts.target(stack), lazy);
        settle(stack, Optional.of(MountRecords.Made.of(up.mount())));
      }
      case StackState.Moved moved -> {
        if (!moved.mount().point().isAbsolute()) {
          throw EngineException.failed(
              "was " + state.remark().orElseThrow() + " and cannot be unmounted from here");
        }
        refuseCopies(moved.mount(), lazy);
        unmount(moved.mount(), moved.mount().point(), lazy);
        settle(stack, Optional.of(MountRecords.Made.of(moved.mount())));
      }
      case StackState.Down down -> settle(stack, records.find(stack.name()));
    }
  }

  /**
   * Refuses while a mount of the stack lives anywhere, though it is not mounted here: deleting its upper
   * would pull the ground from under it.
   */
  void refuseAlive(StackDefinition stack) throws EngineException, ErrnoException {
    mounts.refuseUsedUpper(stack, records.find(stack.name()), mounts.overlays());
  }

  /** Removes what is known of the stack's mount. */
  void forget(StackDefinition stack) throws ErrnoException {
    records.forget(stack.name());
  }

  private void refuseCopies(MountEntry mount, boolean lazy)
      throws EngineException, ErrnoException {
    if (lazy) {
      return;
    }
    List<Found> copies = mounts.copies(mount);
    if (!copies.isEmpty()) {
      throw EngineException.failed(
          "a copy would stay alive and keep upper and work in use: "
              + mounts.describe(copies.get(0))
              + "; end it, or use --lazy to unmount here all the same",
          Errno.EBUSY);
    }
  }

  private void unmount(MountEntry mount, OsPath point, boolean lazy)
      throws EngineException, ErrnoException {
    try {
      sys.umount2(point, Linux.UMOUNT_NOFOLLOW | (lazy ? Linux.MNT_DETACH : 0));
    } catch (ErrnoException e) {
      if (e.is(Errno.EBUSY)) {
        throw holders.explainBusy(mount, e);
      }
      throw e;
    }
  }

  /**
   * Clears up after a mount that has ended: the volatile marker, the driver's mount point, the record. What
   * is still alive somewhere keeps its marker and record, so that the next up knows.
   */
  private void settle(StackDefinition stack, Optional<MountRecords.Made> ended)
      throws ErrnoException {
    boolean alive = ended.isPresent() && mounts.isAlive(stack, ended.get());
    if (!alive && ended.isPresent()) {
      endVolatile(stack);
    }
    if (stack.target().isEmpty()) {
      files.rmdir(mounts.target(stack));
    }
    if (!alive) {
      records.delete(stack.name());
    }
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
