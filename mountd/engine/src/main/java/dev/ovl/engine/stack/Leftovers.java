package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.probe.AbandonedProbes;
import dev.ovl.engine.stack.Leftover.Kind;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what nothing needs any more, and removes what {@link Stacks#recover} does not know of.
 *
 * <p>Operations under way are not disturbed. What belongs to one stack is judged, and removed, with
 * that stack's lock free or held. Layers and links of no stack have no lock; what tells them from
 * those of an operation under way is the order in which things are read: first the disk, then the
 * journal, the definitions, and the journal again. For a layer or link is named by the journal
 * before it is made, by the definition before that entry ends, and when it goes, by the journal
 * again before the definition is deleted. So what is on the disk all the while and was named
 * nowhere is nobody's; and nobody's it stays, since new ones have new names.
 */
final class Leftovers {
  private final Files files;
  private final OsPath root;
  private final LayerHomes homes;
  private final UnionKinds kinds;
  private final StackStore store;
  private final Journal journal;
  private final Locks locks;
  private final StackMounts mounts;
  private final StackUsers users;
  private final MountTable table;
  private final MountRecords records;
  private final StackLifecycle lifecycle;
  private final OverlayMounter mounter;
  private final Lookout lookout;
  private final AbandonedProbes probes;

  Leftovers(
      Syscalls sys,
      OsPath root,
      LayerHomes homes,
      UnionKinds kinds,
      StackStore store,
      Locks locks,
      StackMounts mounts,
      StackUsers users,
      MountTable table,
      MountRecords records,
      StackLifecycle lifecycle,
      OverlayMounter mounter,
      Lookout lookout) {
    this.files = new Files(sys);
    this.root = root;
    this.homes = homes;
    this.kinds = kinds;
    this.store = store;
    this.journal = new Journal(sys, root);
    this.locks = locks;
    this.mounts = mounts;
    this.users = users;
    this.table = table;
    this.records = records;
    this.lifecycle = lifecycle;
    this.mounter = mounter;
    this.lookout = lookout;
    this.probes = new AbandonedProbes(sys, root);
  }

  // ---- finding ------------------------------------------------------------------------------

  List<Leftover> find() throws EngineException, ErrnoException {
    List<Leftover> found = new ArrayList<>();
    findOperations(found);
    for (StackName name : store.strayLocks()) {
      OsPath file = store.lockFile(name);
      if (isAbandoned(file, name, () -> !store.exists(name))) {
        found.add(
            new Leftover(
                Kind.LOCK_FILE, file, Optional.of(name), "there is no stack of this name"));
      }
    }
    findInHomes(found);
    for (StackName name : records.names()) {
      if (isRecordAbandoned(name)) {
        found.add(
            new Leftover(
                Kind.MOUNT_RECORD,
                records.file(name),
                Optional.of(name),
                "the mount that it tells of is gone"));
      }
    }
    for (OsPath place : mounter.staleScratch()) {
      found.add(
          new Leftover(
              Kind.SCRATCH_MOUNT, place, Optional.empty(), "its process did not clear it away"));
    }
    for (OsPath place : probes.find()) {
      found.add(
          new Leftover(
              Kind.PROBE_DIRECTORY, place, Optional.empty(), "its process did not remove it"));
    }
    return found;
  }

  private void findOperations(List<Leftover> found) throws EngineException, ErrnoException {
    Set<StackName> open;
    try {
      open = journal.open();
    } catch (EngineException e) {
      // told by what looks for layers: it cannot do without
      return;
    }
    for (StackName name : open) {
      for (OsPath file : List.of(journal.file(name), Files.temporary(journal.file(name)))) {
        if (isAbandoned(file, name, () -> true)) {
          found.add(
              new Leftover(
                  Kind.OPERATION,
                  file,
                  Optional.of(name),
                  "an operation on the stack was begun and not ended"));
        }
      }
    }
  }

  /** A layer of some driver. */
  private record Present(LayerHome home, LayerId id) {}

  private void findInHomes(List<Leftover> found) throws ErrnoException {
    Overlay2Home overlay2 = homes.overlay2();
    List<Present> layers = new ArrayList<>();
    for (LayerHome home : homes.all()) {
      home.layers().forEach(id -> layers.add(new Present(home, id)));
    }
    List<ShortLinks.Present> links = overlay2.links().present();
    Named named = named();
    found.addAll(named.unreadable);
    for (LayerHome home : homes.all()) {
      for (OsPath rubbish : home.rubbish()) {
        found.add(
            new Leftover(
                Kind.OPERATION,
                rubbish,
                Optional.empty(),
                "a layer was being made or removed when its process ended"));
      }
    }
    for (Present layer : layers) {
      if (!named.hasLayer(layer) && isOfStack(layer)) {
        boolean holdsData = !files.list(layer.home().diff(layer.id())).isEmpty();
        found.add(
            new Leftover(
                Kind.LAYER,
                layer.home().place(layer.id()),
                Optional.empty(),
                "no stack names this layer, which is " + (holdsData ? "not empty" : "empty"),
                holdsData));
      }
    }
    Set<String> below = new HashSet<>();
    for (Present layer : layers) {
      if (layer.home().equals(overlay2)) {
        below.addAll(overlay2.lowerLinks(layer.id()));
      }
    }
    for (ShortLinks.Present link : links) {
      Optional<OsPath> target = files.readLink(link.path());
      if (target.isEmpty()) {
        continue;
      }
      boolean isNamed = named.hasLink(link.name()) || below.contains(link.name());
      if (target.get().isAbsolute() && !isNamed) {
        found.add(
            new Leftover(
                Kind.LINK,
                link.path(),
                Optional.empty(),
                "no stack names this link to " + target.get().quoted()));
      } else if (named.links.contains(link.name()) && isDangling(link.path())) {
        found.add(
            new Leftover(
                Kind.DANGLING_LINK,
                link.path(),
                Optional.empty(),
                target.get().quoted() + " does not exist"));
      }
    }
  }

  /**
   * All other layers are nobody's to sweep; so is one that was committed, and by that given away.
   */
  private boolean isOfStack(Present layer) throws ErrnoException {
    LayerHome home = layer.home();
    return home.owner(layer.id()).isPresent() && !home.isCommitted(layer.id());
  }

  private boolean isOfDirectory(String link) throws ErrnoException {
    return homes.overlay2().links().target(link).filter(OsPath::isAbsolute).isPresent();
  }

  /** A removal takes the link before what it points to. */
  private boolean isDangling(OsPath link) throws ErrnoException {
    return lookout.look(link, Linux.STATX_TYPE) instanceof Lookout.Seen.Nothing
        && files.lstat(link).isPresent();
  }

  /** Something to be true while a lock is free. */
  private interface Condition {
    boolean holds() throws EngineException, ErrnoException;
  }

  /** Whether a file of a stack was there, the very same, while nobody worked on that stack. */
  private boolean isAbandoned(OsPath file, StackName name, Condition condition)
      throws EngineException, ErrnoException {
    Optional<Statx> before = files.lstat(file);
    return before.isPresent()
        && locks.isFree(store.lockFile(name))
        && condition.holds()
        // whoever began meanwhile still has the lock, or has changed the file
        && locks.isFree(store.lockFile(name))
        && files.lstat(file).filter(now -> isSame(now, before.get())).isPresent();
  }

  private static boolean isSame(Statx now, Statx before) {
    return now.sameFile(before) && now.changed().equals(before.changed());
  }

  /** What layers and links are named by anybody. */
  private final class Named {
    private final Set<Present> layers = new HashSet<>();
    private final Set<String> links = new HashSet<>();

    /** Of operations under way. */
    private final Set<String> changing = new HashSet<>();

    private final List<OsPath> directories = new ArrayList<>();
    private final Set<Leftover> unreadable = new LinkedHashSet<>();

    /** True also when something cannot be read, which might name it. */
    boolean hasLayer(Present layer) {
      return !unreadable.isEmpty() || layers.contains(layer);
    }

    boolean hasLink(String link) {
      return !unreadable.isEmpty() || links.contains(link) || changing.contains(link);
    }

    void add(Journal.Entry entry) {
      homes
          .of(entry.driver())
          .ifPresent(home -> entry.layers().forEach(id -> layers.add(new Present(home, id))));
      changing.addAll(entry.links());
    }

    void add(StackDefinition stack) {
      stack.layer().ifPresent(own -> layers.add(new Present(homes.of(stack), own.id())));
      stack.links().forEach(links::add);
      stack.lowers().stream().map(Lower::path).forEach(directories::add);
      stack.target().ifPresent(directories::add);
      if (stack.upper() instanceof Upper.Given given) {
        directories.addAll(given.directories());
      }
    }
  }

  private Named named() throws ErrnoException {
    Named named = new Named();
    addJournal(named);
    for (StackName name : store.names()) {
      try {
        store.find(name).ifPresent(named::add);
      } catch (EngineException e) {
        named.unreadable.add(unreadable(store.file(name), name, e));
      }
    }
    addJournal(named);
    return named;
  }

  private void addJournal(Named named) throws ErrnoException {
    try {
      for (StackName name : journal.open()) {
        journal.find(name).ifPresent(named::add);
      }
    } catch (EngineException e) {
      named.unreadable.add(
          new Leftover(Kind.UNREADABLE, root.resolve("journal"), Optional.empty(), e.getMessage()));
    }
  }

  private static Leftover unreadable(OsPath file, StackName name, EngineException e) {
    return new Leftover(Kind.UNREADABLE, file, Optional.of(name), e.getMessage());
  }

  private boolean isRecordAbandoned(StackName name) throws EngineException, ErrnoException {
    return isAbandoned(records.file(name), name, () -> isMountGone(name));
  }

  /** Not known, and so false, for a stack whose definition cannot be read. */
  private boolean isMountGone(StackName name) throws ErrnoException {
    Optional<MountRecords.Made> made = records.find(name);
    if (!store.exists(name)) {
      return made.isEmpty()
          || table
              .byId(made.get().mountId())
              .filter(mount -> mount.device().equals(made.get().device()))
              .isEmpty();
    }
    Optional<StackDefinition> stack = store.findReadable(name);
    return stack.isPresent()
        && lookout.ask(stack.get(), () -> mounts.look(stack.get()).state()).stream()
            .anyMatch(StackState.Down.class::isInstance)
        && (made.isEmpty() || !users.isAlive(stack.get(), made.get()));
  }

  // ---- removing -----------------------------------------------------------------------------

  /**
   * Removes what still is such a leftover.
   *
   * @return false when it is not, or is not to be removed
   * @throws EngineException it is a layer that somebody uses
   */
  boolean remove(Leftover leftover) throws EngineException, ErrnoException {
    OsPath place = leftover.place();
    return switch (leftover.kind()) {
      case LAYER -> alone(() -> removeLayer(place));
      case LINK -> alone(() -> removeLink(place));
      case PROBE_DIRECTORY -> probes.remove(place);
      case MOUNT_RECORD -> removeRecord(leftover.stack().orElseThrow());
      case OPERATION, LOCK_FILE, SCRATCH_MOUNT, DANGLING_LINK, UNREADABLE -> false;
    };
  }

  /** One sweep at a time: two that delete one tree would trip over each other. */
  private boolean alone(Condition work) throws EngineException, ErrnoException {
    try (Locks.Held held = locks.acquire(root.resolve("sweep.lock"), "the sweep");
        Locks.Passing passing = held::removeFile) {
      return work.holds();
    }
  }

  private boolean removeLayer(OsPath place) throws EngineException, ErrnoException {
    Optional<Present> found = layerAt(place);
    Named named = named();
    if (found.isEmpty() || named.hasLayer(found.get()) || !isOfStack(found.get())) {
      return false;
    }
    Present layer = found.get();
    refuseNeeded(place, named);
    Overlay2Home overlay2 = homes.overlay2();
    if (!layer.home().equals(overlay2)) {
      kinds.aufs().refuseUsed(List.of(layer.home().diff(layer.id())));
      layer.home().remove(layer.id());
      return true;
    }
    users.refuseUsedLayer(
        new OverlayMount.Upper(overlay2.diff(layer.id()), overlay2.work(layer.id()).orElseThrow()),
        overlay2.directory());
    List<String> below = overlay2.lowerLinks(layer.id());
    overlay2.remove(layer.id());
    for (String link : below) {
      if (!named.hasLink(link) && isOfDirectory(link)) {
        overlay2.links().remove(link);
      }
    }
    return true;
  }

  private Optional<Present> layerAt(OsPath place) throws ErrnoException {
    Optional<LayerId> id = LayerId.parse(place.fileName().toString());
    for (LayerHome home : homes.all()) {
      if (id.isPresent() && home.place(id.get()).equals(place) && home.exists(id.get())) {
        return Optional.of(new Present(home, id.get()));
      }
    }
    return Optional.empty();
  }

  /** Refuses when a stack has a directory within the layer as a lower, upper or target. */
  private void refuseNeeded(OsPath place, Named named) throws EngineException, ErrnoException {
    OsPath layer = files.resolve(place).orElse(place);
    for (OsPath directory : named.directories) {
      if (files.resolve(directory).filter(path -> path.startsWith(layer)).isPresent()) {
        throw EngineException.failed("a stack uses " + directory.quoted(), Errno.EBUSY);
      }
    }
  }

  private boolean removeLink(OsPath place) throws ErrnoException {
    Optional<ShortLinks.Present> link =
        homes.overlay2().links().present().stream()
            .filter(known -> known.path().equals(place))
            .findFirst();
    return link.isPresent()
        && files.readLink(place).filter(OsPath::isAbsolute).isPresent()
        && !named().hasLink(link.get().name())
        && !isBelowLayer(link.get().name())
        && files.remove(place);
  }

  private boolean isBelowLayer(String link) throws ErrnoException {
    Overlay2Home overlay2 = homes.overlay2();
    for (LayerId id : overlay2.layers()) {
      if (overlay2.lowerLinks(id).contains(link)) {
        return true;
      }
    }
    return false;
  }

  private boolean removeRecord(StackName name) throws EngineException, ErrnoException {
    Optional<Locks.Held> free = locks.tryAcquire(store.lockFile(name));
    if (free.isEmpty()) {
      return false;
    }
    try (Locks.Held held = free.get()) {
      boolean gone = files.lstat(records.file(name)).isPresent() && isMountGone(name);
      Optional<StackDefinition> stack = store.find(name);
      if (stack.isEmpty()) {
        held.removeFile();
        if (gone) {
          records.forget(name);
        }
      } else if (gone) {
        // nothing is mounted: this ends a volatile mount cleanly, and removes the mount point
        lifecycle.down(stack.get(), false);
      }
      return gone;
    }
  }
}
