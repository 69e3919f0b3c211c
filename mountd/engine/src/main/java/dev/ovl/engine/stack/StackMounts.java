package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountHolders.Holder;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayCensus.Found;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.Processes;
import dev.ovl.engine.mount.UpperUsers;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Upper;
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
 * From a definition to its mount: which one it asks for, which one the kernel has of it, and who else has
 * a hand on its upper. Asks only; changes nothing.
 */
final class StackMounts {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Syscalls sys;
  private final Files files;
  private final OsPath root;
  private final Overlay2Home home;
  private final MountTable table;
  private final OverlayCensus census;
  private final UpperUsers upperUsers;
  private final Processes processes;
  private final MountHolders holders;
  private final MountRecords records;

  StackMounts(
      Syscalls sys,
      OsPath root,
      Overlay2Home home,
      MountTable table,
      OverlayCensus census,
      Processes processes,
      MountHolders holders,
      MountRecords records) {
    this.sys = sys;
    this.files = new Files(sys);
    this.root = root;
    this.home = home;
    this.table = table;
    this.census = census;
    this.upperUsers = new UpperUsers(sys);
    this.processes = processes;
    this.holders = holders;
    this.records = records;
  }

  /** The empty directory that stands in as second lower where there is one lower and no upper. */
  OsPath empty() {
    return root.resolve("empty");
  }

  OsPath target(StackDefinition stack) {
    return stack
        .target()
        .or(() -> stack.layer().map(layer -> home.merged(layer.id())))
        .orElseThrow();
  }

  Optional<OverlayMount.Upper> upper(StackDefinition stack) {
    return switch (stack.upper()) {
      case Upper.None none -> Optional.empty();
      case Upper.OfLayer ofLayer -> {
        String id = stack.layer().orElseThrow().id();
        yield Optional.of(new OverlayMount.Upper(home.diff(id), home.work(id)));
      }
      case Upper.Given given ->
          Optional.of(new OverlayMount.Upper(given.directory(), given.work()));
    };
  }

  /** The mount that the definition asks for. */
  OverlayMount mount(StackDefinition stack) {
    List<OsPath> lowers = new ArrayList<>();
    List<OsPath> names = new ArrayList<>();
    for (Lower lower : stack.lowers()) {
      lowers.add(lower.path());
      names.add(ShortLinks.relative(lower.link()));
    }
    Optional<OverlayMount.Upper> upper = upper(stack);
    if (upper.isEmpty() && lowers.size() == 1) {
      // the kernel wants two; a bind mount instead would show raw whiteouts
      lowers.add(empty());
      names.add(OsPath.of("..").resolve(empty().fileName()));
    }
    var options = stack.options();
    if (options.value("nfs_export").filter("on"::equals).isEmpty()) {
      // with an index, lowers that were copied or moved give ESTALE
      options = options.withDefault("index", "off");
    }
    return new OverlayMount(
        stack.name().mountSource(),
        lowers,
        upper,
        upper.isEmpty() ? options.readOnly() : options,
        target(stack),
        stack.propagation(),
        Optional.of(new OverlayMount.ShortNames(home.directory(), names)));
  }

  // ---- what the kernel has ------------------------------------------------------------------

  /** A look at all overlay mounts, for one operation. */
  OverlayCensus.Snapshot overlays() {
    return census.snapshot();
  }

  /** Where the stack's mount is in this namespace. */
  StackState state(StackDefinition stack) throws ErrnoException {
    return state(stack, overlays());
  }

  /** As {@link #state(StackDefinition)}, by a snapshot that is used further. */
  StackState state(StackDefinition stack, OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    OsPath target = target(stack);
    Optional<MountEntry> top = table.at(target);
    Optional<MountRecords.Made> record = records.find(stack.name());
    if (top.isPresent() && isOf(stack, top.get(), record)) {
      return new StackState.Up(top.get());
    }
    Optional<MountEntry> mount = elsewhere(stack, record, overlays);
    if (mount.isEmpty()) {
      return new StackState.Down();
    }
    boolean onTarget = files.resolve(target).equals(Optional.of(mount.get().point()));
    return onTarget && top.isPresent()
        ? new StackState.Covered(mount.get(), top.get())
        : new StackState.Moved(mount.get());
  }

  private Optional<MountEntry> elsewhere(
      StackDefinition stack,
      Optional<MountRecords.Made> record,
      OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    if (record.isPresent() && table.uniqueIds()) {
      Optional<MountEntry> recorded = table.byId(record.get().mountId());
      if (recorded.isPresent() && hasSource(stack, recorded.get())) {
        return recorded;
      }
    }
    return overlays.find(entry -> isOf(stack, entry, record) || isOnTarget(stack, entry)).stream()
        .filter(Found::here)
        .map(Found::mount)
        .findFirst();
  }

  private boolean isOnTarget(StackDefinition stack, MountEntry mount) throws ErrnoException {
    return hasSource(stack, mount)
        && files.resolve(target(stack)).equals(Optional.of(mount.point()));
  }

  private static boolean hasSource(StackDefinition stack, MountEntry mount) {
    return mount.isOverlay() && mount.source().equals(stack.name().mountSource());
  }

  /**
   * Whether a mount is this stack's, and not that of a stack of the same name under another root: by the
   * record, else by its upper, else (read-only, or an upper shown as a number) by its place.
   */
  private boolean isOf(
      StackDefinition stack, MountEntry mount, Optional<MountRecords.Made> record)
      throws ErrnoException {
    if (!hasSource(stack, mount)) {
      return false;
    }
    if (record.filter(r -> r.device().equals(mount.device())).isPresent()) {
      return true;
    }
    Optional<OsPath> shown = mount.path("upperdir");
    Optional<OverlayMount.Upper> upper = upper(stack);
    if (shown.isPresent() && upper.isPresent() && UpperUsers.isTelling(shown.get())) {
      // resolve leaves an absolute path as it is, and completes one relative to the home
      OsPath path = home.directory().resolve(shown.get());
      return path.equals(upper.get().directory())
          || files.resolve(upper.get().directory()).equals(Optional.of(path));
    }
    return isOnTarget(stack, mount);
  }

  /** The mount just made on the stack's target. */
  MountEntry made(StackDefinition stack) throws EngineException, ErrnoException {
    return onTop(stack)
        .orElseThrow(
            () ->
                EngineException.failed(
                    "the new mount is not on top of " + target(stack).quoted()));
  }

  /** Whether a mount of the stack's is on top of its target. */
  boolean isMade(StackDefinition stack) throws ErrnoException {
    return onTop(stack).isPresent();
  }

  private Optional<MountEntry> onTop(StackDefinition stack) throws ErrnoException {
    return table.at(target(stack)).filter(entry -> hasSource(stack, entry));
  }

  // ---- who else -----------------------------------------------------------------------------

  /**
   * True while a mount that was made for the stack lives anywhere: in any namespace, or detached and kept by
   * open files. Device numbers are given again at once, so that one which is in use proves nothing yet.
   */
  boolean isAlive(StackDefinition stack, MountRecords.Made made) throws ErrnoException {
    if (!hasSuperblock(made.device())) {
      return false;
    }
    if (!overlays()
        .find(entry -> entry.device().equals(made.device()) && hasSource(stack, entry))
        .isEmpty()) {
      return true;
    }
    return table.uniqueIds()
        ? !holders.of(Set.of(made.mountId())).isEmpty()
        : table.all().stream().noneMatch(entry -> entry.device().equals(made.device()));
  }

  private boolean hasSuperblock(MountEntry.Device device) throws ErrnoException {
    try {
      return sys.ustat(device.major(), device.minor());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOSYS)) {
        return true;
      }
      throw e;
    }
  }

  /** Copies in other mount namespaces that unmounting this mount would leave there. */
  List<Found> copies(MountEntry mount) throws ErrnoException {
    return lasting(
        overlays(),
        overlays ->
            overlays
                .find(
                    entry ->
                        entry.device().equals(mount.device())
                            && entry.source().equals(mount.source()))
                .stream()
                .filter(found -> !found.here() && !found.mount().follows(mount))
                .toList());
  }

  /** A question to a snapshot. */
  private interface Question {
    List<Found> ask(OverlayCensus.Snapshot overlays) throws ErrnoException;
  }

  /**
   * Mounts that stand in the way, and go on standing there: a namespace in which no process shows itself is
   * given a moment to end, since probes and helpers make such.
   */
  private List<Found> lasting(OverlayCensus.Snapshot overlays, Question question)
      throws ErrnoException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    List<Found> found = question.ask(overlays);
    while (!found.isEmpty() && System.nanoTime() < deadline && !anyInhabited(found)) {
      LockSupport.parkNanos(POLL_NANOS);
      found = question.ask(overlays());
    }
    return found;
  }

  private boolean anyInhabited(List<Found> found) throws ErrnoException {
    Set<Long> inhabited = processes.byMountNamespace().keySet();
    return found.stream().anyMatch(one -> inhabited.contains(one.namespace()));
  }

  /**
   * Refuses when another mount, or what is left of an earlier one of this stack, has its upper or work in
   * use: two mounts on one upper are undefined behaviour, and the kernel only warns.
   */
  void refuseUsedUpper(
      StackDefinition stack,
      Optional<MountRecords.Made> record,
      OverlayCensus.Snapshot overlays)
      throws EngineException, ErrnoException {
    Optional<OverlayMount.Upper> upper = upper(stack);
    if (upper.isEmpty()) {
      return;
    }
    List<Found> users =
        lasting(overlays, seen -> users(stack, upper.get(), record, seen));
    if (!users.isEmpty()) {
      Found user = users.get(0);
      throw EngineException.failed(
          (user.mount().source().equals(stack.name().mountSource())
                  ? "a copy of its mount is still alive: "
                  : "upper or work is in use by another overlay: ")
              + describe(user),
          Errno.EBUSY);
    }
    if (record.isPresent() && isAlive(stack, record.get())) {
      throw EngineException.failed(
          "its earlier mount was detached but is still in use"
              + holders.of(Set.of(record.get().mountId())).stream()
                  .map(Holder::toString)
                  .collect(Collectors.joining(", ", " by ", "")),
          Errno.EBUSY);
    }
  }

  private List<Found> users(
      StackDefinition stack,
      OverlayMount.Upper upper,
      Optional<MountRecords.Made> record,
      OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    List<Found> copies = overlays.find(entry -> isOf(stack, entry, record));
    return copies.isEmpty() ? upperUsers.of(upper, overlays) : copies;
  }

  /** Names a mount elsewhere and the processes of its namespace. */
  String describe(Found found) throws ErrnoException {
    String place =
        found.mount().source().quoted() + " on " + found.mount().point().quoted();
    if (found.here()) {
      return place;
    }
    String holders =
        processes.byMountNamespace().getOrDefault(found.namespace(), List.of()).stream()
            .limit(3)
            .map(pid -> "pid " + pid + commandOf(pid))
            .collect(Collectors.joining(", "));
    return place
        + " in mount namespace mnt:["
        + found.namespace()
        + "]"
        + (holders.isEmpty() ? " (no process)" : " of " + holders);
  }

  private String commandOf(int pid) {
    try {
      return " (" + OsPath.quoted(processes.command(pid)) + ")";
    } catch (ErrnoException e) {
      // the name only adorns a message that is already worth telling
      return "";
    }
  }
}
