package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.file.Lookout.Seen;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.merge.LayerMerge;
import dev.ovl.engine.mount.VolatileMarker;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.engine.stack.StackMounts.Sighting;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Merges of stacks: who may merge, and what a merge that died has left. Its caller holds the
 * stack's lock for whatever writes.
 */
final class StackMerges {
  /** Beside the journal entries of stacks, which end otherwise. */
  private static final String SUFFIX = ".merge";

  private final Syscalls sys;
  private final Files files;
  private final OsPath journals;
  private final StackStore store;
  private final StackMounts mounts;
  private final StackContent content;
  private final StackUsers users;
  private final Layers layers;
  private final Lookout lookout;

  StackMerges(
      Syscalls sys,
      OsPath root,
      StackStore store,
      StackMounts mounts,
      StackContent content,
      StackUsers users,
      Layers layers,
      Lookout lookout) {
    this.sys = sys;
    this.files = new Files(sys);
    this.journals = root.resolve("journal");
    this.store = store;
    this.mounts = mounts;
    this.content = content;
    this.users = users;
    this.layers = layers;
    this.lookout = lookout;
  }

  private LayerMerge of(StackDefinition stack, Upper.Given upper) {
    return new LayerMerge(sys, content.union(stack), upper.work(), journal(stack));
  }

  private OsPath journal(StackDefinition stack) {
    return journals.resolve(stack.name() + SUFFIX);
  }

  /** Finishes a merge of the stack's that died, or takes it back as far as that shows. */
  void recover(StackDefinition stack) throws EngineException, ErrnoException {
    Optional<Upper.Given> upper = mounts.upper(stack);
    if (upper.isPresent() && files.lstat(journal(stack)).isPresent()) {
      of(stack, upper.get()).recover();
    }
  }

  /**
   * Merges. Returns the lower.
   *
   * @param live whether the lower may change under others who have it: it is in use by the host
   */
  Lower merge(
      Driver driver, Sighting sighting, boolean live, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Lower lower = check(driver, sighting, live);
    StackDefinition stack = sighting.stack();
    LayerMerge merge = of(stack, mounts.upper(stack).orElseThrow());
    if (lower.layer().isEmpty()) {
      merge.run(progress, cancelled);
      return lower;
    }
    return layers.beneath(
        driver,
        lower.layer().get(),
        ownLayer(stack),
        () -> {
          // while the layer is locked no stack can come to lie on it
          refuseOthers(stack, lower);
          merge.run(progress, cancelled);
          return lower;
        });
  }

  /** Refuses what cannot be merged, naming who is in the way. Returns the lower. */
  Lower check(Driver driver, Sighting sighting, boolean live)
      throws EngineException, ErrnoException {
    StackDefinition stack = sighting.stack();
    Upper.Given upper =
        mounts
            .upper(stack)
            .orElseThrow(
                () -> EngineException.failed("it is read-only: it has no upper", Errno.EROFS));
    StackContent.refuseMappedOwners(stack);
    Lower lower = stack.lowers().getFirst();
    if (lower.isUnmarked() && stack.lowers().size() > 1) {
      throw EngineException.failed(
          "whiteouts in branch "
              + lower.path().quoted()
              + " would hide nothing of what lies below it: make it ro+wh by 'branch mod' first",
          Errno.EINVAL);
    }
    boolean stands = !live || lower.layer().isPresent();
    if (stands) {
      refuseOthers(stack, lower);
    }
    if (lower.layer().isPresent()) {
      layers.checkBeneath(driver, lower.layer().get(), ownLayer(stack));
    }
    users.refuseUsedUpper(sighting);
    if (stands) {
      users.refuseUsedLower(sighting, lower.path());
    }
    if (upper.work().isPresent() && new VolatileMarker(sys, upper.work().get()).isPresent()) {
      throw EngineException.failed(
          "its last mount was volatile and not ended by 'down': what was written before the crash"
              + " may be lost or torn; check it, then 'up --accept-volatile' and 'down'");
    }
    return lower;
  }

  private static Optional<LayerId> ownLayer(StackDefinition stack) {
    return stack.layer().map(StackDefinition.Layer::id);
  }

  /**
   * Refuses when another stack has the lower, or this one's upper, as a lower or an upper. A
   * definition that cannot be read may name anything: then nothing is known.
   */
  private void refuseOthers(StackDefinition stack, Lower lower)
      throws EngineException, ErrnoException {
    OsPath upper = mounts.upper(stack).orElseThrow().directory();
    List<OsPath> ours = List.of(lower.path(), upper);
    List<Statx> stats = new ArrayList<>();
    for (OsPath path : ours) {
      files.stat(path).ifPresent(stats::add);
    }
    for (StackName name : store.names()) {
      Optional<StackDefinition> other =
          name.equals(stack.name()) ? Optional.empty() : store.find(name);
      if (other.isEmpty()) {
        continue;
      }
      for (OsPath theirs : directories(other.get())) {
        boolean same =
            ours.contains(theirs)
                || (lookout.look(theirs, Linux.STATX_INO) instanceof Seen.Found found
                    && stats.stream().anyMatch(found.stat()::sameFile));
        if (same) {
          throw EngineException.failed(
              "stack " + name + " needs " + theirs.quoted() + " as it is", Errno.EBUSY);
        }
      }
    }
  }

  private List<OsPath> directories(StackDefinition stack) {
    List<OsPath> all = new ArrayList<>(stack.lowers().stream().map(Lower::path).toList());
    mounts.upper(stack).ifPresent(upper -> all.add(upper.directory()));
    return all;
  }
}
