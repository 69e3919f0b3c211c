package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.engine.file.Lookout;
import dev.ovl.engine.file.Lookout.Seen;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All overlay and aufs mounts of this machine, in every mount namespace. Of an aufs no upper is
 * known here.
 *
 * <p>A mount that was copied into another namespace (unshare(1), a container, a service with
 * PrivateTmp) keeps its superblock alive after it is gone here, and with it an upper and a work
 * directory in use.
 *
 * <p>Where the kernel steps through namespaces by itself (NS_MNT_GET_NEXT, 6.12) that finds all of
 * them, at one call each and one a 512 mounts; what a mount is, is asked once, since its id is
 * never given again. Elsewhere the namespaces of all visible processes are read through /proc.
 */
public final class OverlayCensus {
  private static final OsPath OWN = OsPath.of("/proc/self/ns/mnt");
  private static final MountEntry.Device NO_DEVICE = new MountEntry.Device(-1, -1);
  private static final View EMPTY = new View(new long[0], new MountEntry.Device[0], List.of());
  private static final int INFO_BYTES = 16;
  private static final int INFO_ID_OFFSET = 8;

  private final Syscalls sys;
  private final Files files;
  private final MountTable mounts;
  private final Processes processes;
  private final Lookout lookout;

  /** What was seen of each namespace the last time, by the kernel's id for it. */
  private Map<Long, View> views = new HashMap<>();

  /**
   * @param sys what to call
   * @param mounts how to ask about mounts
   * @param processes for kernels that know their namespaces through /proc only
   * @param lookout for the directories of other mounts
   */
  public OverlayCensus(Syscalls sys, MountTable mounts, Processes processes, Lookout lookout) {
    this.sys = sys;
    this.files = new Files(sys);
    this.mounts = mounts;
    this.processes = processes;
    this.lookout = lookout;
  }

  /** A namespace at one moment. */
  private static final class View {
    /** Of all its mounts, ascending. */
    final long[] ids;

    /** The devices of these mounts, in the same order. */
    final MountEntry.Device[] devices;

    /** Those of them that are overlays, in the same order. */
    final List<Overlay> overlays;

    View(long[] ids, MountEntry.Device[] devices, List<Overlay> overlays) {
      this.ids = ids;
      this.devices = devices;
      this.overlays = overlays;
    }

    long id(int overlay) {
      return overlays.get(overlay).mount().id();
    }

    /** How many of the first mounts are overlays. */
    int overlaysAmong(int first) {
      int count = overlays.size();
      while (count > 0 && (first == 0 || id(count - 1) > ids[first - 1])) {
        count--;
      }
      return count;
    }
  }

  /** An overlay mount somewhere. */
  public final class Overlay {
    private final long namespace;
    private final long namespaceId;
    private final boolean here;
    private final MountEntry seen;
    private final Optional<MountEntry> parent;
    private Optional<Directories> directories = Optional.empty();
    private boolean hidesUpper;

    private Overlay(
        long namespace,
        long namespaceId,
        boolean here,
        MountEntry seen,
        Optional<MountEntry> parent) {
      this.namespace = namespace;
      this.namespaceId = namespaceId;
      this.here = here;
      this.seen = seen;
      this.parent = parent;
    }

    /** Inode number of its mount namespace, as in {@code mnt:[4026531841]}. */
    public long namespace() {
      return namespace;
    }

    /** Whether that is this process's. */
    public boolean isHere() {
      return here;
    }

    /** The mount as it was when it was first seen; its place may be another one now. */
    public MountEntry mount() {
      return seen;
    }

    /** Whether its ids are those of statmount(2): another namespace's mountinfo has others. */
    private boolean canBeAsked() throws ErrnoException {
      return mounts.uniqueIds() && (here || namespaceId != 0);
    }

    /** The mount as it is now, as far as it can be told; empty when it is gone. */
    public Optional<MountEntry> now() throws ErrnoException {
      return canBeAsked() ? mounts.byId(seen.id(), namespaceId) : Optional.of(seen);
    }

    /** What it is mounted on; empty when that is gone or hidden. */
    public Optional<MountEntry> parent() throws ErrnoException {
      return canBeAsked() ? mounts.byId(seen.parent(), namespaceId) : parent;
    }

    /** Its upper as the kernel shows it; empty when it has none or it says nothing. */
    public Optional<OsPath> upper() throws ErrnoException {
      return options().path("upperdir");
    }

    /** Its lowers, those of them that the kernel shows as paths. */
    public List<OsPath> lowers() throws ErrnoException {
      return options().lowers();
    }

    private ShownOptions options() throws ErrnoException {
      return mounts.options(seen, namespaceId);
    }

    /**
     * True when its upper or work is one of these directories, by path or by inode. What the paths
     * led to when they were first looked at counts, since the mount holds those inodes.
     */
    private boolean writesTo(Directories wanted) throws ErrnoException {
      return directories().meet(wanted);
    }

    /**
     * True when its options do not tell its upper, or its paths lead through a file system that
     * does not answer, and the kernel says that somebody uses the upper.
     */
    private boolean mayWriteTo(Directories wanted) throws ErrnoException {
      boolean untold = directories().untold;
      return (hidesUpper || untold) && wanted.isUpperInUse();
    }

    /** True when one of its lowers is one of these directories, as far as it tells them. */
    private boolean reads(Directories wanted) throws ErrnoException {
      Directories lowers = new Directories(Optional.empty());
      for (OsPath path : options().lowers()) {
        if (path.isAbsolute()) {
          lowers.add(path, lookout.look(path, Linux.STATX_INO));
        }
      }
      return lowers.meet(wanted);
    }

    private synchronized Directories directories() throws ErrnoException {
      Directories own = directories.isPresent() ? directories.get() : lookUp();
      if (!own.untold) {
        directories = Optional.of(own);
      }
      return own;
    }

    private Directories lookUp() throws ErrnoException {
      Directories found = new Directories(Optional.empty());
      ShownOptions options = options();
      // ovl's own, where they are relative, are layers of a root and nobody's given upper; where
      // they are numbers (fd), they may be anything
      boolean ofLayer =
          seen.source().toString().startsWith("ovl:") && options.path("upperdir").isPresent();
      hidesUpper = options.hidesUpper() && !ofLayer;
      for (String option : List.of("upperdir", "workdir")) {
        Optional<OsPath> path = options.path(option);
        if (path.isPresent() && path.get().isAbsolute()) {
          found.add(path.get(), lookout.look(path.get(), Linux.STATX_INO));
        } else if (path.isPresent()) {
          found.add(path.get(), new Seen.Nothing());
        }
      }
      return found;
    }
  }

  /** What tells a file from all others. */
  private record Inode(int major, int minor, long number) {}

  /** An upper and its work directory, by their names and by their inodes. */
  public final class Directories {
    private final Optional<OsPath> upper;
    private final Set<OsPath> paths = new HashSet<>();
    private final Set<Inode> inodes = new HashSet<>();
    private boolean untold;
    private Optional<Boolean> upperInUse = Optional.empty();

    private Directories(Optional<OsPath> upper) {
      this.upper = upper;
    }

    private void add(OsPath path, Seen seen) {
      paths.add(path);
      seen.found()
          .map(stat -> new Inode(stat.devMajor(), stat.devMinor(), stat.inode()))
          .ifPresent(inodes::add);
      untold |= seen instanceof Seen.Untold;
    }

    private boolean meet(Directories other) {
      for (OsPath path : paths) {
        if (other.paths.contains(path)) {
          return true;
        }
      }
      for (Inode inode : inodes) {
        if (other.inodes.contains(inode)) {
          return true;
        }
      }
      return false;
    }

    private boolean isUpperInUse() throws ErrnoException {
      if (upper.isPresent() && upperInUse.isEmpty()) {
        upperInUse = Optional.of(new UpperInUse(sys).test(upper.get()));
      }
      return upperInUse.orElse(false);
    }
  }

  /** An upper and work directory to compare mounts with. Waits for the file system they are on. */
  public Directories directories(OverlayMount.Upper upper) throws ErrnoException {
    Directories directories = new Directories(Optional.of(upper.directory()));
    for (OsPath path : List.of(upper.directory(), upper.work())) {
      directories.add(path, seen(path));
      Optional<OsPath> resolved = files.resolve(path);
      if (resolved.isPresent() && !resolved.get().equals(path)) {
        directories.add(resolved.get(), seen(resolved.get()));
      }
    }
    return directories;
  }

  private Seen seen(OsPath path) throws ErrnoException {
    return files.stat(path).<Seen>map(Seen.Found::new).orElse(new Seen.Nothing());
  }

  /** Which mounts are looked for. */
  public interface Wanted {
    /** True when the mount fits. */
    boolean test(Overlay overlay) throws ErrnoException;
  }

  /** The mounts at the moment of the first question. For one operation and one thread. */
  public final class Snapshot {
    private Optional<Collection<View>> views = Optional.empty();

    private Snapshot() {}

    private Collection<View> views() throws ErrnoException {
      if (views.isEmpty()) {
        views = Optional.of(take());
      }
      return views.get();
    }

    /** The overlay mounts that fit, those of this namespace included. */
    public List<Overlay> find(Wanted wanted) throws ErrnoException {
      List<Overlay> found = new ArrayList<>();
      for (View view : views()) {
        for (Overlay overlay : view.overlays) {
          if (wanted.test(overlay)) {
            found.add(overlay);
          }
        }
      }
      return found;
    }

    /**
     * The overlays whose upper or work is one of these directories. When none shows that and the
     * kernel says all the same that the upper is in use, those that do not show theirs.
     */
    public List<Overlay> usersOf(Directories wanted) throws ErrnoException {
      List<Overlay> users = find(overlay -> overlay.writesTo(wanted));
      return users.isEmpty() ? find(overlay -> overlay.mayWriteTo(wanted)) : users;
    }

    /**
     * The overlays of which a lower is one of these directories. What shows its lowers by relative
     * names or numbers, as ovl's own mounts may, is not found.
     */
    public List<Overlay> readersOf(Directories wanted) throws ErrnoException {
      return find(overlay -> overlay.reads(wanted));
    }

    /** True when there is any overlay. */
    public boolean hasAny() throws ErrnoException {
      for (View view : views()) {
        if (!view.overlays.isEmpty()) {
          return true;
        }
      }
      return false;
    }

    /** True when a mount of any type, in any namespace, is of this device. */
    public boolean isMounted(MountEntry.Device device) throws ErrnoException {
      for (View view : views()) {
        for (MountEntry.Device one : view.devices) {
          if (one.equals(device)) {
            return true;
          }
        }
      }
      return false;
    }
  }

  /** A new look at the machine, taken when first asked. */
  public Snapshot snapshot() {
    return new Snapshot();
  }

  private Collection<View> take() throws ErrnoException {
    if (mounts.uniqueIds()) {
      try {
        return takeByStepping();
      } catch (ErrnoException e) {
        if (!e.is(Errno.ENOTTY) && !e.is(Errno.EPERM)) {
          throw e;
        }
      }
    }
    return takeByProcesses();
  }

  private synchronized Collection<View> takeByStepping() throws ErrnoException {
    Map<Long, View> now = new HashMap<>();
    try (Fd own = new Fd(sys, sys.openat(Linux.AT_FDCWD, OWN, Linux.O_RDONLY, 0))) {
      look(own, 0, now);
      step(own, Linux.NS_MNT_GET_NEXT, now);
      step(own, Linux.NS_MNT_GET_PREV, now);
    }
    views = now;
    return now.values();
  }

  /** Goes from one namespace to the next in one direction of the kernel's order, to the end. */
  private void step(Fd own, long direction, Map<Long, View> now) throws ErrnoException {
    Fd at = own;
    ByteBuffer info = ByteBuffer.allocateDirect(INFO_BYTES).order(ByteOrder.nativeOrder());
    try {
      while (true) {
        info.clear().putInt(0, INFO_BYTES);
        int next;
        try {
          next = sys.ioctl(at.number(), direction, info);
        } catch (ErrnoException e) {
          if (e.is(Errno.ENOENT)) {
            return;
          }
          throw e;
        }
        Fd previous = at;
        at = new Fd(sys, next);
        if (previous != own) {
          previous.close();
        }
        look(at, info.getLong(INFO_ID_OFFSET), now);
      }
    } finally {
      if (at != own) {
        at.close();
      }
    }
  }

  private void look(Fd namespace, long namespaceId, Map<Long, View> now) throws ErrnoException {
    long[] ids;
    try {
      ids = mounts.ids(namespaceId);
    } catch (ErrnoException e) {
      // the namespace ended meanwhile
      if (e.is(Errno.ENOENT)) {
        return;
      }
      throw e;
    }
    View before = views.getOrDefault(namespaceId, EMPTY);
    now.put(
        namespaceId,
        Arrays.equals(before.ids, ids) ? before : merge(namespace, namespaceId, ids, before));
  }

  /**
   * Goes through old and new ids side by side; asks about the new ones. What is new comes last, so
   * that most of it is a copy.
   */
  private View merge(Fd namespace, long namespaceId, long[] ids, View before)
      throws ErrnoException {
    int same = Arrays.mismatch(before.ids, ids);
    MountEntry.Device[] devices = Arrays.copyOf(before.devices, ids.length);
    List<Overlay> overlays = new ArrayList<>(before.overlays.size() + 1);
    overlays.addAll(before.overlays.subList(0, before.overlaysAmong(same)));
    Optional<Long> inode = Optional.empty();
    int old = same;
    int oldOverlay = overlays.size();
    for (int i = same; i < ids.length; i++) {
      while (old < before.ids.length && before.ids[old] < ids[i]) {
        old++;
      }
      while (oldOverlay < before.overlays.size() && before.id(oldOverlay) < ids[i]) {
        oldOverlay++;
      }
      if (old < before.ids.length && before.ids[old] == ids[i]) {
        devices[i] = before.devices[old];
        if (oldOverlay < before.overlays.size() && before.id(oldOverlay) == ids[i]) {
          overlays.add(before.overlays.get(oldOverlay));
        }
        continue;
      }
      Optional<MountEntry> mount = mounts.byId(ids[i], namespaceId);
      devices[i] = mount.map(MountEntry::device).orElse(NO_DEVICE);
      if (mount.filter(MountEntry::isUnion).isPresent()) {
        if (inode.isEmpty()) {
          inode = Optional.of(inode(namespace));
        }
        overlays.add(
            new Overlay(inode.get(), namespaceId, namespaceId == 0, mount.get(), Optional.empty()));
      }
    }
    return new View(ids, devices, overlays);
  }

  private long inode(Fd namespace) throws ErrnoException {
    return sys.statx(namespace.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO)
        .inode();
  }

  /** As far as this process may look at others; root of a user namespace may at few. */
  private Collection<View> takeByProcesses() throws ErrnoException {
    List<View> found = new ArrayList<>();
    boolean hereIsKnown = mounts.uniqueIds();
    if (hereIsKnown) {
      found.addAll(takeHere());
    }
    long own = files.stat(OWN).orElseThrow().inode();
    for (Map.Entry<Long, List<Integer>> namespace : processes.byMountNamespace().entrySet()) {
      boolean here = namespace.getKey() == own;
      if (here && hereIsKnown) {
        continue;
      }
      for (int pid : namespace.getValue()) {
        Optional<byte[]> text = processes.read(pid, "mountinfo");
        if (text.isPresent() && text.get().length > 0) {
          found.add(view(namespace.getKey(), here, Mountinfo.parse(text.get())));
          break;
        }
      }
    }
    return found;
  }

  private synchronized Collection<View> takeHere() throws ErrnoException {
    Map<Long, View> now = new HashMap<>();
    try (Fd own = new Fd(sys, sys.openat(Linux.AT_FDCWD, OWN, Linux.O_RDONLY, 0))) {
      look(own, 0, now);
    }
    views = now;
    return now.values();
  }

  private View view(long namespace, boolean here, List<MountEntry> all) {
    List<Overlay> overlays = new ArrayList<>();
    for (MountEntry mount : all) {
      if (mount.isUnion()) {
        overlays.add(
            new Overlay(
                namespace,
                0,
                here,
                mount,
                all.stream().filter(m -> m.id() == mount.parent()).findFirst()));
      }
    }
    return new View(
        all.stream().mapToLong(MountEntry::id).toArray(),
        all.stream().map(MountEntry::device).toArray(MountEntry.Device[]::new),
        overlays);
  }
}
