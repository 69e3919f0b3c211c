/*
 * What jextract reads: the system's own headers, and after them the names that headers older than
 * the kernels we run on do not have yet (Debian 12 ships those of Linux 6.1). Numbers and layouts
 * are kernel ABI; a newer header's own definition is used where there is one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <linux/types.h>

/* cachestat, Linux 6.5; headers that know the structures know the number. */
#ifndef __NR_cachestat
struct cachestat_range {
  __u64 off; /* bytes */
  __u64 len; /* bytes; 0 reaches to the end of the file */
};

struct cachestat { /* pages of the range */
  __u64 nr_cache;
  __u64 nr_dirty;
  __u64 nr_writeback;
  __u64 nr_evicted;
  __u64 nr_recently_evicted;
};
#endif

/* Calls that came after this libc or these kernel headers; the numbers are the same everywhere. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#ifndef SYS_listmount
#define SYS_listmount 458
#endif

/* Only the older architectures have ustat; an unknown number makes the kernel answer ENOSYS. */
#ifndef SYS_ustat
#define SYS_ustat -1
#endif

/* fsconfig, Linux 6.6; move_mount, Linux 6.5. */
#ifndef FSCONFIG_CMD_CREATE_EXCL
#define FSCONFIG_CMD_CREATE_EXCL 8
#endif
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200
#endif

/* statx, Linux 6.8. */
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x00004000U
#endif

/* statmount and listmount, Linux 6.8; the namespace id, Linux 6.11; the source, Linux 6.13. */
#ifndef STATMOUNT_SB_BASIC
struct mnt_id_req {
  __u32 size;      /* of this struct: MNT_ID_REQ_SIZE_VER0 or _VER1 */
  __u32 spare;     /* zero */
  __u64 mnt_id;    /* unique id of the mount that is asked about */
  __u64 param;     /* statmount: wanted bits; listmount: id after which to continue */
  __u64 mnt_ns_id; /* mount namespace, zero for the caller's */
};

struct statmount {
  __u32 size;     /* bytes written, strings included */
  __u32 mnt_opts; /* this and the other string members: offset into str */
  __u64 mask;     /* what was written */
  __u32 sb_dev_major;
  __u32 sb_dev_minor;
  __u64 sb_magic;
  __u32 sb_flags;
  __u32 fs_type;
  __u64 mnt_id;
  __u64 mnt_parent_id;
  __u32 mnt_id_old;
  __u32 mnt_parent_id_old;
  __u64 mnt_attr;
  __u64 mnt_propagation;
  __u64 mnt_peer_group;
  __u64 mnt_master;
  __u64 propagate_from;
  __u32 mnt_root;
  __u32 mnt_point;
  __u64 mnt_ns_id;
  __u32 fs_subtype;
  __u32 sb_source;
  __u64 later[48]; /* members that later kernels gave a meaning */
  char str[];
};

#define STATMOUNT_SB_BASIC 0x00000001U
#define STATMOUNT_MNT_BASIC 0x00000002U
#define STATMOUNT_PROPAGATE_FROM 0x00000004U
#define STATMOUNT_MNT_ROOT 0x00000008U
#define STATMOUNT_MNT_POINT 0x00000010U
#define STATMOUNT_FS_TYPE 0x00000020U
#define LSMT_ROOT 0xffffffffffffffff
#endif
#ifndef STATMOUNT_MNT_NS_ID
#define STATMOUNT_MNT_NS_ID 0x00000040U
#endif
#ifndef STATMOUNT_MNT_OPTS
#define STATMOUNT_MNT_OPTS 0x00000080U
#endif
#ifndef STATMOUNT_FS_SUBTYPE
#define STATMOUNT_FS_SUBTYPE 0x00000100U
#endif
#ifndef STATMOUNT_SB_SOURCE
#define STATMOUNT_SB_SOURCE 0x00000200U
#endif
#ifndef MNT_ID_REQ_SIZE_VER0
#define MNT_ID_REQ_SIZE_VER0 24
#endif
#ifndef MNT_ID_REQ_SIZE_VER1
#define MNT_ID_REQ_SIZE_VER1 32
#endif

/* Walking over mount namespaces with ioctl, Linux 6.12. */
#ifndef NS_MNT_GET_INFO
struct mnt_ns_info {
  __u32 size;      /* of this struct */
  __u32 nr_mounts; /* in the namespace */
  __u64 mnt_ns_id;
};
#define NS_MNT_GET_INFO _IOR(NSIO, 10, struct mnt_ns_info)
#define NS_MNT_GET_NEXT _IOR(NSIO, 11, struct mnt_ns_info)
#define NS_MNT_GET_PREV _IOR(NSIO, 12, struct mnt_ns_info)
#endif

/* Never merged into Linux, carried by some distributions. */
#ifndef AUFS_SUPER_MAGIC
#define AUFS_SUPER_MAGIC 0x61756673
#endif
