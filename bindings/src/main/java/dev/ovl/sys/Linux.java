package dev.ovl.sys;

import dev.ovl.sys.gen.LibC;

/**
 * The kernel's constants under their C names, for the flags and results of {@link Syscalls}. Each
 * is what the C headers say, through jextract; the manual page of the call says what it means.
 */
public final class Linux {

  // ---- mount(2) -------------------------------------------------------------------------------

  public static final int MS_RDONLY = LibC.MS_RDONLY();
  public static final int MS_NOSUID = LibC.MS_NOSUID();
  public static final int MS_NODEV = LibC.MS_NODEV();
  public static final int MS_NOEXEC = LibC.MS_NOEXEC();
  public static final int MS_SYNCHRONOUS = LibC.MS_SYNCHRONOUS();
  public static final int MS_REMOUNT = LibC.MS_REMOUNT();
  public static final int MS_MANDLOCK = LibC.MS_MANDLOCK();
  public static final int MS_DIRSYNC = LibC.MS_DIRSYNC();
  public static final int MS_NOSYMFOLLOW = LibC.MS_NOSYMFOLLOW();
  public static final int MS_NOATIME = LibC.MS_NOATIME();
  public static final int MS_NODIRATIME = LibC.MS_NODIRATIME();
  public static final int MS_BIND = LibC.MS_BIND();
  public static final int MS_MOVE = LibC.MS_MOVE();
  public static final int MS_REC = LibC.MS_REC();
  public static final int MS_SILENT = LibC.MS_SILENT();
  public static final int MS_POSIXACL = LibC.MS_POSIXACL();
  public static final int MS_UNBINDABLE = LibC.MS_UNBINDABLE();
  public static final int MS_PRIVATE = LibC.MS_PRIVATE();
  public static final int MS_SLAVE = LibC.MS_SLAVE();
  public static final int MS_SHARED = LibC.MS_SHARED();
  public static final int MS_RELATIME = LibC.MS_RELATIME();
  public static final int MS_I_VERSION = LibC.MS_I_VERSION();
  public static final int MS_STRICTATIME = LibC.MS_STRICTATIME();
  public static final int MS_LAZYTIME = LibC.MS_LAZYTIME();

  // ---- umount2(2) -----------------------------------------------------------------------------

  public static final int MNT_FORCE = LibC.MNT_FORCE();
  public static final int MNT_DETACH = LibC.MNT_DETACH();
  public static final int MNT_EXPIRE = LibC.MNT_EXPIRE();
  public static final int UMOUNT_NOFOLLOW = LibC.UMOUNT_NOFOLLOW();

  // ---- fsmount(2) and mount_setattr(2) --------------------------------------------------------

  public static final int FSMOUNT_CLOEXEC = LibC.FSMOUNT_CLOEXEC();
  public static final int MOUNT_ATTR_RDONLY = LibC.MOUNT_ATTR_RDONLY();
  public static final int MOUNT_ATTR_NOSUID = LibC.MOUNT_ATTR_NOSUID();
  public static final int MOUNT_ATTR_NODEV = LibC.MOUNT_ATTR_NODEV();
  public static final int MOUNT_ATTR_NOEXEC = LibC.MOUNT_ATTR_NOEXEC();
  public static final int MOUNT_ATTR__ATIME = LibC.MOUNT_ATTR__ATIME();
  public static final int MOUNT_ATTR_RELATIME = LibC.MOUNT_ATTR_RELATIME();
  public static final int MOUNT_ATTR_NOATIME = LibC.MOUNT_ATTR_NOATIME();
  public static final int MOUNT_ATTR_STRICTATIME = LibC.MOUNT_ATTR_STRICTATIME();
  public static final int MOUNT_ATTR_NODIRATIME = LibC.MOUNT_ATTR_NODIRATIME();
  public static final int MOUNT_ATTR_IDMAP = LibC.MOUNT_ATTR_IDMAP();
  public static final int MOUNT_ATTR_NOSYMFOLLOW = LibC.MOUNT_ATTR_NOSYMFOLLOW();

  // ---- fsopen(2), fsconfig(2), fspick(2) ------------------------------------------------------

  public static final int FSOPEN_CLOEXEC = LibC.FSOPEN_CLOEXEC();
  public static final int FSCONFIG_SET_FLAG = LibC.FSCONFIG_SET_FLAG();
  public static final int FSCONFIG_SET_STRING = LibC.FSCONFIG_SET_STRING();
  public static final int FSCONFIG_SET_BINARY = LibC.FSCONFIG_SET_BINARY();
  public static final int FSCONFIG_SET_PATH = LibC.FSCONFIG_SET_PATH();
  public static final int FSCONFIG_SET_PATH_EMPTY = LibC.FSCONFIG_SET_PATH_EMPTY();
  public static final int FSCONFIG_SET_FD = LibC.FSCONFIG_SET_FD();
  public static final int FSCONFIG_CMD_CREATE = LibC.FSCONFIG_CMD_CREATE();
  public static final int FSCONFIG_CMD_RECONFIGURE = LibC.FSCONFIG_CMD_RECONFIGURE();
  public static final int FSCONFIG_CMD_CREATE_EXCL = LibC.FSCONFIG_CMD_CREATE_EXCL();
  public static final int FSPICK_CLOEXEC = LibC.FSPICK_CLOEXEC();
  public static final int FSPICK_SYMLINK_NOFOLLOW = LibC.FSPICK_SYMLINK_NOFOLLOW();
  public static final int FSPICK_NO_AUTOMOUNT = LibC.FSPICK_NO_AUTOMOUNT();
  public static final int FSPICK_EMPTY_PATH = LibC.FSPICK_EMPTY_PATH();

  // ---- move_mount(2), open_tree(2) ------------------------------------------------------------

  public static final int MOVE_MOUNT_F_SYMLINKS = LibC.MOVE_MOUNT_F_SYMLINKS();
  public static final int MOVE_MOUNT_F_AUTOMOUNTS = LibC.MOVE_MOUNT_F_AUTOMOUNTS();
  public static final int MOVE_MOUNT_F_EMPTY_PATH = LibC.MOVE_MOUNT_F_EMPTY_PATH();
  public static final int MOVE_MOUNT_T_SYMLINKS = LibC.MOVE_MOUNT_T_SYMLINKS();
  public static final int MOVE_MOUNT_T_AUTOMOUNTS = LibC.MOVE_MOUNT_T_AUTOMOUNTS();
  public static final int MOVE_MOUNT_T_EMPTY_PATH = LibC.MOVE_MOUNT_T_EMPTY_PATH();
  public static final int MOVE_MOUNT_SET_GROUP = LibC.MOVE_MOUNT_SET_GROUP();
  public static final int MOVE_MOUNT_BENEATH = LibC.MOVE_MOUNT_BENEATH();
  public static final int OPEN_TREE_CLONE = LibC.OPEN_TREE_CLONE();
  public static final int OPEN_TREE_CLOEXEC = LibC.OPEN_TREE_CLOEXEC();

  // ---- statmount(2), listmount(2) -------------------------------------------------------------

  public static final int STATMOUNT_SB_BASIC = LibC.STATMOUNT_SB_BASIC();
  public static final int STATMOUNT_MNT_BASIC = LibC.STATMOUNT_MNT_BASIC();
  public static final int STATMOUNT_PROPAGATE_FROM = LibC.STATMOUNT_PROPAGATE_FROM();
  public static final int STATMOUNT_MNT_ROOT = LibC.STATMOUNT_MNT_ROOT();
  public static final int STATMOUNT_MNT_POINT = LibC.STATMOUNT_MNT_POINT();
  public static final int STATMOUNT_FS_TYPE = LibC.STATMOUNT_FS_TYPE();
  public static final int STATMOUNT_MNT_NS_ID = LibC.STATMOUNT_MNT_NS_ID();
  public static final int STATMOUNT_MNT_OPTS = LibC.STATMOUNT_MNT_OPTS();
  public static final int STATMOUNT_FS_SUBTYPE = LibC.STATMOUNT_FS_SUBTYPE();
  public static final int STATMOUNT_SB_SOURCE = LibC.STATMOUNT_SB_SOURCE();

  public static final long LSMT_ROOT = LibC.LSMT_ROOT();

  // ---- calls that take a directory and a path -------------------------------------------------

  public static final int AT_FDCWD = LibC.AT_FDCWD();
  public static final int AT_SYMLINK_NOFOLLOW = LibC.AT_SYMLINK_NOFOLLOW();
  public static final int AT_SYMLINK_FOLLOW = LibC.AT_SYMLINK_FOLLOW();
  public static final int AT_REMOVEDIR = LibC.AT_REMOVEDIR();
  public static final int AT_EACCESS = LibC.AT_EACCESS();
  public static final int AT_NO_AUTOMOUNT = LibC.AT_NO_AUTOMOUNT();
  public static final int AT_EMPTY_PATH = LibC.AT_EMPTY_PATH();
  public static final int AT_RECURSIVE = LibC.AT_RECURSIVE();
  public static final int AT_STATX_FORCE_SYNC = LibC.AT_STATX_FORCE_SYNC();
  public static final int AT_STATX_DONT_SYNC = LibC.AT_STATX_DONT_SYNC();

  // ---- openat(2) ------------------------------------------------------------------------------

  public static final int O_RDONLY = LibC.O_RDONLY();
  public static final int O_WRONLY = LibC.O_WRONLY();
  public static final int O_RDWR = LibC.O_RDWR();
  public static final int O_ACCMODE = LibC.O_ACCMODE();
  public static final int O_CREAT = LibC.O_CREAT();
  public static final int O_EXCL = LibC.O_EXCL();
  public static final int O_NOCTTY = LibC.O_NOCTTY();
  public static final int O_TRUNC = LibC.O_TRUNC();
  public static final int O_APPEND = LibC.O_APPEND();
  public static final int O_NONBLOCK = LibC.O_NONBLOCK();
  public static final int O_DSYNC = LibC.O_DSYNC();
  public static final int O_SYNC = LibC.O_SYNC();
  public static final int O_DIRECT = LibC.O_DIRECT();
  public static final int O_DIRECTORY = LibC.O_DIRECTORY();
  public static final int O_NOFOLLOW = LibC.O_NOFOLLOW();
  public static final int O_NOATIME = LibC.O_NOATIME();
  public static final int O_CLOEXEC = LibC.O_CLOEXEC();
  public static final int O_PATH = LibC.O_PATH();
  public static final int O_TMPFILE = LibC.O_TMPFILE();

  // ---- openat2(2) -----------------------------------------------------------------------------

  public static final int RESOLVE_NO_XDEV = LibC.RESOLVE_NO_XDEV();
  public static final int RESOLVE_NO_MAGICLINKS = LibC.RESOLVE_NO_MAGICLINKS();
  public static final int RESOLVE_NO_SYMLINKS = LibC.RESOLVE_NO_SYMLINKS();
  public static final int RESOLVE_BENEATH = LibC.RESOLVE_BENEATH();
  public static final int RESOLVE_IN_ROOT = LibC.RESOLVE_IN_ROOT();
  public static final int RESOLVE_CACHED = LibC.RESOLVE_CACHED();

  // ---- file types and permissions -------------------------------------------------------------

  public static final int S_IFMT = LibC.S_IFMT();
  public static final int S_IFSOCK = LibC.S_IFSOCK();
  public static final int S_IFLNK = LibC.S_IFLNK();
  public static final int S_IFREG = LibC.S_IFREG();
  public static final int S_IFBLK = LibC.S_IFBLK();
  public static final int S_IFDIR = LibC.S_IFDIR();
  public static final int S_IFCHR = LibC.S_IFCHR();
  public static final int S_IFIFO = LibC.S_IFIFO();
  public static final int S_ISUID = LibC.S_ISUID();
  public static final int S_ISGID = LibC.S_ISGID();
  public static final int S_ISVTX = LibC.S_ISVTX();

  // ---- statx(2) -------------------------------------------------------------------------------

  public static final int STATX_TYPE = LibC.STATX_TYPE();
  public static final int STATX_MODE = LibC.STATX_MODE();
  public static final int STATX_NLINK = LibC.STATX_NLINK();
  public static final int STATX_UID = LibC.STATX_UID();
  public static final int STATX_GID = LibC.STATX_GID();
  public static final int STATX_ATIME = LibC.STATX_ATIME();
  public static final int STATX_MTIME = LibC.STATX_MTIME();
  public static final int STATX_CTIME = LibC.STATX_CTIME();
  public static final int STATX_INO = LibC.STATX_INO();
  public static final int STATX_SIZE = LibC.STATX_SIZE();
  public static final int STATX_BLOCKS = LibC.STATX_BLOCKS();
  public static final int STATX_BASIC_STATS = LibC.STATX_BASIC_STATS();
  public static final int STATX_BTIME = LibC.STATX_BTIME();
  public static final int STATX_MNT_ID = LibC.STATX_MNT_ID();
  public static final int STATX_DIOALIGN = LibC.STATX_DIOALIGN();
  public static final int STATX_MNT_ID_UNIQUE = LibC.STATX_MNT_ID_UNIQUE();
  public static final int STATX_ATTR_COMPRESSED = LibC.STATX_ATTR_COMPRESSED();
  public static final int STATX_ATTR_IMMUTABLE = LibC.STATX_ATTR_IMMUTABLE();
  public static final int STATX_ATTR_APPEND = LibC.STATX_ATTR_APPEND();
  public static final int STATX_ATTR_NODUMP = LibC.STATX_ATTR_NODUMP();
  public static final int STATX_ATTR_ENCRYPTED = LibC.STATX_ATTR_ENCRYPTED();
  public static final int STATX_ATTR_AUTOMOUNT = LibC.STATX_ATTR_AUTOMOUNT();
  public static final int STATX_ATTR_MOUNT_ROOT = LibC.STATX_ATTR_MOUNT_ROOT();
  public static final int STATX_ATTR_VERITY = LibC.STATX_ATTR_VERITY();
  public static final int STATX_ATTR_DAX = LibC.STATX_ATTR_DAX();

  // ---- renameat2(2), flock(2), lseek(2) -------------------------------------------------------

  public static final int RENAME_NOREPLACE = LibC.RENAME_NOREPLACE();
  public static final int RENAME_EXCHANGE = LibC.RENAME_EXCHANGE();
  public static final int RENAME_WHITEOUT = LibC.RENAME_WHITEOUT();
  public static final int LOCK_SH = LibC.LOCK_SH();
  public static final int LOCK_EX = LibC.LOCK_EX();
  public static final int LOCK_NB = LibC.LOCK_NB();
  public static final int LOCK_UN = LibC.LOCK_UN();
  public static final int SEEK_SET = LibC.SEEK_SET();
  public static final int SEEK_CUR = LibC.SEEK_CUR();
  public static final int SEEK_END = LibC.SEEK_END();
  public static final int R_OK = LibC.R_OK();
  public static final int W_OK = LibC.W_OK();
  public static final int X_OK = LibC.X_OK();
  public static final int SEEK_DATA = LibC.SEEK_DATA();
  public static final int SEEK_HOLE = LibC.SEEK_HOLE();

  // ---- utimensat(2) ---------------------------------------------------------------------------

  public static final long UTIME_NOW = LibC.UTIME_NOW();
  public static final long UTIME_OMIT = LibC.UTIME_OMIT();

  // ---- getdents64(2) --------------------------------------------------------------------------

  public static final int DT_UNKNOWN = LibC.DT_UNKNOWN();
  public static final int DT_FIFO = LibC.DT_FIFO();
  public static final int DT_CHR = LibC.DT_CHR();
  public static final int DT_DIR = LibC.DT_DIR();
  public static final int DT_BLK = LibC.DT_BLK();
  public static final int DT_REG = LibC.DT_REG();
  public static final int DT_LNK = LibC.DT_LNK();
  public static final int DT_SOCK = LibC.DT_SOCK();
  public static final int DT_WHT = LibC.DT_WHT();

  // ---- setxattr(2), unshare(2) ----------------------------------------------------------------

  public static final int XATTR_CREATE = LibC.XATTR_CREATE();
  public static final int XATTR_REPLACE = LibC.XATTR_REPLACE();
  public static final int CLONE_FS = LibC.CLONE_FS();
  public static final int CLONE_NEWNS = LibC.CLONE_NEWNS();
  public static final int CLONE_NEWUSER = LibC.CLONE_NEWUSER();

  // ---- socket(2) and its like --------------------------------------------------------------

  public static final int AF_UNIX = LibC.AF_UNIX();
  public static final int SOCK_STREAM = LibC.SOCK_STREAM();
  public static final int SOCK_DGRAM = LibC.SOCK_DGRAM();
  public static final int SOCK_SEQPACKET = LibC.SOCK_SEQPACKET();
  public static final int SOCK_CLOEXEC = LibC.SOCK_CLOEXEC();
  public static final int SOCK_NONBLOCK = LibC.SOCK_NONBLOCK();
  public static final int SOL_SOCKET = LibC.SOL_SOCKET();
  public static final int SO_PEERCRED = LibC.SO_PEERCRED();
  public static final int SO_PEERGROUPS = LibC.SO_PEERGROUPS();
  public static final int SHUT_RD = LibC.SHUT_RD();
  public static final int SHUT_RDWR = LibC.SHUT_RDWR();
  public static final int SCM_RIGHTS = LibC.SCM_RIGHTS();
  public static final int MSG_CMSG_CLOEXEC = LibC.MSG_CMSG_CLOEXEC();
  public static final int MSG_CTRUNC = LibC.MSG_CTRUNC();
  public static final int MSG_DONTWAIT = LibC.MSG_DONTWAIT();
  public static final int MSG_NOSIGNAL = LibC.MSG_NOSIGNAL();

  // ---- poll(2) --------------------------------------------------------------------------------

  public static final int POLLIN = LibC.POLLIN();
  public static final int POLLPRI = LibC.POLLPRI();
  public static final int POLLOUT = LibC.POLLOUT();
  public static final int POLLERR = LibC.POLLERR();
  public static final int POLLHUP = LibC.POLLHUP();
  public static final int POLLNVAL = LibC.POLLNVAL();

  // ---- ioctl(2): requests ---------------------------------------------------------------------

  public static final long FICLONE = LibC.FICLONE();
  public static final long FS_IOC_GETFLAGS = LibC.FS_IOC_GETFLAGS();
  public static final long FS_IOC_SETFLAGS = LibC.FS_IOC_SETFLAGS();
  public static final long FS_IOC_FSGETXATTR = LibC.FS_IOC_FSGETXATTR();
  public static final long FS_IOC_FSSETXATTR = LibC.FS_IOC_FSSETXATTR();
  public static final long NS_MNT_GET_INFO = LibC.NS_MNT_GET_INFO();
  public static final long NS_MNT_GET_NEXT = LibC.NS_MNT_GET_NEXT();
  public static final long NS_MNT_GET_PREV = LibC.NS_MNT_GET_PREV();
  public static final long TCGETS = LibC.TCGETS();
  public static final long TIOCGWINSZ = LibC.TIOCGWINSZ();

  // ---- ioctl(2): the bits of FS_IOC_GETFLAGS --------------------------------------------------

  public static final int FS_COMPR_FL = LibC.FS_COMPR_FL();
  public static final int FS_SYNC_FL = LibC.FS_SYNC_FL();
  public static final int FS_IMMUTABLE_FL = LibC.FS_IMMUTABLE_FL();
  public static final int FS_APPEND_FL = LibC.FS_APPEND_FL();
  public static final int FS_NODUMP_FL = LibC.FS_NODUMP_FL();
  public static final int FS_NOATIME_FL = LibC.FS_NOATIME_FL();
  public static final int FS_ENCRYPT_FL = LibC.FS_ENCRYPT_FL();
  public static final int FS_DIRSYNC_FL = LibC.FS_DIRSYNC_FL();
  public static final int FS_VERITY_FL = LibC.FS_VERITY_FL();
  public static final int FS_NOCOW_FL = LibC.FS_NOCOW_FL();
  public static final int FS_DAX_FL = LibC.FS_DAX_FL();
  public static final int FS_PROJINHERIT_FL = LibC.FS_PROJINHERIT_FL();
  public static final int FS_CASEFOLD_FL = LibC.FS_CASEFOLD_FL();

  // ---- statfs(2): file system types -----------------------------------------------------------

  // C has them as unsigned numbers and statfs(2) fills a long: the sign must not be extended.

  public static final long OVERLAYFS_SUPER_MAGIC =
      Integer.toUnsignedLong(LibC.OVERLAYFS_SUPER_MAGIC());
  public static final long EXT4_SUPER_MAGIC = Integer.toUnsignedLong(LibC.EXT4_SUPER_MAGIC());
  public static final long XFS_SUPER_MAGIC = Integer.toUnsignedLong(LibC.XFS_SUPER_MAGIC());
  public static final long BTRFS_SUPER_MAGIC = Integer.toUnsignedLong(LibC.BTRFS_SUPER_MAGIC());
  public static final long TMPFS_MAGIC = Integer.toUnsignedLong(LibC.TMPFS_MAGIC());
  public static final long EROFS_SUPER_MAGIC_V1 =
      Integer.toUnsignedLong(LibC.EROFS_SUPER_MAGIC_V1());
  public static final long SQUASHFS_MAGIC = Integer.toUnsignedLong(LibC.SQUASHFS_MAGIC());
  public static final long AUFS_SUPER_MAGIC = Integer.toUnsignedLong(LibC.AUFS_SUPER_MAGIC());
  public static final long NFS_SUPER_MAGIC = Integer.toUnsignedLong(LibC.NFS_SUPER_MAGIC());
  public static final long FUSE_SUPER_MAGIC = Integer.toUnsignedLong(LibC.FUSE_SUPER_MAGIC());
  public static final long ECRYPTFS_SUPER_MAGIC =
      Integer.toUnsignedLong(LibC.ECRYPTFS_SUPER_MAGIC());
  public static final long NSFS_MAGIC = Integer.toUnsignedLong(LibC.NSFS_MAGIC());
  public static final long PROC_SUPER_MAGIC = Integer.toUnsignedLong(LibC.PROC_SUPER_MAGIC());

  private Linux() {}
}
