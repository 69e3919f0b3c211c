package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.StatMount;
import dev.ovl.sys.Statx;
import dev.ovl.sys.Syscalls;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What is mounted in this process's mount namespace, asked from the kernel each time: nothing is
 * remembered but which way of asking works.
 *
 * <p>By statmount(2) and listmount(2) where they tell source and options (6.13; a microsecond a
 * mount), else by reading mountinfo as a whole.
 */
public final class MountTable {
  private static final OsPath MOUNTINFO = OsPath.of("/proc/self/mountinfo");
  private static final int LIST_CHUNK = 512;
  private static final long WANTED =
      Linux.STATMOUNT_SB_BASIC
          | Linux.STATMOUNT_MNT_BASIC
          | Linux.STATMOUNT_MNT_ROOT
          | Linux.STATMOUNT_MNT_POINT
          | Linux.STATMOUNT_FS_TYPE
          | Linux.STATMOUNT_SB_SOURCE;

  private final Syscalls sys;
  private final Files files;
  private volatile Boolean statmount;

  /**
   * @param sys what to call
   */
  public MountTable(Syscalls sys) {
    this.sys = sys;
    this.files = new Files(sys);
  }

  /**
   * True when ids are unique for the boot; else the kernel gives the id of an unmounted mount to a
   * new one.
   */
  public boolean uniqueIds() throws ErrnoException {
    Boolean known = statmount;
    if (known == null) {
      known = probeStatmount();
      statmount = known;
    }
    return known;
  }

  private boolean probeStatmount() throws ErrnoException {
    try {
      Statx root = sys.statx(Linux.AT_FDCWD, OsPath.ROOT, 0, Linux.STATX_MNT_ID_UNIQUE);
      if ((root.mask() & Linux.STATX_MNT_ID_UNIQUE) == 0) {
        return false;
      }
      long needed = Linux.STATMOUNT_FS_TYPE | Linux.STATMOUNT_MNT_OPTS | Linux.STATMOUNT_MNT_POINT;
      return (sys.statmount(root.mountId(), 0, needed).mask() & needed) == needed
          && knowsSource(root.mountId());
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOSYS) || e.is(Errno.EINVAL) || e.is(Errno.EPERM)) {
        return false;
      }
      throw e;
    }
  }

  /**
   * A source may be absent on one mount; the kernel knows the question when any mount has an
   * answer.
   */
  private boolean knowsSource(long anyId) throws ErrnoException {
    if (sys.statmount(anyId, 0, Linux.STATMOUNT_SB_SOURCE).source().isPresent()) {
      return true;
    }
    for (long id : sys.listmount(Linux.LSMT_ROOT, 0, 0, LIST_CHUNK)) {
      try {
        if (sys.statmount(id, 0, Linux.STATMOUNT_SB_SOURCE).source().isPresent()) {
          return true;
        }
      } catch (ErrnoException e) {
        // it ended meanwhile, which says nothing of the kernel
        if (!e.is(Errno.ENOENT)) {
          throw e;
        }
      }
    }
    return false;
  }

  /**
   * The topmost mount whose mount point is this directory; empty when it is none or does not exist.
   * Waits for the file systems that the path leads through, not for the mount's own.
   */
  public Optional<MountEntry> at(OsPath directory) throws ErrnoException {
    try {
      return at(
          directory, sys.statx(Linux.AT_FDCWD, directory, Linux.AT_STATX_DONT_SYNC, idMask()));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** What to ask statx(2) for to learn the id of a mount. */
  public int idMask() throws ErrnoException {
    return uniqueIds() ? Linux.STATX_MNT_ID_UNIQUE : Linux.STATX_MNT_ID;
  }

  /**
   * As {@link #at(OsPath)}.
   *
   * @param found the directory, asked for {@link #idMask}
   */
  public Optional<MountEntry> at(OsPath directory, Statx found) throws ErrnoException {
    boolean tellsRoot = (found.attributesMask() & Linux.STATX_ATTR_MOUNT_ROOT) != 0;
    if (tellsRoot && (found.attributes() & Linux.STATX_ATTR_MOUNT_ROOT) == 0) {
      return Optional.empty();
    }
    Optional<MountEntry> entry = byId(found.mountId());
    if (tellsRoot || entry.isEmpty()) {
      return entry;
    }
    Optional<OsPath> resolved = files.resolve(directory);
    return entry.filter(e -> Optional.of(e.point()).equals(resolved));
  }

  /** The mount with this id; empty when it is not, or no longer, in this mount namespace. */
  public Optional<MountEntry> byId(long id) throws ErrnoException {
    if (uniqueIds()) {
      return byId(id, 0);
    }
    return mountinfo().stream().filter(entry -> entry.id() == id).findFirst();
  }

  /** All mounts of this mount namespace, older ones first. */
  public List<MountEntry> all() throws ErrnoException {
    if (!uniqueIds()) {
      return mountinfo();
    }
    List<MountEntry> entries = new ArrayList<>();
    for (long id : ids(0)) {
      byId(id).ifPresent(entries::add);
    }
    return entries;
  }

  /**
   * The ids of all mounts of a namespace, 0 for this one, ascending; only where {@link #uniqueIds}.
   */
  long[] ids(long namespaceId) throws ErrnoException {
    long[] all = new long[LIST_CHUNK];
    int known = 0;
    while (true) {
      long last = known == 0 ? 0 : all[known - 1];
      long[] ids = sys.listmount(Linux.LSMT_ROOT, namespaceId, last, LIST_CHUNK);
      if (known + ids.length > all.length) {
        all = Arrays.copyOf(all, 2 * all.length);
      }
      System.arraycopy(ids, 0, all, known, ids.length);
      known += ids.length;
      if (ids.length < LIST_CHUNK) {
        return Arrays.copyOf(all, known);
      }
    }
  }

  /** The options of a mount of a namespace, 0 for this one; none when it is gone. */
  ShownOptions options(MountEntry mount, long namespaceId) throws ErrnoException {
    if (mount.options().isPresent()) {
      return mount.options().get();
    }
    try {
      return new ShownOptions(
          sys.statmount(mount.id(), namespaceId, Linux.STATMOUNT_MNT_OPTS)
              .options()
              .orElse(OsPath.EMPTY));
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return new ShownOptions(OsPath.EMPTY);
      }
      throw e;
    }
  }

  /**
   * The superblock's options of a mount of this namespace, in the kernel's escapes; empty when it
   * is gone or there are none.
   */
  public Optional<OsPath> options(MountEntry mount) throws ErrnoException {
    return Optional.of(options(mount, 0).text()).filter(text -> !text.isEmpty());
  }

  /**
   * The upper of an overlay of this namespace as shown; empty when it has none or it says nothing.
   */
  public Optional<OsPath> upper(MountEntry mount) throws ErrnoException {
    return options(mount, 0).path("upperdir");
  }

  /**
   * A mount of a namespace, 0 for this one; empty when it is gone; only where {@link #uniqueIds}.
   */
  Optional<MountEntry> byId(long id, long namespaceId) throws ErrnoException {
    try {
      return Optional.of(entry(sys.statmount(id, namespaceId, WANTED)));
    } catch (ErrnoException e) {
      // EINVAL: an id of the other kind, noted down by who could not ask for these
      if (e.is(Errno.ENOENT) || e.is(Errno.EINVAL)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static MountEntry entry(StatMount mount) {
    return new MountEntry(
        mount.id(),
        mount.parentId(),
        new MountEntry.Device(mount.deviceMajor(), mount.deviceMinor()),
        mount.root().orElse(OsPath.EMPTY),
        mount.point().orElse(OsPath.EMPTY),
        mount.type().orElse(""),
        mount.source().orElse(OsPath.EMPTY),
        mount.options().map(ShownOptions::new),
        mount.peerGroup(),
        mount.master());
  }

  private List<MountEntry> mountinfo() throws ErrnoException {
    return Mountinfo.parse(files.read(MOUNTINFO).orElse(new byte[0]));
  }
}
