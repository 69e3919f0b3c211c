package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.engine.root.RootFormat;
import dev.ovl.engine.stack.StackDefinition.Layer;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
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
  private static final int RANDOM_DIGITS = 8;

  /** Longer than a namespace that is about to end is waited for. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Files files;
  private final RandomBytes random;
  private final LayerHomes homes;
  private final UnionKinds kinds;
  private final OsPath empty;
  private final RootFormat format;
  private final StackStore store;
  private final Journal journal;
  private final Locks locks;
  private final StackMounts mounts;
  private final StackUsers users;
  private final UpperOwners owners;
  private final Lookout lookout;

  DefinitionEditor(
      Syscalls sys,
      OsPath root,
      LayerHomes homes,
      UnionKinds kinds,
      OsPath empty,
      RootFormat format,
      StackStore store,
      Locks locks,
      StackMounts mounts,
      StackUsers users,
      Lookout lookout) {
    this.files = new Files(sys);
    this.random = new RandomBytes(sys);
    this.homes = homes;
    this.kinds = kinds;
    this.empty = empty;
    this.format = format;
    this.store = store;
    this.journal = new Journal(sys, root);
    this.locks = locks;
    this.mounts = mounts;
    this.users = users;
    this.owners = new UpperOwners(sys, store, lookout);
    this.lookout = lookout;
  }

  /** Makes the root's directories where they are missing. */
  void prepare() throws EngineException, ErrnoException {
    format.prepare(locks);
    store.prepare();
    journal.prepare();
    homes.overlay2().prepare();
    files.mkdir(empty, 0555);
  }

  // ---- what it is to be ---------------------------------------------------------------------

  /** Refuses a request that no machine could fulfil, or not this one: nothing is made. */
  void check(StackRequest request) throws EngineException, ErrnoException {
    UnionKind kind = kinds.of(request);
    check(kind, kind.parts(request), request.target());
  }

  private static void check(UnionKind kind, UnionKind.Parts parts, Optional<OsPath> target)
      throws EngineException, ErrnoException {
    if (parts.lowers().isEmpty()) {
      throw EngineException.usage("a stack needs a lower");
    }
    kind.check(parts);
    if (target.isPresent()) {
      kind.checkTarget(target.get());
    }
  }

  /** The definition that a checked request asks for; nothing is made. */
  StackDefinition define(StackRequest request) throws EngineException, ErrnoException {
    if (store.exists(request.name())) {
      throw EngineException.failed("a stack of that name exists", Errno.EEXIST);
    }
    UnionKind kind = kinds.of(request);
    UnionKind.Parts parts = kind.parts(request);
    boolean needsLayer = parts.upper() instanceof Upper.OfLayer || request.target().isEmpty();
    StackDefinition stack =
        new StackDefinition(
            request.name(),
            parts.lowers(),
            parts.upper(),
            needsLayer ? Optional.of(kind.unusedLayer()) : Optional.empty(),
            request.target(),
            request.propagation(),
            parts.union());
    kind.refuseUnmountable(stack);
    return stack;
  }

  /** The definition that a change makes of another one, checked; nothing is made. */
  StackDefinition redefine(StackDefinition before, StackChange change)
      throws EngineException, ErrnoException {
    if (change.upper().isPresent() && before.upper() instanceof Upper.OfLayer) {
      throw EngineException.usage(
          "its upper is its own layer, which another one would orphan; create another stack");
    }
    UnionKind kind = kinds.of(before);
    StackDefinition after = changed(before, before.name(), before.layer(), before.lowers(), change);
    if (after.layer().isEmpty() && after.target().isEmpty()) {
      after = after.withLayer(kind.unusedLayer());
    }
    check(kind, new UnionKind.Parts(after.lowers(), after.upper(), after.union()), after.target());
    kind.refuseUnmountable(after);
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
    return kinds.of(to).like(to, as);
  }

  private StackDefinition changed(
      StackDefinition from,
      StackName name,
      Optional<Layer> layer,
      List<Lower> present,
      StackChange change)
      throws EngineException, ErrnoException {
    UnionKind.Parts parts = kinds.of(from).parts(from, present, change);
    return new StackDefinition(
        name,
        parts.lowers(),
        parts.upper(),
        layer,
        change.target().orElse(from.target()),
        change.propagation().orElse(from.propagation()),
        parts.union());
  }

  /** Refuses an upper or work of the user's that another stack or mount has. */
  void refuseSharedUpper(StackDefinition stack) throws EngineException, ErrnoException {
    if (stack.written().isEmpty()) {
      return;
    }
    owners.claim(stack).refuseOwned();
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
   * Replaces the definition of a stack, which may be up, by another one that was checked. When that
   * fails all is as before.
   */
  void replace(StackDefinition present, StackDefinition wanted)
      throws EngineException, ErrnoException {
    store(() -> wanted, Optional.of(present));
  }

  /** The definition of a stack with other branches, checked; nothing is made. */
  StackDefinition rebranched(StackDefinition before, BranchChange change)
      throws EngineException, ErrnoException {
    if (!(before.union() instanceof StackDefinition.Union.Aufs)) {
      throw EngineException.usage(
          "the lowers of an overlay cannot be changed while it is mounted; 'down' it, and 'set'");
    }
    AufsKind kind = kinds.aufs();
    StackDefinition after = kind.changed(before, change);
    kind.check(new UnionKind.Parts(after.lowers(), after.upper(), after.union()));
    return after;
  }

  /**
   * Makes a stack's own layer the topmost of those that it lies on, and gives it another one. When
   * that fails all is as before.
   */
  StackDefinition freeze(StackDefinition before) throws EngineException, ErrnoException {
    Layer own = before.layer().orElseThrow();
    LayerHome home = homes.of(before);
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
    UnionKind kind = kinds.of(before);
    List<Lower> lowers = new ArrayList<>();
    lowers.add(kind.frozen(before.layer().orElseThrow()));
    lowers.addAll(before.lowers());
    StackDefinition after = before.withLowers(lowers).withLayer(kind.unusedLayer());
    kind.refuseUnmountable(after);
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
    throw noFreeLink();
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
    homes.of(stack).prepare();
    journal.begin(entry(stack, Stream.concat(Stream.of(stack), before.stream()).toList()));
    try {
      Set<String> made = new HashSet<>();
      if (!kinds.of(stack).make(stack, before, made)) {
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

  private static Journal.Entry entry(StackDefinition stack, List<StackDefinition> definitions) {
    return new Journal.Entry(
        stack.name(),
        stack.driver(),
        definitions.stream().flatMap(d -> d.layer().stream()).map(Layer::id).distinct().toList(),
        definitions.stream().flatMap(StackDefinition::links).distinct().toList());
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
        new Journal.Entry(
            stack.name(), stack.driver(), stack.layer().stream().map(Layer::id).toList(), links));
  }

  private void write(StackDefinition stack, Optional<StackDefinition> before)
      throws EngineException, ErrnoException {
    List<OsPath> added = new ArrayList<>(stack.written());
    before.ifPresent(b -> added.removeAll(b.written()));
    if (added.isEmpty()) {
      store.write(stack);
      return;
    }
    UpperOwners.Claim claim = owners.claim(stack);
    claim.refuseOwned();
    // who owns an upper is decided by one process at a time, also because asking the kernel whether
    // an upper is in use has it in use for a moment
    try (Locks.Held held = locks.acquire(format.lockFile(), "the root")) {
      claim.refuseOwned();
      refuseUsedInTime(stack, added);
      store.write(stack);
    }
  }

  /**
   * Everybody waits for the lock of the root: so nobody who holds it may wait for a file system.
   */
  private void refuseUsedInTime(StackDefinition stack, List<OsPath> added)
      throws EngineException, ErrnoException {
    Optional<Optional<EngineException>> answer =
        lookout.within(PATIENCE, () -> refusal(stack, added));
    if (answer.isEmpty()) {
      throw EngineException.failed(
          "the file system of upper or target does not answer: " + added.getFirst().quoted(),
          Errno.ETIMEDOUT);
    }
    if (answer.get().isPresent()) {
      throw answer.get().get();
    }
  }

  private Optional<EngineException> refusal(StackDefinition stack, List<OsPath> added)
      throws ErrnoException {
    try {
      StackMounts.Sighting sighting = mounts.look(stack);
      if (sighting.state().mounted().isPresent()) {
        // the others are in use, by its own mount
        users.refuseUsed(
            sighting, added.stream().map(path -> new Upper.Given(path, Optional.empty())).toList());
      } else {
        users.refuseUsedUpper(sighting);
      }
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
    journal.begin(entry(stack, List.of(stack)));
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

  // ---- stacks that are not written down -----------------------------------------------------

  /**
   * The request for a stack on the lowers of another one, with an upper and a target of its own,
   * under a name that nobody has.
   *
   * @throws EngineException some lower can be written to
   */
  StackRequest aboveLowers(StackDefinition stack) throws EngineException, ErrnoException {
    for (Lower lower : stack.lowers()) {
      if (lower.isWritable()) {
        throw EngineException.failed(
            "branch " + lower.path().quoted() + " can be written to, and is not to be thrown away",
            Errno.EROFS);
      }
    }
    StackDefinition bare =
        new StackDefinition(
            stack.name(),
            stack.lowers(),
            new Upper.OfLayer(),
            Optional.empty(),
            Optional.empty(),
            stack.propagation(),
            stack.union());
    return kinds.of(stack).like(bare, StackName.of("run-" + random.hex(RANDOM_DIGITS)));
  }

  /** What is done with a stack. */
  interface Use<T, E extends Exception> {
    T of(StackDefinition stack) throws EngineException, ErrnoException, E;
  }

  /**
   * Makes what a stack needs, uses it, and removes all of it again, without ever writing the stack
   * down: whatever it ends at, what is left is rubbish. Its caller holds the lock of the name, by
   * which others know that it is still in use.
   *
   * @param request with a name and a layer of its own, checked
   */
  <T, E extends Exception> T whileThereIs(StackRequest request, Use<T, E> use)
      throws EngineException, ErrnoException, E {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      StackDefinition stack = define(request);
      homes.of(stack).prepare();
      journal.begin(entry(stack, List.of(stack)));
      try {
        Set<String> made = new HashSet<>();
        if (kinds.of(stack).make(stack, Optional.empty(), made)) {
          return use.of(stack);
        }
        forgetForeignLinks(stack, Optional.empty(), made);
      } finally {
        kinds.of(stack).forget(stack.name());
        recover(stack.name());
      }
    }
    throw noFreeLink();
  }

  private EngineException noFreeLink() {
    return EngineException.failed(
        "every name for a link is taken in " + homes.overlay2().directory().quoted(), Errno.EEXIST);
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
        lower.link().ifPresent(links::add);
      }
    }
    for (String link : entry.get().links()) {
      if (!links.contains(link)) {
        homes.overlay2().links().remove(link);
      }
    }
    String driver = entry.get().driver();
    LayerHome home =
        homes
            .of(driver)
            .orElseThrow(() -> EngineException.failed("unknown driver " + OsPath.quoted(driver)));
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
