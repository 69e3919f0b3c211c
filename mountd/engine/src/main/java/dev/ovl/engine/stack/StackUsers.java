package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountHolders.Holder;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayCensus.Directories;
import dev.ovl.engine.mount.OverlayCensus.Overlay;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Processes;
import dev.ovl.engine.mount.UpperInUse;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Who else has a hand on a stack's mount or upper: copies of the mount, other overlays on the same
 * upper, and detached mounts that open files keep alive. Asks only; changes nothing.
 */
final class StackUsers {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Each answer leaves a line in the kernel's log. */
  private static final long UNSEEN_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final int NAMED_PROCESSES = 3;

  private final Syscalls sys;
  private final Files files;
  private final StackMounts mounts;
  private final UnionKinds kinds;
  private final MountTable table;
  private final OverlayCensus census;
  private final Processes processes;
  private final MountHolders holders;
  private final Lookout lookout;

  StackUsers(
      Syscalls sys,
      StackMounts mounts,
      UnionKinds kinds,
      MountTable table,
      OverlayCensus census,
      Processes processes,
      MountHolders holders,
      Lookout lookout) {
    this.sys = sys;
    this.files = new Files(sys);
    this.mounts = mounts;
    this.kinds = kinds;
    this.table = table;
    this.census = census;
    this.processes = processes;
    this.holders = holders;
    this.lookout = lookout;
  }

  /**
   * Refuses to unmount while that would leave copies of the mount alive: in other mount namespaces,
   * or bound elsewhere in this one.
   */
  void refuseCopies(MountEntry mount) throws EngineException, ErrnoException {
    List<Overlay> copies = lasting(census.snapshot(), overlays -> copies(mount, overlays));
    if (!copies.isEmpty()) {
      throw EngineException.failed(
          "a copy would stay alive and keep upper and work in use: "
              + describe(copies.get(0))
              + "; end it, or use --lazy to unmount here all the same",
          Errno.EBUSY);
    }
  }

  private List<Overlay> copies(MountEntry mount, OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    List<Overlay> copies = new ArrayList<>();
    for (Overlay overlay :
        overlays.find(
            o ->
                o.mount().device().equals(mount.device())
                    && o.mount().source().equals(mount.source())
                    && !(o.isHere() && o.mount().id() == mount.id()))) {
      if (!goesWith(overlay, mount)) {
        copies.add(overlay);
      }
    }
    return copies;
  }

  /** Where else the stack is mounted than here, so that it stays when it is unmounted here. */
  List<Elsewhere> elsewhere(Sighting sighting) throws ErrnoException {
    Optional<MountEntry> here = sighting.state().mounted();
    List<Overlay> found =
        here.isPresent()
            ? copies(here.get(), sighting.overlays())
            : sighting.overlays().find(mounts.mountsOf(sighting.stack(), sighting.record()));
    List<Elsewhere> places = new ArrayList<>();
    for (Overlay overlay : found) {
      if (!overlay.isHere()) {
        OsPath point = overlay.now().orElse(overlay.mount()).point();
        places.add(
            new Elsewhere(overlay.namespace(), point, inhabitants(overlay).stream().findFirst()));
      }
    }
    return places;
  }

  private List<Integer> inhabitants(Overlay overlay) throws ErrnoException {
    return processes.byMountNamespace().getOrDefault(overlay.namespace(), List.of()).stream()
        .limit(NAMED_PROCESSES)
        .toList();
  }

  /**
   * Whether unmounting a mount unmounts its copy: unmounts travel between the mounts that the two
   * are mounted on, to the same place, whatever the propagation of the two themselves
   * (propagate_umount in the kernel's fs/pnode.c). A slave's slave is taken for one that stays.
   */
  private boolean goesWith(Overlay copy, MountEntry mount) throws ErrnoException {
    Optional<MountEntry> ours = table.byId(mount.parent());
    Optional<MountEntry> theirs = copy.parent();
    return ours.isPresent()
        && theirs.isPresent()
        && theirs.get().follows(ours.get())
        && mount.placeIn(ours.get()).equals(copy.mount().placeIn(theirs.get()));
  }

  /**
   * Refuses when another mount, or what is left of an earlier one of this stack, has its upper or
   * work in use: two mounts on one upper are undefined behaviour, and the kernel only warns.
   */
  void refuseUsedUpper(Sighting sighting) throws EngineException, ErrnoException {
    StackDefinition stack = sighting.stack();
    List<Upper.Given> written = mounts.written(stack);
    if (written.isEmpty()) {
      return;
    }
    refuseRemains(sighting);
    refuseUsed(sighting, written);
  }

  /**
   * Refuses when another mount writes to one of these directories, of which each may be an upper.
   */
  void refuseUsed(Sighting sighting, List<Upper.Given> written)
      throws EngineException, ErrnoException {
    kinds.of(sighting.stack()).refuseUsed(written.stream().map(Upper.Given::directory).toList());
    if (sighting.overlays().hasAny()) {
      refuseSeen(sighting, written);
    }
    if (StackContent.books(sighting.stack()) == View.Books.USER) {
      refuseUnseen(written);
    }
  }

  private void refuseSeen(Sighting sighting, List<Upper.Given> written)
      throws EngineException, ErrnoException {
    for (Upper.Given upper : written) {
      Directories ours = census.directories(overlayUpper(upper));
      List<Overlay> users = lasting(sighting.overlays(), seen -> seen.usersOf(ours));
      if (!users.isEmpty()) {
        throw EngineException.failed(
            "upper or work is in use by another overlay: " + describe(users.get(0)), Errno.EBUSY);
      }
    }
  }

  /**
   * A user sees no mounts of other user namespaces, their own ones included; but the kernel tells
   * that a directory is the upper of one.
   */
  private void refuseUnseen(List<Upper.Given> written) throws EngineException, ErrnoException {
    for (Upper.Given upper : written) {
      long deadline = System.nanoTime() + PATIENCE_NANOS;
      // that of a command which has just ended is about to go
      while (new UpperInUse(sys).test(upper.directory())) {
        if (System.nanoTime() > deadline) {
          throw EngineException.failed(
              "its upper is in use by an overlay of a user namespace that cannot be looked into",
              Errno.EBUSY);
        }
        LockSupport.parkNanos(UNSEEN_POLL_NANOS);
      }
    }
  }

  private static OverlayMount.Upper overlayUpper(Upper.Given upper) {
    return new OverlayMount.Upper(upper.directory(), upper.work().orElse(upper.directory()));
  }

  /**
   * Refuses when any overlay has a stack's upper as a lower, or its topmost lower as either.
   *
   * @param lower the stack's topmost lower
   */
  void refuseUsedLower(Sighting sighting, OsPath lower) throws EngineException, ErrnoException {
    OsPath upper = mounts.upper(sighting.stack()).orElseThrow().directory();
    kinds.of(sighting.stack()).refuseShown(List.of(lower, upper));
    if (!sighting.overlays().hasAny()) {
      return;
    }
    Directories writable = census.directories(new OverlayMount.Upper(lower, lower));
    Directories readable = census.directories(new OverlayMount.Upper(upper, lower));
    List<Overlay> users =
        lasting(
            sighting.overlays(),
            seen -> {
              List<Overlay> writers = seen.usersOf(writable);
              return writers.isEmpty() ? seen.readersOf(readable) : writers;
            });
    if (!users.isEmpty()) {
      throw EngineException.failed(
          "upper or lower is in use by another overlay: " + describe(users.get(0)), Errno.EBUSY);
    }
  }

  /**
   * Refuses when any overlay has a stack's upper as a lower, and would see it change.
   *
   * @param home what the lowers of ovl's own mounts may be relative to
   */
  void refuseUpperAsLower(Sighting sighting, OsPath home) throws EngineException, ErrnoException {
    Optional<Upper.Given> upper = mounts.upper(sighting.stack());
    if (upper.isEmpty()) {
      return;
    }
    kinds.of(sighting.stack()).refuseShown(List.of(upper.get().directory()));
    if (!sighting.overlays().hasAny()) {
      return;
    }
    Directories ours = census.directories(overlayUpper(upper.get()));
    Optional<OsPath> resolved = files.resolve(upper.get().directory());
    List<Overlay> users =
        lasting(
            sighting.overlays(),
            seen -> {
              List<Overlay> readers = seen.readersOf(ours);
              return readers.isEmpty()
                  ? seen.find(overlay -> hasRelativeLower(overlay, resolved, home))
                  : readers;
            });
    if (!users.isEmpty()) {
      throw EngineException.failed(
          "its upper is a lower of another overlay: " + describe(users.get(0)), Errno.EBUSY);
    }
  }

  private boolean hasRelativeLower(Overlay overlay, Optional<OsPath> resolved, OsPath home)
      throws ErrnoException {
    for (OsPath lower : overlay.lowers()) {
      boolean same = !lower.isAbsolute() && files.resolve(home.resolve(lower)).equals(resolved);
      if (same && resolved.isPresent()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Refuses when any overlay writes to a layer that no stack names, however it was mounted.
   *
   * @param home what the kernel's names for the uppers of ovl's own mounts are relative to
   */
  void refuseUsedLayer(OverlayMount.Upper layer, OsPath home)
      throws EngineException, ErrnoException {
    OsPath upper = layer.directory();
    Optional<OsPath> resolved = files.resolve(upper);
    List<Overlay> seen =
        census
            .snapshot()
            .find(
                overlay -> {
                  Optional<OsPath> theirs = overlay.upper().map(home::resolve);
                  return theirs.isPresent()
                      && (theirs.get().equals(upper) || theirs.equals(resolved));
                });
    if (!seen.isEmpty()) {
      throw EngineException.failed("it is in use: " + describe(seen.get(0)), Errno.EBUSY);
    }
    if (new UpperInUse(sys).test(upper)) {
      throw EngineException.failed("it is the upper of some overlay", Errno.EBUSY);
    }
  }

  /**
   * Refuses to delete a stack whose own upper somebody still uses: that would pull the ground from
   * under them. An upper of the user's is not deleted, so only what is left of the stack's own
   * mounts counts.
   */
  void refuseRemoval(Sighting sighting) throws EngineException, ErrnoException {
    if (sighting.stack().upper() instanceof Upper.OfLayer) {
      refuseUsedUpper(sighting);
    } else {
      refuseRemains(sighting);
    }
  }

  /** Refuses while a mount of this stack is alive that is not its mount here. */
  private void refuseRemains(Sighting sighting) throws EngineException, ErrnoException {
    List<Overlay> copies =
        lasting(
            sighting.overlays(),
            overlays -> overlays.find(mounts.mountsOf(sighting.stack(), sighting.record())));
    if (!copies.isEmpty()) {
      throw EngineException.failed(
          "a copy of its mount is still alive: " + describe(copies.get(0)), Errno.EBUSY);
    }
    Optional<MountRecords.Made> earlier = sighting.record();
    if (earlier.isEmpty() || !isAlive(sighting.stack(), earlier.get())) {
      return;
    }
    List<Holder> users = holders.of(Set.of(earlier.get().mountId()));
    // those seen first may have gone meanwhile
    if (!users.isEmpty() || isAlive(sighting.stack(), earlier.get())) {
      throw EngineException.failed(
          "its earlier mount was detached but is still in use"
              + (users.isEmpty()
                  ? ""
                  : users.stream()
                      .map(Holder::toString)
                      .collect(Collectors.joining(", ", " by ", ""))),
          Errno.EBUSY);
    }
  }

  /**
   * True while a mount that was made for the stack lives anywhere: in any namespace, or detached
   * and kept by open files. Device numbers are given again at once, so that one which is in use
   * proves nothing yet; and whoever has it by now may be a file system that does not answer.
   */
  boolean isAlive(StackDefinition stack, MountRecords.Made made) throws ErrnoException {
    MountEntry.Device device = made.device();
    return lookout.ask(device, () -> hasSuperblock(device)).orElse(true) && isUsed(stack, made);
  }

  /** As {@link #isAlive} for a mount just ended, whose number hardly has another owner yet. */
  boolean outlives(StackDefinition stack, MountRecords.Made ended) throws ErrnoException {
    return hasSuperblock(ended.device()) && isUsed(stack, ended);
  }

  private boolean isUsed(StackDefinition stack, MountRecords.Made made) throws ErrnoException {
    OverlayCensus.Snapshot now = census.snapshot();
    OverlayCensus.Wanted wanted = mounts.mountsOf(stack, Optional.of(made));
    boolean mounted =
        !now.find(overlay -> overlay.mount().device().equals(made.device()) && wanted.test(overlay))
            .isEmpty();
    if (mounted) {
      return true;
    }
    if (now.isMounted(made.device())) {
      // the number is somebody else's by now
      return false;
    }
    List<Holder> users = holders.of(Set.of(made.mountId()));
    if (table.uniqueIds() || users.isEmpty()) {
      return !users.isEmpty();
    }
    // the id may have been given again, too: who sees it mounted uses another mount
    for (Holder user : users) {
      Optional<byte[]> seen = processes.read(user.pid(), "mountinfo");
      String start = made.mountId() + " ";
      if (seen.isPresent()
          && OsPath.decode(seen.get()).lines().noneMatch(line -> line.startsWith(start))) {
        return true;
      }
    }
    return false;
  }

  private boolean hasSuperblock(MountEntry.Device device) throws ErrnoException {
    try {
      return sys.ustat(device.major(), device.minor());
    } catch (ErrnoException e) {
      // absent, or held back by a system call filter, as in containers
      if (e.is(Errno.ENOSYS) || e.is(Errno.EPERM)) {
        return true;
      }
      throw e;
    }
  }

  /** A question to a snapshot. */
  private interface Question {
    List<Overlay> ask(OverlayCensus.Snapshot overlays) throws ErrnoException;
  }

  /**
   * Mounts that stand in the way, and go on standing there: a namespace in which no process shows
   * itself is given a moment to end, since probes and helpers make such.
   */
  private List<Overlay> lasting(OverlayCensus.Snapshot overlays, Question question)
      throws ErrnoException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    List<Overlay> found = question.ask(overlays);
    while (!found.isEmpty() && System.nanoTime() < deadline && !anyInhabited(found)) {
      LockSupport.parkNanos(POLL_NANOS);
      found = question.ask(census.snapshot());
    }
    return found;
  }

  private boolean anyInhabited(List<Overlay> found) throws ErrnoException {
    if (found.stream().anyMatch(Overlay::isHere)) {
      return true;
    }
    Set<Long> inhabited = processes.byMountNamespace().keySet();
    return found.stream().anyMatch(one -> inhabited.contains(one.namespace()));
  }

  /** Names a mount and, where it is in another namespace, processes of that. */
  private String describe(Overlay overlay) throws ErrnoException {
    MountEntry mount = overlay.now().orElse(overlay.mount());
    String place = mount.source().quoted() + " on " + mount.point().quoted();
    if (overlay.isHere()) {
      return place;
    }
    List<String> inhabitants = new ArrayList<>();
    for (int pid : inhabitants(overlay)) {
      inhabitants.add("pid " + pid + " (" + processes.command(pid) + ")");
    }
    return place
        + " in mount namespace mnt:["
        + overlay.namespace()
        + "]"
        + (inhabitants.isEmpty() ? " (no process)" : " of " + String.join(", ", inhabitants));
  }
}
