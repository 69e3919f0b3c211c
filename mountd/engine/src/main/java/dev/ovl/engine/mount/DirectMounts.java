package dev.ovl.engine.mount;

import dev.ovl.engine.EngineException;
import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.file.TrustedAttributes;
import dev.ovl.engine.mount.OverlayCensus.Directories;
import dev.ovl.engine.mount.OverlayCensus.Overlay;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Overlay mounts without a stack: as mount(8) and umount(8) make and end them, but by any method.
 */
public final class DirectMounts implements AutoCloseable {
  private static final OsPath SOURCE = OsPath.of("ovl");

  private final Syscalls sys;
  private final Files files;
  private final OsPath run;
  private final Lookout lookout;
  private final MountTable table;
  private final OverlayCensus census;
  private final MountHolders holders;
  private final OverlayMounter mounter;
  private final OverlayChecks checks;

  /**
   * @param sys what to call
   * @param run the run directory, which need not exist
   */
  public DirectMounts(Syscalls sys, OsPath run) {
    this.sys = sys;
    this.files = new Files(sys);
    this.run = run;
    this.lookout = new Lookout(sys);
    this.table = new MountTable(sys);
    Processes processes = new Processes(sys);
    this.census = new OverlayCensus(sys, table, processes, lookout);
    this.holders = new MountHolders(sys, table, processes);
    this.mounter = new OverlayMounter(sys, run.resolve("nested"));
    this.checks = new OverlayChecks(sys);
  }

  /**
   * The mount that options describe; in a user namespace, where an overlay that is written to works
   * in no other way, with {@code userxattr}.
   *
   * @param options all that stood after {@code -o}; paths in them made absolute by {@code absolute}
   * @throws EngineException USAGE: no lower, or an upper without a work directory
   */
  public OverlayMount describe(OptionText.Parsed options, OsPath target)
      throws EngineException, ErrnoException {
    if (options.lowers().isEmpty()) {
      throw EngineException.usage("options lack lowerdir=");
    }
    if (options.upper().isPresent() != options.work().isPresent()) {
      throw EngineException.usage("upperdir= and workdir= need each other");
    }
    List<OsPath> lowers = new ArrayList<>(options.lowers());
    if (options.upper().isEmpty() && lowers.size() == 1) {
      lowers.add(empty());
    }
    return new OverlayMount(
        SOURCE,
        lowers,
        options.upper().map(upper -> new OverlayMount.Upper(upper, options.work().orElseThrow())),
        booked(options),
        target,
        Optional.empty(),
        Optional.empty());
  }

  private MountOptions booked(OptionText.Parsed options) throws EngineException, ErrnoException {
    MountOptions parsed = MountOptions.parse(options.words());
    boolean permitted =
        options.upper().isEmpty()
            || files.stat(options.upper().get()).filter(Statx::isDirectory).isEmpty()
            || TrustedAttributes.permitted(sys, options.upper().get());
    return permitted ? parsed : parsed.withUserXattrs();
  }

  private OsPath empty() {
    return run.resolve("empty");
  }

  /**
   * Checks a mount without making it.
   *
   * @return how it would be made
   */
  public OverlayMounter.Plan check(OverlayMount mount, Optional<MountMethod> method)
      throws EngineException, ErrnoException {
    List<OsPath> given = mount.lowers().stream().filter(lower -> !lower.equals(empty())).toList();
    checks.check(given, mount.upper());
    checks.checkTarget(mount.target());
    if (mount.upper().isPresent()) {
      Directories directories = census.directories(mount.upper().get());
      List<Overlay> users = census.snapshot().usersOf(directories);
      if (!users.isEmpty()) {
        throw EngineException.failed(
            "upper or work is in use by the overlay on " + users.get(0).mount().point().quoted(),
            Errno.EBUSY);
      }
    }
    return mounter.plan(mount, method);
  }

  /** Makes the mount, by the first method that fits or the forced one. */
  public void mount(OverlayMount mount, Optional<MountMethod> method)
      throws EngineException, ErrnoException {
    OverlayMounter.Plan plan = check(mount, method);
    if (mount.lowers().contains(empty())) {
      files.mkdirs(empty(), 0755);
    }
    try {
      mounter.mount(mount, plan);
    } catch (MountFailure failure) {
      throw checks.explain(mount, failure);
    }
  }

  /**
   * Unmounts the topmost overlay on a directory.
   *
   * @param lazy detach it although it is in use
   * @throws EngineException there is none, or it is in use; who uses it is named
   */
  public void umount(OsPath target, boolean lazy) throws EngineException, ErrnoException {
    holders.unmount(mounted(target), Linux.UMOUNT_NOFOLLOW | (lazy ? Linux.MNT_DETACH : 0));
  }

  /**
   * The topmost mount on a directory.
   *
   * @throws EngineException there is none, or it is no overlay
   */
  public MountEntry mounted(OsPath target) throws EngineException, ErrnoException {
    MountEntry entry =
        table
            .at(target)
            .orElseThrow(
                () -> EngineException.failed(target.quoted() + " is not mounted", Errno.EINVAL));
    if (!entry.isOverlay()) {
      throw EngineException.failed(
          target.quoted() + " is a mount of " + entry.type() + ", not an overlay", Errno.EINVAL);
    }
    return entry;
  }

  /** Ends the threads; mounts stay. */
  @Override
  public void close() {
    lookout.close();
    mounter.close();
  }
}
