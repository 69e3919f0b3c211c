package dev.ovl.engine.layer;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.Progress;
import dev.ovl.engine.diff.TreeDiff;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.Marker;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Locks;
import dev.ovl.engine.probe.Probe;
import dev.ovl.engine.root.RootFormat;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * The layers of one root, whatever driver keeps them.
 *
 * <p>Every operation that changes something holds the layer's lock, and the parent's where a child
 * is made, so different layers go on side by side, in this process and others. Whatever step an
 * operation dies at, the layers are whole, and what it left is cleared away by {@link #recover}.
 *
 * <p>Each method throws {@link EngineException} for what its caller can understand and {@link
 * ErrnoException} for a system call that failed in no foreseen way; in both cases nothing has
 * changed.
 */
public final class Layers implements AutoCloseable {
  private final Syscalls sys;
  private final Files files;
  private final OsPath root;
  private final RootFormat format;
  private final Drivers drivers;
  private final Locks locks;
  private final Gets gets;
  private final Users users;

  /** Who needs layers besides other layers. */
  public interface Users {
    /**
     * Who needs the layer, in words, {@code "stack web"}; empty when nobody does.
     *
     * @param driver the name of the one whose layer it is
     */
    Optional<String> of(String driver, LayerId id) throws EngineException, ErrnoException;

    /**
     * Who has the layer for itself, so that nobody else works on it; empty when nobody has.
     *
     * @param driver the name of the one whose layer it is
     */
    Optional<String> ownerOf(String driver, LayerId id) throws EngineException, ErrnoException;
  }

  /**
   * Touches nothing yet.
   *
   * @param run the run directory, which need not exist
   * @param drivers closed with this object
   * @param users asked before a layer is removed or worked on
   */
  public Layers(
      Syscalls sys,
      OsPath root,
      OsPath run,
      RootFormat format,
      Drivers drivers,
      Locks locks,
      Users users) {
    this.sys = sys;
    this.files = new Files(sys);
    this.root = root;
    this.format = format;
    this.drivers = drivers;
    this.locks = locks;
    this.gets = new Gets(sys, root, run);
    this.users = users;
  }

  /**
   * The driver to work with.
   *
   * @param name absent: the one that the root was used with, or the first choice
   */
  public Driver driver(Optional<String> name) throws EngineException, ErrnoException {
    format.check();
    if (name.isPresent()) {
      return drivers.named(name.get());
    }
    Optional<Driver> used = drivers.used();
    return used.isPresent() ? used.get() : drivers.named(firstChoice());
  }

  /** For a root without layers: by trying, which takes tenths of a second. */
  private String firstChoice() throws ErrnoException {
    return new Probe(sys, root).run().driver().name().orElse(drivers.all().get(0).name());
  }

  // ---- locks --------------------------------------------------------------------------------

  /** What is done while locks are held. */
  public interface Work<T> {
    /** Does it. */
    T run() throws EngineException, ErrnoException;
  }

  /** Works while nobody else does the same in this root. */
  private <T> T alone(String file, String what, Work<T> work)
      throws EngineException, ErrnoException {
    files.mkdirs(lockDirectory(), 0700);
    try (Locks.Held held = locks.acquire(lockDirectory().resolve(file), what);
        Locks.Passing passing = held::removeFile) {
      return work.run();
    }
  }

  /** Works while the locks of these layers are held; taken in the order of their ids. */
  private <T> T locked(Driver driver, List<LayerId> ids, Work<T> work)
      throws EngineException, ErrnoException {
    files.mkdirs(lockDirectory(), 0700);
    return lockedInOrder(driver, new ArrayList<>(new TreeSet<>(ids)), work);
  }

  private OsPath lockDirectory() {
    return root.resolve("locks");
  }

  private OsPath lockFile(Driver driver, LayerId id) {
    return lockDirectory().resolve(driver.name() + "-" + id);
  }

  private <T> T lockedInOrder(Driver driver, List<LayerId> ids, Work<T> work)
      throws EngineException, ErrnoException {
    if (ids.isEmpty()) {
      return work.run();
    }
    // there would be as many lock files as there ever were layers
    try (Locks.Held held = locks.acquire(lockFile(driver, ids.get(0)), "layer " + ids.get(0));
        Locks.Passing passing = held::removeFile) {
      return lockedInOrder(driver, ids.subList(1, ids.size()), work);
    }
  }

  private void ifFree(Driver driver, LayerId id, Driver.Step step)
      throws EngineException, ErrnoException {
    Optional<Locks.Held> free = locks.tryAcquire(lockFile(driver, id));
    if (free.isPresent()) {
      try (Locks.Held held = free.get();
          Locks.Passing passing = held::removeFile) {
        step.run();
      }
    }
  }

  private <T> T lockedExisting(Driver driver, LayerId id, Work<T> work)
      throws EngineException, ErrnoException {
    requireExisting(driver, id);
    return locked(
        driver,
        List.of(id),
        () -> {
          requireExisting(driver, id);
          return work.run();
        });
  }

  private static void requireExisting(Driver driver, LayerId id)
      throws EngineException, ErrnoException {
    if (!driver.exists(id)) {
      throw EngineException.noSuchLayer();
    }
  }

  private void refuseOwned(Driver driver, LayerId id) throws EngineException, ErrnoException {
    Optional<String> owner = users.ownerOf(driver.name(), id);
    if (owner.isPresent()) {
      throw EngineException.failed("layer " + id + " belongs to " + owner.get(), Errno.EBUSY);
    }
  }

  // ---- making and removing ------------------------------------------------------------------

  /**
   * Makes an empty layer.
   *
   * @param parent absent: a base layer. It is committed by this
   * @param readWrite to be mounted and written to, rather than filled by {@code apply}
   * @throws EngineException the id is taken; there is no such parent, or somebody writes to it
   */
  public void create(Driver driver, LayerId id, Optional<LayerId> parent, boolean readWrite)
      throws EngineException, ErrnoException {
    make(
        driver,
        id,
        parent,
        () -> {
          if (readWrite) {
            driver.createReadWrite(id, parent);
          } else {
            driver.create(id, parent);
          }
        });
  }

  /** What makes a layer. */
  private interface Making {
    void run() throws EngineException, ErrnoException;
  }

  private void make(Driver driver, LayerId id, Optional<LayerId> parent, Making making)
      throws EngineException, ErrnoException {
    checkCreate(driver, id, parent);
    format.prepare(locks);
    driver.prepare();
    List<LayerId> both = new ArrayList<>(parent.stream().toList());
    both.add(id);
    locked(
        driver,
        both,
        () -> {
          checkCreate(driver, id, parent);
          making.run();
          return id;
        });
  }

  /** Checks all that {@link #create} checks before it makes anything; changes nothing. */
  public void checkCreate(Driver driver, LayerId id, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    format.check();
    if (driver.exists(id)) {
      throw EngineException.failed("layer " + id + " exists", Errno.EEXIST);
    }
    if (parent.isPresent()) {
      checkParent(driver, parent.get());
    }
  }

  /** Refuses a layer that nothing can be put on; changes nothing. */
  public void checkParent(Driver driver, LayerId parent) throws EngineException, ErrnoException {
    if (!driver.exists(parent)) {
      throw EngineException.failed("no such parent: " + parent, Errno.ENOENT);
    }
    refuseOwned(driver, parent);
    driver.ancestors(parent);
    if (!driver.isCommitted(parent)) {
      if (driver.isMounted(parent)) {
        throw EngineException.failed(
            "parent " + parent + " is mounted and not committed: it still changes", Errno.EBUSY);
      }
      driver.refuseUsed(parent);
    }
  }

  /**
   * Commits a layer and does something that makes it needed, while nobody can remove it. When that
   * fails the layer is as before; when the process ends meanwhile it may be committed.
   *
   * @param work after which {@link Users} tells of the need
   */
  public <T> T onParent(Driver driver, LayerId parent, Work<T> work)
      throws EngineException, ErrnoException {
    checkParent(driver, parent);
    return locked(
        driver,
        List.of(parent),
        () -> {
          checkParent(driver, parent);
          boolean before = driver.isCommitted(parent);
          driver.commit(parent);
          try {
            return work.run();
          } catch (EngineException | ErrnoException | RuntimeException failure) {
            if (!before) {
              uncommit(driver, parent, failure);
            }
            throw failure;
          }
        });
  }

  private static void uncommit(Driver driver, LayerId id, Exception failure) {
    try {
      driver.uncommit(id);
    } catch (EngineException | ErrnoException second) {
      failure.addSuppressed(second);
    }
  }

  /** Makes a layer read-only for good; one that is so already is fine. */
  public void commit(Driver driver, LayerId id) throws EngineException, ErrnoException {
    lockedExisting(
        driver,
        id,
        () -> {
          refuseOwned(driver, id);
          if (!driver.isCommitted(id)) {
            refuseMounted(driver, id);
            driver.commit(id);
          }
          return id;
        });
  }

  private static void refuseMounted(Driver driver, LayerId id)
      throws EngineException, ErrnoException {
    if (driver.isMounted(id)) {
      throw EngineException.failed("layer " + id + " is mounted: put it first", Errno.EBUSY);
    }
    driver.refuseUsed(id);
  }

  /**
   * Removes a layer with its content.
   *
   * @throws EngineException there is none; it is mounted; it is somebody's parent; a stack needs it
   */
  public void remove(Driver driver, LayerId id) throws EngineException, ErrnoException {
    lockedExisting(
        driver,
        id,
        () -> {
          checkRemove(driver, id);
          driver.remove(id);
          gets.set(driver, id, 0);
          return id;
        });
  }

  /** Checks all that {@link #remove} checks before it removes anything; changes nothing. */
  public void checkRemove(Driver driver, LayerId id) throws EngineException, ErrnoException {
    requireExisting(driver, id);
    refuseOwned(driver, id);
    refuseMounted(driver, id);
    // a stack is written down only after the layers below it were committed; a child is made before
    Optional<String> user = driver.isCommitted(id) ? users.of(driver.name(), id) : Optional.empty();
    if (user.isPresent()) {
      throw EngineException.failed("layer " + id + " is needed by " + user.get(), Errno.EBUSY);
    }
    refuseChildren(driver, id, child -> true);
  }

  private static void refuseChildren(Driver driver, LayerId id, Predicate<LayerId> counts)
      throws EngineException, ErrnoException {
    List<LayerId> children = driver.children(id).stream().filter(counts).toList();
    if (!children.isEmpty()) {
      throw EngineException.failed(
          "layer "
              + id
              + " is the parent of "
              + children.get(0)
              + (children.size() > 1 ? " and " + (children.size() - 1) + " more" : ""),
          Errno.EBUSY);
    }
  }

  // ---- content ------------------------------------------------------------------------------

  /**
   * Makes a committed layer with content, at one stroke.
   *
   * @param parent absent: a base layer. It is committed by this
   * @throws EngineException as {@link #create(Driver, LayerId, Optional, boolean)}, and what the
   *     content says; nothing is made then
   */
  public void create(Driver driver, LayerId id, Optional<LayerId> parent, Driver.Writing content)
      throws EngineException, ErrnoException {
    make(driver, id, parent, () -> driver.create(id, parent, content));
  }

  /**
   * Writes content into a layer, above what it has. When that fails the layer is as it was.
   *
   * @throws EngineException there is none; it is committed or mounted; what the content says
   */
  public void apply(Driver driver, LayerId id, Driver.Writing content)
      throws EngineException, ErrnoException {
    lockedExisting(
        driver,
        id,
        () -> {
          checkApply(driver, id);
          try (Driver.Draft draft = driver.draft(id)) {
            content.into(draft.sink());
            draft.keep();
          }
          return id;
        });
  }

  /** Checks all that {@link #apply} checks before it writes; changes nothing. */
  public void checkApply(Driver driver, LayerId id) throws EngineException, ErrnoException {
    requireExisting(driver, id);
    refuseOwned(driver, id);
    refuseMounted(driver, id);
    if (driver.isCommitted(id)) {
      throw EngineException.failed(
          "layer " + id + " is committed: it does not change any more", Errno.EROFS);
    }
  }

  /**
   * What the layer has that another one has not.
   *
   * @param against absent: its parent, or nothing for a base layer
   * @return to be closed
   */
  public TreeDiff compare(
      Driver driver,
      LayerId id,
      Optional<LayerId> against,
      Progress progress,
      BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    requireExisting(driver, id);
    Optional<LayerId> other = against;
    if (other.isEmpty()) {
      other = driver.ancestors(id).stream().findFirst();
    } else if (!driver.exists(other.get())) {
      throw EngineException.failed("no such layer to compare with: " + other.get(), Errno.ENOENT);
    }
    View older = other.isPresent() ? driver.view(other.get()) : new View.Nothing();
    return TreeDiff.compare(sys, driver.view(id), older, progress, cancelled);
  }

  // ---- from driver to driver ----------------------------------------------------------------

  /**
   * The driver whose layers are to be made those of another.
   *
   * @param name absent: the other one that the root was used with; a conversion that was cut short
   *     has left layers of both
   */
  public Driver source(Optional<String> name, Driver to) throws EngineException, ErrnoException {
    format.check();
    Optional<Driver> other = name.isPresent() ? Optional.empty() : drivers.usedBeside(to);
    return other.isPresent() ? other.get() : driver(name);
  }

  /**
   * Checks whether the layers of one driver can be made those of another; changes nothing.
   *
   * @return their ids, parents first
   * @throws EngineException it is the same driver; a layer is mounted, or needed by a stack; the
   *     other driver has a layer of that id, and not by a conversion that was cut short
   */
  public List<LayerId> checkConvert(Driver from, Driver to) throws EngineException, ErrnoException {
    format.check();
    if (from.name().equals(to.name())) {
      throw EngineException.usage("the layers are " + to.name() + "'s already");
    }
    boolean begun = conversion(from, to).isSet();
    List<LayerId> ids = parentsFirst(from);
    for (LayerId id : ids) {
      refuseOwned(from, id);
      refuseMounted(from, id);
      Optional<String> user = users.of(from.name(), id);
      if (user.isPresent()) {
        throw EngineException.failed("layer " + id + " is needed by " + user.get(), Errno.EBUSY);
      }
      if (!begun && to.exists(id)) {
        throw EngineException.failed(
            "layer " + id + " exists in " + to.name() + " as well", Errno.EEXIST);
      }
    }
    return ids;
  }

  /**
   * Makes the layers of one driver those of another: ids, parents, content, and whether they are
   * read-only. When all are made, the layers there were go, children first. When it fails, what it
   * has made is removed again, unless one of those is gone by then. What a killed process leaves is
   * finished when it is begun again.
   *
   * @param keep the layers there were stay in any case
   * @return the ids, parents first
   * @throws EngineException as {@link #checkConvert}; cancelled
   */
  public List<LayerId> convert(
      Driver from, Driver to, boolean keep, Progress progress, BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    checkConvert(from, to);
    format.prepare(locks);
    // what one of them takes back another one might have built upon
    return alone(
        "convert",
        "layer conversion",
        () -> {
          List<LayerId> ids = checkConvert(from, to);
          files.mkdirs(root.resolve("journal"), 0700);
          Marker begun = conversion(from, to);
          boolean again = begun.isSet();
          begun.set();
          Deque<LayerId> made = new ArrayDeque<>();
          try {
            makeMissing(from, to, ids, made, progress, cancelled);
            for (LayerId id : keep ? List.<LayerId>of() : ids.reversed()) {
              remove(from, id);
            }
            begun.clear();
          } catch (EngineException | ErrnoException | RuntimeException failure) {
            if (takeBack(from, to, made, failure) && !again) {
              clear(begun, failure);
            }
            throw failure;
          }
          return ids;
        });
  }

  /**
   * Makes the layers that there are not.
   *
   * @param made gets the id of each before there is anything of it, the newest first
   */
  private void makeMissing(
      Driver from,
      Driver to,
      List<LayerId> ids,
      Deque<LayerId> made,
      Progress progress,
      BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    for (LayerId id : ids) {
      if (!to.exists(id)) {
        copy(from, to, id, made, progress, cancelled);
      }
      if (!from.isCommitted(id) && to.isCommitted(id)) {
        to.uncommit(id);
      }
    }
  }

  /**
   * Removes what a conversion has made, newest first, up to what there is no original of any more.
   *
   * @return whether nothing of it is left
   */
  private boolean takeBack(Driver from, Driver to, Deque<LayerId> made, Exception failure) {
    boolean whole = true;
    for (LayerId id : made) {
      try {
        if (!from.exists(id)) {
          return false;
        }
        if (to.exists(id)) {
          remove(to, id);
        }
      } catch (EngineException | ErrnoException | RuntimeException second) {
        failure.addSuppressed(second);
        whole = false;
      }
    }
    return whole;
  }

  private static void clear(Marker marker, Exception failure) {
    try {
      marker.clear();
    } catch (ErrnoException | RuntimeException second) {
      failure.addSuppressed(second);
    }
  }

  /** Tells of a conversion under way, or cut short. */
  private Marker conversion(Driver from, Driver to) {
    String name = "convert-" + from.name() + "-" + to.name();
    return new Marker(sys, root.resolve("journal").resolve(name));
  }

  private static List<LayerId> parentsFirst(Driver driver) throws EngineException, ErrnoException {
    Set<LayerId> ids = new LinkedHashSet<>();
    for (LayerId id : driver.layers()) {
      ids.addAll(driver.ancestors(id).reversed());
      ids.add(id);
    }
    return List.copyOf(ids);
  }

  private void copy(
      Driver from,
      Driver to,
      LayerId id,
      Deque<LayerId> made,
      Progress progress,
      BooleanSupplier cancelled)
      throws EngineException, ErrnoException {
    lockedExisting(
        from,
        id,
        () -> {
          Optional<LayerId> parent = from.ancestors(id).stream().findFirst();
          try (TreeDiff diff = compare(from, id, Optional.empty(), progress, cancelled)) {
            make(
                to,
                id,
                parent,
                () -> {
                  made.push(id);
                  to.create(id, parent, diff::stream);
                });
          }
          return id;
        });
  }

  /**
   * Changes the content of a layer, committed or not, that nothing lies on but one other layer.
   *
   * @param child the layer that may lie on it
   * @throws EngineException there is no such layer; it is mounted; it is the parent of others
   */
  public <T> T beneath(Driver driver, LayerId id, Optional<LayerId> child, Work<T> work)
      throws EngineException, ErrnoException {
    return lockedExisting(
        driver,
        id,
        () -> {
          checkBeneath(driver, id, child);
          return work.run();
        });
  }

  /** Checks all that {@link #beneath} checks; changes nothing. */
  public void checkBeneath(Driver driver, LayerId id, Optional<LayerId> child)
      throws EngineException, ErrnoException {
    requireExisting(driver, id);
    refuseOwned(driver, id);
    refuseMounted(driver, id);
    refuseChildren(driver, id, other -> child.filter(other::equals).isEmpty());
  }

  // ---- mounts -------------------------------------------------------------------------------

  /**
   * Where the layer's tree is seen, mounted where that takes a mount. Each get wants a {@link
   * #put}.
   *
   * @return absolute
   */
  public OsPath get(Driver driver, LayerId id) throws EngineException, ErrnoException {
    return lockedExisting(
        driver,
        id,
        () -> {
          refuseOwned(driver, id);
          int before = gets.count(driver, id);
          OsPath place = driver.get(id);
          if (driver.isMounted(id)) {
            gets.set(driver, id, before + 1);
          }
          return place;
        });
  }

  /** Takes back a {@link #get}; the last one unmounts. A layer that is not mounted is fine. */
  public void put(Driver driver, LayerId id) throws EngineException, ErrnoException {
    lockedExisting(
        driver,
        id,
        () -> {
          refuseOwned(driver, id);
          int before = gets.count(driver, id);
          if (before <= 1) {
            driver.put(id);
          }
          gets.set(driver, id, Math.max(0, before - 1));
          return id;
        });
  }

  /** Unmounts all layers that {@link #get} mounted, whoever has them still. */
  public void cleanup(Driver driver) throws EngineException, ErrnoException {
    for (LayerId id : driver.layers()) {
      if (driver.isMounted(id)) {
        lockedExisting(
            driver,
            id,
            () -> {
              driver.put(id);
              gets.set(driver, id, 0);
              return id;
            });
      }
    }
  }

  /**
   * Repairs what crashes and other tools left.
   *
   * @return what was done, a line each
   */
  public List<String> recover() throws EngineException, ErrnoException {
    format.check();
    List<Driver> used = new ArrayList<>();
    for (Driver driver : drivers.all()) {
      if (driver.isUsed()) {
        used.add(driver);
      }
    }
    return used.isEmpty() ? List.of() : recover(used);
  }

  /** Layers that others are at work on are left alone. */
  private List<String> recover(List<Driver> used) throws EngineException, ErrnoException {
    return alone(
        "recover",
        "recovery",
        () -> {
          List<String> done = new ArrayList<>();
          for (Driver driver : used) {
            for (String line : driver.recover((id, step) -> ifFree(driver, id, step))) {
              done.add(driver.name() + ": " + line);
            }
          }
          return done;
        });
  }

  // ---- questions ----------------------------------------------------------------------------

  /** What is known of a layer. */
  public LayerReport report(Driver driver, LayerId id) throws EngineException, ErrnoException {
    requireExisting(driver, id);
    return new LayerReport(
        id,
        driver.name(),
        driver.ancestors(id),
        driver.isCommitted(id),
        driver.isMounted(id),
        gets.count(driver, id),
        user(driver, id),
        driver.metadata(id));
  }

  private Optional<String> user(Driver driver, LayerId id) throws EngineException, ErrnoException {
    Optional<String> owner = users.ownerOf(driver.name(), id);
    return owner.isPresent() ? owner : users.of(driver.name(), id);
  }

  @Override
  public void close() {
    drivers.close();
  }
}
