package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayChecks;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.mount.Processes;
import dev.ovl.engine.stack.StackDefinition.Layer;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The stacks of one root: their definitions and their mounts.
 *
 * <p>Every operation on a stack holds that stack's lock, so different stacks go on side by side, in this
 * process and others. Whatever step an operation dies at, the definitions are whole, and what it left is
 * cleared by {@link #recover} or by the next operation on the same stack.
 *
 * <p>Each method throws {@link EngineException} for what its caller can understand and {@link
 * ErrnoException} for a system call that failed in no foreseen way; in both cases nothing has changed.
 */
public final class Stacks implements AutoCloseable {
  private static final Duration LOCK_PATIENCE = Duration.ofSeconds(30);

  private final Files files;
  private final OsPath root;
  private final Overlay2Home home;
  private final StackStore store;
  private final Journal journal;
  private final Locks locks;
  private final StackMounts mounts;
  private final StackLifecycle lifecycle;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;

  /** Stacks without definition whose remains this object cleared away. */
  private final Set<StackName> recovered = ConcurrentHashMap.newKeySet();

  /**
   * @param sys what to call
   * @param root the root directory, which need not exist yet
   * @param run the run directory, which need not exist yet
   */
  public Stacks(Syscalls sys, OsPath root, OsPath run) {
    this.files = new Files(sys);
    this.root = root;
    this.home = new Overlay2Home(sys, root);
    this.store = new StackStore(sys, root);
    this.journal = new Journal(sys, root);
    this.locks = new Locks(sys, LOCK_PATIENCE);
    this.checks = new OverlayChecks(sys);
    this.mounter = new OverlayMounter(sys, run.resolve("nested"));
    MountTable table = new MountTable(sys);
    Processes processes = new Processes(sys);
    MountRecords records = new MountRecords(sys, root, run);
    this.mounts =
        new StackMounts(
            sys,
            root,
            home,
            table,
            new OverlayCensus(sys, table, processes),
            processes,
            records);
    this.lifecycle =
        new StackLifecycle(
            sys,
            home,
            table,
            mounts,
            records,
            mounter,
            new MountHolders(sys, table, processes));
  }

  private Locks.Held lock(StackName name) throws EngineException, ErrnoException {
    return locks.acquire(lockFile(name), "the stack");
  }

  private OsPath lockFile(StackName name) {
    return store.directory().resolve("." + name + ".lock");
  }

  /** The lock under which it is decided who owns an upper; held for no longer than that takes. */
  private Locks.Held lockUppers() throws EngineException, ErrnoException {
    return locks.acquire(root.resolve("uppers.lock"), "the list of uppers");
  }

  private void prepare() throws EngineException, ErrnoException {
    new RootFormat(files, root).prepare();
    store.prepare();
    journal.prepare();
    home.prepare();
    files.mkdir(mounts.empty(), 0555);
  }

  // ---- definitions --------------------------------------------------------------------------

  /**
   * Writes down a new stack.
   *
   * @throws EngineException the name is taken; the driver is unknown; the layers are such as the kernel
   *     would refuse; the upper or work belongs to another stack or mount
   */
  public StackDefinition create(StackRequest request) throws EngineException, ErrnoException {
    check(request);
    prepare();
    try (Locks.Held held = lock(request.name())) {
      boolean done = false;
      try {
        recover(request.name());
        StackDefinition stack = define(request);
        store(stack, Optional.empty());
        done = true;
        return stack;
      } finally {
        if (!done && !store.exists(request.name())) {
          held.removeFile();
        }
      }
    }
  }

  /** Checks all that {@link #create} checks before it writes; changes nothing. */
  public void checkCreate(StackRequest request) throws EngineException, ErrnoException {
    check(request);
    StackDefinition stack = define(request);
    if (stack.upper() instanceof Upper.Given given) {
      refuseSharedUpper(stack, given);
      mounts.refuseUsedUpper(stack, Optional.empty());
    }
  }

  private void check(StackRequest request) throws EngineException, ErrnoException {
    checkDriver(request.driver());
    if (request.upper().isPresent() && request.readOnly()) {
      throw EngineException.usage("a read-only stack has no upper");
    }
    check(request.lowers(), request.upper(), request.target());
  }

  /** The definition that a request asks for; nothing is made. */
  private StackDefinition define(StackRequest request) throws EngineException, ErrnoException {
    if (store.exists(request.name())) {
      throw EngineException.failed("a stack of that name exists", Errno.EEXIST);
    }
    boolean ownUpper = request.upper().isEmpty() && !request.readOnly();
    StackDefinition stack =
        new StackDefinition(
            request.name(),
            Overlay2Home.NAME,
            withLinks(request.lowers(), List.of()),
            request
                .upper()
                .<Upper>map(u -> new Upper.Given(u.directory(), u.work()))
                .orElse(ownUpper ? new Upper.OfLayer() : new Upper.None()),
            ownUpper || request.target().isEmpty() ? Optional.of(unusedLayer()) : Optional.empty(),
            request.target(),
            request.options(),
            request.propagation(),
            request.method());
    mounter.plan(mounts.mount(stack), stack.method());
    return stack;
  }

  private Layer unusedLayer() throws EngineException, ErrnoException {
    return new Layer(home.unusedId(), home.links().unusedName());
  }

  private static void checkDriver(Optional<String> driver) throws EngineException {
    if (driver.isPresent() && !driver.get().equals(Overlay2Home.NAME)) {
      throw EngineException.usage(
          "unknown driver " + OsPath.quoted(driver.get()) + "; known is " + Overlay2Home.NAME);
    }
  }

  private void check(
      List<OsPath> lowers,
      Optional<OverlayMount.Upper> upper,
      Optional<OsPath> target)
      throws EngineException, ErrnoException {
    if (lowers.isEmpty()) {
      throw EngineException.usage("a stack needs a lower");
    }
    checks.check(lowers, upper);
    if (target.isPresent()) {
      checks.checkTarget(target.get());
    }
  }

  /** Gives each lower a link: the one it has already, or an unused name. */
  private List<Lower> withLinks(List<OsPath> paths, List<Lower> present)
      throws EngineException, ErrnoException {
    Map<OsPath, String> names = new HashMap<>();
    present.forEach(lower -> names.put(lower.path(), lower.link()));
    List<Lower> lowers = new ArrayList<>(paths.size());
    for (OsPath path : paths) {
      String known = names.get(path);
      lowers.add(new Lower(path, known != null ? known : home.links().unusedName()));
    }
    return lowers;
  }

  /**
   * Makes what a definition needs, writes it, and removes what the one before needed and it does not. The
   * definition's file decides: before it is replaced all new things are rubbish, after it the old ones.
   */
  private void store(StackDefinition stack, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    journal.begin(entry(stack.name(), Stream.concat(Stream.of(stack), before.stream()).toList()));
    try {
      make(stack, before);
      write(stack, before);
      recover(stack.name());
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      takeBack(stack.name(), before, failure);
      throw failure;
    }
  }

  private void write(StackDefinition stack, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    boolean sameUpper = before.filter(b -> b.upper().equals(stack.upper())).isPresent();
    if (stack.upper() instanceof Upper.Given given && !sameUpper) {
      try (Locks.Held held = lockUppers()) {
        refuseSharedUpper(stack, given);
        mounts.refuseUsedUpper(stack, Optional.empty());
        store.write(stack);
      }
    } else {
      store.write(stack);
    }
  }

  private void takeBack(StackName name, Optional<StackDefinition> before, Exception failure) {
    try {
      if (before.isPresent()) {
        store.write(before.get());
      } else {
        store.delete(name);
      }
      recover(name);
    } catch (EngineException | ErrnoException second) {
      failure.addSuppressed(second);
    }
  }

  private static Journal.Entry entry(StackName name, List<StackDefinition> definitions) {
    return new Journal.Entry(
        name,
        definitions.stream().flatMap(d -> d.layer().stream()).map(Layer::id).distinct().toList(),
        definitions.stream().flatMap(StackDefinition::links).distinct().toList());
  }

  private void make(StackDefinition stack, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    Set<String> present = new HashSet<>();
    before.ifPresent(b -> b.links().forEach(present::add));
    for (Lower lower : stack.lowers()) {
      if (!present.contains(lower.link()) && !home.links().make(lower.link(), lower.path())) {
        throw EngineException.failed(
            "link name " + lower.link() + " was taken meanwhile; try again", Errno.EEXIST);
      }
    }
    if (stack.layer().isPresent()) {
      Layer layer = stack.layer().get();
      List<String> links = stack.lowers().stream().map(Lower::link).toList();
      if (before.flatMap(StackDefinition::layer).isPresent()) {
        home.writeLower(layer.id(), links);
      } else {
        Statx rootOf = files.stat(stack.lowers().get(0).path()).orElseThrow();
        home.create(layer.id(), layer.link(), links, rootOf);
      }
    }
  }

  /** Refuses an upper or work that another definition names, by whatever path. */
  private void refuseSharedUpper(StackDefinition stack, Upper.Given given)
      throws EngineException, ErrnoException {
    List<Statx> ours = new ArrayList<>();
    files.stat(given.directory()).ifPresent(ours::add);
    files.stat(given.work()).ifPresent(ours::add);
    for (StackName name : store.names()) {
      if (name.equals(stack.name())) {
        continue;
      }
      Optional<StackDefinition> other = findReadable(name);
      if (other.isPresent() && other.get().upper() instanceof Upper.Given theirs) {
        for (OsPath path : List.of(theirs.directory(), theirs.work())) {
          Optional<Statx> stat = files.stat(path);
          if (stat.filter(s -> ours.stream().anyMatch(s::sameFile)).isPresent()) {
            throw EngineException.failed(
                "upper or work belongs to stack " + name + " already: " + path.quoted(),
                Errno.EBUSY);
          }
        }
      }
    }
  }

  /** A definition that cannot be read owns nothing that could be asked for. */
  private Optional<StackDefinition> findReadable(StackName name) throws ErrnoException {
    try {
      return store.find(name);
    } catch (EngineException e) {
      return Optional.empty();
    }
  }

  /**
   * Changes the definition of a stack that is down.
   *
   * @throws EngineException it is up; there is none; the result would be refused by {@link #create}
   */
  public StackDefinition set(StackName name, StackChange change)
      throws EngineException, ErrnoException {
    try (Locks.Held held = lockExisting(name)) {
      StackDefinition before = store.get(name);
      StackDefinition after = redefine(before, change);
      store(after, Optional.of(before));
      return after;
    }
  }

  /** Checks all that {@link #set} checks before it writes; changes nothing. */
  public void checkSet(StackName name, StackChange change) throws EngineException, ErrnoException {
    redefine(store.get(name), change);
  }

  private StackDefinition redefine(StackDefinition before, StackChange change)
      throws EngineException, ErrnoException {
    refuseMounted(before, "change");
    if (change.upper().isPresent() && before.upper() instanceof Upper.OfLayer) {
      throw EngineException.usage(
          "its upper is its own layer, which another one would orphan; create another stack");
    }
    StackDefinition after =
        changed(before, before.name(), before.layer(), before.lowers(), change);
    if (after.layer().isEmpty() && after.target().isEmpty()) {
      after = after.withLayer(unusedLayer());
    }
    check(paths(after), givenUpper(after), after.target());
    mounter.plan(mounts.mount(after), after.method());
    return after;
  }

  /**
   * Writes down a stack like another one. Its own layer, if it has one, starts empty.
   *
   * @throws EngineException there is no such stack; the new name is taken; both would have the same upper
   *     or target
   */
  public StackDefinition copy(StackName name, StackName as, StackChange change)
      throws EngineException, ErrnoException {
    return create(copyRequest(name, as, change));
  }

  /** Checks all that {@link #copy} checks before it writes; changes nothing. */
  public void checkCopy(StackName name, StackName as, StackChange change)
      throws EngineException, ErrnoException {
    checkCreate(copyRequest(name, as, change));
  }

  private StackRequest copyRequest(StackName name, StackName as, StackChange change)
      throws EngineException, ErrnoException {
    StackDefinition from = store.get(name);
    if (from.target().isPresent() && change.target().isEmpty()) {
      throw EngineException.usage(
          "the target "
              + from.target().get().quoted()
              + " is taken by "
              + name
              + ": give another by --at, or 'default'");
    }
    StackDefinition to = changed(from, as, Optional.empty(), List.of(), change);
    return new StackRequest(
        as,
        Optional.of(to.driver()),
        paths(to),
        to.upper() instanceof Upper.None,
        givenUpper(to),
        to.target(),
        to.options(),
        to.propagation(),
        to.method());
  }

  private StackDefinition changed(
      StackDefinition from,
      StackName name,
      Optional<Layer> layer,
      List<Lower> present,
      StackChange change)
      throws EngineException, ErrnoException {
    List<OsPath> lowers =
        change.lowers().orElse(from.lowers().stream().map(Lower::path).toList());
    return new StackDefinition(
        name,
        from.driver(),
        withLinks(lowers, present),
        change.upper().<Upper>map(u -> new Upper.Given(u.directory(), u.work())).orElse(from.upper()),
        layer,
        change.target().orElse(from.target()),
        change.options().orElse(from.options()),
        change.propagation().orElse(from.propagation()),
        change.method().orElse(from.method()));
  }

  private static List<OsPath> paths(StackDefinition stack) {
    return stack.lowers().stream().map(Lower::path).toList();
  }

  private static Optional<OverlayMount.Upper> givenUpper(StackDefinition stack) {
    return stack.upper() instanceof Upper.Given given
        ? Optional.of(new OverlayMount.Upper(given.directory(), given.work()))
        : Optional.empty();
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
    try (Locks.Held held = lockExisting(name)) {
      StackDefinition stack = store.get(name);
      if (force) {
        lifecycle.down(stack, false);
      }
      refuseMounted(stack, "remove");
      lifecycle.refuseAlive(stack);
      journal.begin(entry(name, List.of(stack)));
      try {
        lifecycle.forget(stack);
        store.delete(name);
      } finally {
        recover(name);
      }
      held.removeFile();
    }
  }

  /** True when an earlier removal had deleted the definition, and the rest of it is done now. */
  private boolean finishedRemoval(StackName name) throws EngineException, ErrnoException {
    if (store.exists(name)) {
      return false;
    }
    if (journal.find(name).isPresent()) {
      recover();
    }
    return recovered.remove(name);
  }

  private void refuseMounted(StackDefinition stack, String purpose)
      throws EngineException, ErrnoException {
    StackState state = mounts.state(stack);
    if (state.mounted().isPresent()) {
      throw EngineException.failed(
          "is up on "
              + state.mounted().get().point().quoted()
              + "; 'down' it before you "
              + purpose
              + " it",
          Errno.EBUSY);
    }
  }

  /** Takes the lock of a stack that exists, so that asking for one that does not leaves no lock file. */
  private Locks.Held lockExisting(StackName name) throws EngineException, ErrnoException {
    store.get(name);
    Locks.Held held = lock(name);
    boolean done = false;
    try {
      recover(name);
      if (!store.exists(name)) {
        held.removeFile();
      }
      store.get(name);
      done = true;
      return held;
    } finally {
      if (!done) {
        held.close();
      }
    }
  }

  // ---- recovery -----------------------------------------------------------------------------

  /**
   * Finishes or undoes what processes that died left half done. Operations that are under way are left
   * alone.
   */
  public void recover() throws EngineException, ErrnoException {
    for (StackName name : journal.open()) {
      Optional<Locks.Held> free = tryLock(name);
      if (free.isPresent()) {
        try (Locks.Held held = free.get()) {
          recover(name);
          if (!store.exists(name)) {
            recovered.add(name);
            held.removeFile();
          }
        }
      }
    }
    mounter.sweepScratch();
  }

  private Optional<Locks.Held> tryLock(StackName name) throws ErrnoException {
    try {
      return Optional.of(locks.acquire(lockFile(name), "the stack", Duration.ZERO));
    } catch (EngineException underWay) {
      return Optional.empty();
    }
  }

  /** Removes what the stack's journal entry names and its definition does not, then the entry. */
  private void recover(StackName name) throws EngineException, ErrnoException {
    Optional<Journal.Entry> entry = journal.find(name);
    if (entry.isEmpty()) {
      return;
    }
    Optional<StackDefinition> stack = store.find(name);
    Set<String> layers = new HashSet<>();
    Set<String> links = new HashSet<>();
    stack.flatMap(StackDefinition::layer).ifPresent(layer -> layers.add(layer.id()));
    stack.ifPresent(s -> s.links().forEach(links::add));
    for (String link : entry.get().links()) {
      if (!links.contains(link)) {
        home.links().remove(link);
      }
    }
    for (String layer : entry.get().layers()) {
      if (!layers.contains(layer)) {
        home.remove(layer);
      }
    }
    journal.end(name);
  }

  // ---- mounts -------------------------------------------------------------------------------

  /**
   * Mounts a stack; one that is mounted already is fine.
   *
   * @param acceptVolatile go on although a volatile mount was not ended cleanly
   * @return the target
   */
  public OsPath up(StackName name, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    try (Locks.Held held = lockExisting(name)) {
      return lifecycle.up(store.get(name), acceptVolatile);
    }
  }

  /**
   * Unmounts a stack; one that is not mounted is fine.
   *
   * @param lazy detach it although it is in use
   */
  public void down(StackName name, boolean lazy) throws EngineException, ErrnoException {
    try (Locks.Held held = lockExisting(name)) {
      lifecycle.down(store.get(name), lazy);
    }
  }

  // ---- questions ----------------------------------------------------------------------------

  /** All names, sorted, those with an unreadable definition included. */
  public List<StackName> names() throws ErrnoException {
    return store.names();
  }

  /** The names in an order in which each comes after the stacks whose mounts it lies on. */
  public List<StackName> namesByDependency() throws ErrnoException {
    return DependencyOrder.sort(store.names(), this::findReadable, mounts);
  }

  /** The state of a stack. */
  public StackState state(StackName name) throws EngineException, ErrnoException {
    return mounts.state(store.get(name));
  }

  /** A stack in short. */
  public StackSummary summary(StackName name) throws EngineException, ErrnoException {
    StackDefinition stack = store.get(name);
    return new StackSummary(stack, mounts.target(stack), mounts.state(stack));
  }

  /** All that is known of a stack. */
  public StackReport report(StackName name) throws EngineException, ErrnoException {
    StackDefinition stack = store.get(name);
    OverlayMount mount = mounts.mount(stack);
    OverlayMounter.Plan plan = mounter.plan(mount, stack.method());
    return new StackReport(
        stack,
        mounts.state(stack),
        mount.target(),
        mount.upper(),
        mount.options().words(),
        plan.method(),
        plan.nested());
  }

  /** Ends the threads; mounts stay. */
  @Override
  public void close() {
    mounter.close();
  }
}
