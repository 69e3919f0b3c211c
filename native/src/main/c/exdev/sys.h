/*
 * The system calls that are made, and nothing of libc's wrappers: some of those are newer than the
 * glibc that a program may run on, and others are what other preload libraries replace.
 *
 * All return what the kernel does: a result, or the negated number of an error, never EINTR. They
 * leave errno anyhow. Descriptors are close-on-exec and never 0, 1 or 2: where a program has closed
 * those, another of its threads may write to them. Symbolic links are not followed in last
 * components, unless it says so.
 */
#ifndef OVL_EXDEV_SYS_H
#define OVL_EXDEV_SYS_H

#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How what is read or walked through is opened: whatever takes the name, it is not waited for. */
#define SYS_READ_FILE (O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
#define SYS_READ_DIRECTORY (SYS_READ_FILE | O_DIRECTORY)

/* Follows unless O_NOFOLLOW is given. */
int sys_open(int directory, const char *path, int flags);
int sys_create(int directory, const char *name);
void sys_close(int fd);

/* Of what a descriptor is of, if the name is empty. */
int sys_stat(int directory, const char *name, struct statx *stat);
bool sys_same(const struct statx *one, const struct statx *other);

/* Whether the effective user may: 0, or -EACCES, -EROFS, -EPERM. */
int sys_access(int directory, const char *name, int mode);

/* One buffer of struct linux_dirent64; its size, 0 at the end. */
ssize_t sys_entries(int directory, void *buffer, size_t room);

int sys_mkdir(int directory, const char *name);
int sys_mknod(int directory, const char *name, const struct statx *like);
int sys_symlink(const char *target, int directory, const char *name);
ssize_t sys_readlink(int directory, const char *name, char *buffer, size_t room);
int sys_link(int from, const char *path, int directory, const char *name);
int sys_unlink(int directory, const char *name, bool is_directory);
int sys_rename(int from, const char *name, int to, const char *new_name, unsigned int flags);

int sys_chown(int directory, const char *name, uid_t uid, gid_t gid);
/* Follows. */
int sys_chmod(int directory, const char *name, mode_t mode);
int sys_fchmod(int fd, mode_t mode);
int sys_times(int directory, const char *name, const struct statx *like);

/* Of a descriptor, or of a path if that is not NULL. */
ssize_t sys_list_xattrs(int fd, const char *path, char *names, size_t room);
ssize_t sys_get_xattr(int fd, const char *path, const char *name, void *value, size_t room);
int sys_set_xattr(int fd, const char *path, const char *name, const void *value, size_t size);
int sys_remove_xattr(int fd, const char *path, const char *name);

int sys_clone(int from, int to);
ssize_t sys_copy_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t size);
ssize_t sys_pread(int fd, void *buffer, size_t size, int64_t offset);
ssize_t sys_pwrite(int fd, const void *buffer, size_t size, int64_t offset);
int64_t sys_seek(int fd, int64_t offset, int whence);
int sys_truncate(int fd, uint64_t size);
int sys_fsync(int fd);
int sys_syncfs(int fd);

/* The largest size that a file of this process may get. */
int sys_file_limit(uint64_t *bytes);
int sys_random(uint64_t *number);

#endif
