package dev.ovl.engine.stack;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.driver.LayerHome;
import dev.ovl.engine.driver.LayerId;
import dev.ovl.engine.driver.overlay2.Overlay2Home;
import dev.ovl.engine.driver.overlay2.ShortLinks;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.mount.IdMap;
import dev.ovl.engine.mount.MountEntry;
import dev.ovl.engine.mount.MountFailure;
import dev.ovl.engine.mount.MountHolders;
import dev.ovl.engine.mount.MountMethod;
import dev.ovl.engine.mount.MountOptions;
import dev.ovl.engine.mount.OverlayChecks;
import dev.ovl.engine.mount.OverlayMount;
import dev.ovl.engine.mount.OverlayMounter;
import dev.ovl.engine.mount.VolatileMarker;
import dev.ovl.engine.root.RootFormat;
import dev.ovl.engine.stack.StackDefinition.Layer;
import dev.ovl.engine.stack.StackDefinition.Lower;
import dev.ovl.engine.stack.StackDefinition.Union;
import dev.ovl.engine.stack.StackDefinition.Upper;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Stacks of overlayfs: short links, an upper with a work directory, the ways to mount it. */
final class OverlayKind implements UnionKind {
  private final Syscalls sys;
  private final Files files;
  private final OsPath empty;
  private final Overlay2Home home;
  private final RootFormat format;
  private final StackMounts mounts;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;
  private final MountHolders holders;
  private final Map<StackName, Described> described = new ConcurrentHashMap<>();

  /**
   * @param empty a directory that stands in as second lower where there is one lower and no upper
   */
  OverlayKind(
      Syscalls sys,
      OsPath empty,
      Overlay2Home home,
      RootFormat format,
      StackMounts mounts,
      OverlayMounter mounter,
      MountHolders holders) {
    this.sys = sys;
    this.files = new Files(sys);
    this.empty = empty;
    this.home = home;
    this.format = format;
    this.mounts = mounts;
    this.mounter = mounter;
    this.checks = new OverlayChecks(sys);
    this.holders = holders;
  }

  @Override
  public LayerHome home() {
    return home;
  }

  private static Union.Overlay union(StackDefinition stack) {
    return (Union.Overlay) stack.union();
  }

  // ---- definitions --------------------------------------------------------------------------

  @Override
  public Parts parts(StackRequest request) throws EngineException, ErrnoException {
    StackRequest.Union.Overlay asked = (StackRequest.Union.Overlay) request.union();
    if (asked.upper().isPresent() && request.readOnly()) {
      throw EngineException.usage("a read-only stack has no upper");
    }
    boolean ownUpper = asked.upper().isEmpty() && !request.readOnly();
    return new Parts(
        lowers(request.lowers(), List.of(), request.parent()),
        asked
            .upper()
            .<Upper>map(OverlayKind::given)
            .orElse(ownUpper ? new Upper.OfLayer() : new Upper.None()),
        new Union.Overlay(
            booked(asked.options()),
            asked.method(),
            ownUpper && !asked.compat() && !format.isShared()));
  }

  /** With the attributes that the root's layers have. */
  private MountOptions booked(MountOptions options) throws EngineException, ErrnoException {
    if (!format.hasUserXattrs()) {
      return options;
    }
    if (options.idMap().isPresent()) {
      throw EngineException.failed(
          "only root can map the owners of lowers (" + IdMap.OPTION + ")", Errno.EPERM);
    }
    return options.withUserXattrs();
  }

  private static Upper.Given given(OverlayMount.Upper upper) {
    return new Upper.Given(upper.directory(), Optional.of(upper.work()));
  }

  @Override
  public Parts parts(StackDefinition from, List<Lower> present, StackChange change)
      throws EngineException, ErrnoException {
    Union.Overlay union = union(from);
    MountOptions options =
        change.options().isPresent() ? MountOptions.parse(change.options().get()) : union.options();
    return new Parts(
        lowers(
            change.lowers().orElse(from.directories()),
            present,
            change.parent().orElse(from.parent())),
        change.upper().<Upper>map(OverlayKind::given).orElse(from.upper()),
        new Union.Overlay(
            booked(options), change.method().orElse(union.method()), union.lazyCopies()));
  }

  @Override
  public StackRequest like(StackDefinition stack, StackName as) {
    Union.Overlay union = union(stack);
    Optional<OverlayMount.Upper> upper =
        stack.upper() instanceof Upper.Given given
            ? Optional.of(overlayUpper(given))
            : Optional.empty();
    return new StackRequest(
        as,
        stack.directories(),
        stack.parent(),
        stack.upper() instanceof Upper.None,
        stack.target(),
        stack.propagation(),
        new StackRequest.Union.Overlay(
            upper, union.options(), union.method(), !union.lazyCopies()));
  }

  /** An overlay's upper, which has a work directory. */
  static OverlayMount.Upper overlayUpper(Upper.Given given) {
    return new OverlayMount.Upper(given.directory(), given.work().orElseThrow());
  }

  /** Gives each directory a link: the one it has already, or an unused name. */
  private List<Lower> lowers(
      List<OsPath> directories, List<Lower> present, Optional<LayerId> parent)
      throws EngineException, ErrnoException {
    Map<OsPath, String> names = new HashMap<>();
    for (Lower lower : present) {
      if (lower.layer().isEmpty()) {
        names.put(lower.path(), lower.link().orElseThrow());
      }
    }
    List<Lower> lowers = new ArrayList<>();
    for (OsPath path : directories) {
      String known = names.get(path);
      String link = known != null ? known : home.links().unusedName();
      lowers.add(Lower.linked(path, link, Optional.empty()));
    }
    if (parent.isPresent()) {
      lowers.addAll(chain(parent.get()));
    }
    return lowers;
  }

  /** The layer and its ancestors as lowers, nearest first. */
  private List<Lower> chain(LayerId layer) throws EngineException, ErrnoException {
    String link =
        home.link(layer)
            .orElseThrow(() -> EngineException.failed("no such parent: " + layer, Errno.ENOENT));
    List<Lower> chain = new ArrayList<>();
    chain.add(Lower.linked(home.diff(layer), link, Optional.of(layer)));
    for (Overlay2Home.Below below : home.below(layer)) {
      chain.add(Lower.linked(below.directory(), below.link(), below.layer()));
    }
    return chain;
  }

  @Override
  public Layer unusedLayer() throws EngineException, ErrnoException {
    return new Layer(home.unusedId(), Optional.of(home.links().unusedName()));
  }

  @Override
  public Lower frozen(Layer own) {
    return Lower.linked(home.diff(own.id()), own.link().orElseThrow(), Optional.of(own.id()));
  }

  @Override
  public void check(Parts parts) throws EngineException, ErrnoException {
    checks.check(
        parts.lowers().stream().map(Lower::path).toList(),
        parts.upper() instanceof Upper.Given given
            ? Optional.of(overlayUpper(given))
            : Optional.empty());
  }

  @Override
  public void refuseUnmountable(StackDefinition stack) throws EngineException, ErrnoException {
    mounter.plan(mount(stack), union(stack).method());
  }

  @Override
  public boolean make(StackDefinition stack, Optional<StackDefinition> before, Set<String> made)
      throws EngineException, ErrnoException {
    Set<String> present = new HashSet<>();
    before.ifPresent(b -> b.links().forEach(present::add));
    for (Lower lower : stack.plain()) {
      String link = lower.link().orElseThrow();
      if (!present.contains(link)) {
        if (!home.links().make(link, lower.path())) {
          return false;
        }
        made.add(link);
      }
    }
    if (stack.layer().isEmpty()) {
      return true;
    }
    Layer layer = stack.layer().get();
    List<String> links = stack.lowers().stream().flatMap(lower -> lower.link().stream()).toList();
    if (before.flatMap(StackDefinition::layer).filter(layer::equals).isPresent()) {
      home.writeLower(layer.id(), links);
      return true;
    }
    Statx rootOf = files.stat(stack.lowers().getFirst().path()).orElseThrow();
    return home.create(
        layer.id(),
        layer.link().orElseThrow(),
        links,
        Optional.of(rootOf),
        false,
        draft -> {
          home.noteOwner(draft, OsPath.of(stack.name().text()));
          Optional<IdMap> map = union(stack).options().idMap();
          if (map.isPresent()) {
            home.giveTo(draft, map.get().user(rootOf.uid()), map.get().group(rootOf.gid()));
          }
        });
  }

  // ---- mounts -------------------------------------------------------------------------------

  /** A definition and what follows from it; with hundreds of lowers that is worth keeping. */
  private record Described(StackDefinition stack, OverlayMount mount) {}

  /** The mount that the definition asks for. */
  private OverlayMount mount(StackDefinition stack) {
    Described known = described.get(stack.name());
    if (known != null && known.stack().equals(stack)) {
      return known.mount();
    }
    OverlayMount mount = describe(stack);
    described.put(stack.name(), new Described(stack, mount));
    return mount;
  }

  @Override
  public void forget(StackName name) {
    described.remove(name);
  }

  private OverlayMount describe(StackDefinition stack) {
    List<OsPath> lowers = new ArrayList<>();
    List<OsPath> names = new ArrayList<>();
    for (Lower lower : stack.lowers()) {
      lowers.add(lower.path());
      names.add(ShortLinks.relative(lower.link().orElseThrow()));
    }
    Optional<OverlayMount.Upper> upper = mounts.upper(stack).map(OverlayKind::overlayUpper);
    if (upper.isEmpty() && lowers.size() == 1) {
      // the kernel wants two; a bind mount instead would show raw whiteouts
      lowers.add(empty);
      names.add(OsPath.of("..").resolve(empty.fileName()));
    }
    Union.Overlay union = union(stack);
    MountOptions options = union.lazyCopies() ? union.options().copyingLazily() : union.options();
    if (options.value("nfs_export").filter("on"::equals).isEmpty()) {
      // with an index, lowers that were copied or moved give ESTALE
      options = options.withDefault("index", "off");
    }
    return new OverlayMount(
        stack.name().mountSource(),
        lowers,
        upper,
        upper.isEmpty() ? options.readOnly() : options,
        mounts.target(stack),
        stack.propagation(),
        Optional.of(new OverlayMount.ShortNames(home.directory(), names)));
  }

  @Override
  public void refuseUsed(List<OsPath> written) {
    // what overlays write to is known already
  }

  @Override
  public void refuseShown(List<OsPath> directories) {
    // what overlays show is known already
  }

  @Override
  public void mount(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    OverlayMount mount = mount(stack);
    OverlayMounter.Plan plan = mounter.plan(mount, union(stack).method());
    if (acceptVolatile) {
      acceptVolatile(mount);
    }
    if (plan.method() == MountMethod.RELATIVE) {
      restoreLinks(stack);
    }
    try {
      mounter.mount(mount, plan);
    } catch (MountFailure failure) {
      throw explain(mount, failure);
    }
  }

  @Override
  public Optional<Fd> mountDetached(StackDefinition stack, boolean acceptVolatile)
      throws EngineException, ErrnoException {
    OverlayMount mount = mount(stack);
    if (acceptVolatile) {
      acceptVolatile(mount);
    }
    try {
      return Optional.of(mounter.mountDetached(mount));
    } catch (MountFailure failure) {
      // its target may be missing
      throw explain(mount.at(OsPath.ROOT), failure);
    }
  }

  private void acceptVolatile(OverlayMount mount) throws ErrnoException {
    if (mount.upper().isPresent()) {
      marker(mount.upper().get()).remove();
    }
  }

  private EngineException explain(OverlayMount mount, MountFailure failure) throws ErrnoException {
    if (mount.upper().isPresent() && marker(mount.upper().get()).isPresent()) {
      return EngineException.failed(
          "its last mount was volatile and not ended by 'down': what was written before the crash may be"
              + " lost or torn in "
              + mount.upper().get().directory().quoted()
              + "; check it, then 'up --accept-volatile'",
          failure.refusal());
    }
    return checks.explain(mount, failure);
  }

  private VolatileMarker marker(OverlayMount.Upper upper) {
    return new VolatileMarker(sys, upper.work());
  }

  @Override
  public void checkTarget(OsPath target) throws EngineException, ErrnoException {
    checks.checkTarget(target);
  }

  @Override
  public Map<String, OsPath> links(StackDefinition stack) {
    Map<String, OsPath> links = new LinkedHashMap<>();
    for (Lower lower : stack.lowers()) {
      links.put(
          lower.link().orElseThrow(),
          lower.layer().map(Overlay2Home::linkTarget).orElse(lower.path()));
    }
    stack
        .layer()
        .ifPresent(own -> links.put(own.link().orElseThrow(), Overlay2Home.linkTarget(own.id())));
    return links;
  }

  private void restoreLinks(StackDefinition stack) throws ErrnoException {
    for (Map.Entry<String, OsPath> link : links(stack).entrySet()) {
      home.links().restore(link.getKey(), link.getValue());
    }
  }

  @Override
  public void unmount(MountEntry mount, int flags) throws EngineException, ErrnoException {
    holders.unmount(mount, flags);
  }

  /** Removes the marker of a volatile mount, after what it wrote has been written out. */
  @Override
  public void ended(StackDefinition stack) throws ErrnoException {
    Optional<OverlayMount.Upper> upper = mounts.upper(stack).map(OverlayKind::overlayUpper);
    if (upper.isEmpty() || !union(stack).options().isVolatile()) {
      return;
    }
    VolatileMarker marker = marker(upper.get());
    if (marker.isPresent()) {
      files.syncFileSystem(upper.get().directory());
      marker.remove();
    }
  }

  @Override
  public Manner manner(StackDefinition stack) throws EngineException, ErrnoException {
    OverlayMount mount = mount(stack);
    OverlayMounter.Plan plan = mounter.plan(mount, union(stack).method());
    return new Manner(mount.options().words(), plan.method(), plan.nested());
  }
}
