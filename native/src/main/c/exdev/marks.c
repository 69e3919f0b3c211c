#include "marks.h"

#include <sys/stat.h>

static uint64_t mix_time(uint64_t mark, const struct statx_timestamp *time)
{
	return table_mix(table_mix(mark, (uint64_t)time->tv_sec), time->tv_nsec);
}

/*
 * Of directories without their number, which overlayfs does not always keep while nobody uses them.
 */
static uint64_t mark(const struct walk *walk, const char *name, const struct statx *stat,
		     bool with_change)
{
	uint64_t mark = walk_path_hash(walk, name);

	mark = table_mix(mark, stat->stx_mode);
	mark = table_mix(mark, (uint64_t)stat->stx_uid << 32 | stat->stx_gid);
	mark = mix_time(mark, &stat->stx_mtime);
	if (with_change)
		mark = mix_time(mark, &stat->stx_ctime);
	if (S_ISDIR(stat->stx_mode))
		return mark;
	mark = table_mix(mark, (uint64_t)stat->stx_dev_major << 32 | stat->stx_dev_minor);
	mark = table_mix(mark, stat->stx_ino);
	mark = table_mix(mark, stat->stx_size);
	return table_mix(mark, (uint64_t)stat->stx_rdev_major << 32 | stat->stx_rdev_minor);
}

/*
 * A file with several names is changed by the removal of the first. It is known without that time
 * then, also when its last name is left.
 */
int marks_add(struct table *marks, const struct walk *walk, const char *name,
	      const struct statx *stat)
{
	bool linked = !S_ISDIR(stat->stx_mode) && stat->stx_nlink > 1;

	return table_add(marks, mark(walk, name, stat, !linked), 0, NULL);
}

bool marks_have(const struct table *marks, const struct walk *walk, const char *name,
		const struct statx *stat)
{
	return table_find(marks, mark(walk, name, stat, true), 0)
	       || table_find(marks, mark(walk, name, stat, false), 0);
}
