package dev.ovl.engine.mount;

import dev.ovl.engine.file.Files;
import dev.ovl.sys.Errno;
import dev.ovl.sys.ErrnoException;
import dev.ovl.sys.Fd;
import dev.ovl.sys.Linux;
import dev.ovl.sys.OsPath;
import dev.ovl.sys.Syscalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All overlay mounts of this machine, in every mount namespace.
 *
 * <p>A mount that was copied into another namespace (unshare(1), a container, a service with PrivateTmp)
 * keeps its superblock alive after it is gone here, and with it an upper and a work directory in use.
 *
 * <p>Where the kernel steps through namespaces by itself (NS_MNT_GET_NEXT, 6.12) that finds all of them, at
 * one call each and one a 512 mounts; what a mount is, is asked once, since its id is never given again.
 * Elsewhere the namespaces of all visible processes are read through /proc.
 */
public final class OverlayCensus {
  private static final OsPath OWN = OsPath.of("/proc/self/ns/mnt");
  private static final int INFO_BYTES = 16;
  private static final int INFO_ID_OFFSET = 8;

  private final Syscalls sys;
  private final Files files;
  private final MountTable mounts;
  private final Processes processes;
  private Map<Long, Optional<MountEntry>> known = new HashMap<>();

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

  /**
   * An overlay mount somewhere.
   *
   * @param namespace inode number of its mount namespace, as in {@code mnt:[4026531841]}
   * @param here whether that is this process's
   */
  public record Found(long namespace, boolean here, MountEntry mount) {}

  /** Which mounts are looked for. */
  public interface Wanted {
    /** True when the mount fits. */
    boolean test(MountEntry mount) throws ErrnoException;
  }

  /**
   * The overlay mounts at one moment: of the first question, or of the call where it is asked at once. For one
   * operation; questions share the work.
   */
  public final class Snapshot {
    private List<Seen> seen;

    private Snapshot() {}

    /** The overlay mounts that fit, those of this namespace included. */
    public List<Found> find(Wanted wanted) throws ErrnoException {
      if (seen == null) {
        seen = take();
      }
      List<Found> found = new ArrayList<>();
      for (Seen one : seen) {
        if (wanted.test(one.mount())) {
          // it may have been moved since it was first seen
          Optional<MountEntry> now =
              one.fresh()
                  ? Optional.of(one.mount())
                  : mounts.byId(one.mount().id(), one.namespaceId());
          now.ifPresent(mount -> found.add(new Found(one.namespace(), one.here(), mount)));
        }
      }
      return found;
    }
  }

  /**
   * @param namespaceId the kernel's id, 0 for this process's namespace
   * @param fresh whether the mount was asked about in this snapshot
   */
  private record Seen(
      long namespace, long namespaceId, boolean here, MountEntry mount, boolean fresh) {}

  /** A new look at the machine, taken when first asked. */
  public Snapshot snapshot() {
    return new Snapshot();
  }

  private List<Seen> take() throws ErrnoException {
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

  private synchronized List<Seen> takeByStepping() throws ErrnoException {
    List<Seen> seen = new ArrayList<>();
    Map<Long, Optional<MountEntry>> listed = new HashMap<>();
    try (Fd own = new Fd(sys, sys.openat(Linux.AT_FDCWD, OWN, Linux.O_RDONLY, 0))) {
      collect(own, 0, listed, seen);
      step(own, Linux.NS_MNT_GET_NEXT, listed, seen);
      step(own, Linux.NS_MNT_GET_PREV, listed, seen);
    }
    known = listed;
    return seen;
  }

  /** Goes from one namespace to the next in one direction of the kernel's order, to the end. */
  private void step(
      Fd own, long direction, Map<Long, Optional<MountEntry>> listed, List<Seen> seen)
      throws ErrnoException {
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
        collect(at, info.getLong(INFO_ID_OFFSET), listed, seen);
      }
    } finally {
      if (at != own) {
        at.close();
      }
    }
  }

  private void collect(
      Fd namespace, long namespaceId, Map<Long, Optional<MountEntry>> listed, List<Seen> seen)
      throws ErrnoException {
    List<Long> ids;
    try {
      ids = mounts.ids(namespaceId);
    } catch (ErrnoException e) {
      // the namespace ended meanwhile
      if (e.is(Errno.ENOENT)) {
        return;
      }
      throw e;
    }
    Optional<Long> inode = Optional.empty();
    for (long id : ids) {
      Optional<MountEntry> overlay = known.get(id);
      boolean fresh = overlay == null;
      if (fresh) {
        overlay = mounts.byId(id, namespaceId).filter(MountEntry::isOverlay);
      }
      listed.put(id, overlay);
      if (overlay.isPresent()) {
        if (inode.isEmpty()) {
          inode = Optional.of(inode(namespace));
        }
        seen.add(new Seen(inode.get(), namespaceId, namespaceId == 0, overlay.get(), fresh));
      }
    }
  }

  private long inode(Fd namespace) throws ErrnoException {
    return sys.statx(namespace.number(), OsPath.EMPTY, Linux.AT_EMPTY_PATH, Linux.STATX_INO)
        .inode();
  }

  private List<Seen> takeByProcesses() throws ErrnoException {
    List<Seen> seen = new ArrayList<>();
    long own = files.stat(OWN).orElseThrow().inode();
    for (Map.Entry<Long, List<Integer>> namespace : processes.byMountNamespace().entrySet()) {
      for (int pid : namespace.getValue()) {
        Optional<byte[]> text = processes.read(pid, "mountinfo");
        if (text.isPresent() && text.get().length > 0) {
          for (MountEntry mount : Mountinfo.parse(text.get())) {
            if (mount.isOverlay()) {
              seen.add(
                  new Seen(namespace.getKey(), 0, namespace.getKey() == own, mount, true));
            }
          }
          break;
        }
      }
    }
    return seen;
  }
}
