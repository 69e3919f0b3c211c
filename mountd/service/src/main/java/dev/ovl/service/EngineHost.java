package dev.ovl.service;

import dev.ovl.api.Attachment;
import dev.ovl.api.BranchPatch;
import dev.ovl.api.CommandHost;
import dev.ovl.api.Done;
import dev.ovl.api.DriverStatus;
import dev.ovl.api.Failure;
import dev.ovl.api.HostException;
import dev.ovl.api.LayerDraft;
import dev.ovl.api.LayerEntry;
import dev.ovl.api.LayerName;
import dev.ovl.api.LayerReport;
import dev.ovl.api.LowerUsage;
import dev.ovl.api.MergeReport;
import dev.ovl.api.MountDraft;
import dev.ovl.api.Packing;
import dev.ovl.api.PathChange;
import dev.ovl.api.PathReport;
import dev.ovl.api.SharesReport;
import dev.ovl.api.StackCopy;
import dev.ovl.api.StackDraft;
import dev.ovl.api.StackEntry;
import dev.ovl.api.StackFinding;
import dev.ovl.api.StackLevel;
import dev.ovl.api.StackPatch;
import dev.ovl.api.StackReport;
import dev.ovl.api.StackSummary;
import dev.ovl.api.StackUsage;
import dev.ovl.api.Subject;
import dev.ovl.api.Tally;
import dev.ovl.api.WastedCopy;
import dev.ovl.api.Watch;
import dev.ovl.engine.EngineException;
import dev.ovl.engine.mount.DirectMounts;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.probe.Probe;
import dev.ovl.engine.run.CommandException;
import dev.ovl.engine.run.HostMounts;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.stack.BranchChange;
import dev.ovl.engine.stack.PlacedStack;
import dev.ovl.engine.stack.StackListing;
import dev.ovl.engine.stack.StackName;
import dev.ovl.engine.stack.StackRequest;
import dev.ovl.engine.stack.StackState;
import dev.ovl.engine.stack.Stacks;
import dev.ovl.engine.usage.PageCache;
import dev.ovl.jni.CommandRunner;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Privilege;
import dev.ovl.sys.Syscalls;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** The engine of this process as host of commands. */
public final class EngineHost implements CommandHost {
  /** A lower of fewer stacks is shared with nobody. */
  private static final int SHARED = 2;

  /** A file takes some ten microseconds to ask about. */
  private static final PageCache.Limits CACHE_LIMITS =
      new PageCache.Limits(200_000, Duration.ofSeconds(20));

  private final Syscalls sys;
  private final Privilege privilege;
  private final OsPath root;
  private final Stacks stacks;
  private final Contents contents;
  private final LayerWork layers;
  private final DirectMounts mounts;
  private final Consumer<String> mended;

  /** Whether what dead processes left was looked for. Twice does no harm. */
  private volatile boolean recovered;

  /** The same for layers, which are more work to look through. */
  private volatile boolean layersRecovered;

  /**
   * Touches nothing yet.
   *
   * @param sys what to call
   * @param privilege what this process may do
   * @param root the root directory, which need not exist yet
   * @param run the run directory, which need not exist yet
   * @param mended told what was brought in order of what crashes and other tools left of layers, a
   *     line each
   */
  public EngineHost(
      Syscalls sys, Privilege privilege, OsPath root, OsPath run, Consumer<String> mended) {
    this(sys, privilege, root, mended, run, new Stacks(sys, root, run));
  }

  /**
   * As {@link #EngineHost(Syscalls, Privilege, OsPath, OsPath, Consumer)}.
   *
   * @param runner who starts commands in stacks
   */
  public EngineHost(
      Syscalls sys,
      Privilege privilege,
      OsPath root,
      OsPath run,
      Consumer<String> mended,
      CommandRunner runner) {
    this(sys, privilege, root, mended, run, new Stacks(sys, root, run, runner));
  }

  private EngineHost(
      Syscalls sys,
      Privilege privilege,
      OsPath root,
      Consumer<String> mended,
      OsPath run,
      Stacks stacks) {
    this.sys = sys;
    this.privilege = privilege;
    this.root = root;
    this.stacks = stacks;
    this.contents = new Contents(sys, stacks);
    this.layers = new LayerWork(stacks.layers());
    this.mounts = new DirectMounts(sys, run);
    this.mended = mended;
  }

  // ---- questions ----------------------------------------------------------------------------

  @Override
  public List<StackEntry> list() throws HostException {
    return ask(() -> stacks.summaries().stream().map(EngineHost::entry).toList());
  }

  private static StackEntry entry(StackListing listing) {
    return switch (listing) {
      case StackListing.Told told -> new StackEntry.Known(Reports.summary(told.summary()));
      case StackListing.Untold untold ->
          new StackEntry.Unknown(untold.name().text(), untold.why().getMessage());
    };
  }

  @Override
  public List<String> namesByDependency() throws HostException {
    return ask(() -> stacks.namesByDependency().stream().map(StackName::text).toList());
  }

  @Override
  public StackSummary status(String name) throws HostException {
    return ask(() -> Reports.summary(stacks.summary(StackName.of(name))));
  }

  @Override
  public StackReport inspect(String name) throws HostException {
    return ask(() -> Reports.report(stacks.report(StackName.of(name))));
  }

  @Override
  public Map<String, Object> probe() throws HostException {
    return ask(() -> new Probe(sys, root).run().json());
  }

  @Override
  public StackUsage usage(String name) throws HostException {
    return ask(
        () -> {
          StackName stack = StackName.of(name);
          return Reports.usage(name, stacks.usage(stack, () -> false), stacks.room(stack));
        });
  }

  @Override
  public List<LowerUsage> sharedLowers() throws HostException {
    return ask(
        () ->
            stacks.sharedLowers(SHARED, CACHE_LIMITS, () -> false).stream()
                .map(Reports::lower)
                .toList());
  }

  // ---- definitions --------------------------------------------------------------------------

  @Override
  public Done create(StackDraft draft, boolean up, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackRequest request = Requests.request(draft);
          if (up) {
            requireLasting();
          }
          if (dryRun) {
            stacks.checkCreate(request);
            return Done.would("would create " + request.name());
          }
          stacks.create(request);
          return up ? Done.at(upOrForget(request.name()).toString()) : Done.SILENT;
        });
  }

  /** A stack that cannot be mounted as asked is not created either. */
  private OsPath upOrForget(StackName stack) throws EngineException, ErrnoException {
    try {
      return stacks.up(stack, false);
    } catch (EngineException | ErrnoException failure) {
      try {
        stacks.remove(stack, false);
      } catch (EngineException | ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  @Override
  public Done set(String name, StackPatch patch, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          if (dryRun) {
            stacks.checkSet(stack, Requests.change(patch));
            return Done.would("would change " + stack);
          }
          stacks.set(stack, Requests.change(patch));
          return Done.SILENT;
        });
  }

  @Override
  public Done changeBranch(String name, BranchPatch patch, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          BranchChange change = Requests.change(patch);
          if (dryRun) {
            stacks.checkChange(stack, change);
            return Done.would("would change the branches of " + stack);
          }
          stacks.change(stack, change);
          return Done.SILENT;
        });
  }

  @Override
  public Done copy(String name, StackCopy copy, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          StackName as = StackName.of(copy.as());
          if (dryRun) {
            stacks.checkCopy(stack, as, Requests.change(copy.patch()));
            return Done.would("would copy " + stack + " as " + as);
          }
          stacks.copy(stack, as, Requests.change(copy.patch()));
          return Done.SILENT;
        });
  }

  @Override
  public Done remove(String name, boolean force, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          if (dryRun) {
            return Done.would(
                "would forget "
                    + stack
                    + stacks
                        .report(stack)
                        .definition()
                        .layer()
                        .map(layer -> " and delete its layer " + layer.id())
                        .orElse(""));
          }
          stacks.remove(stack, force);
          return Done.SILENT;
        });
  }

  // ---- mounts -------------------------------------------------------------------------------

  @Override
  public Done up(String name, boolean acceptVolatile, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          requireLasting();
          return dryRun
              ? Done.would(wouldMount(stack))
              : Done.at(stacks.up(stack, acceptVolatile).toString());
        });
  }

  private String wouldMount(StackName stack) throws EngineException, ErrnoException {
    dev.ovl.engine.stack.StackReport report = stacks.report(stack);
    return report.state().mounted().isPresent()
        ? stack + " is up already"
        : "would mount "
            + stack
            + " on "
            + report.target().quoted()
            + " by "
            + report.methodWord()
            + (report.nested() ? ", nested" : "");
  }

  @Override
  public Done down(String name, boolean lazy, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          if (dryRun) {
            StackState state = stacks.state(stack);
            return Done.would(
                state.mounted().isPresent()
                    ? "would unmount " + state.mounted().get().point().quoted()
                    : stack + " is down already");
          }
          stacks.down(stack, lazy);
          return Done.SILENT;
        });
  }

  @Override
  public Done attach(String name, Attachment to, boolean acceptVolatile, boolean dryRun)
      throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          Optional<OsPath> at = Requests.path("target", to.target());
          int pid = pid(to);
          return dryRun
              ? Done.would(
                  "would mount "
                      + stack
                      + " on "
                      + stacks.checkAttach(stack, pid, at).quoted()
                      + " in the mount namespace of pid "
                      + pid)
              : Done.at(stacks.attach(stack, pid, at, acceptVolatile).toString());
        });
  }

  @Override
  public Done detach(String name, Attachment from, boolean lazy, boolean dryRun)
      throws HostException {
    return change(
        dryRun,
        () -> {
          StackName stack = StackName.of(name);
          int pid = pid(from);
          if (from.target().isPresent()) {
            throw EngineException.usage("a target is not needed to unmount a stack");
          }
          if (dryRun) {
            List<OsPath> attached = stacks.attached(stack, pid);
            return Done.would(
                (attached.isEmpty()
                        ? stack + " is down already"
                        : "would unmount " + attached.getLast().quoted())
                    + " in the mount namespace of pid "
                    + pid);
          }
          stacks.detach(stack, pid, lazy);
          return Done.SILENT;
        });
  }

  /** The process that is meant, if its id is of this pid namespace. */
  private int pid(Attachment attachment) throws EngineException, ErrnoException {
    OsPath ours = sys.readlinkat(Linux.AT_FDCWD, OsPath.of("/proc/self/ns/pid"));
    if (!ours.toString().equals(attachment.pidNamespace())) {
      throw EngineException.failed(
          "process "
              + attachment.pid()
              + " is one of "
              + OsPath.quoted(attachment.pidNamespace())
              + ", and this is done in "
              + ours
              + "; '--host none' does it where you are",
          Errno.ESRCH);
    }
    if (attachment.pid() < 1 || attachment.pid() > Integer.MAX_VALUE) {
      throw EngineException.usage("there is no process " + attachment.pid());
    }
    return Math.toIntExact(attachment.pid());
  }

  @Override
  public Done mount(MountDraft draft, boolean dryRun) throws HostException {
    return guarded(
        true,
        () -> {
          requireLasting();
          OverlayMount mount =
              mounts.describe(Requests.parsed(draft), Requests.path("target", draft.target()));
          Optional<MountMethod> forced = Requests.method(draft.method());
          if (dryRun) {
            return Done.would(
                "would mount "
                    + mount.target().quoted()
                    + " by "
                    + mounts.check(mount, forced).method().word());
          }
          mounts.mount(mount, forced);
          return Done.SILENT;
        });
  }

  @Override
  public Done umount(String target, boolean lazy, boolean dryRun) throws HostException {
    return guarded(
        true,
        () -> {
          OsPath path = Requests.path("target", target);
          if (dryRun) {
            return Done.would("would unmount " + mounts.mounted(path).point().quoted());
          }
          mounts.umount(path, lazy);
          return Done.SILENT;
        });
  }

  // ---- commands in stacks, which no other host runs -----------------------------------------

  /**
   * How a command ended.
   *
   * @param status its exit status, or the one for a command that never ran
   * @param problem why it never ran
   */
  public record Ended(int status, Optional<String> problem) {}

  /**
   * Runs a command in a stack and waits for its end: see {@link Stacks#run}.
   *
   * @param notes told what is not as one would expect
   */
  public Ended run(
      String name,
      RunRequest request,
      boolean throwAway,
      boolean acceptVolatile,
      Consumer<String> notes)
      throws HostException {
    return run(() -> stacks.run(StackName.of(name), request, throwAway, acceptVolatile, notes));
  }

  /**
   * Runs a command in a tree of several stacks: see {@link Stacks#run(List, RunRequest, boolean,
   * Consumer)}.
   */
  public Ended run(List<PlacedStack> placed, RunRequest request, Consumer<String> notes)
      throws HostException {
    return run(() -> stacks.run(placed, request, false, notes));
  }

  /** A command that may not start. */
  private interface Run {
    int status() throws EngineException, ErrnoException, CommandException;
  }

  private Ended run(Run run) throws HostException {
    return change(
        false,
        () -> {
          try {
            return new Ended(run.status(), Optional.empty());
          } catch (CommandException e) {
            return new Ended(e.status(), Optional.of(e.getMessage()));
          }
        });
  }

  /** Merges a stack into a directory of the host's own: see {@link Stacks#mergeIntoLive}. */
  public void mergeIntoLive(String name, Watch watch) throws HostException {
    changeLayers(
        false,
        () -> {
          contents.mergeIntoLive(name, watch);
          return name;
        });
  }

  /** What is mounted beneath a directory: see {@link HostMounts#beneath}. */
  public List<HostMounts.HostMount> mountsBeneath(OsPath directory) throws HostException {
    return ask(() -> new HostMounts(sys).beneath(directory));
  }

  // ---- content ------------------------------------------------------------------------------

  @Override
  public List<StackLevel> levels(String name, Watch watch) throws HostException {
    return ask(
        () ->
            stacks.levels(StackName.of(name), watch::isCancelled).stream()
                .map(Reports::level)
                .toList());
  }

  /** As root alone, for the same reason as {@link #changes}. */
  @Override
  public List<PathReport> which(String name, List<String> paths) throws HostException {
    return guarded(
        true,
        () -> {
          StackName stack = StackName.of(name);
          List<PathReport> reports = new ArrayList<>();
          for (String path : paths) {
            reports.add(Reports.path(path, stacks.which(stack, OsPath.of(path))));
          }
          return reports;
        });
  }

  /** As root alone, for the same reason as {@link #changes}. */
  @Override
  public List<SharesReport> shares(String name, List<String> paths, Watch watch)
      throws HostException {
    return guarded(
        true,
        () -> {
          StackName stack = StackName.of(name);
          List<SharesReport> reports = new ArrayList<>();
          for (String path : paths) {
            reports.add(
                Reports.shares(path, stacks.shares(stack, OsPath.of(path), watch::isCancelled)));
          }
          return reports;
        });
  }

  /** As root alone, for the same reason as {@link #changes}. */
  @Override
  public List<WastedCopy> wasted(String name, List<String> paths, Watch watch)
      throws HostException {
    return guarded(
        true,
        () ->
            stacks.wasted(StackName.of(name), watch::isCancelled).stream()
                .filter(copy -> paths.stream().anyMatch(path -> isBeneath(copy.path(), path)))
                .map(Reports::wasted)
                .toList());
  }

  @Override
  public Tally copyUp(String name, List<String> paths, boolean dryRun, Watch watch)
      throws HostException {
    return guarded(dryRun, () -> contents.copyUp(name, paths, dryRun, watch));
  }

  private static boolean isBeneath(OsPath path, String directory) {
    return path.startsWith(OsPath.ROOT.resolve(OsPath.of(directory)).normalized());
  }

  @Override
  public List<StackFinding> fsck(
      String name, boolean repair, boolean lowers, boolean dryRun, Watch watch)
      throws HostException {
    return change(dryRun || !repair, () -> contents.fsck(name, repair, lowers, dryRun, watch));
  }

  @Override
  public String commit(String name, Optional<String> as, Watch watch) throws HostException {
    return changeLayers(false, () -> contents.commit(name, as, watch));
  }

  @Override
  public Done checkCommit(String name, Optional<String> as) throws HostException {
    return change(
        true,
        () -> {
          StackName stack = StackName.of(name);
          stacks.checkCommit(stack, Requests.layer(as));
          return Done.would(
              "would commit " + stack + as.map(layer -> " as layer " + layer).orElse(""));
        });
  }

  @Override
  public String commitByMove(String name) throws HostException {
    return changeLayers(false, () -> stacks.commitByMove(StackName.of(name)).text());
  }

  @Override
  public Done checkCommitByMove(String name) throws HostException {
    return change(
        true,
        () -> {
          StackName stack = StackName.of(name);
          stacks.checkCommitByMove(stack);
          return Done.would("would commit the upper of " + stack + " and give it a new one");
        });
  }

  @Override
  public MergeReport merge(String name, Watch watch) throws HostException {
    return changeLayers(false, () -> contents.merge(name, watch));
  }

  @Override
  public Done checkMerge(String name) throws HostException {
    return change(
        true,
        () -> {
          StackName stack = StackName.of(name);
          OsPath lower = stacks.checkMerge(stack).path();
          return Done.would("would merge the upper of " + stack + " into " + lower.quoted());
        });
  }

  @Override
  public String flatten(String name, Optional<String> as, Watch watch) throws HostException {
    return changeLayers(false, () -> contents.flatten(name, as, watch));
  }

  @Override
  public Done checkFlatten(String name, Optional<String> as) throws HostException {
    return change(
        true,
        () -> {
          StackName stack = StackName.of(name);
          stacks.checkFlatten(stack, Requests.layer(as));
          return Done.would(
              "would make a layer"
                  + as.map(layer -> " " + layer).orElse("")
                  + " without parent of "
                  + stack);
        });
  }

  /** As root alone: others do not see by which attributes overlayfs keeps its books. */
  @Override
  public long changes(
      Subject of, Optional<String> against, Predicate<PathChange> listener, Watch watch)
      throws HostException {
    return guarded(true, () -> contents.changes(of, against, listener, watch));
  }

  @Override
  public long size(Subject of, Optional<String> against, Watch watch) throws HostException {
    return guarded(true, () -> contents.size(of, against, watch));
  }

  @Override
  public Tally diff(Subject of, Packing packing, WritableByteChannel to, Watch watch)
      throws HostException {
    return guarded(true, () -> contents.diff(of, packing, to, watch));
  }

  @Override
  public Tally apply(
      Subject to, Optional<String> format, ReadableByteChannel archive, boolean dryRun, Watch watch)
      throws HostException {
    return changeLayers(dryRun, () -> contents.apply(to, format, archive, dryRun, watch));
  }

  // ---- layers -------------------------------------------------------------------------------

  @Override
  public List<LayerEntry> layers(Optional<String> driver) throws HostException {
    return ask(() -> layers.list(driver));
  }

  @Override
  public LayerReport layer(LayerName layer) throws HostException {
    return ask(() -> layers.report(layer));
  }

  @Override
  public Done createLayer(LayerDraft draft, boolean dryRun) throws HostException {
    return changeLayers(dryRun, () -> layers.create(draft, dryRun));
  }

  @Override
  public List<String> convertLayers(Optional<String> from, String to, boolean keep, Watch watch)
      throws HostException {
    return changeLayers(false, () -> contents.convert(from, to, keep, watch));
  }

  @Override
  public Done checkConvertLayers(Optional<String> from, String to) throws HostException {
    return changeLayers(true, () -> layers.checkConvert(from, to));
  }

  @Override
  public Done commitLayer(LayerName layer, boolean dryRun) throws HostException {
    return changeLayers(dryRun, () -> layers.commit(layer, dryRun));
  }

  @Override
  public Done getLayer(LayerName layer, boolean dryRun) throws HostException {
    return changeLayers(
        dryRun,
        () -> {
          requireLasting();
          return layers.get(layer, dryRun);
        });
  }

  @Override
  public Done putLayer(LayerName layer, boolean dryRun) throws HostException {
    return changeLayers(dryRun, () -> layers.put(layer, dryRun));
  }

  @Override
  public Done removeLayer(LayerName layer, boolean dryRun) throws HostException {
    return changeLayers(dryRun, () -> layers.remove(layer, dryRun));
  }

  @Override
  public DriverStatus driverStatus(Optional<String> driver) throws HostException {
    return ask(() -> layers.status(driver));
  }

  @Override
  public Done cleanUpLayers(Optional<String> driver, boolean dryRun) throws HostException {
    return change(
        dryRun,
        () -> {
          if (!dryRun) {
            recoverLayers();
          }
          return layers.cleanUp(driver, dryRun);
        });
  }

  // ---- housekeeping -------------------------------------------------------------------------

  /** Finishes or undoes what processes that died left half done. */
  public void recover() throws HostException {
    guarded(
        true,
        () -> {
          recoverStacks();
          if (!layersRecovered) {
            recoverLayers();
          }
          return Done.SILENT;
        });
  }

  private void recoverStacks() throws EngineException, ErrnoException {
    stacks.recover();
    recovered = true;
  }

  /** What cannot be mended is in the way of nothing but itself. */
  private void recoverLayers() {
    try {
      stacks.layers().recover().forEach(mended);
    } catch (EngineException | ErrnoException e) {
      mended.accept("layers that are broken cannot be mended: " + e.getMessage());
    }
    layersRecovered = true;
  }

  @Override
  public void close() {
    stacks.close();
    mounts.close();
  }

  // ---- failures -----------------------------------------------------------------------------

  /** What the engine does. */
  private interface Work<T> {
    T run() throws EngineException, ErrnoException;
  }

  private <T> T ask(Work<T> question) throws HostException {
    return guarded(false, question);
  }

  private <T> T change(boolean dryRun, Work<T> work) throws HostException {
    return guarded(
        true,
        () -> {
          if (!dryRun && !recovered) {
            recoverStacks();
          }
          return work.run();
        });
  }

  private <T> T changeLayers(boolean dryRun, Work<T> work) throws HostException {
    return change(
        dryRun,
        () -> {
          if (!dryRun && !layersRecovered) {
            recoverLayers();
          }
          return work.run();
        });
  }

  private <T> T guarded(boolean needsRoot, Work<T> work) throws HostException {
    try {
      if (needsRoot) {
        requireRoot(sys, privilege);
      }
      try {
        return work.run();
      } catch (ErrnoException e) {
        if (e.is(Errno.EACCES)) {
          requireRoot(sys, privilege);
        }
        throw e;
      }
    } catch (EngineException e) {
      throw new HostException(failure(e), e);
    } catch (ErrnoException e) {
      throw new HostException(
          new Failure(Failure.Kind.FAILED, e.getMessage(), Optional.of(e.errno().name())), e);
    }
  }

  /** Refuses whoever may not mount, before anything is touched. */
  public static void requireRoot(Syscalls sys, Privilege privilege) throws EngineException {
    int uid = sys.geteuid();
    if (uid == 0) {
      return;
    }
    throw EngineException.failed(
        "needs root (the effective user id is "
            + uid
            + ")"
            + privilege.missing().map(why -> " or a user namespace: " + why).orElse(""),
        Errno.EPERM);
  }

  /** Refuses to mount what would be gone when this process ends. */
  private void requireLasting() throws EngineException {
    if (privilege.passing()) {
      throw EngineException.failed(
          "without root it lasts as long as a process that holds it: start 'mountd', or call this in"
              + " 'ovlctl unshare'; 'run' and 'try' need neither",
          Errno.EPERM);
    }
  }

  private static Failure failure(EngineException e) {
    Failure.Kind kind =
        switch (e.kind()) {
          case USAGE -> Failure.Kind.USAGE;
          case NO_SUCH_STACK -> Failure.Kind.NO_SUCH_STACK;
          case NO_SUCH_LAYER -> Failure.Kind.NO_SUCH_LAYER;
          case FAILED -> Failure.Kind.FAILED;
        };
    return new Failure(kind, e.getMessage(), e.errno().map(Enum::name));
  }
}
