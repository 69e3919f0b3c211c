#include "world.h"

#include "report.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Of <sys/mount.h>, which some versions of glibc do not allow beside <linux/mount.h>. */
#define MNT_DETACH 2
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *target, int flags);

/* Of mounts in which nobody looks for programs. */
static const unsigned int WITH_DEVICES = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
static const unsigned int QUIET = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

static int fail(int channel, const char *what, const char *about, int error)
{
	const struct report report = {.kind = REPORT_FAILURE, .status = RUN_FAILED, .what = what,
				      .about = about, .error = -error};

	report_send(channel, &report);
	return -1;
}

static void note(int channel, const char *what, int error)
{
	const struct report report = {.kind = REPORT_NOTE, .what = what, .error = -error};

	report_send(channel, &report);
}

/* Attaches a mount, made or failed to, to a directory of the tree; closes it. */
static int put(int made, int directory)
{
	int error;

	if (made < 0)
		return made;
	error = sys_attach(made, directory);
	close(made);
	return error;
}

/*
 * Attaches a tree that was copied from one of the host's, which may share its mounts: what is
 * mounted or unmounted in it from now on is nobody else's business.
 */
static int attach_private(int tree, int directory)
{
	int error = sys_attach(tree, directory);

	return error ? error : sys_private(tree);
}

/* ---- /proc and /sys ------------------------------------------------------------------------ */

static int fill_proc(int root, int directory, int channel)
{
	static const char *const none[] = {NULL};

	(void)root;
	(void)channel;
	return put(sys_new_mount("proc", none, QUIET), directory);
}

/* What a container sees of control groups are those of its host, which it cannot change. */
static int fill_control_groups(int root)
{
	int groups = sys_copy_mount(AT_FDCWD, "/sys/fs/cgroup");
	int directory;
	int error;

	if (groups == -ENOENT)
		return 0;
	directory = sys_open_inside(root, "sys/fs/cgroup", O_DIRECTORY);
	error = directory == -ENOENT ? 0 : directory;
	if (directory >= 0 && groups >= 0)
		error = attach_private(groups, directory);
	if (!error && directory >= 0)
		error = groups < 0 ? groups : sys_read_only(groups);
	if (directory >= 0)
		close(directory);
	if (groups >= 0)
		close(groups);
	return error;
}

/* The host's, control groups and all: whose network is the host's may not have another one. */
static int show_host_sys(int directory)
{
	int sys = sys_copy_mount(AT_FDCWD, "/sys");
	int error = sys < 0 ? sys : attach_private(sys, directory);

	if (!error)
		error = sys_read_only(sys);
	if (sys >= 0)
		close(sys);
	return error;
}

static int fill_sys(int root, int directory, int channel)
{
	static const char *const none[] = {NULL};
	int error = put(sys_new_mount("sysfs", none, QUIET | MOUNT_ATTR_RDONLY), directory);

	if (error == -EPERM)
		return show_host_sys(directory);
	if (!error && (error = fill_control_groups(root)))
		note(channel, "there is nothing in /sys/fs/cgroup", error);
	return error ? error : 0;
}

/* ---- /dev ---------------------------------------------------------------------------------- */

/* Shows a device of another place as a new file. */
static int show_device(int dev, const char *name, const char *device)
{
	int file;
	int error;

	if (mknodat(dev, name, S_IFREG | 0600, 0))
		return -errno;
	file = openat(dev, name, O_PATH | O_CLOEXEC);
	if (file < 0)
		return -errno;
	error = put(sys_copy_mount(AT_FDCWD, device), file);
	close(file);
	return error;
}

static int make_devices(int dev)
{
	static const struct {
		const char *host;
		unsigned int minor;
		unsigned int major;
	} devices[] = {{"/dev/null", 3, 1}, {"/dev/zero", 5, 1},   {"/dev/full", 7, 1},
		       {"/dev/tty", 0, 5},  {"/dev/random", 8, 1}, {"/dev/urandom", 9, 1}};

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		const char *name = strrchr(devices[i].host, '/') + 1;
		int error = mknodat(dev, name, S_IFCHR | 0666,
				    makedev(devices[i].major, devices[i].minor))
				    ? -errno
				    : 0;

		/* nobody makes devices in a user namespace */
		if (error == -EPERM)
			error = show_device(dev, name, devices[i].host);
		if (error)
			return error;
	}
	return 0;
}

static int make_links(int dev)
{
	static const char *const links[][2] = {
		{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"},
		{"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
		{"ptmx", "pts/ptmx"},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (symlinkat(links[i][1], dev, links[i][0]))
			return -errno;
	return 0;
}

/* Attaches a mount, made or failed to, to a new directory; closes it. */
static int put_below(int dev, const char *name, int made)
{
	int directory = mkdirat(dev, name, 0755)
				? -1
				: openat(dev, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = directory < 0 ? -errno : 0;

	if (error && made >= 0)
		close(made);
	if (!error)
		error = put(made, directory);
	if (directory >= 0)
		close(directory);
	return error;
}

static int make_terminals(void)
{
	/* 5 is the group tty wherever there is one */
	static const char *const options[] = {"ptmxmode", "0666", "mode", "0620", "gid", "5", NULL};
	static const char *const groupless[] = {"ptmxmode", "0666", "mode", "0620", NULL};
	int made = sys_new_mount("devpts", options, WITH_DEVICES);

	/* a user namespace may lack it */
	return made == -EINVAL ? sys_new_mount("devpts", groupless, WITH_DEVICES) : made;
}

static int fill_dev(int root, int directory, int channel)
{
	static const char *const device_options[] = {"mode", "0755", "size", "64m", NULL};
	static const char *const shared[] = {"mode", "1777", "size", "64m", NULL};
	int dev = sys_new_mount("tmpfs", device_options, WITH_DEVICES);
	int error;

	(void)root;
	(void)channel;
	if (dev < 0)
		return dev;
	error = sys_attach(dev, directory);
	if (!error)
		error = make_devices(dev);
	if (!error)
		error = make_links(dev);
	if (!error)
		error = put_below(dev, "pts", make_terminals());
	if (!error)
		error = put_below(dev, "shm", sys_new_mount("tmpfs", shared, QUIET));
	close(dev);
	return error;
}

/* ---- the three ----------------------------------------------------------------------------- */

struct place {
	const char *name;
	const char *missing;
	const char *failed;
	const char *forbidden;
	int (*fill)(int root, int directory, int channel);
};

static const struct place PLACES[] = {
	{"proc", "there is no directory /proc to mount it on", "cannot mount /proc",
	 "cannot mount /proc where something hides parts of the host's", fill_proc},
	{"sys", "there is no directory /sys to mount it on", "cannot mount /sys",
	 "cannot mount /sys", fill_sys},
	{"dev", "there is no directory /dev to make devices in", "cannot make /dev",
	 "cannot make /dev", fill_dev},
};

static int fill_places(int root, int channel)
{
	for (size_t i = 0; i < sizeof(PLACES) / sizeof(*PLACES); i++) {
		const struct place *place = &PLACES[i];
		int directory = sys_open_inside(root, place->name, O_DIRECTORY);
		int error;

		if (directory == -ENOENT || directory == -ENOTDIR) {
			note(channel, place->missing, 0);
			continue;
		}
		error = directory < 0 ? directory : place->fill(root, directory, channel);
		if (directory >= 0)
			close(directory);
		if (error)
			return fail(channel, error == -EPERM ? place->forbidden : place->failed, NULL,
				    error);
	}
	return 0;
}

/* ---- volumes ------------------------------------------------------------------------------- */

/* Opens an absolute path, and makes what of it is missing. */
static int open_or_make(int root, char *path, bool directory)
{
	int fd = sys_open_inside(root, *path ? path : "/", 0);
	char *slash = strrchr(path, '/');
	int parent;
	int error;

	if (fd != -ENOENT || !slash)
		return fd;
	*slash = '\0';
	parent = open_or_make(root, path, true);
	*slash = '/';
	if (parent < 0)
		return parent;
	error = directory ? mkdirat(parent, slash + 1, 0755)
			  : mknodat(parent, slash + 1, S_IFREG | 0644, 0);
	error = error ? -errno : 0;
	close(parent);
	return error ? error : sys_open_inside(root, path, 0);
}

static int open_target(int root, const char *target, bool directory)
{
	char path[PATH_MAX];

	if (strlen(target) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, target);
	return open_or_make(root, path, directory);
}

static int add_volume(int root, const struct run_volume *volume)
{
	struct stat status;
	int target = open_target(root, volume->target, volume->directory);
	int error;

	if (target < 0)
		return target;
	if (fstat(target, &status))
		error = -errno;
	else if (S_ISDIR(status.st_mode) != volume->directory)
		error = volume->directory ? -ENOTDIR : -EISDIR;
	else
		error = attach_private(volume->tree, target);
	if (!error && volume->read_only)
		error = sys_read_only(volume->tree);
	close(target);
	close(volume->tree);
	return error;
}

static int add_volumes(const struct run_plan *plan, int root, int channel)
{
	for (size_t i = 0; i < plan->volume_count; i++) {
		int error = add_volume(root, &plan->volumes[i]);

		if (error)
			return fail(channel, "cannot mount a volume on", plan->volumes[i].target,
				    error);
	}
	return 0;
}

/* ---- the terminal -------------------------------------------------------------------------- */

/* In the new root directory, where names of devices mean the new ones. */
static int open_terminal(int channel, int *slave)
{
	int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int unlocked = 0;
	int dev;
	int error;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked))
		return fail(channel, "cannot make a terminal", NULL, -errno);
	*slave = open("/dev/pts/0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	dev = *slave < 0 ? -1 : open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* as in a container; the terminals of this file system are numbered from 0 */
	error = dev < 0 ? -errno : show_device(dev, "console", "/dev/pts/0");
	if (dev >= 0)
		close(dev);
	if (error)
		return fail(channel, "cannot make a terminal", NULL, error);
	report_send_terminal(channel, master);
	close(master);
	return 0;
}

/* ---- the root directory -------------------------------------------------------------------- */

/*
 * Attaches a copy of the tree, and returns the descriptor of that. The tree itself is older than
 * this namespace, and the kernel (6.18) cannot list the mounts of a namespace to others where the
 * topmost has a lower id than the namespace: then nobody would see who uses the stack.
 */
static int attach_copy(int tree)
{
	int above = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int copy;
	int error;

	if (above < 0)
		return -errno;
	error = attach_private(tree, above);
	copy = error ? error : sys_copy_mount(tree, "");
	/* the tree itself is not to lie below its copy */
	if (copy >= 0 && (fchdir(tree) || umount2(".", MNT_DETACH)))
		error = -errno;
	if (copy >= 0 && !error)
		error = sys_attach(copy, above);
	close(above);
	if (copy >= 0 && error)
		close(copy);
	return error ? error : copy;
}

/* Where the root directory is the kernel's first file system, there is nothing to turn round. */
static int turn_root(int root)
{
	int error = fchdir(root) ? -errno : sys_pivot_root(".", ".");

	if (error == -EINVAL)
		return chroot(".") || chdir("/") ? -errno : 0;
	if (error)
		return error;
	/* the former one lies on the new one now */
	return umount2(".", MNT_DETACH) || chdir("/") ? -errno : 0;
}

int world_enter(const struct run_plan *plan, int channel, int *slave)
{
	mode_t mask = umask(0);
	int root;
	int error;

	*slave = -1;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail(channel, "cannot make the mounts private", NULL, -errno);
	root = attach_copy(plan->root);
	if (root < 0)
		return fail(channel, "cannot attach the stack", NULL, root);
	if (fill_places(root, channel) || add_volumes(plan, root, channel))
		return -1;
	error = turn_root(root);
	if (error)
		return fail(channel, "cannot change the root directory", NULL, error);
	close(root);
	umask(mask);
	return plan->terminal ? open_terminal(channel, slave) : 0;
}
