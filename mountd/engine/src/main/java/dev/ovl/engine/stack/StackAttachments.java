package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.ProcessMounts;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.List;
import java.util.Optional;

/**
 * Attaches stacks in mount namespaces of other processes, and unmounts them there. A stack that is
 * up is shown there as well; one that is down is mounted for that namespace alone, and ends with
 * it. Nothing is written down of where it is: the kernel knows.
 *
 * <p>Its caller holds the stack's lock.
 */
final class StackAttachments {
  private final Syscalls sys;
  private final StackMounts mounts;
  private final StackLifecycle lifecycle;
  private final MountHolders holders;

  StackAttachments(
      Syscalls sys, StackMounts mounts, StackLifecycle lifecycle, MountHolders holders) {
    this.sys = sys;
    this.mounts = mounts;
    this.lifecycle = lifecycle;
    this.holders = holders;
  }

  /**
   * Where a stack is attached in a namespace, if it is.
   *
   * @throws EngineException the namespace is this process's own
   */
  List<MountEntry> find(StackDefinition stack, ProcessMounts there)
      throws EngineException, ErrnoException {
    if (there.isHere()) {
      throw EngineException.failed(there + " is this one, where no --into is needed", Errno.EINVAL);
    }
    return mounts.among(there.all(), stack);
  }

  /**
   * Attaches a stack; that it is attached there already is fine.
   *
   * @param at a directory of the namespace; absent: of the same name as the stack's target
   * @return the directory
   * @throws EngineException there is no such directory, or something is mounted on it; the stack is
   *     attached in this namespace elsewhere; it cannot be mounted
   */
  OsPath attach(
      StackDefinition stack, ProcessMounts there, Optional<OsPath> at, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    List<MountEntry> attached = find(stack, there);
    OsPath path = target(stack, at);
    try (ProcessMounts.Target target = there.target(path)) {
      if (target.isRoot() && attached.contains(target.on())) {
        return path;
      }
      refuseBusy(attached, there, target, path);
      there.refuseShared(target);
      Sighting sighting = mounts.look(stack);
      Optional<MountEntry> up = sighting.state().mounted();
      if (up.isEmpty()) {
        lifecycle.mountElsewhere(sighting, acceptVolatile, tree -> there.attach(tree, target));
      } else {
        try (Fd copy = copy(up.get())) {
          there.attach(copy, target);
        }
      }
    }
    return path;
  }

  /**
   * Where a stack would be attached.
   *
   * @throws EngineException USAGE: it has no target of its own, and none is given
   */
  OsPath target(StackDefinition stack, Optional<OsPath> at) throws EngineException {
    return at.or(stack::target)
        .orElseThrow(
            () ->
                EngineException.usage(
                    "it has no target of its own: '--at DIR' says where in the other namespace"));
  }

  private static void refuseBusy(
      List<MountEntry> attached, ProcessMounts there, ProcessMounts.Target target, OsPath path)
      throws EngineException {
    if (!attached.isEmpty()) {
      throw EngineException.failed(
          "is attached on " + attached.getLast().point().quoted() + " in " + there + " already",
          Errno.EBUSY);
    }
    if (target.isRoot()) {
      throw EngineException.failed(
          "target is busy: "
              + target.on().source().quoted()
              + " ("
              + target.on().type()
              + ") is mounted on "
              + path.quoted()
              + " in "
              + there,
          Errno.EBUSY);
    }
  }

  /** A copy of a mount that is up, without what is mounted in it, attached nowhere. */
  private Fd copy(MountEntry up) throws EngineException, ErrnoException {
    int flags = Linux.OPEN_TREE_CLONE | Linux.OPEN_TREE_CLOEXEC;
    Fd copy = new Fd(sys, sys.open_tree(Linux.AT_FDCWD, up.point(), flags));
    boolean same = false;
    try {
      Statx root = sys.statx(copy.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO);
      same = up.device().equals(new MountEntry.Device(root.devMajor(), root.devMinor()));
      if (!same) {
        throw EngineException.failed(
            "cannot be reached on " + up.point().quoted() + ", where something covers it",
            Errno.EBUSY);
      }
      return copy;
    } finally {
      if (!same) {
        copy.close();
      }
    }
  }

  /**
   * Unmounts a stack where it is attached in a namespace; that it is not is fine. What its mount
   * left is cleared up if this was the last place.
   *
   * @param lazy detach it although it is in use
   * @throws EngineException it is in use
   */
  void detach(StackDefinition stack, ProcessMounts there, boolean lazy)
      throws EngineException, ErrnoException {
    int flags = Linux.UMOUNT_NOFOLLOW | (lazy ? Linux.MNT_DETACH : 0);
    for (MountEntry mount : find(stack, there).reversed()) {
      there.unmount(mount, holders, flags);
    }
    if (mounts.look(stack).state() instanceof StackState.Down) {
      lifecycle.down(stack, false);
    }
  }
}
