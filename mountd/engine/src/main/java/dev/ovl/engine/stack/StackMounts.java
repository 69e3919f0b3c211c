package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsTable;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayCensus.Overlay;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * From a definition to its mount: which one it asks for, and which one the kernel has of it. Asks
 * only; changes nothing.
 */
final class StackMounts {
  private final Files files;
  private final LayerHomes homes;
  private final MountTable table;
  private final AufsTable aufs;
  private final OverlayCensus census;
  private final MountRecords records;
  private final Lookout lookout;

  StackMounts(
      Syscalls sys,
      LayerHomes homes,
      MountTable table,
      AufsTable aufs,
      OverlayCensus census,
      MountRecords records,
      Lookout lookout) {
    this.files = new Files(sys);
    this.homes = homes;
    this.table = table;
    this.aufs = aufs;
    this.census = census;
    this.records = records;
    this.lookout = lookout;
  }

  OsPath target(StackDefinition stack) {
    return stack
        .target()
        .or(() -> stack.layer().map(layer -> homes.of(stack).mountPoint(layer.id())))
        .orElseThrow();
  }

  /** Where changes go, with what of its own layer that is. */
  Optional<Upper.Given> upper(StackDefinition stack) {
    return switch (stack.upper()) {
      case Upper.None none -> Optional.empty();
      case Upper.OfLayer ofLayer -> {
        LayerId id = stack.layer().orElseThrow().id();
        LayerHome home = homes.of(stack);
        yield Optional.of(new Upper.Given(home.diff(id), home.work(id)));
      }
      case Upper.Given given -> Optional.of(given);
    };
  }

  /** All that the stack writes to: its upper, and on aufs lowers that can be written to. */
  List<Upper.Given> written(StackDefinition stack) {
    List<Upper.Given> written = new ArrayList<>();
    upper(stack).ifPresent(written::add);
    for (StackDefinition.Lower lower : stack.plain()) {
      if (lower.isWritable()) {
        written.add(new Upper.Given(lower.path(), Optional.empty()));
      }
    }
    return written;
  }

  // ---- what the kernel has ------------------------------------------------------------------

  /**
   * A stack as one operation sees it.
   *
   * @param record of the mount that was last made for it
   * @param onTarget what is mounted on its target, whatever that is
   * @param overlays all overlay mounts, looked up when first asked for
   */
  record Sighting(
      StackDefinition stack,
      Optional<MountRecords.Made> record,
      Optional<MountEntry> onTarget,
      OverlayCensus.Snapshot overlays,
      StackState state) {}

  /** Where the stack's mount is in this namespace. */
  Sighting look(StackDefinition stack) throws ErrnoException {
    return look(stack, census.snapshot());
  }

  private Sighting look(StackDefinition stack, OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    Optional<MountEntry> top = table.at(target(stack));
    Optional<MountRecords.Made> record = records.find(stack.name());
    return new Sighting(stack, record, top, overlays, state(stack, top, record, overlays));
  }

  /** A look at all overlays at once, to tell the states of many stacks. For one thread. */
  final class Survey {
    private final OverlayCensus.Snapshot overlays = census.snapshot();
    private final Set<OsPath> sources = new HashSet<>();

    private Survey() throws ErrnoException {
      overlays.find(Overlay::isHere).forEach(overlay -> sources.add(overlay.mount().source()));
    }

    /**
     * The stack's state; empty when it cannot be told, since it lies on a file system that does not
     * answer.
     */
    Optional<StackState> state(StackDefinition stack) throws ErrnoException {
      if (!sources.contains(stack.name().mountSource())) {
        return Optional.of(new StackState.Down());
      }
      Optional<StackState> asRecorded = asRecorded(stack);
      return asRecorded.isPresent()
          ? asRecorded
          : lookout.ask(stack, () -> look(stack, overlays).state());
    }

    /** Up, where the mount that was made for it is on its target. */
    private Optional<StackState> asRecorded(StackDefinition stack) throws ErrnoException {
      OsPath target = target(stack);
      Optional<Statx> seen = lookout.look(target, table.idMask()).found();
      Optional<MountEntry> top = seen.isPresent() ? table.at(target, seen.get()) : Optional.empty();
      Optional<MountRecords.Made> record = records.find(stack.name());
      return top.isPresent() && hasSource(stack, top.get()) && isRecorded(top.get(), record)
          ? Optional.of(new StackState.Up(top.get()))
          : Optional.empty();
    }
  }

  /** A look at all overlays, for states of many stacks. */
  Survey survey() throws ErrnoException {
    return new Survey();
  }

  private StackState state(
      StackDefinition stack,
      Optional<MountEntry> top,
      Optional<MountRecords.Made> record,
      OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    if (top.isPresent() && isOfHere(stack, top.get(), record, () -> shownUpper(top.get()))) {
      return new StackState.Up(top.get());
    }
    Optional<MountEntry> mount = elsewhere(stack, record, overlays);
    if (mount.isEmpty()) {
      return new StackState.Down();
    }
    return top.isPresent() && isOnTarget(stack, mount.get())
        ? new StackState.Covered(mount.get(), top.get())
        : new StackState.Moved(mount.get());
  }

  private Optional<MountEntry> elsewhere(
      StackDefinition stack, Optional<MountRecords.Made> record, OverlayCensus.Snapshot overlays)
      throws ErrnoException {
    if (record.isPresent() && table.uniqueIds()) {
      Optional<MountEntry> recorded = table.byId(record.get().mountId());
      if (recorded.isPresent()) {
        return recorded;
      }
    }
    // made once, as it is compared with all overlays
    OsPath source = stack.name().mountSource();
    for (Overlay overlay : overlays.find(o -> o.isHere() && o.mount().source().equals(source))) {
      Optional<MountEntry> now = overlay.now();
      if (now.isPresent() && isOfHere(stack, now.get(), record, () -> shownUpper(overlay))) {
        return now;
      }
    }
    return Optional.empty();
  }

  private static boolean hasSource(StackDefinition stack, MountEntry mount) {
    boolean same =
        switch (stack.union()) {
          case Union.Overlay overlay -> mount.isOverlay();
          case Union.Aufs aufs -> AufsTable.isAufs(mount);
        };
    return same && mount.source().equals(stack.name().mountSource());
  }

  /** The upper of a mount in this namespace, as the kernel shows it. */
  private Optional<OsPath> shownUpper(MountEntry mount) throws ErrnoException {
    return AufsTable.isAufs(mount) ? topmostWritten(mount) : table.upper(mount);
  }

  /** The upper of a mount as the kernel shows it; nothing is known of an aufs elsewhere. */
  private Optional<OsPath> shownUpper(Overlay overlay) throws ErrnoException {
    return overlay.isHere() && AufsTable.isAufs(overlay.mount())
        ? topmostWritten(overlay.mount())
        : overlay.upper();
  }

  private Optional<OsPath> topmostWritten(MountEntry mount) throws ErrnoException {
    try {
      return aufs.of(mount)
          .flatMap(state -> state.writable().stream().findFirst())
          .map(AufsBranch::directory);
    } catch (EngineException e) {
      // the kernel does not tell
      return Optional.empty();
    }
  }

  /** Looks up the upper of a mount as the kernel shows it. */
  private interface ShownUpper {
    Optional<OsPath> get() throws ErrnoException;
  }

  /**
   * Whether a mount of this namespace is this stack's, and not that of a stack of the same name
   * under another root: by the id that was recorded, else by its upper, else (read-only, or an
   * upper shown as a number) by its place.
   */
  private boolean isOfHere(
      StackDefinition stack, MountEntry mount, Optional<MountRecords.Made> record, ShownUpper shown)
      throws ErrnoException {
    if (!hasSource(stack, mount)) {
      return false;
    }
    if (isRecorded(mount, record)) {
      return true;
    }
    Optional<Boolean> sameUpper = hasUpper(stack, shown);
    return sameUpper.isPresent() ? sameUpper.get() : isOnTarget(stack, mount);
  }

  private boolean isRecorded(MountEntry mount, Optional<MountRecords.Made> record)
      throws ErrnoException {
    return table.uniqueIds() && record.filter(r -> r.mountId() == mount.id()).isPresent();
  }

  /** Finds the overlay mounts, in whatever namespace, that are this stack's. */
  OverlayCensus.Wanted mountsOf(StackDefinition stack, Optional<MountRecords.Made> record) {
    OsPath source = stack.name().mountSource();
    return overlay -> overlay.mount().source().equals(source) && isOf(stack, overlay, record);
  }

  /**
   * Of what a process of another namespace sees mounted, the mounts of this stack. Where the kernel
   * does not tell the upper, or there is none, those of the stack's name are taken for its.
   */
  List<MountEntry> among(List<MountEntry> elsewhere, StackDefinition stack) throws ErrnoException {
    List<MountEntry> found = new ArrayList<>();
    for (MountEntry mount : elsewhere) {
      if (hasSource(stack, mount) && hasUpper(stack, () -> table.upper(mount)).orElse(true)) {
        found.add(mount);
      }
    }
    return found;
  }

  /** Whether an overlay mount with the stack's source is its. */
  private boolean isOf(StackDefinition stack, Overlay overlay, Optional<MountRecords.Made> record)
      throws ErrnoException {
    MountEntry mount = overlay.mount();
    if (overlay.isHere()) {
      return isOfHere(stack, mount, record, () -> shownUpper(overlay));
    }
    Optional<Boolean> sameUpper = hasUpper(stack, overlay::upper);
    if (sameUpper.isPresent()) {
      return sameUpper.get();
    }
    return record.isPresent()
        ? record.get().device().equals(mount.device())
        : isOnTarget(stack, mount);
  }

  /** Whether the upper shown is the stack's; empty when nothing tells. */
  private Optional<Boolean> hasUpper(StackDefinition stack, ShownUpper shown)
      throws ErrnoException {
    Optional<Upper.Given> upper = upper(stack);
    if (upper.isEmpty()) {
      return Optional.empty();
    }
    Optional<OsPath> text = shown.get();
    if (text.isEmpty()) {
      return Optional.empty();
    }
    // resolve leaves an absolute path as it is, and completes one relative to the home
    OsPath path = homes.of(stack).directory().resolve(text.get());
    OsPath ours = upper.get().directory();
    return Optional.of(path.equals(ours) || files.resolve(ours).equals(Optional.of(path)));
  }

  private boolean isOnTarget(StackDefinition stack, MountEntry mount) throws ErrnoException {
    return files.resolve(target(stack)).equals(Optional.of(mount.point()));
  }

  /** What to ask statx(2) for to learn the id of a mount. */
  int idMask() throws ErrnoException {
    return table.idMask();
  }

  /** The mount just made on the stack's target. */
  MountEntry made(StackDefinition stack) throws EngineException, ErrnoException {
    return onTop(stack)
        .orElseThrow(
            () ->
                EngineException.failed("the new mount is not on top of " + target(stack).quoted()));
  }

  /** The mount of the stack's that is on top of its target. */
  Optional<MountEntry> onTop(StackDefinition stack) throws ErrnoException {
    return table.at(target(stack)).filter(entry -> hasSource(stack, entry));
  }
}
