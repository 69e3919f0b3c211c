package dev.ovl.engine.driver.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerDirectories;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.LayerRecords;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.RandomBytes;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The directory of the aufs driver, {@code <root>/aufs}, laid out as Docker lays it out: {@code
 * diff/<id>} is a layer's content, {@code mnt/<id>} where it is mounted, {@code layers/<id>} its
 * ancestors. Docker does not know {@code committed/<id>} and {@code owners/<id>}.
 */
public final class AufsHome implements LayerHome {
  /** The driver's name and its directory's under the root. */
  public static final String NAME = "aufs";

  private static final String MOUNT_POINTS = "mnt";

  private final Files files;
  private final RandomBytes random;
  private final OsPath directory;
  private final LayerDirectories contents;
  private final LayerRecords records;
  private final MountTable mounts;

  /**
   * Touches nothing yet.
   *
   * @param root the root directory
   * @param mounts what is mounted where
   */
  public AufsHome(Syscalls sys, OsPath root, MountTable mounts) {
    this.files = new Files(sys);
    this.random = new RandomBytes(sys);
    this.directory = root.resolve(NAME);
    this.contents = new LayerDirectories(sys, directory.resolve("diff"));
    this.records = new LayerRecords(sys, directory, contents);
    this.mounts = mounts;
  }

  @Override
  public String driver() {
    return NAME;
  }

  @Override
  public OsPath directory() {
    return directory;
  }

  @Override
  public void prepare() throws ErrnoException {
    files.mkdirs(directory, 0710);
    files.mkdir(directory.resolve("diff"), 0710);
    files.mkdir(directory.resolve(MOUNT_POINTS), 0710);
    records.prepare();
  }

  @Override
  public LayerId unusedId() throws ErrnoException {
    return LayerId.random(random);
  }

  // ---- places -------------------------------------------------------------------------------

  @Override
  public OsPath place(LayerId id) {
    return contents.place(id);
  }

  @Override
  public OsPath diff(LayerId id) {
    return contents.place(id);
  }

  @Override
  public Optional<OsPath> work(LayerId id) {
    return Optional.empty();
  }

  @Override
  public OsPath mountPoint(LayerId id) {
    return directory.resolve(MOUNT_POINTS).resolve(id.text());
  }

  // ---- what there is ------------------------------------------------------------------------

  @Override
  public List<LayerId> layers() throws ErrnoException {
    return contents.list();
  }

  @Override
  public boolean exists(LayerId id) throws ErrnoException {
    return contents.exists(id);
  }

  @Override
  public Optional<OsPath> owner(LayerId id) throws ErrnoException {
    return records.owner(id);
  }

  @Override
  public boolean isCommitted(LayerId id) throws ErrnoException {
    return records.committed(id).isSet();
  }

  /**
   * The layer's ancestors, nearest first.
   *
   * @throws EngineException one of them is gone
   */
  public List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException {
    return records.ancestors(id);
  }

  /** The layers that lie directly on this one. */
  List<LayerId> children(LayerId id) throws ErrnoException {
    return records.children(id);
  }

  // ---- making, changing, removing -----------------------------------------------------------

  /**
   * Makes a layer that can be written to and is somebody's own. Its mount point is made when it is
   * needed.
   *
   * @param rootOf whose permissions and owner its root directory takes, since a mount shows those
   * @param owner noted with it
   */
  public void createOwned(LayerId id, Optional<LayerId> parent, Statx rootOf, OsPath owner)
      throws EngineException, ErrnoException {
    records.make(
        id,
        parent,
        false,
        draft -> {
          files.setOwnerAndMode(draft, rootOf);
          records.noteOwner(id, owner);
        },
        this::remove);
  }

  /**
   * Makes a layer.
   *
   * @param committed whether it is read-only from the beginning
   * @param filling writes its content, durably
   */
  void make(
      LayerId id, Optional<LayerId> parent, boolean committed, LayerDirectories.Filling filling)
      throws EngineException, ErrnoException {
    records.make(
        id,
        parent,
        committed,
        draft -> {
          files.mkdir(mountPoint(id), 0755);
          filling.fill(draft);
        },
        this::remove);
  }

  @Override
  public void commit(LayerId id) throws ErrnoException {
    records.committed(id).set();
  }

  @Override
  public void uncommit(LayerId id) throws ErrnoException {
    records.committed(id).clear();
  }

  @Override
  public void remove(LayerId id) throws ErrnoException {
    files.rmdir(mountPoint(id));
    records.remove(id);
  }

  @Override
  public void sweep(LayerId id) throws ErrnoException {
    records.sweep(id);
  }

  @Override
  public List<OsPath> sweep() throws ErrnoException {
    return contents.sweep();
  }

  @Override
  public List<OsPath> rubbish() throws ErrnoException {
    return contents.rubbish();
  }

  /**
   * Removes what crashes left of layers, their records and mount points; marks layers as read-only
   * that others lie on.
   *
   * @param guard asked for each layer that is about to be changed
   * @return what was done, a line each, for people
   */
  List<String> recover(Driver.Guard guard) throws EngineException, ErrnoException {
    List<String> done = new ArrayList<>(records.recover(guard));
    for (OsPath name : files.list(directory.resolve(MOUNT_POINTS))) {
      // dockerd renames what it removes
      String text = name.toString();
      int end = text.endsWith(LayerId.REMOVING) ? LayerId.REMOVING.length() : 0;
      Optional<LayerId> id = LayerId.parse(text.substring(0, text.length() - end));
      if (id.isPresent() && (end > 0 || !contents.exists(id.get()))) {
        guard.ifFree(id.get(), () -> removePoint(id.get(), name));
      }
    }
    return done;
  }

  private void removePoint(LayerId id, OsPath name) throws ErrnoException {
    OsPath point = directory.resolve(MOUNT_POINTS).resolve(name);
    boolean ofLayer = name.equals(OsPath.of(id.text())) && contents.exists(id);
    if (!ofLayer && mounts.at(point).isEmpty()) {
      files.rmdir(point);
    }
  }
}
