#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A test puts a function of its own here, which lets single calls fail. */
#ifndef OVL_EXDEV_SYSCALL
#define OVL_EXDEV_SYSCALL syscall
#else
long OVL_EXDEV_SYSCALL(long number, ...);
#endif

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

static const int IN_PLACE = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

/* Pointers and numbers, as the kernel takes them. */
#define P(pointer) ((long)(intptr_t)(pointer))
#define N(number) ((long)(number))

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	long result;

	do
		result = OVL_EXDEV_SYSCALL(number, a, b, c, d, e, f);
	while (result == -1 && errno == EINTR);
	return result == -1 ? -errno : result;
}

#define CALL_6(number, a, b, c, d, e, f) call(SYS_##number, a, b, c, d, e, f)
#define CALL_5(number, a, b, c, d, e) CALL_6(number, a, b, c, d, e, 0)
#define CALL_4(number, a, b, c, d) CALL_5(number, a, b, c, d, 0)
#define CALL_3(number, a, b, c) CALL_4(number, a, b, c, 0)
#define CALL_2(number, a, b) CALL_3(number, a, b, 0)
#define CALL_1(number, a) CALL_2(number, a, 0)

static int open_above_standard(int directory, const char *path, int flags, mode_t mode)
{
	int fd = (int)CALL_4(openat, directory, P(path), flags | O_CLOEXEC, mode);
	int higher;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	higher = (int)CALL_3(fcntl, fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	sys_close(fd);
	return higher;
}

int sys_open(int directory, const char *path, int flags)
{
	return open_above_standard(directory, path, flags, 0);
}

int sys_create(int directory, const char *name)
{
	return open_above_standard(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

/* Not by call(): a descriptor whose close was interrupted is closed. */
void sys_close(int fd)
{
	if (fd >= 0)
		OVL_EXDEV_SYSCALL(SYS_close, N(fd));
}

int sys_stat(int directory, const char *name, struct statx *stat)
{
	int flags = IN_PLACE | AT_NO_AUTOMOUNT;

	return (int)CALL_5(statx, directory, P(name), flags, STATX_BASIC_STATS, P(stat));
}

bool sys_same(const struct statx *one, const struct statx *other)
{
	return one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major
	       && one->stx_dev_minor == other->stx_dev_minor;
}

int sys_access(int directory, const char *name, int mode)
{
	int error = (int)CALL_4(faccessat2, directory, P(name), mode, IN_PLACE | AT_EACCESS);

	if (error != -ENOSYS)
		return error;
	/* before Linux 5.8, for the real user */
	return (int)CALL_3(faccessat, directory, P(*name ? name : "."), mode);
}

ssize_t sys_entries(int directory, void *buffer, size_t room)
{
	return CALL_3(getdents64, directory, P(buffer), N(room));
}

int sys_mkdir(int directory, const char *name)
{
	return (int)CALL_3(mkdirat, directory, P(name), 0700);
}

int sys_mknod(int directory, const char *name, const struct statx *like)
{
	uint32_t minor = like->stx_rdev_minor;
	uint32_t device = (minor & 0xff) | like->stx_rdev_major << 8 | (minor & ~0xffU) << 12;
	uint32_t mode = (like->stx_mode & (uint32_t)S_IFMT) | 0600;

	return (int)CALL_4(mknodat, directory, P(name), mode, device);
}

int sys_symlink(const char *target, int directory, const char *name)
{
	return (int)CALL_3(symlinkat, P(target), directory, P(name));
}

ssize_t sys_readlink(int directory, const char *name, char *buffer, size_t room)
{
	return CALL_4(readlinkat, directory, P(name), P(buffer), N(room));
}

int sys_link(int from, const char *path, int directory, const char *name)
{
	return (int)CALL_5(linkat, from, P(path), directory, P(name), 0);
}

int sys_unlink(int directory, const char *name, bool is_directory)
{
	return (int)CALL_3(unlinkat, directory, P(name), is_directory ? AT_REMOVEDIR : 0);
}

int sys_rename(int from, const char *name, int to, const char *new_name, unsigned int flags)
{
	return (int)CALL_5(renameat2, from, P(name), to, P(new_name), flags);
}

int sys_chown(int directory, const char *name, uid_t uid, gid_t gid)
{
	return (int)CALL_5(fchownat, directory, P(name), uid, gid, IN_PLACE);
}

int sys_chmod(int directory, const char *name, mode_t mode)
{
	return (int)CALL_3(fchmodat, directory, P(name), mode);
}

int sys_fchmod(int fd, mode_t mode)
{
	return (int)CALL_2(fchmod, fd, mode);
}

int sys_times(int directory, const char *name, const struct statx *like)
{
	const struct timespec times[] = {
		{ .tv_sec = like->stx_atime.tv_sec, .tv_nsec = like->stx_atime.tv_nsec },
		{ .tv_sec = like->stx_mtime.tv_sec, .tv_nsec = like->stx_mtime.tv_nsec },
	};

	/* AT_EMPTY_PATH came late; without a name it means the same */
	if (!*name)
		return (int)CALL_4(utimensat, directory, 0, P(times), 0);
	return (int)CALL_4(utimensat, directory, P(name), P(times), AT_SYMLINK_NOFOLLOW);
}

ssize_t sys_list_xattrs(int fd, const char *path, char *names, size_t room)
{
	return path ? CALL_3(llistxattr, P(path), P(names), N(room))
		    : CALL_3(flistxattr, fd, P(names), N(room));
}

ssize_t sys_get_xattr(int fd, const char *path, const char *name, void *value, size_t room)
{
	return path ? CALL_4(lgetxattr, P(path), P(name), P(value), N(room))
		    : CALL_4(fgetxattr, fd, P(name), P(value), N(room));
}

int sys_set_xattr(int fd, const char *path, const char *name, const void *value, size_t size)
{
	return (int)(path ? CALL_5(lsetxattr, P(path), P(name), P(value), N(size), 0)
			  : CALL_5(fsetxattr, fd, P(name), P(value), N(size), 0));
}

int sys_remove_xattr(int fd, const char *path, const char *name)
{
	return (int)(path ? CALL_2(lremovexattr, P(path), P(name))
			  : CALL_2(fremovexattr, fd, P(name)));
}

int sys_clone(int from, int to)
{
	return (int)CALL_3(ioctl, to, N(FICLONE), from);
}

ssize_t sys_copy_range(int from, int64_t *from_offset, int to, int64_t *to_offset, size_t size)
{
	return CALL_6(copy_file_range, from, P(from_offset), to, P(to_offset), N(size), 0);
}

ssize_t sys_pread(int fd, void *buffer, size_t size, int64_t offset)
{
	return CALL_4(pread64, fd, P(buffer), N(size), offset);
}

ssize_t sys_pwrite(int fd, const void *buffer, size_t size, int64_t offset)
{
	return CALL_4(pwrite64, fd, P(buffer), N(size), offset);
}

int64_t sys_seek(int fd, int64_t offset, int whence)
{
	return CALL_3(lseek, fd, offset, whence);
}

int sys_truncate(int fd, uint64_t size)
{
	return (int)CALL_2(ftruncate, fd, N(size));
}

int sys_fsync(int fd)
{
	return (int)CALL_1(fsync, fd);
}

int sys_syncfs(int fd)
{
	return (int)CALL_1(syncfs, fd);
}

int sys_file_limit(uint64_t *bytes)
{
	struct rlimit64 limit;
	int error = (int)CALL_4(prlimit64, 0, RLIMIT_FSIZE, 0, P(&limit));

	*bytes = error ? 0 : limit.rlim_cur;
	return error;
}

int sys_random(uint64_t *number)
{
	long size = CALL_3(getrandom, P(number), N(sizeof(*number)), 0);

	return size == (long)sizeof(*number) ? 0 : size < 0 ? (int)size : -EIO;
}
