package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.MountAttr;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes overlay mounts: chooses the {@link MountMethod} that fits and carries it out.
 *
 * <table>
 * <caption>System calls by method</caption>
 * <tr><th>method</th><th>calls</th><th>limit</th></tr>
 * <tr><td>classic</td><td>mount</td><td>4095 bytes of absolute paths</td></tr>
 * <tr><td>relative</td><td>unshare, fchdir, mount</td><td>4095 bytes of 28-byte names</td></tr>
 * <tr><td>lowerdir+</td><td>fsopen, fsconfig…, fsmount, move_mount</td><td>500 lowers</td></tr>
 * <tr><td>fd</td><td>openat…, unshare, fchdir, mount</td><td>500 lowers</td></tr>
 * </table>
 *
 * <p>Beyond 500 lowers the bottom 500 become one read-only overlay with {@code metacopy=on}, which
 * the mount itself keeps alive and nobody sees. Only one group may be folded so: a whiteout in a
 * folded group hides nothing in its siblings.
 *
 * <p>After a failure nothing is mounted. For any number of threads.
 */
public final class OverlayMounter implements AutoCloseable {
  private static final String TYPE = "overlay";
  private static final String LOWER = "lowerdir+";

  /**
   * What is reckoned with before descriptors are opened, the lowest free ones. A process with more
   * open is told so by the check in mount(2)'s one place.
   */
  private static final int LARGEST_DESCRIPTOR = 99_999;

  /** fsconfig(FSCONFIG_SET_STRING) refuses longer values with EINVAL. */
  private static final int MAX_STRING_BYTES = 255;

  private final Syscalls sys;
  private final Files files;
  private final DirectoryThreads threads;
  private final OsPath scratch;
  private final long processId = ProcessHandle.current().pid();
  private final AtomicInteger nextScratch = new AtomicInteger();
  private final Set<OsPath> scratchInUse = ConcurrentHashMap.newKeySet();
  private volatile LayerParameter layerParameter;

  /** How this kernel takes single layers by fsconfig(2). */
  private enum LayerParameter {
    /** As descriptors (6.13 and later). */
    DESCRIPTOR,
    /** As paths (6.7 and later). */
    PATH,
    /** Not at all. */
    NONE
  }

  /**
   * @param sys what to call
   * @param scratch a directory for mounts that last no longer than a call; made when needed
   */
  public OverlayMounter(Syscalls sys, OsPath scratch) {
    this.sys = sys;
    this.files = new Files(sys);
    this.threads = new DirectoryThreads(sys);
    this.scratch = scratch;
  }

  /**
   * How a mount is made.
   *
   * @param nested whether the bottom lowers are folded into one
   */
  public record Plan(MountMethod method, boolean nested) {}

  /**
   * The first method that fits the mount and the kernel, or the forced one.
   *
   * @throws EngineException the forced method does not fit; more than 999 lowers
   */
  public Plan plan(OverlayMount mount, Optional<MountMethod> forced)
      throws EngineException, ErrnoException {
    refuseTooMany(mount);
    for (MountMethod method : MountMethod.values()) {
      if (forced.isEmpty() || forced.get() == method) {
        Optional<String> obstacle = obstacle(mount, method);
        if (obstacle.isEmpty()) {
          return new Plan(method, mount.needsNesting());
        }
        if (forced.isPresent()) {
          throw EngineException.failed(
              "method " + method.word() + " is not possible: " + obstacle.get());
        }
      }
    }
    throw EngineException.failed(
        "no way of mounting fits: " + obstacle(mount, MountMethod.FD).orElseThrow());
  }

  private static void refuseTooMany(OverlayMount mount) throws EngineException {
    if (mount.lowers().size() > OverlayMount.MAX_LOWERS_NESTED) {
      throw EngineException.failed(
          mount.lowers().size()
              + " lowers are too many: the kernel takes "
              + OverlayMount.MAX_LOWERS
              + " in one overlay and ovl folds the bottom "
              + OverlayMount.MAX_LOWERS
              + " into one, which makes "
              + OverlayMount.MAX_LOWERS_NESTED
              + "; a second folded group could not hide the first one's deleted files",
          Errno.E2BIG);
    }
  }

  /** Why the method cannot carry the mount; empty when it can. */
  private Optional<String> obstacle(OverlayMount mount, MountMethod method) throws ErrnoException {
    if (mount.options().idMap().isPresent() && method != MountMethod.FD) {
      return Optional.of("it cannot map ids, which fd can");
    }
    return switch (method) {
      case CLASSIC -> byMount(mount, classicData(mount).length);
      case RELATIVE ->
          mount.names().isEmpty()
              ? Optional.of("the lowers have no short links")
              : byMount(mount, relativeData(mount, mount.names().get()).length);
      case LOWERDIR_PLUS ->
          switch (layerParameter()) {
            case DESCRIPTOR -> Optional.empty();
            case PATH ->
                mount.needsNesting()
                    ? Optional.of("this kernel takes no layers by descriptor")
                    : Optional.empty();
            case NONE -> Optional.of("this kernel does not know lowerdir+");
          };
      case FD -> {
        int lowers = Math.min(mount.lowers().size(), OverlayMount.MAX_LOWERS);
        int longest = String.valueOf(LARGEST_DESCRIPTOR).length() + 1;
        yield fitsPage(
            lowers * longest
                + 2 * (longest + "upperdir=,".length())
                + OptionText.write(List.of(OsPath.DOT), Optional.empty(), mount.options()).length);
      }
    };
  }

  private static Optional<String> byMount(OverlayMount mount, int bytes) {
    return mount.needsNesting()
        ? Optional.of("it cannot fold " + mount.lowers().size() + " lowers into one mount")
        : fitsPage(bytes);
  }

  private static Optional<String> fitsPage(int bytes) {
    return bytes <= OptionText.MAX_BYTES
        ? Optional.empty()
        : Optional.of("the options take " + bytes + " bytes, a page holds " + OptionText.MAX_BYTES);
  }

  private static byte[] classicData(OverlayMount mount) {
    return OptionText.write(mount.lowers(), mount.upper(), mount.options());
  }

  private static byte[] relativeData(OverlayMount mount, OverlayMount.ShortNames names) {
    Optional<OverlayMount.Upper> upper =
        mount
            .upper()
            .map(
                u -> new OverlayMount.Upper(names.shorten(u.directory()), names.shorten(u.work())));
    return OptionText.write(names.lowers(), upper, mount.options());
  }

  /**
   * Makes the mount.
   *
   * @param plan what {@link #plan} chose for it
   * @throws EngineException the native library is missing, by which ids are mapped
   * @throws MountFailure the kernel refused; nothing is mounted
   */
  public void mount(OverlayMount mount, Plan plan)
      throws EngineException, MountFailure, ErrnoException {
    switch (plan.method()) {
      case CLASSIC -> {
        mountByData(mount, classicData(mount));
        propagate(mount);
      }
      case RELATIVE -> mountRelative(mount);
      case LOWERDIR_PLUS -> mountByContext(mount, plan.nested());
      case FD -> {
        if (mount.options().idMap().isPresent()) {
          try (Fd made = madeInPrivate(mount)) {
            attach(made, mount);
          }
        } else {
          mountByDescriptors(mount, plan.nested(), threads::run);
          propagate(mount);
        }
      }
    }
  }

  /**
   * Makes the mount, attached nowhere: whoever has the descriptor can attach it by move_mount(2),
   * anywhere, and it ends with the descriptor if nobody does. Its target and propagation are not
   * looked at.
   *
   * @throws EngineException more than 999 lowers
   * @throws MountFailure the kernel refused; nothing is mounted
   */
  public Fd mountDetached(OverlayMount mount) throws EngineException, MountFailure, ErrnoException {
    refuseTooMany(mount);
    if (obstacle(mount, MountMethod.LOWERDIR_PLUS).isEmpty()) {
      return detached(mount, mount.needsNesting());
    }
    return madeInPrivate(mount);
  }

  /** By mount(2), where nobody sees it: attached nowhere in the end. */
  private Fd madeInPrivate(OverlayMount mount)
      throws EngineException, MountFailure, ErrnoException {
    // the thread is none that anybody works in afterwards, so that it may go anywhere
    Standing inPlace =
        (directory, action) -> {
          sys.fchdir(directory.number());
          action.run();
        };
    PrivateMountNamespace namespace = new PrivateMountNamespace(sys);
    Optional<IdMap> map = mount.options().idMap();
    if (map.isEmpty()) {
      return namespace.detached(
          target -> mountByDescriptors(mount.at(target), mount.needsNesting(), inPlace));
    }
    try (MappedLowers lowers = MappedLowers.of(sys, mount.lowers(), map.get())) {
      return namespace.detached(
          target -> {
            OverlayMount mapped = mount.over(lowers.attach(target.parent())).at(target);
            mountByDescriptors(mapped, mapped.needsNesting(), inPlace);
          });
    } catch (MountFailure failure) {
      throw failure.errno() == Errno.EINVAL && failure.refusal().call().equals("mount")
          ? new MountFailure(
              failure.refusal(), List.of("lowers whose owners are mapped take Linux 5.19"))
          : failure;
    }
  }

  private void mountByData(OverlayMount mount, byte[] data) throws MountFailure {
    try {
      sys.mount(mount.source(), mount.target(), TYPE, mount.options().msFlags(), data);
    } catch (ErrnoException e) {
      throw new MountFailure(e, List.of());
    }
  }

  /** Sets the propagation of a mount just made; takes the mount back when that fails. */
  private void propagate(OverlayMount mount) throws ErrnoException {
    if (mount.propagation().isEmpty()) {
      return;
    }
    try {
      sys.mount(OsPath.of("none"), mount.target(), "", mount.propagation().get().ms(), new byte[0]);
    } catch (ErrnoException e) {
      undo(mount.target(), e);
      throw e;
    }
  }

  private void undo(OsPath target, ErrnoException reason) {
    try {
      // following links, as the mount did
      sys.umount2(target, Linux.MNT_DETACH);
    } catch (ErrnoException second) {
      reason.addSuppressed(second);
    }
  }

  private void mountRelative(OverlayMount mount) throws MountFailure, ErrnoException {
    OverlayMount.ShortNames names = mount.names().orElseThrow();
    byte[] data = relativeData(mount, names);
    try (Fd base = open(names.base())) {
      mountIn(base, mount, data, threads::run);
    }
    propagate(mount);
  }

  /** Opens what a mount needs; that it cannot be opened is why the mount fails. */
  private Fd open(OsPath path) throws MountFailure {
    try {
      return files.openPath(path);
    } catch (ErrnoException e) {
      throw new MountFailure(e, List.of());
    }
  }

  /** Makes system calls with names relative to a directory. */
  private interface Standing {
    void in(Fd directory, DirectoryThreads.Action action) throws ErrnoException;
  }

  private void mountIn(Fd directory, OverlayMount mount, byte[] data, Standing standing)
      throws MountFailure {
    try {
      standing.in(
          directory,
          () -> sys.mount(mount.source(), mount.target(), TYPE, mount.options().msFlags(), data));
    } catch (ErrnoException e) {
      throw new MountFailure(e, List.of());
    }
  }

  // ---- lowerdir+ ----------------------------------------------------------------------------

  private LayerParameter layerParameter() throws ErrnoException {
    LayerParameter known = layerParameter;
    if (known == null) {
      known = probeLayerParameter();
      layerParameter = known;
    }
    return known;
  }

  /**
   * Asks by doing. Kernels before 6.5 store any parameter as text and complain only at the end: so
   * a name that does not exist tells them apart, since only a kernel that knows {@code lowerdir+}
   * looks it up.
   */
  private LayerParameter probeLayerParameter() throws ErrnoException {
    try (MountContext context = new MountContext(sys, TYPE);
        Fd directory = files.openPath(OsPath.ROOT)) {
      if (refusal(() -> context.set(LOWER, directory)).isEmpty()) {
        return LayerParameter.DESCRIPTOR;
      }
      Optional<Errno> refusal = refusal(() -> context.set(LOWER, "/proc/self/fd/-"));
      return refusal.equals(Optional.of(Errno.ENOENT)) ? LayerParameter.PATH : LayerParameter.NONE;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOSYS) || e.is(Errno.ENODEV) || e.is(Errno.EPERM)) {
        return LayerParameter.NONE;
      }
      throw e;
    }
  }

  /** A step that may be refused. */
  private interface Step {
    MountContext take() throws ErrnoException;
  }

  private static Optional<Errno> refusal(Step step) {
    try {
      step.take();
      return Optional.empty();
    } catch (ErrnoException e) {
      return Optional.of(e.errno());
    }
  }

  private void mountByContext(OverlayMount mount, boolean nested)
      throws MountFailure, ErrnoException {
    try (Fd made = detached(mount, nested)) {
      attach(made, mount);
    }
  }

  private Fd detached(OverlayMount mount, boolean nested) throws MountFailure, ErrnoException {
    List<OsPath> lowers = mount.lowers();
    if (!nested) {
      return detached(mount, lowers, Optional.empty());
    }
    int own = lowers.size() - OverlayMount.MAX_LOWERS;
    OverlayMount folded = folded(mount, lowers.subList(own, lowers.size()));
    try (Fd bottom = detached(folded, folded.lowers(), Optional.empty())) {
      return detached(mount, lowers.subList(0, own), Optional.of(bottom));
    }
  }

  /** The read-only overlay of the bottom lowers. */
  private static OverlayMount folded(OverlayMount mount, List<OsPath> bottom) {
    MountOptions options = MountOptions.NONE;
    if (mount.options().value("userxattr").isPresent()) {
      options = options.withDefault("userxattr", "");
    } else {
      // without it a metadata-only copy within the group would show no data
      options = options.withDefault("metacopy", "on");
    }
    return new OverlayMount(
        mount.source(),
        bottom,
        Optional.empty(),
        options.readOnly(),
        mount.target(),
        Optional.empty(),
        Optional.empty());
  }

  /** Makes a mount that is attached nowhere. */
  private Fd detached(OverlayMount mount, List<OsPath> lowers, Optional<Fd> lowest)
      throws MountFailure, ErrnoException {
    try (MountContext context = new MountContext(sys, TYPE)) {
      try {
        configure(context, mount, lowers, lowest);
        return context.mount(mount.options().attributes());
      } catch (ErrnoException e) {
        throw new MountFailure(e, context.messages());
      }
    }
  }

  private void configure(
      MountContext context, OverlayMount mount, List<OsPath> lowers, Optional<Fd> lowest)
      throws ErrnoException {
    context.set("source", mount.source());
    for (OsPath lower : lowers) {
      setLayer(context, LOWER, lower);
    }
    if (lowest.isPresent()) {
      context.set(LOWER, lowest.get());
    }
    if (mount.upper().isPresent()) {
      OverlayMount.Upper upper = mount.upper().get();
      setLayer(context, "upperdir", upper.directory());
      setLayer(context, "workdir", upper.work());
    }
    for (var option : mount.options().overlayData().entrySet()) {
      if (option.getValue().isEmpty()) {
        context.set(option.getKey());
      } else {
        context.set(option.getKey(), option.getValue());
      }
    }
    for (String word : mount.options().superblockFlags()) {
      context.set(word);
    }
  }

  /** By its path where that can be said, which saves opening it; else through a descriptor. */
  private void setLayer(MountContext context, String key, OsPath path) throws ErrnoException {
    if (path.length() <= MAX_STRING_BYTES && !path.contains('\\')) {
      context.set(key, path);
      return;
    }
    try (Fd fd = files.openPath(path)) {
      if (layerParameter() == LayerParameter.DESCRIPTOR) {
        context.set(key, fd);
      } else {
        context.set(key, Files.procPath(fd));
      }
    }
  }

  private void attach(Fd made, OverlayMount mount) throws ErrnoException {
    sys.move_mount(
        made.number(),
        OsPath.EMPTY,
        Linux.AT_FDCWD,
        mount.target(),
        Linux.MOVE_MOUNT_F_EMPTY_PATH | Linux.MOVE_MOUNT_T_SYMLINKS);
    if (mount.propagation().isPresent()) {
      try {
        sys.mount_setattr(
            made.number(),
            OsPath.EMPTY,
            Linux.AT_EMPTY_PATH,
            new MountAttr(0, 0, mount.propagation().get().ms(), 0));
      } catch (ErrnoException e) {
        undo(mount.target(), e);
        throw e;
      }
    }
  }

  // ---- fd -----------------------------------------------------------------------------------

  private void mountByDescriptors(OverlayMount mount, boolean nested, Standing standing)
      throws MountFailure, ErrnoException {
    List<OsPath> lowers = mount.lowers();
    if (!nested) {
      mountByDescriptors(mount, lowers, Optional.empty(), standing);
    } else {
      int own = lowers.size() - OverlayMount.MAX_LOWERS;
      OverlayMount folded = folded(mount, lowers.subList(own, lowers.size()));
      OsPath place = scratchDirectory();
      try {
        mountByDescriptors(folded.at(place), folded.lowers(), Optional.empty(), standing);
        mountByDescriptors(mount, lowers.subList(0, own), Optional.of(place), standing);
      } finally {
        // the outer mount, if it was made, holds its own private clone
        leaveScratch(place);
      }
    }
  }

  private void mountByDescriptors(
      OverlayMount mount, List<OsPath> lowers, Optional<OsPath> lowest, Standing standing)
      throws MountFailure, ErrnoException {
    try (Descriptors open = new Descriptors()) {
      List<OsPath> names = new ArrayList<>(lowers.size() + 1);
      for (OsPath lower : lowers) {
        names.add(open.name(lower));
      }
      if (lowest.isPresent()) {
        names.add(open.name(lowest.get()));
      }
      Optional<OverlayMount.Upper> upper = Optional.empty();
      if (mount.upper().isPresent()) {
        OverlayMount.Upper u = mount.upper().get();
        upper = Optional.of(new OverlayMount.Upper(open.name(u.directory()), open.name(u.work())));
      }
      byte[] data = OptionText.write(names, upper, mount.options());
      try (Fd descriptors = open(OsPath.of("/proc/self/fd"))) {
        mountIn(descriptors, mount, data, standing);
      }
    }
  }

  /** Open layers, whose numbers are their names in /proc/self/fd. */
  private final class Descriptors implements AutoCloseable {
    private final List<Fd> open = new ArrayList<>();

    OsPath name(OsPath path) throws MountFailure {
      Fd fd = OverlayMounter.this.open(path);
      open.add(fd);
      return OsPath.of(String.valueOf(fd.number()));
    }

    @Override
    public void close() {
      open.forEach(Fd::close);
    }
  }

  /** A new directory named for this process, so that a later one can tell what a crash left. */
  private OsPath scratchDirectory() throws ErrnoException {
    files.mkdirs(scratch, 0700);
    OsPath name = OsPath.of(processId + "-" + nextScratch.incrementAndGet());
    scratchInUse.add(name);
    OsPath place = scratch.resolve(name);
    try {
      files.mkdir(place, 0700);
      return place;
    } catch (ErrnoException e) {
      scratchInUse.remove(name);
      throw e;
    }
  }

  private void leaveScratch(OsPath place) {
    try {
      clearScratch(place);
    } catch (ErrnoException e) {
      // what was asked for is decided already; sweepScratch comes here again
    } finally {
      scratchInUse.remove(place.fileName());
    }
  }

  private void clearScratch(OsPath place) throws ErrnoException {
    try {
      sys.umount2(place, Linux.MNT_DETACH | Linux.UMOUNT_NOFOLLOW);
    } catch (ErrnoException e) {
      if (!e.is(Errno.EINVAL) && !e.is(Errno.ENOENT)) {
        throw e;
      }
    }
    files.rmdir(place);
  }

  /** Unmounts and removes what failed or ended processes left in the scratch directory. */
  public void sweepScratch() throws ErrnoException {
    for (OsPath place : staleScratch()) {
      clearScratch(place);
    }
  }

  /** What failed or ended processes left in the scratch directory: mount points, or former ones. */
  public List<OsPath> staleScratch() throws ErrnoException {
    List<OsPath> stale = new ArrayList<>();
    for (OsPath name : files.list(scratch)) {
      String pid = name.toString().replaceFirst("-.*", "");
      boolean inUse =
          pid.equals(String.valueOf(processId))
              ? scratchInUse.contains(name)
              : files.stat(OsPath.of("/proc/" + pid)).isPresent();
      if (!inUse) {
        stale.add(scratch.resolve(name));
      }
    }
    return stale;
  }

  @Override
  public void close() {
    threads.close();
  }
}
