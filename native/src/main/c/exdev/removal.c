#include "removal.h"

#include "marks.h"

#include <errno.h>
#include <unistd.h>

struct removal {
	const struct table *marks;
	size_t met;
	bool *some;
};

static int go(int directory, const char *name, const struct visitor *visitor,
	      struct removal *removal)
{
	struct walk way = {
		.visitor = visitor,
		.top = directory,
		.name = name,
		.top_copy = -1,
		.context = removal,
	};

	return walk(&way);
}

/* ---- looking ------------------------------------------------------------------------------- */

static int check(struct walk *walk, const char *name, const struct statx *stat)
{
	struct removal *removal = walk->context;

	removal->met++;
	return marks_have(removal->marks, walk, name, stat) ? 0 : -ESTALE;
}

static const struct visitor checking = { .file = check, .before = check };

int removal_check(int directory, const char *name, const struct table *marks)
{
	struct removal removal = { .marks = marks };
	int error = go(directory, name, &checking, &removal);

	return !error && removal.met != marks->count ? -ESTALE : error;
}

/* ---- removing what was looked at ----------------------------------------------------------- */

static int remove_entry(struct walk *walk, const char *name, bool is_directory)
{
	struct removal *removal = walk->context;
	int error = sys_unlink(walk->here, name, is_directory);

	if (!error)
		*removal->some = true;
	/* somebody else was quicker */
	return error == -ENOENT ? 0 : error;
}

static int remove_file(struct walk *walk, const char *name, const struct statx *stat)
{
	int error = check(walk, name, stat);

	return error ? error : remove_entry(walk, name, false);
}

static int remove_directory(struct walk *walk, const char *name)
{
	return remove_entry(walk, name, true);
}

/* Safe though it trusts: files are removed by their marks only, and directories only empty. */
static const struct visitor removing = {
	.file = remove_file,
	.before = check,
	.after = remove_directory,
	.trusting = true,
};

int removal_of_marked(int directory, const char *name, const struct table *marks, bool *some)
{
	struct removal removal = { .marks = marks, .some = some };

	return go(directory, name, &removing, &removal);
}

/* ---- removing a copy ----------------------------------------------------------------------- */

static int drop_file(struct walk *walk, const char *name, const struct statx *stat)
{
	(void)stat;
	return sys_unlink(walk->here, name, false);
}

/* It may have got the permissions of one that may not be written to, which root does not mind. */
static int open_up(struct walk *walk, const char *name, const struct statx *stat)
{
	(void)stat;
	return geteuid() == 0 ? 0 : sys_chmod(walk->here, name, 0700);
}

static int drop_directory(struct walk *walk, const char *name)
{
	return sys_unlink(walk->here, name, true);
}

static const struct visitor dropping = {
	.file = drop_file,
	.before = open_up,
	.after = drop_directory,
};

int removal_of_copy(int directory, const char *name)
{
	struct removal removal = { 0 };

	return go(directory, name, &dropping, &removal);
}
