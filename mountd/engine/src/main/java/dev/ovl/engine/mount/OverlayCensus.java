package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All overlay mounts of this machine, in every mount namespace.
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
  private static final int INFO_BYTES = 16;
  private static final int INFO_ID_OFFSET = 8;

  private final Syscalls sys;
  private final Files files;
  private final MountTable mounts;
  private final Processes processes;

  /** What was seen of each namespace the last time, by the kernel's id for it. */
  private Map<Long, View> views = new HashMap<>();

  /**
   * @param sys what to call
   * @param mounts how to ask about mounts
   * @param processes for kernels that know their namespaces through /proc only
   */
  public OverlayCensus(Syscalls sys, MountTable mounts, Processes processes) {
    this.sys = sys;
    this.files = new Files(sys);
    this.mounts = mounts;
    this.processes = processes;
  }

  /** A namespace at one moment. */
  private static final class View {
    /** Of all its mounts, ascending. */
    final long[] ids;

    /** Those of them that are overlays, by id. */
    final Map<Long, Overlay> overlays;

    View(long[] ids, Map<Long, Overlay> overlays) {
      this.ids = ids;
      this.overlays = overlays;
    }
  }

  /** An overlay mount somewhere. */
  public final class Overlay {
    private final long namespace;
    private final long namespaceId;
    private final boolean here;
    private final MountEntry seen;
    private final Optional<MountEntry> parent;
    private List<Directory> directories;
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

    /** The mount as it is now; empty when it is gone. */
    public Optional<MountEntry> now() throws ErrnoException {
      return mounts.uniqueIds() ? mounts.byId(seen.id(), namespaceId) : Optional.of(seen);
    }

    /** What it is mounted on; empty when that is gone or hidden. */
    public Optional<MountEntry> parent() throws ErrnoException {
      return mounts.uniqueIds() ? mounts.byId(seen.parent(), namespaceId) : parent;
    }

    /** Its upper as the kernel shows it; empty when it has none or it says nothing. */
    public Optional<OsPath> upper() throws ErrnoException {
      return options().path("upperdir");
    }

    private ShownOptions options() throws ErrnoException {
      return mounts.options(seen, namespaceId);
    }

    /**
     * True when its upper or work is one of these directories, by path or by inode. What the paths
     * led to when they were first looked at counts, since the mount holds those inodes. Where its
     * options do not tell, the kernel is asked whether anybody uses the upper.
     */
    public boolean writesTo(DirectorySet wanted) throws ErrnoException {
      if (directories == null) {
        directories = lookUp();
      }
      return directories.stream().anyMatch(wanted::contains) || (hidesUpper && wanted.isInUse());
    }

    private List<Directory> lookUp() throws ErrnoException {
      List<Directory> found = new ArrayList<>();
      ShownOptions options = options();
      // ovl's own, where they are relative, are layers of a root and nobody's given upper
      hidesUpper = options.hidesUpper() && !seen.source().toString().startsWith("ovl:");
      for (String option : List.of("upperdir", "workdir")) {
        Optional<OsPath> path = options.path(option);
        if (path.isPresent()) {
          found.add(
              new Directory(
                  path.get(), path.get().isAbsolute() ? files.stat(path.get()) : Optional.empty()));
        }
      }
      return found;
    }
  }

  /** A directory by name and by inode. */
  private record Directory(OsPath path, Optional<Statx> inode) {}

  /** An upper and its work directory, which somebody may be writing to. */
  public final class DirectorySet {
    private final OsPath upper;
    private final List<Directory> directories = new ArrayList<>();
    private Optional<Boolean> inUse = Optional.empty();

    private DirectorySet(OverlayMount.Upper upper) throws ErrnoException {
      this.upper = upper.directory();
      for (OsPath path : List.of(upper.directory(), upper.work())) {
        directories.add(new Directory(path, files.stat(path)));
        Optional<OsPath> resolved = files.resolve(path);
        if (resolved.isPresent() && !resolved.get().equals(path)) {
          directories.add(new Directory(resolved.get(), Optional.empty()));
        }
      }
    }

    private boolean isInUse() throws ErrnoException {
      if (inUse.isEmpty()) {
        inUse = Optional.of(new UpperInUse(sys).test(upper));
      }
      return inUse.get();
    }

    private boolean contains(Directory other) {
      return directories.stream()
          .anyMatch(
              d ->
                  d.path().equals(other.path())
                      || (d.inode().isPresent()
                          && other.inode().filter(d.inode().get()::sameFile).isPresent()));
    }
  }

  /** An upper and work directory to compare mounts with. */
  public DirectorySet directories(OverlayMount.Upper upper) throws ErrnoException {
    return new DirectorySet(upper);
  }

  /** Which mounts are looked for. */
  public interface Wanted {
    /** True when the mount fits. */
    boolean test(Overlay overlay) throws ErrnoException;
  }

  /** The overlay mounts at the moment of the first question. For one operation and one thread. */
  public final class Snapshot {
    private List<Overlay> overlays;

    private Snapshot() {}

    /** The overlay mounts that fit, those of this namespace included. */
    public List<Overlay> find(Wanted wanted) throws ErrnoException {
      if (overlays == null) {
        overlays = take();
      }
      List<Overlay> found = new ArrayList<>();
      for (Overlay overlay : overlays) {
        if (wanted.test(overlay)) {
          found.add(overlay);
        }
      }
      return found;
    }
  }

  /** A new look at the machine, taken when first asked. */
  public Snapshot snapshot() {
    return new Snapshot();
  }

  private List<Overlay> take() throws ErrnoException {
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

  private synchronized List<Overlay> takeByStepping() throws ErrnoException {
    Map<Long, View> now = new HashMap<>();
    try (Fd own = new Fd(sys, sys.openat(Linux.AT_FDCWD, OWN, Linux.O_RDONLY, 0))) {
      look(own, 0, now);
      step(own, Linux.NS_MNT_GET_NEXT, now);
      step(own, Linux.NS_MNT_GET_PREV, now);
    }
    views = now;
    List<Overlay> overlays = new ArrayList<>();
    now.values().forEach(view -> overlays.addAll(view.overlays.values()));
    return overlays;
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
    View before = views.get(namespaceId);
    if (before != null && Arrays.equals(before.ids, ids)) {
      now.put(namespaceId, before);
      return;
    }
    Map<Long, Overlay> overlays = new HashMap<>();
    Optional<Long> inode = Optional.empty();
    for (long id : ids) {
      if (before != null && Arrays.binarySearch(before.ids, id) >= 0) {
        Overlay known = before.overlays.get(id);
        if (known != null) {
          overlays.put(id, known);
        }
        continue;
      }
      Optional<MountEntry> mount = mounts.byId(id, namespaceId).filter(MountEntry::isOverlay);
      if (mount.isPresent()) {
        if (inode.isEmpty()) {
          inode = Optional.of(inode(namespace));
        }
        overlays.put(
            id,
            new Overlay(inode.get(), namespaceId, namespaceId == 0, mount.get(), Optional.empty()));
      }
    }
    now.put(namespaceId, new View(ids, overlays));
  }

  private long inode(Fd namespace) throws ErrnoException {
    return sys.statx(namespace.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO)
        .inode();
  }

  private List<Overlay> takeByProcesses() throws ErrnoException {
    List<Overlay> overlays = new ArrayList<>();
    long own = files.stat(OWN).orElseThrow().inode();
    for (Map.Entry<Long, List<Integer>> namespace : processes.byMountNamespace().entrySet()) {
      for (int pid : namespace.getValue()) {
        Optional<byte[]> text = processes.read(pid, "mountinfo");
        if (text.isPresent() && text.get().length > 0) {
          List<MountEntry> all = Mountinfo.parse(text.get());
          for (MountEntry mount : all) {
            if (mount.isOverlay()) {
              overlays.add(
                  new Overlay(
                      namespace.getKey(),
                      0,
                      namespace.getKey() == own,
                      mount,
                      all.stream().filter(m -> m.id() == mount.parent()).findFirst()));
            }
          }
          break;
        }
      }
    }
    return overlays;
  }
}
