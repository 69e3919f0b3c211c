package dev.ovl.engine.tree;

import dev.ovl.sys.Linux;
import dev.ovl.sys.Timestamp;

/**
 * What is kept of a file besides its name, its kind and its data.
 *
 * @param permissions with setuid, setgid and sticky: 0 to 07777; those of a symbolic link mean
 *     nothing
 * @param modified to the nanosecond
 * @param xattrs all that the file has, ACLs and capabilities among them, without those by which
 *     overlayfs keeps its own books
 * @param accessed when the data was last read; {@link #UNKNOWN} where nobody asked
 */
public record Attributes(
    int permissions, int uid, int gid, Timestamp modified, Xattrs xattrs, Timestamp accessed) {

  /** Is left as it comes when a file is written. */
  public static final Timestamp UNKNOWN = new Timestamp(0, Linux.UTIME_OMIT);

  /** Attributes without a time of access. */
  public Attributes(int permissions, int uid, int gid, Timestamp modified, Xattrs xattrs) {
    this(permissions, uid, gid, modified, xattrs, UNKNOWN);
  }
}
