package dev.ovl.sys;

import java.util.ArrayList;
import java.util.List;

/** A family of constants, and how a number made of them is written: {@code MS_RDONLY|MS_NODEV}. */
final class Flags implements Argument {

  /** Of mount(2), and propagation types elsewhere. */
  static final Flags MOUNT =
      bits()
          .with("MS_RDONLY", Linux.MS_RDONLY)
          .with("MS_NOSUID", Linux.MS_NOSUID)
          .with("MS_NODEV", Linux.MS_NODEV)
          .with("MS_NOEXEC", Linux.MS_NOEXEC)
          .with("MS_SYNCHRONOUS", Linux.MS_SYNCHRONOUS)
          .with("MS_REMOUNT", Linux.MS_REMOUNT)
          .with("MS_MANDLOCK", Linux.MS_MANDLOCK)
          .with("MS_DIRSYNC", Linux.MS_DIRSYNC)
          .with("MS_NOSYMFOLLOW", Linux.MS_NOSYMFOLLOW)
          .with("MS_NOATIME", Linux.MS_NOATIME)
          .with("MS_NODIRATIME", Linux.MS_NODIRATIME)
          .with("MS_BIND", Linux.MS_BIND)
          .with("MS_MOVE", Linux.MS_MOVE)
          .with("MS_REC", Linux.MS_REC)
          .with("MS_SILENT", Linux.MS_SILENT)
          .with("MS_POSIXACL", Linux.MS_POSIXACL)
          .with("MS_UNBINDABLE", Linux.MS_UNBINDABLE)
          .with("MS_PRIVATE", Linux.MS_PRIVATE)
          .with("MS_SLAVE", Linux.MS_SLAVE)
          .with("MS_SHARED", Linux.MS_SHARED)
          .with("MS_RELATIME", Linux.MS_RELATIME)
          .with("MS_I_VERSION", Linux.MS_I_VERSION)
          .with("MS_STRICTATIME", Linux.MS_STRICTATIME)
          .with("MS_LAZYTIME", Linux.MS_LAZYTIME);

  /** Of umount2(2). */
  static final Flags UMOUNT =
      bits()
          .with("MNT_FORCE", Linux.MNT_FORCE)
          .with("MNT_DETACH", Linux.MNT_DETACH)
          .with("MNT_EXPIRE", Linux.MNT_EXPIRE)
          .with("UMOUNT_NOFOLLOW", Linux.UMOUNT_NOFOLLOW);

  /** Of fsopen(2). */
  static final Flags FSOPEN = bits().with("FSOPEN_CLOEXEC", Linux.FSOPEN_CLOEXEC);

  /** The command of fsconfig(2). */
  static final Flags FSCONFIG =
      value()
          .with("FSCONFIG_SET_FLAG", Linux.FSCONFIG_SET_FLAG)
          .with("FSCONFIG_SET_STRING", Linux.FSCONFIG_SET_STRING)
          .with("FSCONFIG_SET_BINARY", Linux.FSCONFIG_SET_BINARY)
          .with("FSCONFIG_SET_PATH", Linux.FSCONFIG_SET_PATH)
          .with("FSCONFIG_SET_PATH_EMPTY", Linux.FSCONFIG_SET_PATH_EMPTY)
          .with("FSCONFIG_SET_FD", Linux.FSCONFIG_SET_FD)
          .with("FSCONFIG_CMD_CREATE", Linux.FSCONFIG_CMD_CREATE)
          .with("FSCONFIG_CMD_RECONFIGURE", Linux.FSCONFIG_CMD_RECONFIGURE)
          .with("FSCONFIG_CMD_CREATE_EXCL", Linux.FSCONFIG_CMD_CREATE_EXCL);

  /** Of fsmount(2). */
  static final Flags FSMOUNT = bits().with("FSMOUNT_CLOEXEC", Linux.FSMOUNT_CLOEXEC);

  /** Attributes of a mount. */
  static final Flags MOUNT_ATTR =
      bits()
          .with("MOUNT_ATTR_RDONLY", Linux.MOUNT_ATTR_RDONLY)
          .with("MOUNT_ATTR_NOSUID", Linux.MOUNT_ATTR_NOSUID)
          .with("MOUNT_ATTR_NODEV", Linux.MOUNT_ATTR_NODEV)
          .with("MOUNT_ATTR_NOEXEC", Linux.MOUNT_ATTR_NOEXEC)
          .with("MOUNT_ATTR__ATIME", Linux.MOUNT_ATTR__ATIME)
          .with("MOUNT_ATTR_NOATIME", Linux.MOUNT_ATTR_NOATIME)
          .with("MOUNT_ATTR_STRICTATIME", Linux.MOUNT_ATTR_STRICTATIME)
          .with("MOUNT_ATTR_NODIRATIME", Linux.MOUNT_ATTR_NODIRATIME)
          .with("MOUNT_ATTR_IDMAP", Linux.MOUNT_ATTR_IDMAP)
          .with("MOUNT_ATTR_NOSYMFOLLOW", Linux.MOUNT_ATTR_NOSYMFOLLOW);

  /** Of fspick(2). */
  static final Flags FSPICK =
      bits()
          .with("FSPICK_CLOEXEC", Linux.FSPICK_CLOEXEC)
          .with("FSPICK_SYMLINK_NOFOLLOW", Linux.FSPICK_SYMLINK_NOFOLLOW)
          .with("FSPICK_NO_AUTOMOUNT", Linux.FSPICK_NO_AUTOMOUNT)
          .with("FSPICK_EMPTY_PATH", Linux.FSPICK_EMPTY_PATH);

  /** Of move_mount(2). */
  static final Flags MOVE_MOUNT =
      bits()
          .with("MOVE_MOUNT_F_SYMLINKS", Linux.MOVE_MOUNT_F_SYMLINKS)
          .with("MOVE_MOUNT_F_AUTOMOUNTS", Linux.MOVE_MOUNT_F_AUTOMOUNTS)
          .with("MOVE_MOUNT_F_EMPTY_PATH", Linux.MOVE_MOUNT_F_EMPTY_PATH)
          .with("MOVE_MOUNT_T_SYMLINKS", Linux.MOVE_MOUNT_T_SYMLINKS)
          .with("MOVE_MOUNT_T_AUTOMOUNTS", Linux.MOVE_MOUNT_T_AUTOMOUNTS)
          .with("MOVE_MOUNT_T_EMPTY_PATH", Linux.MOVE_MOUNT_T_EMPTY_PATH)
          .with("MOVE_MOUNT_SET_GROUP", Linux.MOVE_MOUNT_SET_GROUP)
          .with("MOVE_MOUNT_BENEATH", Linux.MOVE_MOUNT_BENEATH);

  /** Of open_tree(2). */
  static final Flags OPEN_TREE =
      bits()
          .with("OPEN_TREE_CLONE", Linux.OPEN_TREE_CLONE)
          .with("OPEN_TREE_CLOEXEC", Linux.OPEN_TREE_CLOEXEC)
          .with("AT_RECURSIVE", Linux.AT_RECURSIVE)
          .with("AT_EMPTY_PATH", Linux.AT_EMPTY_PATH)
          .with("AT_SYMLINK_NOFOLLOW", Linux.AT_SYMLINK_NOFOLLOW)
          .with("AT_NO_AUTOMOUNT", Linux.AT_NO_AUTOMOUNT);

  /** What statmount(2) is asked for. */
  static final Flags STATMOUNT =
      bits()
          .with("STATMOUNT_SB_BASIC", Linux.STATMOUNT_SB_BASIC)
          .with("STATMOUNT_MNT_BASIC", Linux.STATMOUNT_MNT_BASIC)
          .with("STATMOUNT_PROPAGATE_FROM", Linux.STATMOUNT_PROPAGATE_FROM)
          .with("STATMOUNT_MNT_ROOT", Linux.STATMOUNT_MNT_ROOT)
          .with("STATMOUNT_MNT_POINT", Linux.STATMOUNT_MNT_POINT)
          .with("STATMOUNT_FS_TYPE", Linux.STATMOUNT_FS_TYPE)
          .with("STATMOUNT_MNT_NS_ID", Linux.STATMOUNT_MNT_NS_ID)
          .with("STATMOUNT_MNT_OPTS", Linux.STATMOUNT_MNT_OPTS)
          .with("STATMOUNT_FS_SUBTYPE", Linux.STATMOUNT_FS_SUBTYPE)
          .with("STATMOUNT_SB_SOURCE", Linux.STATMOUNT_SB_SOURCE);

  /** The mount that listmount(2) is asked about. */
  static final Flags LISTMOUNT = value().with("LSMT_ROOT", Linux.LSMT_ROOT);

  /** Of calls that take a directory and a path. */
  static final Flags AT =
      bits()
          .with("AT_SYMLINK_NOFOLLOW", Linux.AT_SYMLINK_NOFOLLOW)
          .with("AT_SYMLINK_FOLLOW", Linux.AT_SYMLINK_FOLLOW)
          .with("AT_NO_AUTOMOUNT", Linux.AT_NO_AUTOMOUNT)
          .with("AT_EMPTY_PATH", Linux.AT_EMPTY_PATH)
          .with("AT_RECURSIVE", Linux.AT_RECURSIVE)
          .with("AT_STATX_FORCE_SYNC", Linux.AT_STATX_FORCE_SYNC)
          .with("AT_STATX_DONT_SYNC", Linux.AT_STATX_DONT_SYNC);

  /** Of unlinkat(2). */
  static final Flags UNLINK = bits().with("AT_REMOVEDIR", Linux.AT_REMOVEDIR);

  /** Of openat(2): an access mode and bits. Composed ones stand before their parts. */
  static final Flags OPEN =
      bitsBeside(Linux.O_ACCMODE)
          .with("O_RDONLY", Linux.O_RDONLY)
          .with("O_WRONLY", Linux.O_WRONLY)
          .with("O_RDWR", Linux.O_RDWR)
          .with("O_CREAT", Linux.O_CREAT)
          .with("O_EXCL", Linux.O_EXCL)
          .with("O_NOCTTY", Linux.O_NOCTTY)
          .with("O_TRUNC", Linux.O_TRUNC)
          .with("O_APPEND", Linux.O_APPEND)
          .with("O_NONBLOCK", Linux.O_NONBLOCK)
          .with("O_SYNC", Linux.O_SYNC)
          .with("O_DSYNC", Linux.O_DSYNC)
          .with("O_DIRECT", Linux.O_DIRECT)
          .with("O_NOFOLLOW", Linux.O_NOFOLLOW)
          .with("O_NOATIME", Linux.O_NOATIME)
          .with("O_CLOEXEC", Linux.O_CLOEXEC)
          .with("O_PATH", Linux.O_PATH)
          .with("O_TMPFILE", Linux.O_TMPFILE)
          .with("O_DIRECTORY", Linux.O_DIRECTORY);

  /** Of openat2(2). */
  static final Flags RESOLVE =
      bits()
          .with("RESOLVE_NO_XDEV", Linux.RESOLVE_NO_XDEV)
          .with("RESOLVE_NO_MAGICLINKS", Linux.RESOLVE_NO_MAGICLINKS)
          .with("RESOLVE_NO_SYMLINKS", Linux.RESOLVE_NO_SYMLINKS)
          .with("RESOLVE_BENEATH", Linux.RESOLVE_BENEATH)
          .with("RESOLVE_IN_ROOT", Linux.RESOLVE_IN_ROOT)
          .with("RESOLVE_CACHED", Linux.RESOLVE_CACHED);

  /** The type in a file's mode. */
  static final Flags FILE_TYPE =
      value()
          .with("S_IFSOCK", Linux.S_IFSOCK)
          .with("S_IFLNK", Linux.S_IFLNK)
          .with("S_IFREG", Linux.S_IFREG)
          .with("S_IFBLK", Linux.S_IFBLK)
          .with("S_IFDIR", Linux.S_IFDIR)
          .with("S_IFCHR", Linux.S_IFCHR)
          .with("S_IFIFO", Linux.S_IFIFO);

  /** What statx(2) is asked for. Composed ones stand before their parts. */
  static final Flags STATX =
      bits()
          .with("STATX_BASIC_STATS", Linux.STATX_BASIC_STATS)
          .with("STATX_TYPE", Linux.STATX_TYPE)
          .with("STATX_MODE", Linux.STATX_MODE)
          .with("STATX_NLINK", Linux.STATX_NLINK)
          .with("STATX_UID", Linux.STATX_UID)
          .with("STATX_GID", Linux.STATX_GID)
          .with("STATX_ATIME", Linux.STATX_ATIME)
          .with("STATX_MTIME", Linux.STATX_MTIME)
          .with("STATX_CTIME", Linux.STATX_CTIME)
          .with("STATX_INO", Linux.STATX_INO)
          .with("STATX_SIZE", Linux.STATX_SIZE)
          .with("STATX_BLOCKS", Linux.STATX_BLOCKS)
          .with("STATX_BTIME", Linux.STATX_BTIME)
          .with("STATX_MNT_ID", Linux.STATX_MNT_ID)
          .with("STATX_DIOALIGN", Linux.STATX_DIOALIGN)
          .with("STATX_MNT_ID_UNIQUE", Linux.STATX_MNT_ID_UNIQUE);

  /** Of renameat2(2). */
  static final Flags RENAME =
      bits()
          .with("RENAME_NOREPLACE", Linux.RENAME_NOREPLACE)
          .with("RENAME_EXCHANGE", Linux.RENAME_EXCHANGE)
          .with("RENAME_WHITEOUT", Linux.RENAME_WHITEOUT);

  /** The operation of flock(2). */
  static final Flags LOCK =
      bits()
          .with("LOCK_SH", Linux.LOCK_SH)
          .with("LOCK_EX", Linux.LOCK_EX)
          .with("LOCK_NB", Linux.LOCK_NB)
          .with("LOCK_UN", Linux.LOCK_UN);

  /** Where lseek(2) begins. */
  static final Flags SEEK =
      value()
          .with("SEEK_SET", Linux.SEEK_SET)
          .with("SEEK_CUR", Linux.SEEK_CUR)
          .with("SEEK_END", Linux.SEEK_END)
          .with("SEEK_DATA", Linux.SEEK_DATA)
          .with("SEEK_HOLE", Linux.SEEK_HOLE);

  /** What faccessat2(2) asks for. */
  static final Flags ACCESS =
      bits().with("R_OK", Linux.R_OK).with("W_OK", Linux.W_OK).with("X_OK", Linux.X_OK);

  /** Of faccessat2(2), where a bit of {@link #AT} means something else. */
  static final Flags ACCESS_AT =
      bits()
          .with("AT_EACCESS", Linux.AT_EACCESS)
          .with("AT_SYMLINK_NOFOLLOW", Linux.AT_SYMLINK_NOFOLLOW)
          .with("AT_EMPTY_PATH", Linux.AT_EMPTY_PATH);

  /** Of setxattr(2). */
  static final Flags XATTR =
      bits().with("XATTR_CREATE", Linux.XATTR_CREATE).with("XATTR_REPLACE", Linux.XATTR_REPLACE);

  /** Of unshare(2). */
  static final Flags CLONE =
      bits()
          .with("CLONE_FS", Linux.CLONE_FS)
          .with("CLONE_NEWNS", Linux.CLONE_NEWNS)
          .with("CLONE_NEWUSER", Linux.CLONE_NEWUSER);

  /** The domain of socket(2). */
  static final Flags SOCKET_DOMAIN = value().with("AF_UNIX", Linux.AF_UNIX);

  /** The type of socket(2): one of them, and bits. */
  static final Flags SOCKET_TYPE =
      bitsBeside(0xF)
          .with("SOCK_STREAM", Linux.SOCK_STREAM)
          .with("SOCK_DGRAM", Linux.SOCK_DGRAM)
          .with("SOCK_SEQPACKET", Linux.SOCK_SEQPACKET)
          .with("SOCK_CLOEXEC", Linux.SOCK_CLOEXEC)
          .with("SOCK_NONBLOCK", Linux.SOCK_NONBLOCK);

  /** Of shutdown(2). */
  static final Flags SHUTDOWN =
      value().with("SHUT_RD", Linux.SHUT_RD).with("SHUT_RDWR", Linux.SHUT_RDWR);

  /** The level of getsockopt(2). */
  static final Flags SOCKET_LEVEL = value().with("SOL_SOCKET", Linux.SOL_SOCKET);

  /** The option of getsockopt(2). */
  static final Flags SOCKET_OPTION =
      value().with("SO_PEERCRED", Linux.SO_PEERCRED).with("SO_PEERGROUPS", Linux.SO_PEERGROUPS);

  /** Of sendto(2) and sendmsg(2). */
  static final Flags MESSAGE =
      bits().with("MSG_DONTWAIT", Linux.MSG_DONTWAIT).with("MSG_NOSIGNAL", Linux.MSG_NOSIGNAL);

  /** Of poll(2), asked for or answered. */
  static final Flags POLL =
      bits()
          .with("POLLIN", Linux.POLLIN)
          .with("POLLPRI", Linux.POLLPRI)
          .with("POLLOUT", Linux.POLLOUT)
          .with("POLLERR", Linux.POLLERR)
          .with("POLLHUP", Linux.POLLHUP)
          .with("POLLNVAL", Linux.POLLNVAL);

  /** The request of ioctl(2). */
  static final Flags IOCTL =
      value()
          .with("FICLONE", Linux.FICLONE)
          .with("FS_IOC_GETFLAGS", Linux.FS_IOC_GETFLAGS)
          .with("FS_IOC_SETFLAGS", Linux.FS_IOC_SETFLAGS)
          .with("FS_IOC_FSGETXATTR", Linux.FS_IOC_FSGETXATTR)
          .with("FS_IOC_FSSETXATTR", Linux.FS_IOC_FSSETXATTR)
          .with("NS_MNT_GET_INFO", Linux.NS_MNT_GET_INFO)
          .with("NS_MNT_GET_NEXT", Linux.NS_MNT_GET_NEXT)
          .with("NS_MNT_GET_PREV", Linux.NS_MNT_GET_PREV)
          .with("TCGETS", Linux.TCGETS)
          .with("TIOCGWINSZ", Linux.TIOCGWINSZ);

  /** The type in the answer of statfs(2). */
  static final Flags MAGIC =
      value()
          .with("OVERLAYFS_SUPER_MAGIC", Linux.OVERLAYFS_SUPER_MAGIC)
          .with("EXT4_SUPER_MAGIC", Linux.EXT4_SUPER_MAGIC)
          .with("XFS_SUPER_MAGIC", Linux.XFS_SUPER_MAGIC)
          .with("BTRFS_SUPER_MAGIC", Linux.BTRFS_SUPER_MAGIC)
          .with("TMPFS_MAGIC", Linux.TMPFS_MAGIC)
          .with("EROFS_SUPER_MAGIC_V1", Linux.EROFS_SUPER_MAGIC_V1)
          .with("SQUASHFS_MAGIC", Linux.SQUASHFS_MAGIC)
          .with("AUFS_SUPER_MAGIC", Linux.AUFS_SUPER_MAGIC)
          .with("NFS_SUPER_MAGIC", Linux.NFS_SUPER_MAGIC)
          .with("FUSE_SUPER_MAGIC", Linux.FUSE_SUPER_MAGIC)
          .with("ECRYPTFS_SUPER_MAGIC", Linux.ECRYPTFS_SUPER_MAGIC)
          .with("NSFS_MAGIC", Linux.NSFS_MAGIC)
          .with("PROC_SUPER_MAGIC", Linux.PROC_SUPER_MAGIC);

  private final long wholeMask;
  private final List<String> names = new ArrayList<>();
  private final List<Long> values = new ArrayList<>();

  private Flags(long wholeMask) {
    this.wholeMask = wholeMask;
  }

  /** Numbers that are a union of bits. */
  private static Flags bits() {
    return new Flags(0);
  }

  /** Numbers that are one of the constants. */
  private static Flags value() {
    return new Flags(-1);
  }

  /** Numbers that are one of the constants under the mask, and a union of bits beside it. */
  private static Flags bitsBeside(long mask) {
    return new Flags(mask);
  }

  private Flags with(String name, long value) {
    names.add(name);
    values.add(value);
    return this;
  }

  @Override
  public String render(Object[] all, int index) {
    return render(((Number) all[index]).longValue());
  }

  /** The number in symbols; what has none follows in hexadecimal. */
  String render(long number) {
    List<String> words = new ArrayList<>();
    long rest = number;
    for (int i = 0; i < names.size(); i++) {
      long value = values.get(i);
      boolean whole = (value & ~wholeMask) == 0 && wholeMask != 0;
      if (whole ? (number & wholeMask) == value : value != 0 && (rest & value) == value) {
        words.add(names.get(i));
        rest &= ~value;
      }
    }
    if (rest != 0 || words.isEmpty()) {
      words.add(hexadecimal(rest));
    }
    return String.join("|", words);
  }

  /** A number as C writes it in hexadecimal, zero as {@code 0}. */
  static String hexadecimal(long number) {
    return number == 0 ? "0" : "0x" + Long.toHexString(number);
  }
}
