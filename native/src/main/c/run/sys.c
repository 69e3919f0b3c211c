#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static long result(long returned)
{
	return returned == -1 ? -errno : returned;
}

pid_t sys_fork(unsigned long namespaces)
{
	return (pid_t)result(syscall(SYS_clone, namespaces | SIGCHLD, NULL, NULL, NULL, NULL));
}

pid_t sys_fork_blocked(unsigned long namespaces)
{
	sigset_t all;
	sigset_t before;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = sys_fork(namespaces);
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

void sys_default_action(int signal)
{
	/* struct sigaction as the kernel has it: handler, flags, restorer, and a mask of 64 bits */
	static const unsigned long none[4];

	/* refused for KILL and STOP, which have no other */
	syscall(SYS_rt_sigaction, signal, none, NULL, sizeof(none[0]));
}

void sys_close_range(unsigned int first, unsigned int last)
{
	struct rlimit limit;

	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	/* Linux 5.8 has no such call, and a limit that is no larger than what was opened */
	if (!getrlimit(RLIMIT_NOFILE, &limit) && last >= limit.rlim_cur)
		last = (unsigned int)limit.rlim_cur;
	for (unsigned int fd = first; fd <= last; fd++)
		close((int)fd);
}

unsigned int sys_lowest(const int *descriptors, size_t count, unsigned int next)
{
	unsigned int lowest = ~0U;

	for (size_t i = 0; i < count; i++)
		if ((unsigned int)descriptors[i] >= next && (unsigned int)descriptors[i] < lowest)
			lowest = (unsigned int)descriptors[i];
	return lowest;
}

void sys_close_others(const int *kept, size_t count)
{
	unsigned int next = 0;
	unsigned int lowest;

	while ((lowest = sys_lowest(kept, count, next)) != ~0U) {
		if (lowest > next)
			sys_close_range(next, lowest - 1);
		next = lowest + 1;
	}
	sys_close_range(next, ~0U);
}

int sys_open_inside(int root, const char *name, int flags)
{
	struct open_how how = {.flags = (unsigned int)(O_PATH | O_CLOEXEC | flags),
			       .resolve = RESOLVE_IN_ROOT};
	int fd;

	/* a rename elsewhere can make the kernel unsure about ".." */
	do
		fd = (int)result(syscall(SYS_openat2, root, name, &how, sizeof(how)));
	while (fd == -EAGAIN || fd == -EINTR);
	return fd;
}

int sys_new_mount(const char *type, const char *const *options, unsigned int attributes)
{
	int context = (int)result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
	int made;

	if (context < 0)
		return context;
	/* as mount(8) names them in lists of mounts */
	made = (int)result(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", type, 0));
	for (; *options && made >= 0; options += 2)
		made = (int)result(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, options[0],
					   options[1], 0));
	if (made >= 0)
		made = (int)result(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	if (made >= 0)
		made = (int)result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
	close(context);
	return made;
}

int sys_copy_mount(int directory, const char *name)
{
	return (int)result(syscall(SYS_open_tree, directory, name,
				   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE
					   | AT_EMPTY_PATH));
}

int sys_attach(int mount, int on)
{
	return (int)result(syscall(SYS_move_mount, mount, "", on, "",
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

/* "/proc/self/fd/" and a number. */
static void name_descriptor(int fd, char name[32])
{
	char digits[12];
	size_t count = 0;
	size_t length = strlen("/proc/self/fd/");

	memcpy(name, "/proc/self/fd/", length);
	do
		digits[count++] = (char)('0' + fd % 10);
	while ((fd /= 10) > 0);
	while (count > 0)
		name[length++] = digits[--count];
	name[length] = '\0';
}

/* By mount(2) where there is no mount_setattr(2), with flags that say the same. */
static int change(int mount, const struct mount_attr *wanted, unsigned long flags)
{
	int error = (int)result(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE,
					wanted, sizeof(*wanted)));
	char name[32];

	if (error != -ENOSYS)
		return error;
	name_descriptor(mount, name);
	return (int)result(syscall(SYS_mount, "none", name, NULL, flags, NULL));
}

int sys_read_only(int mount)
{
	const struct mount_attr wanted = {.attr_set = MOUNT_ATTR_RDONLY};

	return change(mount, &wanted, MS_REMOUNT | MS_BIND | MS_RDONLY);
}

int sys_private(int mount)
{
	const struct mount_attr wanted = {.propagation = MS_PRIVATE};

	return change(mount, &wanted, MS_REC | MS_PRIVATE);
}

int sys_pivot_root(const char *new_root, const char *old_root)
{
	return (int)result(syscall(SYS_pivot_root, new_root, old_root));
}

/* In a user namespace that has one group the kernel lets nobody leave others: they may deny something. */
static bool keeps_groups(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return !syscall(SYS_capget, &header, data) && data[0].effective & 1U << CAP_SETGID;
}

int sys_set_user(uid_t uid, gid_t gid, const gid_t *groups, size_t count)
{
	int error = (int)result(syscall(SYS_setgroups, count, groups));

	if (error == -EPERM && keeps_groups())
		error = 0;
	if (!error)
		error = (int)result(syscall(SYS_setgid, gid));
	return error ? error : (int)result(syscall(SYS_setuid, uid));
}
