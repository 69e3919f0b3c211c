#include "copy.h"

#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCESS_ACL "system.posix_acl_access"
#define DEFAULT_ACL "system.posix_acl_default"
#define DESCRIPTORS "/proc/thread-self/fd/"

/* Two values fit the buffer of the data. */
_Static_assert(DATA_BUFFER_BYTES >= 2 * XATTR_SIZE_MAX, "values need room");

/* What no copy can have, or what cannot be removed afterwards. */
#define HINDRANCES \
	(STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_VERITY | STATX_ATTR_MOUNT_ROOT)

/* A file: by its name in a directory, or open if the name is empty. */
struct item {
	int fd;
	const char *name;
};

/* ---- what can be copied -------------------------------------------------------------------- */

static bool is_mount_point(const struct copy *copy, const struct statx *stat)
{
	if (stat->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
		return stat->stx_attributes & STATX_ATTR_MOUNT_ROOT;
	/* before Linux 5.8; files of an overlay have their layer's device */
	return S_ISDIR(stat->stx_mode)
	       && (stat->stx_dev_major != copy->stat.stx_dev_major
		   || stat->stx_dev_minor != copy->stat.stx_dev_minor);
}

static int meet(struct walk *walk, const char *name, const struct statx *stat)
{
	struct copy *copy = walk->context;

	if (stat->stx_attributes & HINDRANCES || is_mount_point(copy, stat))
		return -EXDEV;
	copy->into_itself = sys_same(stat, &copy->target_stat);
	if (copy->into_itself)
		return -ELOOP;
	return marks_add(&copy->marks, walk, name, stat);
}

/* ---- attributes ---------------------------------------------------------------------------- */

/* Calls for attributes know no directories: the path of an item, NULL for an open file. */
static const char *xattr_path(const struct item *item, char *path, size_t room)
{
	if (!*item->name)
		return NULL;
	snprintf(path, room, DESCRIPTORS "%d/%s", item->fd, item->name);
	return path;
}

#define PATH_BYTES (NAME_MAX + 64)

/* What a new file has of its directory. */
static int drop_inherited(const struct item *item)
{
	static const char *const inherited[] = { ACCESS_ACL, DEFAULT_ACL };
	char buffer[PATH_BYTES];
	const char *path = xattr_path(item, buffer, sizeof(buffer));

	for (size_t i = 0; i < sizeof(inherited) / sizeof(*inherited); i++) {
		int error = sys_remove_xattr(item->fd, path, inherited[i]);

		if (error && error != -ENODATA && error != -EOPNOTSUPP)
			return error;
	}
	return 0;
}

static int keep_xattr(struct copy *copy, const struct item *from, const struct item *to,
		      const char *name)
{
	char from_buffer[PATH_BYTES];
	char to_buffer[PATH_BYTES];
	const char *from_path = xattr_path(from, from_buffer, sizeof(from_buffer));
	const char *to_path = xattr_path(to, to_buffer, sizeof(to_buffer));
	char *value = copy->ways.buffer;
	char *there = value + XATTR_SIZE_MAX;
	ssize_t size = sys_get_xattr(from->fd, from_path, name, value, XATTR_SIZE_MAX);
	int error;

	if (size < 0)
		return size == -ENODATA ? 0 : (int)size;
	error = sys_set_xattr(to->fd, to_path, name, value, (size_t)size);
	if (!error)
		return 0;
	/* a label that may not be set may be right as it is */
	if (sys_get_xattr(to->fd, to_path, name, there, XATTR_SIZE_MAX) == size
	    && !memcmp(value, there, (size_t)size))
		return 0;
	return error;
}

static int keep_xattrs(struct copy *copy, const struct item *from, const struct item *to)
{
	char buffer[PATH_BYTES];
	const char *path = xattr_path(from, buffer, sizeof(buffer));
	ssize_t size = sys_list_xattrs(from->fd, path, copy->names, XATTR_LIST_MAX);

	if (size < 0)
		return size == -EOPNOTSUPP ? 0 : (int)size;
	for (const char *name = copy->names; name < copy->names + size; name += strlen(name) + 1) {
		int error = keep_xattr(copy, from, to, name);

		if (error)
			return error;
	}
	return 0;
}

/*
 * By way of /proc, since fchmodat(2) follows links, and somebody may have put one there: in a
 * directory that all may write to, a special file of the top is not safe from that.
 */
static int keep_mode(const struct item *to, mode_t mode)
{
	int fd = sys_open(to->fd, to->name, O_PATH | O_NOFOLLOW);
	char path[PATH_BYTES];
	int error;

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), DESCRIPTORS "%d", fd);
	error = sys_chmod(AT_FDCWD, path, mode);
	sys_close(fd);
	return error;
}

/* In this order: a new owner takes capabilities and setuid away. */
static int keep(struct copy *copy, const struct item *from, const struct item *to,
		const struct statx *stat)
{
	mode_t mode = stat->stx_mode & (mode_t)~S_IFMT;
	int error = sys_chown(to->fd, to->name, stat->stx_uid, stat->stx_gid);

	if (!error)
		error = keep_xattrs(copy, from, to);
	if (!error && !S_ISLNK(stat->stx_mode))
		error = *to->name ? keep_mode(to, mode) : sys_fchmod(to->fd, mode);
	return error ? error : sys_times(to->fd, to->name, stat);
}

/* ---- files --------------------------------------------------------------------------------- */

static int copy_open(struct walk *walk, int from, int to, const struct statx *stat)
{
	struct copy *copy = walk->context;
	const struct item source = { from, "" };
	const struct item target = { to, "" };
	struct statx opened;
	int error = sys_stat(from, "", &opened);

	if (!error && !sys_same(&opened, stat))
		error = -ESTALE;
	if (!error && walk_at_top(walk))
		error = drop_inherited(&target);
	if (!error)
		error = data_copy(&copy->ways, from, to, stat->stx_size);
	if (!error)
		error = keep(copy, &source, &target, stat);
	return !error && walk_at_top(walk) ? sys_fsync(to) : error;
}

static int copy_regular(struct walk *walk, const char *name, const struct statx *stat)
{
	struct copy *copy = walk->context;
	int error;
	int from;
	int to;

	/* rather than a signal that ends the program */
	if (stat->stx_size > copy->limit)
		return -EFBIG;
	from = sys_open(walk->here, name, SYS_READ_FILE);
	if (from < 0)
		return from;
	to = sys_create(walk->copy, walk_copy_name(walk, name));
	if (to >= 0)
		copy->made = true;
	error = to < 0 ? to : copy_open(walk, from, to, stat);
	sys_close(from);
	sys_close(to);
	return error;
}

static int copy_symlink(struct walk *walk, const char *name, const char *copy_name)
{
	struct copy *copy = walk->context;
	char *target = copy->ways.buffer;
	ssize_t size = sys_readlink(walk->here, name, target, PATH_MAX);

	if (size < 0)
		return (int)size;
	target[size] = '\0';
	return sys_symlink(target, walk->copy, copy_name);
}

static int copy_special(struct walk *walk, const char *name, const struct statx *stat)
{
	struct copy *copy = walk->context;
	const char *copy_name = walk_copy_name(walk, name);
	const struct item from = { walk->here, name };
	const struct item to = { walk->copy, copy_name };
	bool link = S_ISLNK(stat->stx_mode);
	int error = link ? copy_symlink(walk, name, copy_name)
			 : sys_mknod(walk->copy, copy_name, stat);

	if (error)
		return error;
	copy->made = true;
	error = walk_at_top(walk) && !link ? drop_inherited(&to) : 0;
	return error ? error : keep(copy, &from, &to, stat);
}

/* Links a name to a path from the copy's top, which may be longer than the kernel takes at once. */
static int link_to(const struct walk *walk, char *path, const char *name)
{
	int from = walk->top_copy;
	int error;

	while (strlen(path) >= PATH_MAX) {
		char *slash = memrchr(path, '/', PATH_MAX - 1);
		int next;

		*slash = '\0';
		next = sys_open(from, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
		*slash = '/';
		if (from != walk->top_copy)
			sys_close(from);
		if (next < 0)
			return next;
		from = next;
		path = slash + 1;
	}
	error = sys_link(from, path, walk->copy, name);
	if (from != walk->top_copy)
		sys_close(from);
	return error;
}

static int copy_file(struct walk *walk, const char *name, const struct statx *stat)
{
	struct copy *copy = walk->context;
	uint64_t device = (uint64_t)stat->stx_dev_major << 32 | stat->stx_dev_minor;
	bool linked = stat->stx_nlink > 1 && !walk_at_top(walk);
	const struct table_entry *first;
	char *path;
	int error = meet(walk, name, stat);

	if (error)
		return error;
	first = linked ? table_find(&copy->links, device, stat->stx_ino) : NULL;
	if (first)
		return link_to(walk, first->text, name);
	error = S_ISREG(stat->stx_mode) ? copy_regular(walk, name, stat)
					: copy_special(walk, name, stat);
	if (error || !linked)
		return error;
	path = walk_copy_path(walk, name);
	return path ? table_add(&copy->links, device, stat->stx_ino, path) : -ENOMEM;
}

/* ---- directories --------------------------------------------------------------------------- */

static int copy_directory(struct walk *walk, const char *name, const struct statx *stat)
{
	struct copy *copy = walk->context;
	int error = meet(walk, name, stat);

	if (!error)
		error = sys_mkdir(walk->copy, walk_copy_name(walk, name));
	if (!error)
		copy->made = true;
	return error;
}

/* The tree's first directory; what is below inherits from it, and so nothing. */
static bool is_first(const struct walk *walk)
{
	return walk->depth == 2;
}

static int enter(struct walk *walk, const struct statx *stat, bool empty)
{
	const struct item copy = { walk->copy, "" };
	int error = is_first(walk) ? drop_inherited(&copy) : 0;

	(void)stat;
	if (error || empty)
		return error;
	/*
	 * All that is in it will have to be removed. A sticky directory keeps a user from that only for
	 * files of others, which are not copied anyway.
	 */
	return sys_access(walk->here, "", W_OK | X_OK);
}

static int leave(struct walk *walk, const struct statx *stat)
{
	struct copy *copy = walk->context;
	const struct item from = { walk->here, "" };
	const struct item to = { walk->copy, "" };
	int error = keep(copy, &from, &to, stat);

	/* one wait for all files, in place of one for each */
	return !error && is_first(walk) ? sys_syncfs(walk->copy) : error;
}

static const struct visitor copying = {
	.file = copy_file,
	.before = copy_directory,
	.entered = enter,
	.leaving = leave,
};

int copy_make(struct copy *copy)
{
	struct walk way = {
		.visitor = &copying,
		.top = copy->source,
		.name = copy->name,
		.top_copy = copy->target,
		.copy_name = copy->temporary,
		.context = copy,
	};
	int error = sys_file_limit(&copy->limit);

	if (error)
		return error;
	copy->ways.buffer = malloc(DATA_BUFFER_BYTES);
	copy->names = malloc(XATTR_LIST_MAX);
	if (!copy->ways.buffer || !copy->names)
		return -ENOMEM;
	return walk(&way);
}

void copy_free(struct copy *copy)
{
	table_free(&copy->marks);
	table_free(&copy->links);
	free(copy->ways.buffer);
	free(copy->names);
}
