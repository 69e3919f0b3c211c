package dev.ovl.engine.driver.aufs;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.aufs.AufsBranch;
import dev.ovl.engine.aufs.AufsChecks;
import dev.ovl.engine.aufs.AufsMount;
import dev.ovl.engine.aufs.AufsMounter;
import dev.ovl.engine.aufs.AufsOptions;
import dev.ovl.engine.aufs.AufsPermission;
import dev.ovl.engine.aufs.AufsTable;
import dev.ovl.engine.diff.LowerDirectories;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.tree.LayerForm;
import dev.ovl.engine.tree.TreeWriter;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Layers as branches of aufs, in an {@link AufsHome}. A base layer is no mount: its content is
 * handed out. A committed layer is mounted with no writable branch.
 */
public final class AufsDriver implements Driver {
  /** How the source of a layer's mount begins. */
  private static final String SOURCE_PREFIX = "ovl-layer:";

  private final Syscalls sys;
  private final Files files;
  private final AufsHome home;
  private final AufsMounter mounter;
  private final AufsTable table;
  private final AufsChecks checks;
  private final MountTable mounts;

  /**
   * Touches nothing yet.
   *
   * @param home where the layers are
   */
  public AufsDriver(Syscalls sys, AufsHome home, AufsMounter mounter, MountTable mounts) {
    this.sys = sys;
    this.files = new Files(sys);
    this.home = home;
    this.mounter = mounter;
    this.table = new AufsTable(sys, mounts);
    this.checks = new AufsChecks(sys, table);
    this.mounts = mounts;
  }

  @Override
  public String name() {
    return AufsHome.NAME;
  }

  // ---- the whole ----------------------------------------------------------------------------

  @Override
  public boolean isUsed() throws ErrnoException {
    return !home.layers().isEmpty();
  }

  @Override
  public void prepare() throws ErrnoException {
    home.prepare();
  }

  @Override
  public List<String> recover(Guard guard) throws EngineException, ErrnoException {
    prepare();
    return home.recover(guard);
  }

  @Override
  public SortedMap<String, String> status() throws ErrnoException {
    SortedMap<String, String> status = new TreeMap<>();
    status.put("Layers", String.valueOf(home.layers().size()));
    table.version().ifPresent(version -> status.put("Version", version));
    return status;
  }

  @Override
  public List<LayerId> layers() throws ErrnoException {
    return home.layers();
  }

  @Override
  public void cleanup() throws EngineException, ErrnoException {
    for (LayerId id : home.layers()) {
      put(id);
    }
  }

  // ---- a layer ------------------------------------------------------------------------------

  @Override
  public boolean exists(LayerId id) throws ErrnoException {
    return home.exists(id);
  }

  @Override
  public List<LayerId> ancestors(LayerId id) throws EngineException, ErrnoException {
    return home.ancestors(id);
  }

  @Override
  public List<LayerId> children(LayerId id) throws ErrnoException {
    return home.children(id);
  }

  @Override
  public void create(LayerId id, Optional<LayerId> parent) throws EngineException, ErrnoException {
    createReadWrite(id, parent);
  }

  @Override
  public void createReadWrite(LayerId id, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    make(id, parent, Optional.empty());
  }

  @Override
  public void create(LayerId id, Optional<LayerId> parent, Writing content)
      throws EngineException, ErrnoException {
    make(id, parent, Optional.of(content));
  }

  private void make(LayerId id, Optional<LayerId> parent, Optional<Writing> content)
      throws EngineException, ErrnoException {
    checks.checkBacking(home.directory());
    home.make(id, parent, content.isPresent(), draft -> fill(draft, parent, content));
  }

  private void fill(OsPath draft, Optional<LayerId> parent, Optional<Writing> content)
      throws EngineException, ErrnoException {
    Optional<Statx> rootOf =
        parent.isPresent() ? files.stat(home.diff(parent.get())) : Optional.empty();
    if (rootOf.isPresent()) {
      // a mount shows the topmost branch's
      files.setOwnerAndMode(draft, rootOf.get());
    }
    if (content.isPresent()) {
      try (TreeWriter writer = new TreeWriter(sys, draft, LayerForm.AUFS, directories(parent))) {
        content.get().into(writer);
      }
      files.syncFileSystem(draft);
    }
  }

  /** What directories of a layer's chain are like. */
  private TreeWriter.Parents directories(Optional<LayerId> top)
      throws EngineException, ErrnoException {
    return new LowerDirectories(sys, top.isPresent() ? view(top.get()) : new View.Nothing());
  }

  /** The directories of a layer and its ancestors, nearest first. */
  private List<OsPath> chain(LayerId id) throws EngineException, ErrnoException {
    List<OsPath> chain = new ArrayList<>(List.of(home.diff(id)));
    home.ancestors(id).forEach(ancestor -> chain.add(home.diff(ancestor)));
    return chain;
  }

  @Override
  public boolean isCommitted(LayerId id) throws ErrnoException {
    return home.isCommitted(id);
  }

  @Override
  public void commit(LayerId id) throws ErrnoException {
    home.commit(id);
  }

  @Override
  public void uncommit(LayerId id) throws ErrnoException {
    home.uncommit(id);
  }

  @Override
  public void remove(LayerId id) throws ErrnoException {
    home.remove(id);
  }

  /** An aufs anywhere: dockerd's has the same branches as ours. */
  @Override
  public void refuseUsed(LayerId id) throws EngineException, ErrnoException {
    if (table.isWritten(home.diff(id))) {
      throw EngineException.failed("layer " + id + " is in use by another aufs", Errno.EBUSY);
    }
  }

  // ---- mounts -------------------------------------------------------------------------------

  @Override
  public OsPath get(LayerId id) throws EngineException, ErrnoException {
    List<OsPath> chain = chain(id);
    if (chain.size() == 1) {
      return home.diff(id);
    }
    OsPath point = home.mountPoint(id);
    Optional<MountEntry> there = mounts.at(point);
    if (there.isPresent()) {
      if (isOurs(there.get(), id)) {
        return point;
      }
      throw EngineException.failed(
          "layer " + id + " is mounted by somebody else: " + there.get().source().quoted(),
          Errno.EBUSY);
    }
    boolean writable = !isCommitted(id);
    if (writable) {
      refuseUsed(id);
    }
    files.mkdir(point, 0755);
    List<AufsBranch> branches = new ArrayList<>();
    for (OsPath directory : chain) {
      boolean written = writable && branches.isEmpty();
      branches.add(new AufsBranch(directory, written ? AufsPermission.RW : AufsPermission.RO_WH));
    }
    AufsOptions options = writable ? AufsOptions.NONE : AufsOptions.NONE.readOnly();
    mounter.mount(new AufsMount(source(id), branches, options, point, Optional.empty()));
    return point;
  }

  private static OsPath source(LayerId id) {
    return OsPath.of(SOURCE_PREFIX + id);
  }

  private static boolean isOurs(MountEntry mount, LayerId id) {
    return AufsTable.isAufs(mount) && mount.source().equals(source(id));
  }

  @Override
  public boolean isMounted(LayerId id) throws ErrnoException {
    return mounts.at(home.mountPoint(id)).filter(mount -> isOurs(mount, id)).isPresent();
  }

  @Override
  public void put(LayerId id) throws EngineException, ErrnoException {
    Optional<MountEntry> mount = mounts.at(home.mountPoint(id)).filter(there -> isOurs(there, id));
    if (mount.isPresent()) {
      mounter.unmount(mount.get(), Linux.UMOUNT_NOFOLLOW);
    }
  }

  /** Docker's aufs driver tells nothing; these are the names that its overlay2 has. */
  @Override
  public SortedMap<String, String> metadata(LayerId id) throws EngineException, ErrnoException {
    SortedMap<String, String> metadata = new TreeMap<>();
    List<OsPath> chain = chain(id);
    if (chain.size() > 1) {
      metadata.put(
          "LowerDir",
          chain.stream().skip(1).map(OsPath::toString).collect(Collectors.joining(":")));
    }
    metadata.put("UpperDir", home.diff(id).toString());
    metadata.put("MergedDir", home.mountPoint(id).toString());
    return metadata;
  }

  @Override
  public View view(LayerId id) throws EngineException, ErrnoException {
    return View.aufs(chain(id));
  }

  @Override
  public Draft draft(LayerId id) throws EngineException, ErrnoException {
    return DirectoryDraft.begin(
        sys, home.diff(id), LayerForm.AUFS, directories(ancestors(id).stream().findFirst()));
  }

  @Override
  public void close() {
    // nothing is kept
  }
}
