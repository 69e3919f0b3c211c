package dev.ovl.engine.driver.overlay2;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.diff.LowerDirectories;
import dev.ovl.engine.diff.View;
import dev.ovl.engine.driver.DirectoryDraft;
import dev.ovl.engine.driver.Driver;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home.Below;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountFailure;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.MountTable;
import dev.ovl.engine.mount.OverlayCensus;
import dev.ovl.engine.mount.OverlayChecks;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.root.RootFormat;
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
 * Layers as overlay mounts, on disk as Docker's overlay2 keeps them. A base layer is no mount: its
 * content is handed out. A committed layer is mounted read-only, its own content uppermost among
 * the lowers, so that any number of mounts may share it.
 */
public final class Overlay2Driver implements Driver {
  /** How the source of a layer's mount begins. */
  private static final String SOURCE_PREFIX = "ovl-layer:";

  private static final int ATTEMPTS = 4;

  private final Syscalls sys;
  private final Files files;
  private final RootFormat format;
  private final Overlay2Home home;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;
  private final MountTable table;
  private final OverlayCensus census;
  private final MountHolders holders;

  /**
   * Touches nothing yet.
   *
   * @param home where the layers are
   * @param mounter closed with this driver
   */
  public Overlay2Driver(
      Syscalls sys,
      RootFormat format,
      Overlay2Home home,
      OverlayMounter mounter,
      MountTable table,
      OverlayCensus census,
      MountHolders holders) {
    this.sys = sys;
    this.files = new Files(sys);
    this.format = format;
    this.home = home;
    this.mounter = mounter;
    this.checks = new OverlayChecks(sys);
    this.table = table;
    this.census = census;
    this.holders = holders;
  }

  @Override
  public String name() {
    return Overlay2Home.NAME;
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
    home.prepare();
    return Repair.run(sys, home, guard);
  }

  @Override
  public SortedMap<String, String> status() throws ErrnoException {
    SortedMap<String, String> status = new TreeMap<>();
    status.put("Layers", String.valueOf(home.layers().size()));
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
    return home.below(id).stream().flatMap(below -> below.layer().stream()).toList();
  }

  @Override
  public List<LayerId> children(LayerId id) throws ErrnoException {
    Optional<String> link = home.link(id);
    List<LayerId> children = new ArrayList<>();
    for (LayerId other : link.isPresent() ? home.layers() : List.<LayerId>of()) {
      if (home.lowerLinks(other).stream().findFirst().equals(link)) {
        children.add(other);
      }
    }
    return children;
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
    List<String> lowerLinks = new ArrayList<>();
    Optional<Statx> rootOf = Optional.empty();
    if (parent.isPresent()) {
      lowerLinks.add(linkOf(parent.get()));
      lowerLinks.addAll(home.lowerLinks(parent.get()));
      rootOf = files.stat(home.diff(parent.get()));
    }
    for (int i = 0; i < ATTEMPTS; i++) {
      if (home.create(
          id,
          home.links().unusedName(),
          lowerLinks,
          rootOf,
          true,
          draft -> fill(draft, parent, content))) {
        commitParent(id, parent);
        return;
      }
    }
    throw EngineException.failed(
        "every name for a link is taken in " + home.directory().quoted(), Errno.EEXIST);
  }

  /** A crash before this is seen by {@link Repair}: a layer with another one on it is read-only. */
  private void commitParent(LayerId child, Optional<LayerId> parent) throws ErrnoException {
    if (parent.isEmpty()) {
      return;
    }
    try {
      home.commit(parent.get());
    } catch (ErrnoException failure) {
      try {
        home.remove(child);
      } catch (ErrnoException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  private void fill(OsPath draft, Optional<LayerId> parent, Optional<Writing> content)
      throws EngineException, ErrnoException {
    if (content.isEmpty()) {
      return;
    }
    try (TreeWriter writer =
        new TreeWriter(sys, draft.resolve("diff"), form(), directories(parent))) {
      content.get().into(writer);
    }
    files.create(draft.resolve("committed"), new byte[0], 0600, true);
    files.syncFileSystem(draft);
  }

  private LayerForm form() throws EngineException, ErrnoException {
    return format.hasUserXattrs() ? LayerForm.USER_OVERLAY : LayerForm.OVERLAY;
  }

  /** What directories of a layer's chain are like. */
  private TreeWriter.Parents directories(Optional<LayerId> top)
      throws EngineException, ErrnoException {
    return new LowerDirectories(sys, top.isPresent() ? view(top.get()) : new View.Nothing());
  }

  private String linkOf(LayerId id) throws EngineException, ErrnoException {
    return home.link(id)
        .orElseThrow(
            () -> EngineException.failed("layer " + id + " has lost its link file", Errno.ENOENT));
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

  private static OverlayMount.Upper upper(Overlay2Home home, LayerId id) {
    return new OverlayMount.Upper(home.diff(id), home.workDirectory(id));
  }

  /** An overlay anywhere: a container's of dockerd's has the same directories as ours. */
  @Override
  public void refuseUsed(LayerId id) throws EngineException, ErrnoException {
    List<OverlayCensus.Overlay> users = users(id);
    if (!users.isEmpty()) {
      MountEntry mount = users.get(0).mount();
      throw EngineException.failed(
          "layer "
              + id
              + " is in use by another overlay: "
              + mount.source().quoted()
              + " on "
              + mount.point().quoted(),
          Errno.EBUSY);
    }
  }

  private List<OverlayCensus.Overlay> users(LayerId id) throws ErrnoException {
    return census.snapshot().usersOf(census.directories(upper(home, id)));
  }

  // ---- mounts -------------------------------------------------------------------------------

  @Override
  public OsPath get(LayerId id) throws EngineException, ErrnoException {
    List<Below> below = home.below(id);
    if (below.isEmpty()) {
      return home.diff(id);
    }
    OsPath merged = home.mountPoint(id);
    Optional<MountEntry> there = table.at(merged);
    if (there.isPresent()) {
      if (isOurs(there.get(), id)) {
        return merged;
      }
      throw EngineException.failed(
          "layer " + id + " is mounted by somebody else: " + there.get().source().quoted(),
          Errno.EBUSY);
    }
    boolean writable = !home.isCommitted(id);
    if (writable) {
      refuseUsed(id);
      files.mkdir(home.workDirectory(id), 0700);
    }
    OverlayMount mount = describe(id, below, writable);
    OverlayMounter.Plan plan = mounter.plan(mount, Optional.empty());
    if (plan.method() == MountMethod.RELATIVE) {
      for (Below one : below) {
        if (one.layer().isPresent()) {
          home.links().restore(one.link(), Overlay2Home.linkTarget(one.layer().get()));
        }
      }
      home.links().restore(linkOf(id), Overlay2Home.linkTarget(id));
    }
    boolean made = files.mkdir(merged, 0700);
    try {
      mounter.mount(mount, plan);
      return merged;
    } catch (MountFailure failure) {
      EngineException explained = checks.explain(mount, failure);
      takeBack(merged, made, explained);
      throw explained;
    } catch (ErrnoException | RuntimeException failure) {
      takeBack(merged, made, failure);
      throw failure;
    }
  }

  private void takeBack(OsPath merged, boolean made, Exception failure) {
    try {
      if (made) {
        files.rmdir(merged);
      }
    } catch (ErrnoException second) {
      failure.addSuppressed(second);
    }
  }

  private OverlayMount describe(LayerId id, List<Below> below, boolean writable)
      throws EngineException, ErrnoException {
    List<OsPath> lowers = new ArrayList<>();
    List<OsPath> names = new ArrayList<>();
    if (!writable) {
      lowers.add(home.diff(id));
      names.add(ShortLinks.relative(linkOf(id)));
    }
    for (Below one : below) {
      lowers.add(one.directory());
      names.add(ShortLinks.relative(one.link()));
    }
    // with an index, layers that were copied or moved give ESTALE
    MountOptions options = MountOptions.NONE.withDefault("index", "off");
    if (format.hasUserXattrs()) {
      options = options.withUserXattrs();
    } else if (!writable || !format.isShared()) {
      // a stack's upper that became a layer may have metadata-only copies, which show no data else
      options = options.withDefault("metacopy", "on");
    }
    return new OverlayMount(
        source(id),
        lowers,
        writable ? Optional.of(upper(home, id)) : Optional.empty(),
        writable ? options : options.readOnly(),
        home.mountPoint(id),
        Optional.empty(),
        Optional.of(new OverlayMount.ShortNames(home.directory(), names)));
  }

  private static OsPath source(LayerId id) {
    return OsPath.of(SOURCE_PREFIX + id);
  }

  private static boolean isOurs(MountEntry mount, LayerId id) {
    return mount.isOverlay() && mount.source().equals(source(id));
  }

  @Override
  public boolean isMounted(LayerId id) throws ErrnoException {
    return table.at(home.mountPoint(id)).filter(mount -> isOurs(mount, id)).isPresent();
  }

  @Override
  public void put(LayerId id) throws EngineException, ErrnoException {
    OsPath merged = home.mountPoint(id);
    Optional<MountEntry> mount = table.at(merged);
    if (mount.filter(there -> isOurs(there, id)).isPresent()) {
      holders.unmount(mount.get(), Linux.UMOUNT_NOFOLLOW);
    } else if (mount.isPresent() || files.lstat(merged).isEmpty() || !users(id).isEmpty()) {
      // removing the directory would end a mount of another mount namespace's
      return;
    }
    files.rmdir(merged);
  }

  @Override
  public SortedMap<String, String> metadata(LayerId id) throws EngineException, ErrnoException {
    SortedMap<String, String> metadata = new TreeMap<>();
    List<Below> below = home.below(id);
    if (!below.isEmpty()) {
      metadata.put(
          "LowerDir",
          below.stream().map(one -> one.directory().toString()).collect(Collectors.joining(":")));
    }
    metadata.put("UpperDir", home.diff(id).toString());
    metadata.put("WorkDir", home.workDirectory(id).toString());
    metadata.put("MergedDir", home.mountPoint(id).toString());
    return metadata;
  }

  @Override
  public View view(LayerId id) throws EngineException, ErrnoException {
    List<OsPath> layers = new ArrayList<>(List.of(home.diff(id)));
    home.below(id).forEach(below -> layers.add(below.directory()));
    return new View.Union(
        layers, List.of(), format.hasUserXattrs() ? View.Books.USER : View.Books.TRUSTED);
  }

  @Override
  public Draft draft(LayerId id) throws EngineException, ErrnoException {
    return DirectoryDraft.begin(
        sys, home.diff(id), form(), directories(ancestors(id).stream().findFirst()));
  }

  @Override
  public void close() {
    mounter.close();
  }
}
