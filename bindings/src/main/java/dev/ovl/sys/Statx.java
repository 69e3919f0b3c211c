package dev.ovl.sys;

/**
 * struct statx of statx(2). A field is meaningful when its STATX_ bit is in {@code mask}.
 *
 * @param mode file type and permissions
 * @param mountId 64-bit unique id when STATX_MNT_ID_UNIQUE was asked for and is in {@code mask},
 *     the reused 32-bit id of mountinfo when STATX_MNT_ID is
 * @param attributes STATX_ATTR_ bits that are set
 * @param attributesMask STATX_ATTR_ bits that the file system knows
 */
public record Statx(
    int mask,
    int blockSize,
    long attributes,
    long attributesMask,
    int links,
    int uid,
    int gid,
    int mode,
    long inode,
    long size,
    long blocks,
    Timestamp accessed,
    Timestamp born,
    Timestamp changed,
    Timestamp modified,
    int rdevMajor,
    int rdevMinor,
    int devMajor,
    int devMinor,
    long mountId) {

  /**
   * Device and inode, {@code "254:0 1234"}: the same for all names of a file, and another file's
   * only when this one is gone. Needs STATX_INO.
   */
  public String identity() {
    return devMajor + ":" + devMinor + " " + inode;
  }

  /** True for a directory. */
  public boolean isDirectory() {
    return isType(Linux.S_IFDIR);
  }

  /** True for a symbolic link. */
  public boolean isSymbolicLink() {
    return isType(Linux.S_IFLNK);
  }

  /** True for a regular file. */
  public boolean isRegularFile() {
    return isType(Linux.S_IFREG);
  }

  /** True for the character device 0:0, which overlayfs takes for a deleted name. */
  public boolean isWhiteout() {
    return isType(Linux.S_IFCHR) && rdevMajor == 0 && rdevMinor == 0;
  }

  /** Permission bits with setuid, setgid and sticky: {@code mode & 07777}. */
  public int permissions() {
    return mode & 07777;
  }

  /** True when both are the same inode of the same file system. */
  public boolean sameFile(Statx other) {
    return inode == other.inode && sameFileSystem(other);
  }

  /** True when both have the same device number. */
  public boolean sameFileSystem(Statx other) {
    return devMajor == other.devMajor && devMinor == other.devMinor;
  }

  /** True for a socket of unix(7). */
  public boolean isSocket() {
    return isType(Linux.S_IFSOCK);
  }

  private boolean isType(int type) {
    return (mode & Linux.S_IFMT) == type;
  }
}
