package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsMounter;
import dev.ovl.engine.aufs.AufsTable;
import dev.ovl.engine.diff.PathSearch;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.WastedCopies;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.aufs.AufsDriver;
import dev.ovl.engine.driver.aufs.AufsHome;
import dev.ovl.engine.driver.overlay2.Overlay2Driver;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.vfs.VfsDriver;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.layer.Drivers;
import dev.ovl.engine.layer.Layers;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.mount.ProcessMounts;
import dev.ovl.engine.mount.Processes;
import dev.ovl.engine.root.RootFormat;
import dev.ovl.engine.run.CommandException;
import dev.ovl.engine.run.RunRequest;
import dev.ovl.engine.usage.FileSystemRoom;
import dev.ovl.engine.usage.PageCache;
import dev.ovl.engine.usage.UpperUsage;
import dev.ovl.jni.CommandRunner;
import dev.ovl.jni.ForkedCommand;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The stacks of one root: their definitions and their mounts.
 *
 * <p>Every operation on a stack holds that stack's lock, so different stacks go on side by side, in
 * this process and others. Whatever step an operation dies at, the definitions are whole, and what
 * it left is cleared by {@link #recover} or by the next operation on the same stack.
 *
 * <p>Directories of the user's may lie on a file system that does not answer. Then the operations
 * on stacks that lie there wait, as all that touches it does, and those on other stacks go on: no
 * lock but the stack's own is held by who may wait for such a directory.
 *
 * <p>Each method throws {@link EngineException} for what its caller can understand and {@link
 * ErrnoException} for a system call that failed in no foreseen way; in both cases nothing has
 * changed.
 */
public final class Stacks implements AutoCloseable {
  private static final Duration LOCK_PATIENCE = Duration.ofSeconds(30);

  private final Syscalls sys;
  private final Files files;
  private final LayerHomes homes;
  private final UnionKinds kinds;
  private final RootFormat format;
  private final StackStore store;
  private final Lookout lookout;
  private final Locks locks;
  private final Layers layers;
  private final DefinitionEditor editor;
  private final StackContent content;
  private final StackMounts mounts;
  private final StackUsers users;
  private final StackLifecycle lifecycle;
  private final StackRuns runs;
  private final StackAttachments attachments;
  private final OverlayMounter mounter;
  private final StackMerges merges;
  private final Leftovers leftovers;
  private final StackCheckup checkup;

  /** Looking for lock files takes as long as there are stacks, so that not each creation does. */
  private volatile boolean sweptLocks;

  /**
   * @param sys what to call
   * @param root the root directory, which need not exist yet
   * @param run the run directory, which need not exist yet
   */
  public Stacks(Syscalls sys, OsPath root, OsPath run) {
    this(sys, root, run, ForkedCommand::start);
  }

  /**
   * As {@link #Stacks(Syscalls, OsPath, OsPath)}.
   *
   * @param runner who starts commands in stacks
   */
  public Stacks(Syscalls sys, OsPath root, OsPath run, CommandRunner runner) {
    MountTable table = new MountTable(sys);
    this.homes = new LayerHomes(new Overlay2Home(sys, root), new AufsHome(sys, root, table));
    Processes processes = new Processes(sys);
    this.lookout = new Lookout(sys);
    OverlayCensus census = new OverlayCensus(sys, table, processes, lookout);
    MountHolders holders = new MountHolders(sys, table, processes);
    MountRecords records = new MountRecords(sys, root, run);
    this.sys = sys;
    this.files = new Files(sys);
    this.format = new RootFormat(sys, root);
    this.store = new StackStore(sys, root, homes);
    this.locks = new Locks(sys, LOCK_PATIENCE);
    this.mounter = new OverlayMounter(sys, run.resolve("nested"));
    AufsTable aufs = new AufsTable(sys, table);
    AufsMounter aufsMounter = new AufsMounter(sys, table, holders, run);
    OsPath empty = root.resolve("empty");
    this.mounts = new StackMounts(sys, homes, table, aufs, census, records, lookout);
    this.kinds =
        new UnionKinds(
            new OverlayKind(sys, empty, homes.overlay2(), format, mounts, mounter, holders),
            new AufsKind(sys, homes.aufs(), aufs, mounts, aufsMounter));
    this.content = new StackContent(sys, mounts);
    this.users = new StackUsers(sys, mounts, kinds, table, census, processes, holders, lookout);
    this.layers =
        new Layers(
            sys,
            root,
            run,
            format,
            new Drivers(
                List.of(
                    new Overlay2Driver(
                        sys,
                        format,
                        homes.overlay2(),
                        new OverlayMounter(sys, run.resolve("nested")),
                        table,
                        census,
                        holders),
                    new AufsDriver(sys, homes.aufs(), aufsMounter, table),
                    new VfsDriver(sys, root))),
            locks,
            new LayerUsers(store, homes));
    this.editor =
        new DefinitionEditor(
            sys, root, homes, kinds, empty, format, store, locks, mounts, users, lookout);
    this.merges = new StackMerges(sys, root, store, mounts, content, users, layers, lookout);
    this.lifecycle = new StackLifecycle(sys, kinds, mounts, users, records);
    this.runs = new StackRuns(sys, mounts, lifecycle, runner);
    this.attachments = new StackAttachments(sys, mounts, lifecycle, holders);
    this.leftovers =
        new Leftovers(
            sys, root, homes, kinds, store, locks, mounts, users, table, records, lifecycle,
            mounter, lookout);
    this.checkup =
        new StackCheckup(
            sys,
            homes.overlay2(),
            kinds.overlay(),
            mounts,
            users,
            new UpperOwners(sys, store, lookout),
            leftovers);
  }

  /** What is done with a stack while its lock is held. */
  private interface Work<T, E extends Exception> {
    T on(StackDefinition stack, Locks.Held lock) throws EngineException, ErrnoException, E;
  }

  /** Works on a stack that exists; asking for one that does not leaves no lock file. */
  private <T, E extends Exception> T locked(StackName name, Work<T, E> work)
      throws EngineException, ErrnoException, E {
    format.check();
    if (!store.exists(name)) {
      throw EngineException.noSuchStack();
    }
    try (Locks.Held held = lock(name)) {
      editor.recover(name);
      Optional<StackDefinition> stack = store.find(name);
      if (stack.isEmpty()) {
        held.removeFile();
        throw EngineException.noSuchStack();
      }
      merges.recover(stack.get());
      return work.on(stack.get(), held);
    }
  }

  private Locks.Held lock(StackName name) throws EngineException, ErrnoException {
    return locks.acquire(store.lockFile(name), "the stack");
  }

  private StackDefinition get(StackName name) throws EngineException, ErrnoException {
    format.check();
    return store.find(name).orElseThrow(EngineException::noSuchStack);
  }

  /** The layers of the root. */
  public Layers layers() {
    return layers;
  }

  // ---- definitions --------------------------------------------------------------------------

  /**
   * Writes down a new stack.
   *
   * @throws EngineException the name is taken; the driver is unknown; the layers are such as the
   *     kernel would refuse; the upper or work belongs to another stack or mount
   */
  public StackDefinition create(StackRequest request) throws EngineException, ErrnoException {
    Driver driver = layers.driver(Optional.of(kinds.of(request).home().driver()));
    checkParent(driver, request.parent());
    editor.check(request);
    editor.prepare();
    if (!sweptLocks) {
      sweepLocks();
    }
    try (Locks.Held held = lock(request.name())) {
      boolean done = false;
      try {
        editor.sweep(request.name());
        StackDefinition stack = on(driver, request.parent(), () -> editor.create(request));
        done = true;
        return stack;
      } finally {
        if (!done) {
          removeIfStray(request.name(), held);
        }
      }
    }
  }

  /** Works while the parent, if there is one, is committed and cannot be removed. */
  private <T> T on(Driver driver, Optional<LayerId> parent, Layers.Work<T> work)
      throws EngineException, ErrnoException {
    return parent.isEmpty() ? work.run() : layers.onParent(driver, parent.get(), work);
  }

  /** Checks all that {@link #create} checks before it writes; changes nothing. */
  public void checkCreate(StackRequest request) throws EngineException, ErrnoException {
    format.check();
    checkParent(layers.driver(Optional.of(kinds.of(request).home().driver())), request.parent());
    editor.check(request);
    editor.refuseSharedUpper(editor.define(request));
  }

  /**
   * Changes the definition of a stack that is down.
   *
   * @throws EngineException it is up; there is none; the result would be refused by {@link #create}
   */
  public StackDefinition set(StackName name, StackChange change)
      throws EngineException, ErrnoException {
    return locked(
        name,
        (before, held) -> {
          refuseMounted(before, "change");
          return on(driver(before), newParent(change), () -> editor.change(before, change));
        });
  }

  /** Checks all that {@link #set} checks before it writes; changes nothing. */
  public void checkSet(StackName name, StackChange change) throws EngineException, ErrnoException {
    StackDefinition before = get(name);
    refuseMounted(before, "change");
    checkParent(driver(before), newParent(change));
    editor.refuseSharedUpper(editor.redefine(before, change));
  }

  /**
   * Changes the branches of a stack of aufs, and of its mount where it is up.
   *
   * @throws EngineException it is no stack of aufs; aufs does not take the change; EBUSY: files of
   *     the branch are in use
   */
  public StackDefinition change(StackName name, BranchChange change)
      throws EngineException, ErrnoException {
    return locked(
        name,
        (before, held) -> {
          StackDefinition after = editor.rebranched(before, change);
          Optional<MountEntry> mount = mounts.look(before).state().mounted();
          editor.replace(before, after);
          if (mount.isPresent()) {
            adapt(before, after, mount.get());
          }
          return after;
        });
  }

  /** The definition goes first: what a crash keeps from the mount, the same change does again. */
  private void adapt(StackDefinition before, StackDefinition after, MountEntry mount)
      throws EngineException, ErrnoException {
    try {
      kinds.aufs().adapt(after, mount);
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      try {
        editor.replace(after, before);
      } catch (EngineException | ErrnoException | RuntimeException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /** Checks what {@link #change} checks before it begins; changes nothing. */
  public void checkChange(StackName name, BranchChange change)
      throws EngineException, ErrnoException {
    editor.rebranched(get(name), change);
  }

  private static Optional<LayerId> newParent(StackChange change) {
    return change.parent().orElse(Optional.empty());
  }

  /** Of the layers that the stack can be made of. */
  private Driver driver(StackDefinition stack) throws EngineException, ErrnoException {
    return layers.driver(Optional.of(stack.driver()));
  }

  private void checkParent(Driver driver, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    if (parent.isPresent()) {
      layers.checkParent(driver, parent.get());
    }
  }

  /**
   * Writes down a stack like another one. Its own layer, if it has one, starts empty.
   *
   * @throws EngineException there is no such stack; the new name is taken; both would have the same
   *     upper or target
   */
  public StackDefinition copy(StackName name, StackName as, StackChange change)
      throws EngineException, ErrnoException {
    return create(editor.copyRequest(get(name), as, change));
  }

  /** Checks all that {@link #copy} checks before it writes; changes nothing. */
  public void checkCopy(StackName name, StackName as, StackChange change)
      throws EngineException, ErrnoException {
    checkCreate(editor.copyRequest(get(name), as, change));
  }

  /**
   * Forgets a stack and deletes its own layer; a user's upper stays.
   *
   * @param force unmount it first
   * @throws EngineException it is up; a copy of its mount is alive elsewhere; there is none
   */
  public void remove(StackName name, boolean force) throws EngineException, ErrnoException {
    if (finishedRemoval(name)) {
      return;
    }
    locked(
        name,
        (stack, held) -> {
          if (force) {
            lifecycle.down(stack, false);
          }
          users.refuseRemoval(refuseMounted(stack, "remove"));
          lifecycle.forget(stack);
          editor.delete(stack);
          held.removeFile();
          return stack;
        });
  }

  /** True when an earlier removal had deleted the definition, and the rest of it is done now. */
  private boolean finishedRemoval(StackName name) throws EngineException, ErrnoException {
    format.check();
    if (store.exists(name) || !editor.isUnended(name)) {
      return false;
    }
    try (Locks.Held held = lock(name)) {
      // only now is it known that nobody is about to create it
      boolean unended = editor.isUnended(name);
      if (store.exists(name)) {
        return false;
      }
      editor.sweep(name);
      held.removeFile();
      return unended;
    }
  }

  private StackMounts.Sighting refuseMounted(StackDefinition stack, String purpose)
      throws EngineException, ErrnoException {
    StackMounts.Sighting sighting = mounts.look(stack);
    StackState state = sighting.state();
    if (state.mounted().isPresent()) {
      throw EngineException.failed(
          "is up on "
              + state.mounted().get().point().quoted()
              + "; 'down' it before you "
              + purpose
              + " it",
          Errno.EBUSY);
    }
    return sighting;
  }

  /**
   * Finishes or undoes what processes that died left half done. Operations that are under way are
   * left alone.
   */
  public void recover() throws EngineException, ErrnoException {
    format.check();
    sweepLocks();
    for (StackName name : editor.unended()) {
      ifFree(
          name,
          held -> {
            editor.sweep(name);
            removeIfStray(name, held);
          });
    }
    for (LayerHome home : homes.all()) {
      home.sweep();
    }
    mounter.sweepScratch();
  }

  /** What is done with a lock. */
  private interface LockWork {
    void with(Locks.Held held) throws EngineException, ErrnoException;
  }

  private void ifFree(StackName name, LockWork work) throws EngineException, ErrnoException {
    Optional<Locks.Held> free = locks.tryAcquire(store.lockFile(name));
    if (free.isPresent()) {
      try (Locks.Held held = free.get()) {
        work.with(held);
      }
    }
  }

  /** Removes lock files of stacks that do not exist: whose creation or removal died on the way. */
  private void sweepLocks() throws ErrnoException, EngineException {
    for (StackName name : store.strayLocks()) {
      ifFree(name, held -> removeIfStray(name, held));
    }
    sweptLocks = true;
  }

  private void removeIfStray(StackName name, Locks.Held held) throws ErrnoException {
    if (!store.exists(name)) {
      held.removeFile();
    }
  }

  // ---- mounts -------------------------------------------------------------------------------

  /**
   * Mounts a stack; one that is mounted already is fine.
   *
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   * @return the target
   */
  public OsPath up(StackName name, boolean acceptVolatile) throws EngineException, ErrnoException {
    return locked(name, (stack, held) -> lifecycle.up(stack, acceptVolatile));
  }

  /**
   * Unmounts a stack; one that is not mounted is fine.
   *
   * @param lazy detach it although it is in use
   */
  public void down(StackName name, boolean lazy) throws EngineException, ErrnoException {
    locked(
        name,
        (stack, held) -> {
          lifecycle.down(stack, lazy);
          return stack;
        });
  }

  /**
   * Attaches a stack in the mount namespace of another process; that it is attached there already
   * is fine. One that is up is shown there too; one that is down is mounted for that namespace
   * alone.
   *
   * @param pid the process
   * @param at a directory of that namespace, as the process sees it; absent: the stack's target
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   * @return the directory
   * @throws EngineException there is no such process, or it has this mount namespace; there is no
   *     such directory, it is busy, or shared with other namespaces
   */
  public OsPath attach(StackName name, int pid, Optional<OsPath> at, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    try (ProcessMounts there = ProcessMounts.of(sys, pid)) {
      return locked(name, (stack, held) -> attachments.attach(stack, there, at, acceptVolatile));
    }
  }

  /**
   * Checks what {@link #attach} checks first; changes nothing.
   *
   * @return the directory
   */
  public OsPath checkAttach(StackName name, int pid, Optional<OsPath> at)
      throws EngineException, ErrnoException {
    try (ProcessMounts there = ProcessMounts.of(sys, pid)) {
      OsPath target = attachments.target(get(name), at);
      there.target(target).close();
      return target;
    }
  }

  /**
   * Unmounts a stack in the mount namespace of another process; that it is not mounted there is
   * fine.
   *
   * @param pid the process
   * @param lazy detach it although it is in use
   */
  public void detach(StackName name, int pid, boolean lazy) throws EngineException, ErrnoException {
    try (ProcessMounts there = ProcessMounts.of(sys, pid)) {
      locked(
          name,
          (stack, held) -> {
            attachments.detach(stack, there, lazy);
            return stack;
          });
    }
  }

  /** Where a stack is mounted in the mount namespace of another process; nowhere, if it is not. */
  public List<OsPath> attached(StackName name, int pid) throws EngineException, ErrnoException {
    try (ProcessMounts there = ProcessMounts.of(sys, pid)) {
      return attachments.find(get(name), there).stream().map(MountEntry::point).toList();
    }
  }

  // ---- commands -----------------------------------------------------------------------------

  /**
   * Runs a command in a stack and waits for its end. One that is up is shared; one that is down is
   * mounted for the command alone and stays down for everybody else, but a stack of aufs is up
   * meanwhile.
   *
   * @param throwAway run it above the stack's lowers with an upper that is deleted afterwards; what
   *     the stack's own upper has is not seen
   * @param notes told what is not as one would expect
   * @return the command's exit status, 128 plus the signal's number if a signal ended it
   * @throws EngineException the stack cannot be mounted; what the request names is not there
   * @throws CommandException the command does not run
   */
  public int run(
      StackName name,
      RunRequest request,
      boolean throwAway,
      boolean acceptVolatile,
      Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    return throwAway
        ? runAbove(name, request, notes)
        : run(List.of(new PlacedStack(OsPath.ROOT, name)), request, acceptVolatile, notes);
  }

  /**
   * As {@link #run(StackName, RunRequest, boolean, boolean, Consumer)}, in a tree of several
   * stacks.
   *
   * @param placed outer ones first; where none of them is the root directory, that is the host's
   *     with all that is mounted there, read-only
   */
  public int run(
      List<PlacedStack> placed, RunRequest request, boolean acceptVolatile, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    StackRuns.Run run =
        this.<StackRuns.Run, CommandException>whileLocked(
            placed, List.of(), parts -> runs.start(parts, request, acceptVolatile, notes));
    int status = run.command().await();
    for (Map.Entry<StackName, StackRuns.After> each : run.after().entrySet()) {
      // whoever removed it meanwhile has cleared up
      if (each.getValue() != StackRuns.After.NOTHING && store.exists(each.getKey())) {
        locked(
            each.getKey(),
            (stack, held) -> {
              runs.end(stack, each.getValue());
              return stack;
            });
      }
    }
    return status;
  }

  /** What is done with several stacks while their locks are held. */
  private interface WorkOnParts<T, E extends Exception> {
    T on(List<StackRuns.Part> parts) throws EngineException, ErrnoException, E;
  }

  private <T, E extends Exception> T whileLocked(
      List<PlacedStack> left, List<StackRuns.Part> parts, WorkOnParts<T, E> work)
      throws EngineException, ErrnoException, E {
    if (left.isEmpty()) {
      return work.on(parts);
    }
    PlacedStack first = left.getFirst();
    return this.<T, E>locked(
        first.stack(),
        (stack, held) -> {
          List<StackRuns.Part> more = new ArrayList<>(parts);
          more.add(new StackRuns.Part(first.target(), stack));
          return whileLocked(left.subList(1, left.size()), more, work);
        });
  }

  private int runAbove(StackName name, RunRequest request, Consumer<String> notes)
      throws EngineException, ErrnoException, CommandException {
    StackRequest above = editor.aboveLowers(get(name));
    editor.check(above);
    editor.prepare();
    try (Locks.Held held = lock(above.name())) {
      int status =
          editor.<Integer, CommandException>whileThereIs(
              above,
              stack -> {
                List<StackRuns.Part> parts = List.of(new StackRuns.Part(OsPath.ROOT, stack));
                StackRuns.Run run = runs.start(parts, request, false, notes);
                int ended = run.command().await();
                runs.end(stack, run.after().get(stack.name()));
                return ended;
              });
      held.removeFile();
      return status;
    }
  }

  // ---- content ------------------------------------------------------------------------------

  /**
   * What a stack has that its lowers have not. It may be up and change meanwhile.
   *
   * @return to be closed
   */
  public TreeDiff compare(StackName name, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return content.againstLowers(get(name), progress, cancelled);
  }

  /**
   * Checks that what {@link #compare} finds can be written down with the owners that it shows.
   *
   * @throws EngineException the owners in its lowers are mapped
   */
  public void checkPack(StackName name) throws EngineException, ErrnoException {
    StackContent.refuseMappedOwners(get(name));
  }

  /**
   * Writes content into the upper of a stack, above what it has. When that fails the upper is as it
   * was.
   *
   * @throws EngineException it is up; it has no upper; what the content says
   */
  public void apply(StackName name, Driver.Writing writing) throws EngineException, ErrnoException {
    locked(
        name,
        (stack, held) -> {
          content.apply(stack, checkApply(stack), writing);
          return stack;
        });
  }

  /** Checks all that {@link #apply} checks before it writes; changes nothing. */
  public void checkApply(StackName name) throws EngineException, ErrnoException {
    checkApply(get(name));
  }

  private StackDefinition.Upper.Given checkApply(StackDefinition stack)
      throws EngineException, ErrnoException {
    StackDefinition.Upper.Given upper =
        mounts
            .upper(stack)
            .orElseThrow(
                () -> EngineException.failed("it is read-only: it has no upper", Errno.EROFS));
    users.refuseUsedUpper(refuseMounted(stack, "write into"));
    return upper;
  }

  /**
   * Makes a committed layer that shows what the stack shows now, above the stack's own parent layer
   * or by itself. Redirects and metadata-only copies are made real. The stack stays as it is, and
   * may be up.
   *
   * @param as absent: an id is made up
   * @return the layer
   */
  public LayerId commit(
      StackName name, Optional<LayerId> as, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    StackDefinition stack = get(name);
    checkLayer(stack, as, stack.parent());
    try (TreeDiff diff = content.againstParent(stack, progress, cancelled)) {
      return makeLayer(stack, as, stack.parent(), diff);
    }
  }

  /**
   * Makes a committed base layer that shows what the stack shows now. The stack stays as it is, and
   * may be up.
   *
   * @param as absent: an id is made up
   * @return the layer
   */
  public LayerId flatten(
      StackName name, Optional<LayerId> as, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    StackDefinition stack = get(name);
    checkLayer(stack, as, Optional.empty());
    try (TreeDiff all = content.againstNothing(stack, progress, cancelled)) {
      return makeLayer(stack, as, Optional.empty(), all);
    }
  }

  /** Checks what {@link #flatten} checks before it makes the layer; changes nothing. */
  public void checkFlatten(StackName name, Optional<LayerId> as)
      throws EngineException, ErrnoException {
    checkLayer(get(name), as, Optional.empty());
  }

  private LayerId makeLayer(
      StackDefinition stack, Optional<LayerId> as, Optional<LayerId> parent, TreeDiff content)
      throws EngineException, ErrnoException {
    LayerId id = as.isPresent() ? as.get() : homes.of(stack).unusedId();
    layers.create(driver(stack), id, parent, content::stream);
    return id;
  }

  private void checkLayer(StackDefinition stack, Optional<LayerId> as, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    if (as.isPresent()) {
      layers.checkCreate(driver(stack), as.get(), parent);
    }
  }

  /**
   * Folds the upper of a stack into the lower right below it, and empties the upper. The stack
   * shows the same before and after, and if this ends anywhere in between.
   *
   * @return the lower
   * @throws EngineException it is up; it has no upper; somebody else needs the lower; cancelled
   */
  public StackDefinition.Lower merge(StackName name, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return merge(name, false, progress, cancelled);
  }

  /**
   * As {@link #merge(StackName, Progress, BooleanSupplier)}, into a directory of the host's own,
   * which changes anyway: that others have it as a lower is no hindrance.
   */
  public StackDefinition.Lower mergeIntoLive(
      StackName name, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return merge(name, true, progress, cancelled);
  }

  private StackDefinition.Lower merge(
      StackName name, boolean live, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return locked(
        name,
        (stack, held) -> {
          StackMounts.Sighting sighting = refuseMounted(stack, "merge");
          return merges.merge(driver(stack), sighting, live, progress, cancelled);
        });
  }

  /**
   * Checks what {@link #merge} checks before it begins; changes nothing. What it would change in
   * the lower is what {@link #compare} tells.
   */
  public StackDefinition.Lower checkMerge(StackName name) throws EngineException, ErrnoException {
    StackDefinition stack = get(name);
    return merges.check(driver(stack), refuseMounted(stack, "merge"), false);
  }

  /**
   * Makes a stack's own upper a committed layer as it is, and gives the stack a new, empty upper
   * above it. Redirects and metadata-only copies stay what they are: ovl understands them, other
   * engines may not.
   *
   * @return the layer, which had this id all the time
   * @throws EngineException it is up; it lies on plain directories; its upper is the user's
   */
  public LayerId commitByMove(StackName name) throws EngineException, ErrnoException {
    return locked(
        name,
        (stack, held) -> {
          editor.frozen(stack);
          users.refuseUsedUpper(refuseMounted(stack, "commit"));
          editor.freeze(stack);
          return stack.layer().orElseThrow().id();
        });
  }

  /** Checks all that {@link #commitByMove} checks before it writes; changes nothing. */
  public void checkCommitByMove(StackName name) throws EngineException, ErrnoException {
    StackDefinition stack = get(name);
    editor.frozen(stack);
    users.refuseUsedUpper(refuseMounted(stack, "commit"));
  }

  /** Checks what {@link #commit} checks before it makes the layer; changes nothing. */
  public void checkCommit(StackName name, Optional<LayerId> as)
      throws EngineException, ErrnoException {
    StackDefinition stack = get(name);
    checkLayer(stack, as, stack.parent());
  }

  /** The directories that a stack is made of, topmost first, with what each takes. */
  public List<StackLevel> levels(StackName name, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return content.levels(get(name), cancelled);
  }

  /**
   * Which of the directories that a stack is made of hold a path, whether a mount shows it or not.
   *
   * @param path from the stack's root
   * @throws EngineException USAGE: the path has {@code ..} in it
   */
  public Whereabouts which(StackName name, OsPath path) throws EngineException, ErrnoException {
    return content.which(get(name), path);
  }

  /**
   * Which of the directories that a stack is made of what is seen beneath a path comes from.
   *
   * @param path from the stack's root
   * @param cancelled asked before each name
   * @throws EngineException USAGE: the path has {@code ..} in it; cancelled
   */
  public Shares shares(StackName name, OsPath path, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return content.shares(get(name), path, cancelled);
  }

  /**
   * Has the kernel copy what a path leads to into the upper, data included, as the first one who
   * writes there would. From then on all who open a file share it, also those who only read.
   *
   * @param path from the stack's root
   * @param cancelled asked before each name; what was copied by then stays
   * @throws EngineException it is not up; it has no upper; there is no such path; cancelled
   */
  public void copyUp(StackName name, OsPath path, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    new CopyUp(sys, progress, cancelled).run(mounted(get(name)), PathSearch.relative(path));
  }

  /** Checks what {@link #copyUp} checks before it copies; changes nothing. */
  public void checkCopyUp(StackName name) throws EngineException, ErrnoException {
    mounted(get(name));
  }

  /** Where a stack that can be written to is mounted. */
  private OsPath mounted(StackDefinition stack) throws EngineException, ErrnoException {
    if (stack.upper() instanceof StackDefinition.Upper.None) {
      throw EngineException.failed("it is read-only: it has no upper", Errno.EROFS);
    }
    StackState state = mounts.look(stack).state();
    if (state instanceof StackState.Up up) {
      return up.mount().point();
    }
    throw EngineException.failed(
        "is " + state.remark().orElse("not up") + ": only what is mounted can be copied up",
        Errno.EINVAL);
  }

  /**
   * Files that take room in a stack's upper for data that its lowers have, too.
   *
   * @param cancelled asked before each name
   * @return by path
   */
  public List<WastedCopies.Wasted> wasted(StackName name, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return content.wasted(get(name), cancelled);
  }

  /**
   * Looks a stack over. Changes nothing; the stack may be up.
   *
   * @param wholeLowers walk the lowers, too, which takes as long as they are large
   * @param progress hears of every name
   * @throws EngineException a directory cannot be read; cancelled (ECANCELED)
   */
  public List<Examined> examine(
      StackName name, boolean wholeLowers, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return checkup.find(mounts.look(get(name)), wholeLowers, progress, cancelled).stream()
        .map(finding -> new Examined(finding, Examined.Outcome.LEFT, Optional.empty()))
        .toList();
  }

  /**
   * Looks a stack over and mends what can be mended, each finding by itself.
   *
   * @throws EngineException as {@link #examine}; EBUSY: it is up, or something else has its upper
   */
  public List<Examined> repair(
      StackName name, boolean wholeLowers, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    return locked(
        name,
        (stack, held) -> {
          StackMounts.Sighting sighting = checkRepair(stack);
          return checkup.mend(stack, checkup.find(sighting, wholeLowers, progress, cancelled));
        });
  }

  /** Checks what {@link #repair} checks before it looks; changes nothing. */
  public void checkRepair(StackName name) throws EngineException, ErrnoException {
    checkRepair(get(name));
  }

  private StackMounts.Sighting checkRepair(StackDefinition stack)
      throws EngineException, ErrnoException {
    checkup.refuseOther(stack);
    StackMounts.Sighting sighting = refuseMounted(stack, "repair");
    users.refuseUsedUpper(sighting);
    users.refuseUpperAsLower(sighting, homes.of(stack).directory());
    return sighting;
  }

  // ---- leftovers ----------------------------------------------------------------------------

  /**
   * What dead processes, other tools or a broken disk left under root and run. Asks only; what
   * operations under way are at work on is not reported. Looks through the links of all lowers, so
   * it waits for their file systems.
   */
  public List<Leftover> leftovers() throws EngineException, ErrnoException {
    format.check();
    return leftovers.find();
  }

  /**
   * Removes a leftover, if it still is one.
   *
   * @return false when it is gone, or in use by now, or of a kind that no sweep removes
   * @throws EngineException somebody uses what it holds
   */
  public boolean sweep(Leftover leftover) throws EngineException, ErrnoException {
    format.check();
    if (leftover.kind().isRecovered()) {
      if (files.lstat(leftover.place()).isEmpty()) {
        return false;
      }
      recover();
      return files.lstat(leftover.place()).isEmpty();
    }
    return leftovers.remove(leftover);
  }

  // ---- questions ----------------------------------------------------------------------------

  /** All names, sorted, those with an unreadable definition included. */
  public List<StackName> names() throws EngineException, ErrnoException {
    format.check();
    return store.names();
  }

  /** The names in an order in which each comes after the stacks whose mounts it lies on. */
  public List<StackName> namesByDependency() throws EngineException, ErrnoException {
    return DependencyOrder.sort(names(), store::findReadable, mounts);
  }

  /**
   * The state of a stack. Waits for the file systems that its target lies on, if need be for good:
   * a deadline is the caller's. No lock is held meanwhile, and nobody else waits; so it is with
   * {@link #summary} and {@link #report}.
   */
  public StackState state(StackName name) throws EngineException, ErrnoException {
    return asOfOneMoment(name, stack -> mounts.look(stack).state());
  }

  /** A stack in short. */
  public StackSummary summary(StackName name) throws EngineException, ErrnoException {
    return asOfOneMoment(name, this::summary);
  }

  private StackSummary summary(StackDefinition stack) throws EngineException, ErrnoException {
    StackMounts.Sighting sighting = mounts.look(stack);
    // of a stack that is up it is told by a report: all namespaces are looked through for it
    List<Elsewhere> elsewhere =
        sighting.state() instanceof StackState.Down ? users.elsewhere(sighting) : List.of();
    return new StackSummary(stack, mounts.target(stack), sighting.state(), elsewhere);
  }

  /** What is asked of a stack. */
  private interface Question<T> {
    T of(StackDefinition stack) throws EngineException, ErrnoException;
  }

  /**
   * Asks again when the definition was another one afterwards: the answer must not have the
   * definition of one moment and the mount of another. The store gives the same object as long as
   * the file is the same.
   */
  @SuppressWarnings("ReferenceEquality") // one that equals it may have come later
  private <T> T asOfOneMoment(StackName name, Question<T> question)
      throws EngineException, ErrnoException {
    StackDefinition before = get(name);
    while (true) {
      T answer = question.of(before);
      StackDefinition after = get(name);
      if (after == before) {
        return answer;
      }
      before = after;
    }
  }

  /**
   * All stacks in short, sorted by name. One look at the machine serves them all, and what lies on
   * a file system that does not answer holds up this question for a moment, not for good.
   */
  public List<StackListing> summaries() throws EngineException, ErrnoException {
    List<StackListing> all = new ArrayList<>();
    StackMounts.Survey survey = mounts.survey();
    for (StackName name : names()) {
      try {
        Optional<StackDefinition> stack = store.find(name);
        if (stack.isPresent()) {
          all.add(new StackListing.Told(summary(stack.get(), survey)));
        }
      } catch (EngineException e) {
        all.add(new StackListing.Untold(name, e));
      } catch (ErrnoException e) {
        all.add(new StackListing.Untold(name, EngineException.unexpected(e)));
      }
    }
    return all;
  }

  private StackSummary summary(StackDefinition stack, StackMounts.Survey survey)
      throws EngineException, ErrnoException {
    OsPath target = mounts.target(stack);
    Optional<StackState> state = survey.state(stack);
    if (state.isEmpty()) {
      throw EngineException.failed(
          "the file system of its target or upper does not answer; the target is "
              + target.quoted(),
          Errno.ETIMEDOUT);
    }
    return new StackSummary(stack, target, state.get(), List.of());
  }

  /** All that is known of a stack. */
  public StackReport report(StackName name) throws EngineException, ErrnoException {
    return asOfOneMoment(name, this::report);
  }

  private StackReport report(StackDefinition stack) throws EngineException, ErrnoException {
    UnionKind.Manner manner = kinds.of(stack).manner(stack);
    StackMounts.Sighting sighting = mounts.look(stack);
    return new StackReport(
        stack,
        sighting.state(),
        mounts.target(stack),
        mounts.upper(stack),
        manner.options(),
        manner.method(),
        manner.nested(),
        users.elsewhere(sighting));
  }

  /**
   * What the stack's upper takes, found by walking it: microseconds a file. Holds no lock.
   *
   * @param cancelled asked before each file
   * @return empty for a stack without upper
   * @throws EngineException cancelled (ECANCELED); the upper is missing
   */
  public Optional<UpperUsage> usage(StackName name, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    Optional<StackDefinition.Upper.Given> upper = mounts.upper(get(name));
    return upper.isEmpty()
        ? Optional.empty()
        : Optional.of(
            UpperUsage.measure(sys, upper.get().directory(), upper.get().work(), cancelled));
  }

  /** The room on the file system that holds the stack's upper; empty for one without. */
  public Optional<FileSystemRoom> room(StackName name) throws EngineException, ErrnoException {
    Optional<StackDefinition.Upper.Given> upper = mounts.upper(get(name));
    return upper.isEmpty()
        ? Optional.empty()
        : Optional.of(FileSystemRoom.at(sys, upper.get().directory()));
  }

  /**
   * The lowers that mounted stacks have in common, and what of their files is in the page cache,
   * once for all of them.
   *
   * @param least lowers of fewer stacks than this are left out
   * @param limits of looking at files, for all lowers together; those of most stacks come first
   * @param cancelled asked before each file
   * @throws EngineException cancelled (ECANCELED)
   */
  public List<SharedLower> sharedLowers(
      int least, PageCache.Limits limits, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    List<StackDefinition> up = new ArrayList<>();
    StackMounts.Survey survey = mounts.survey();
    for (StackName name : names()) {
      Optional<StackDefinition> stack = store.findReadable(name);
      if (stack.isPresent() && survey.state(stack.get()).flatMap(StackState::mounted).isPresent()) {
        up.add(stack.get());
      }
    }
    return new SharedLowers(sys).among(up, least, new PageCache(sys, limits, cancelled));
  }

  /** Ends the threads; mounts stay. */
  @Override
  public void close() {
    lookout.close();
    layers.close();
    mounter.close();
  }
}
