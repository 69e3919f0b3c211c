#include "move.h"

#include "copy.h"
#include "removal.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".ovl-mv-"

/* One of the two names of a rename. */
struct end {
	int parent; /* opened with O_PATH */
	struct statx parent_stat;
	char name[NAME_MAX + 1]; /* "" if it is none that could be renamed: ., .. or the root */
	bool slash; /* follows the name, which means a directory then */
	bool there;
	struct statx stat;
};

/* ---- the two names ------------------------------------------------------------------------- */

static int open_parent(int directory, const char *path, size_t size)
{
	char *parent;
	int fd;

	if (size == 0)
		return sys_open(directory, ".", O_PATH | O_DIRECTORY);
	parent = strndup(path, size);
	if (!parent)
		return -ENOMEM;
	fd = sys_open(directory, parent, O_PATH | O_DIRECTORY);
	free(parent);
	return fd;
}

static int look_up(struct end *end, int directory, const char *path)
{
	size_t size = strlen(path);
	size_t start;
	int error;

	while (size > 0 && path[size - 1] == '/')
		size--;
	end->slash = path[size] == '/';
	start = size;
	while (start > 0 && path[start - 1] != '/')
		start--;
	end->parent = open_parent(directory, path, start);
	if (end->parent < 0)
		return end->parent;
	error = sys_stat(end->parent, "", &end->parent_stat);
	if (error)
		return error;
	if (size - start > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(end->name, path + start, size - start);
	if (!strcmp(end->name, ".") || !strcmp(end->name, ".."))
		end->name[0] = '\0';
	if (!*end->name)
		return 0;
	error = sys_stat(end->parent, end->name, &end->stat);
	end->there = !error;
	return error == -ENOENT ? 0 : error;
}

static bool is_directory(const struct end *end)
{
	return end->there && S_ISDIR(end->stat.stx_mode);
}

/* ---- what rename(2) refuses ---------------------------------------------------------------- */

/* 1 if a directory is this one or in it, which is not seen through every mount; 0, or an errno. */
static int is_within(int directory, const struct statx *outer)
{
	struct statx inner;
	struct statx upper;
	int within = 0;
	int fd = sys_open(directory, ".", O_PATH | O_DIRECTORY);
	int error = fd < 0 ? fd : sys_stat(fd, "", &inner);

	while (!error && !(within = sys_same(&inner, outer))) {
		int parent = sys_open(fd, "..", O_PATH | O_DIRECTORY);

		sys_close(fd);
		fd = parent;
		error = fd < 0 ? fd : sys_stat(fd, "", &upper);
		if (!error && sys_same(&upper, &inner))
			break;
		inner = upper;
	}
	sys_close(fd);
	return error ? error : within;
}

/* Whether an entry may be taken away, or made where there is none. */
static int check_permission(const struct end *end)
{
	uid_t user = geteuid();
	int error = sys_access(end->parent, "", W_OK | X_OK);

	if (error || !end->there)
		return error;
	if (end->parent_stat.stx_attributes & STATX_ATTR_APPEND
	    || end->stat.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return -EPERM;
	if (end->parent_stat.stx_mode & S_ISVTX && user != 0
	    && user != end->parent_stat.stx_uid && user != end->stat.stx_uid)
		return -EPERM;
	return 0;
}

static bool is_mount_point(const struct end *end)
{
	return end->there && end->stat.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Which of them is inside the other. */
static int check_nesting(const struct end *source, const struct end *target)
{
	int within = 0;

	if (is_directory(source))
		within = is_within(target->parent, &source->stat);
	if (within)
		return within < 0 ? within : -EINVAL;
	if (is_directory(target))
		within = is_within(source->parent, &target->stat);
	return within > 0 ? -ENOTEMPTY : within;
}

static int check_directory(const struct end *source, const struct end *target)
{
	int error;

	if (target->there && !is_directory(target))
		return -ENOTDIR;
	/* its ".." changes */
	if (!sys_same(&source->parent_stat, &target->parent_stat)) {
		error = sys_access(source->parent, source->name, W_OK);
		if (error)
			return error;
	}
	error = target->there ? walk_is_empty(target->parent, target->name) : 0;
	/* the rename into place tells, if this is not to be seen by the user */
	return error == -EACCES ? 0 : error;
}

/*
 * All that can be refused without copying, in the kernel's order.
 *
 * same: becomes true if both names are one file's, for which rename(2) does nothing
 */
static int check(const struct end *source, const struct end *target, unsigned int flags, bool *same)
{
	int error;

	if (!*source->name)
		return -EBUSY;
	if (!*target->name)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (!source->there)
		return -ENOENT;
	if (target->there && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (!is_directory(source) && (source->slash || target->slash))
		return -ENOTDIR;
	error = check_nesting(source, target);
	if (error)
		return error;
	*same = target->there && sys_same(&source->stat, &target->stat);
	if (*same)
		return 0;
	error = check_permission(source);
	if (!error)
		error = check_permission(target);
	if (error)
		return error;
	if (is_directory(source))
		error = check_directory(source, target);
	else if (is_directory(target))
		error = -EISDIR;
	if (!error && (is_mount_point(source) || is_mount_point(target)))
		error = -EBUSY;
	return error;
}

/* ---- the move ------------------------------------------------------------------------------ */

/* What a failure is called by rename(2): as it is, if it tells what the user can mend. */
static int as_rename(int error)
{
	switch (error) {
	case 0:
	case -EDQUOT:
	case -EIO:
	case -ENOMEM:
	case -ENOSPC:
		return error;
	default:
		return -EXDEV;
	}
}

/* So that the new name is on the disk before the old one is gone. */
static int sync_directory(int directory)
{
	int fd = sys_open(directory, ".", SYS_READ_DIRECTORY);
	int error;

	/* who may not read a directory cannot sync it */
	if (fd < 0)
		return fd == -EACCES ? 0 : fd;
	error = sys_fsync(fd);
	sys_close(fd);
	return error == -EINVAL ? 0 : error;
}

/* Whether the copy has its temporary name again, and may be removed with it. */
static bool took_back(const struct copy *copy, const struct end *target, const struct statx *made)
{
	struct statx stat;

	if (target->there || sys_stat(target->parent, target->name, &stat) || !sys_same(&stat, made))
		return false;
	return !sys_rename(target->parent, target->name, target->parent, copy->temporary, 0);
}

/* From where the copy is in place on. */
static int finish(struct copy *copy, const struct end *target, const struct statx *made)
{
	bool some = false;
	int error = sync_directory(target->parent);

	if (!error)
		error = removal_of_marked(copy->source, copy->name, &copy->marks, &some);
	copy->made = error && !some && took_back(copy, target, made);
	/* all else would say that nothing was done */
	return error && !copy->made ? -EBUSY : as_rename(error);
}

static int run(struct copy *copy, const struct end *target, unsigned int flags)
{
	struct statx made;
	int error = copy_make(copy);

	if (!error)
		error = removal_check(copy->source, copy->name, &copy->marks);
	if (!error)
		error = sys_stat(target->parent, copy->temporary, &made);
	if (error)
		return copy->into_itself ? -EINVAL : as_rename(error);
	error = sys_rename(target->parent, copy->temporary, target->parent, target->name, flags);
	return error ? error : finish(copy, target, &made);
}

static int move_between(const struct end *source, const struct end *target, unsigned int flags)
{
	char temporary[sizeof(TEMPORARY) + 16];
	struct copy copy = {
		.source = source->parent,
		.name = source->name,
		.stat = source->stat,
		.target = target->parent,
		.temporary = temporary,
		.target_stat = target->parent_stat,
	};
	uint64_t number;
	int error = sys_random(&number);

	if (error)
		return as_rename(error);
	snprintf(temporary, sizeof(temporary), TEMPORARY "%016llx", (unsigned long long)number);
	error = run(&copy, target, flags);
	/* where that fails, too, fsck finds it by its name */
	if (error && copy.made)
		removal_of_copy(target->parent, temporary);
	copy_free(&copy);
	return error;
}

int move(int from_directory, const char *from, int to_directory, const char *to, unsigned int flags)
{
	struct end source = { .parent = -1 };
	struct end target = { .parent = -1 };
	bool same = false;
	int error;

	if (flags & ~(unsigned int)RENAME_NOREPLACE)
		return -EXDEV;
	error = look_up(&source, from_directory, from);
	if (!error)
		error = look_up(&target, to_directory, to);
	if (!error)
		error = check(&source, &target, flags, &same);
	if (!error && !same)
		error = move_between(&source, &target, flags);
	sys_close(source.parent);
	sys_close(target.parent);
	return error;
}
