package dev.ovl.engine.mount;

import dev.ovl.sys.OsPath;
import java.util.Optional;

/**
 * One mount as the kernel lists it, by statmount(2) or in mountinfo (proc_pid_mountinfo(5)).
 *
 * @param id the kernel's id, unique for the boot where it has such ids ({@link
 *     MountTable#uniqueIds})
 * @param parent the id of the mount that it is mounted on
 * @param device of the superblock
 * @param root what of the file system is mounted; {@code /} for all of it
 * @param point where, seen from the root directory of the process that asked; {@code
 *     (unreachable)}-prefixed or empty when it cannot be seen from there
 * @param type file system type
 * @param source as given to mount(2)
 * @param options of the superblock; absent where they were not asked for, since that costs more
 *     than all the rest
 * @param peerGroup that it shares mounts with, 0 for none
 * @param master the peer group that it receives mounts from, 0 for none
 */
public record MountEntry(
    long id,
    long parent,
    Device device,
    OsPath root,
    OsPath point,
    String type,
    OsPath source,
    Optional<ShownOptions> options,
    long peerGroup,
    long master) {

  /** A file system's device number, {@code 0:53} for one without a device. */
  public record Device(int major, int minor) {
    @Override
    public String toString() {
      return major + ":" + minor;
    }
  }

  /** True for an overlay and for an aufs. */
  public boolean isUnion() {
    return isOverlay() || type.equals("aufs");
  }

  /** True for an overlay. */
  public boolean isOverlay() {
    return type.equals("overlay");
  }

  /**
   * The directory that this mount covers, as a path in the file system of the mount that it is
   * mounted on.
   *
   * @param on that mount
   */
  public OsPath placeIn(MountEntry on) {
    OsPath place = on.root();
    for (OsPath component :
        point.components().stream().skip(on.point().components().size()).toList()) {
      place = place.resolve(component);
    }
    return place;
  }

  /**
   * True when what is unmounted from {@code other} is unmounted from this mount too: it is a peer
   * or a slave of it (mount_namespaces(7)).
   */
  public boolean follows(MountEntry other) {
    return other.peerGroup != 0 && (peerGroup == other.peerGroup || master == other.peerGroup);
  }
}
