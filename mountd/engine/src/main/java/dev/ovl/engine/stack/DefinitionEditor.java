package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.mount.OverlayChecks;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.root.RootFormat;
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
import java.util.stream.Stream;

/**
 * Decides what a definition is to be, and writes, replaces and deletes it together with the layer
 * and the links that it names. Its caller holds the stack's lock for whatever writes.
 *
 * <p>The definition's file decides: before it is replaced all new things are rubbish, after it the
 * old ones are. The journal names both, so that {@link #recover} needs no more than to compare.
 */
final class DefinitionEditor {
  private static final int ATTEMPTS = 4;

  /** Longer than a namespace that is about to end is waited for. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Files files;
  private final Overlay2Home home;
  private final RootFormat format;
  private final StackStore store;
  private final Journal journal;
  private final Locks locks;
  private final StackMounts mounts;
  private final StackUsers users;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;
  private final UpperOwners owners;
  private final Lookout lookout;

  DefinitionEditor(
      Syscalls sys,
      OsPath root,
      Overlay2Home home,
      RootFormat format,
      StackStore store,
      Locks locks,
      StackMounts mounts,
      StackUsers users,
      OverlayMounter mounter,
      Lookout lookout) {
    this.files = new Files(sys);
    this.home = home;
    this.format = format;
    this.store = store;
    this.journal = new Journal(sys, root);
    this.locks = locks;
    this.mounts = mounts;
    this.users = users;
    this.mounter = mounter;
    this.checks = new OverlayChecks(sys);
    this.owners = new UpperOwners(sys, store, lookout);
    this.lookout = lookout;
  }

  /** Makes the root's directories where they are missing. */
  void prepare() throws EngineException, ErrnoException {
    format.prepare(locks);
    store.prepare();
    journal.prepare();
    home.prepare();
    files.mkdir(mounts.empty(), 0555);
  }

  // ---- what it is to be ---------------------------------------------------------------------

  /** Refuses a request that no machine could fulfil, or not this one: nothing is made. */
  void check(StackRequest request) throws EngineException, ErrnoException {
    Optional<String> driver = request.driver();
    if (driver.isPresent() && !driver.get().equals(Overlay2Home.NAME)) {
      throw EngineException.usage(
          "unknown driver " + OsPath.quoted(driver.get()) + "; known is " + Overlay2Home.NAME);
    }
    if (request.upper().isPresent() && request.readOnly()) {
      throw EngineException.usage("a read-only stack has no upper");
    }
    List<OsPath> lowers = new ArrayList<>(request.lowers());
    chain(request.parent()).forEach(lower -> lowers.add(lower.path()));
    check(lowers, request.upper(), request.target());
  }

  /** The layer and its ancestors as lowers, nearest first. */
  private List<Lower> chain(Optional<LayerId> parent) throws EngineException, ErrnoException {
    List<Lower> chain = new ArrayList<>();
    if (parent.isPresent()) {
      LayerId layer = parent.get();
      String link =
          home.link(layer)
              .orElseThrow(() -> EngineException.failed("no such parent: " + layer, Errno.ENOENT));
      chain.add(new Lower(home.diff(layer), link, parent));
      for (Overlay2Home.Below below : home.below(layer)) {
        chain.add(new Lower(below.directory(), below.link(), below.layer()));
      }
    }
    return chain;
  }

  private void check(
      List<OsPath> lowers, Optional<OverlayMount.Upper> upper, Optional<OsPath> target)
      throws EngineException, ErrnoException {
    if (lowers.isEmpty()) {
      throw EngineException.usage("a stack needs a lower");
    }
    checks.check(lowers, upper);
    if (target.isPresent()) {
      checks.checkTarget(target.get());
    }
  }

  /** The definition that a checked request asks for; nothing is made. */
  StackDefinition define(StackRequest request) throws EngineException, ErrnoException {
    if (store.exists(request.name())) {
      throw EngineException.failed("a stack of that name exists", Errno.EEXIST);
    }
    boolean ownUpper = request.upper().isEmpty() && !request.readOnly();
    StackDefinition stack =
        new StackDefinition(
            request.name(),
            Overlay2Home.NAME,
            lowers(request.lowers(), List.of(), request.parent()),
            request
                .upper()
                .<Upper>map(u -> new Upper.Given(u.directory(), u.work()))
                .orElse(ownUpper ? new Upper.OfLayer() : new Upper.None()),
            ownUpper || request.target().isEmpty() ? Optional.of(unusedLayer()) : Optional.empty(),
            request.target(),
            request.options(),
            request.propagation(),
            request.method(),
            ownUpper && !request.compat() && !format.isShared());
    mounter.plan(mounts.mount(stack), stack.method());
    return stack;
  }

  /** The definition that a change makes of another one, checked; nothing is made. */
  StackDefinition redefine(StackDefinition before, StackChange change)
      throws EngineException, ErrnoException {
    if (change.upper().isPresent() && before.upper() instanceof Upper.OfLayer) {
      throw EngineException.usage(
          "its upper is its own layer, which another one would orphan; create another stack");
    }
    StackDefinition after = changed(before, before.name(), before.layer(), before.lowers(), change);
    if (after.layer().isEmpty() && after.target().isEmpty()) {
      after = after.withLayer(unusedLayer());
    }
    check(paths(after), givenUpper(after), after.target());
    mounter.plan(mounts.mount(after), after.method());
    return after;
  }

  /** The request for a stack like another one, but for a change. */
  StackRequest copyRequest(StackDefinition from, StackName as, StackChange change)
      throws EngineException, ErrnoException {
    if (from.target().isPresent() && change.target().isEmpty()) {
      throw EngineException.usage(
          "the target "
              + from.target().get().quoted()
              + " is taken by "
              + from.name()
              + ": give another by --at, or 'default'");
    }
    StackDefinition to = changed(from, as, Optional.empty(), List.of(), change);
    return new StackRequest(
        as,
        Optional.of(to.driver()),
        to.directories(),
        to.parent(),
        to.upper() instanceof Upper.None,
        givenUpper(to),
        to.target(),
        to.options(),
        to.propagation(),
        to.method(),
        !to.lazyCopies());
  }

  private StackDefinition changed(
      StackDefinition from,
      StackName name,
      Optional<Layer> layer,
      List<Lower> present,
      StackChange change)
      throws EngineException, ErrnoException {
    List<OsPath> directories = change.lowers().orElse(from.directories());
    return new StackDefinition(
        name,
        from.driver(),
        lowers(directories, present, change.parent().orElse(from.parent())),
        change
            .upper()
            .<Upper>map(u -> new Upper.Given(u.directory(), u.work()))
            .orElse(from.upper()),
        layer,
        change.target().orElse(from.target()),
        change.options().orElse(from.options()),
        change.propagation().orElse(from.propagation()),
        change.method().orElse(from.method()),
        from.lazyCopies());
  }

  /** Gives each directory a link: the one it has already, or an unused name. */
  private List<Lower> lowers(
      List<OsPath> directories, List<Lower> present, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    Map<OsPath, String> names = new HashMap<>();
    for (Lower lower : present) {
      if (lower.layer().isEmpty()) {
        names.put(lower.path(), lower.link());
      }
    }
    List<Lower> lowers = new ArrayList<>();
    for (OsPath path : directories) {
      String known = names.get(path);
      String link = known != null ? known : home.links().unusedName();
      lowers.add(new Lower(path, link, Optional.empty()));
    }
    lowers.addAll(chain(parent));
    return lowers;
  }

  private Layer unusedLayer() throws EngineException, ErrnoException {
    return new Layer(home.unusedId(), home.links().unusedName());
  }

  private static List<OsPath> paths(StackDefinition stack) {
    return stack.lowers().stream().map(Lower::path).toList();
  }

  private static Optional<OverlayMount.Upper> givenUpper(StackDefinition stack) {
    return stack.upper() instanceof Upper.Given given
        ? Optional.of(new OverlayMount.Upper(given.directory(), given.work()))
        : Optional.empty();
  }

  /** Refuses an upper or work of the user's that another stack or mount has. */
  void refuseSharedUpper(StackDefinition stack) throws EngineException, ErrnoException {
    if (!(stack.upper() instanceof Upper.Given given)) {
      return;
    }
    owners.claim(stack.name(), given).refuseOwned();
    users.refuseUsedUpper(mounts.look(stack));
  }

  // ---- writing it ---------------------------------------------------------------------------

  /** Makes the new stack that a checked request asks for. When that fails all is as before. */
  StackDefinition create(StackRequest request) throws EngineException, ErrnoException {
    return store(() -> define(request), Optional.empty());
  }

  /** Changes a stack. When that fails all is as before. */
  StackDefinition change(StackDefinition before, StackChange change)
      throws EngineException, ErrnoException {
    return store(() -> redefine(before, change), Optional.of(before));
  }

  /**
   * Makes a stack's own layer the topmost of those that it lies on, and gives it another one. When
   * that fails all is as before.
   */
  StackDefinition freeze(StackDefinition before) throws EngineException, ErrnoException {
    Layer own = before.layer().orElseThrow();
    home.commit(own.id());
    try {
      return store(() -> frozen(before), Optional.of(before));
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      try {
        home.uncommit(own.id());
      } catch (ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /** The definition of a stack whose own layer has become a lower. */
  StackDefinition frozen(StackDefinition before) throws EngineException, ErrnoException {
    if (!(before.upper() instanceof Upper.OfLayer) || !before.directories().isEmpty()) {
      throw EngineException.usage(
          "only the own layer of a stack that lies on layers alone can become one of them");
    }
    Layer own = before.layer().orElseThrow();
    List<Lower> lowers = new ArrayList<>();
    lowers.add(new Lower(home.diff(own.id()), own.link(), Optional.of(own.id())));
    lowers.addAll(before.lowers());
    StackDefinition after =
        new StackDefinition(
            before.name(),
            before.driver(),
            lowers,
            before.upper(),
            Optional.of(unusedLayer()),
            before.target(),
            before.options(),
            before.propagation(),
            before.method(),
            before.lazyCopies());
    mounter.plan(mounts.mount(after), after.method());
    return after;
  }

  /** Makes up a definition, with names for what is new in it. */
  private interface Definer {
    StackDefinition define() throws EngineException, ErrnoException;
  }

  private StackDefinition store(Definer definer, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      StackDefinition stack = definer.define();
      if (store(stack, before)) {
        return stack;
      }
    }
    throw EngineException.failed(
        "every name for a link is taken in " + home.directory().quoted(), Errno.EEXIST);
  }

  /**
   * Makes what a definition needs, writes it, and removes what the one before needed and it does
   * not.
   *
   * @return false when the name of a link was taken between asking for it and making it; all is as
   *     before
   */
  private boolean store(StackDefinition stack, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    journal.begin(entry(stack.name(), Stream.concat(Stream.of(stack), before.stream()).toList()));
    try {
      Set<String> made = new HashSet<>();
      if (!make(stack, before, made)) {
        forgetForeignLinks(stack, before, made);
        recover(stack.name());
        return false;
      }
      write(stack, before);
    } catch (EngineException | ErrnoException | RuntimeException failure) {
      takeBack(stack.name(), before, failure);
      throw failure;
    }
    clear(stack.name());
    return true;
  }

  /** Clears up after a definition has been written: it stands, whatever happens here. */
  private void clear(StackName name) {
    try {
      recover(name);
    } catch (EngineException | ErrnoException e) {
      // the journal still names what is left; the next operation on the stack works it off
    }
  }

  private static Journal.Entry entry(StackName name, List<StackDefinition> definitions) {
    return new Journal.Entry(
        name,
        definitions.stream().flatMap(d -> d.layer().stream()).map(Layer::id).distinct().toList(),
        definitions.stream().flatMap(StackDefinition::links).distinct().toList());
  }

  /** Makes links and layer; {@code made} gets the links. False when a link's name is taken. */
  private boolean make(StackDefinition stack, Optional<StackDefinition> before, Set<String> made)
      throws EngineException, ErrnoException {
    Set<String> present = new HashSet<>();
    before.ifPresent(b -> b.links().forEach(present::add));
    for (Lower lower : stack.lowers()) {
      if (lower.layer().isEmpty() && !present.contains(lower.link())) {
        if (!home.links().make(lower.link(), lower.path())) {
          return false;
        }
        made.add(lower.link());
      }
    }
    if (stack.layer().isPresent()) {
      Layer layer = stack.layer().get();
      List<String> links = stack.lowers().stream().map(Lower::link).toList();
      if (before.flatMap(StackDefinition::layer).filter(layer::equals).isPresent()) {
        home.writeLower(layer.id(), links);
      } else {
        Statx rootOf = files.stat(stack.lowers().get(0).path()).orElseThrow();
        return home.create(
            layer.id(),
            layer.link(),
            links,
            Optional.of(rootOf),
            false,
            draft -> home.noteOwner(draft, OsPath.of(stack.name().text())));
      }
    }
    return true;
  }

  /**
   * Rewrites the journal's entry so that a link with the unlucky name, which is somebody else's,
   * stays.
   */
  private void forgetForeignLinks(
      StackDefinition stack, Optional<StackDefinition> before, Set<String> made)
      throws ErrnoException {
    List<String> links =
        Stream.concat(made.stream(), before.stream().flatMap(StackDefinition::links)).toList();
    journal.begin(
        new Journal.Entry(stack.name(), stack.layer().stream().map(Layer::id).toList(), links));
  }

  private void write(StackDefinition stack, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    if (!(stack.upper() instanceof Upper.Given given)
        || before.filter(b -> b.upper().equals(given)).isPresent()) {
      store.write(stack);
      return;
    }
    UpperOwners.Claim claim = owners.claim(stack.name(), given);
    claim.refuseOwned();
    // who owns an upper is decided by one process at a time, also because asking the kernel whether
    // an upper is in use has it in use for a moment
    try (Locks.Held held = locks.acquire(format.lockFile(), "the root")) {
      claim.refuseOwned();
      refuseUsedUpperInTime(stack, given);
      store.write(stack);
    }
  }

  /**
   * Everybody waits for the lock of the root: so nobody who holds it may wait for a file system.
   */
  private void refuseUsedUpperInTime(StackDefinition stack, Upper.Given given)
      throws EngineException, ErrnoException {
    Optional<Optional<EngineException>> answer =
        lookout.within(PATIENCE, () -> refusalOfUsedUpper(stack));
    if (answer.isEmpty()) {
      throw EngineException.failed(
          "the file system of upper or target does not answer: " + given.directory().quoted(),
          Errno.ETIMEDOUT);
    }
    if (answer.get().isPresent()) {
      throw answer.get().get();
    }
  }

  private Optional<EngineException> refusalOfUsedUpper(StackDefinition stack)
      throws ErrnoException {
    try {
      users.refuseUsedUpper(mounts.look(stack));
      return Optional.empty();
    } catch (EngineException refusal) {
      return Optional.of(refusal);
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

  /** Deletes a definition with all that it names. */
  void delete(StackDefinition stack) throws EngineException, ErrnoException {
    journal.begin(entry(stack.name(), List.of(stack)));
    try {
      store.delete(stack.name());
    } catch (ErrnoException failure) {
      try {
        recover(stack.name());
      } catch (EngineException | ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
    recover(stack.name());
  }

  // ---- recovery -----------------------------------------------------------------------------

  /** The stacks whose last operation was not ended; it may still be under way. */
  Set<StackName> unended() throws EngineException, ErrnoException {
    return journal.open();
  }

  /** True when an operation on the stack was begun and not ended. */
  boolean isUnended(StackName name) throws EngineException, ErrnoException {
    return journal.find(name).isPresent();
  }

  /** Removes what the stack's journal entry names and its definition does not, then the entry. */
  void recover(StackName name) throws EngineException, ErrnoException {
    Optional<Journal.Entry> entry = journal.find(name);
    if (entry.isEmpty()) {
      return;
    }
    store.sweep(name);
    Optional<StackDefinition> stack = store.find(name);
    Set<LayerId> layers = new HashSet<>();
    Set<String> links = new HashSet<>();
    if (stack.isPresent()) {
      stack.get().layer().ifPresent(layer -> layers.add(layer.id()));
      stack.get().links().forEach(links::add);
      for (Lower lower : stack.get().lowers()) {
        // what was the stack's own layer may be one of these by now
        lower.layer().ifPresent(layers::add);
        links.add(lower.link());
      }
    }
    for (String link : entry.get().links()) {
      if (!links.contains(link)) {
        home.links().remove(link);
      }
    }
    for (LayerId layer : entry.get().layers()) {
      if (layers.contains(layer)) {
        home.sweep(layer);
      } else {
        home.remove(layer);
      }
    }
    journal.end(name);
  }

  /** {@link #recover}, and what is left of an operation that died before its entry was whole. */
  void sweep(StackName name) throws EngineException, ErrnoException {
    journal.sweep(name);
    recover(name);
  }
}
