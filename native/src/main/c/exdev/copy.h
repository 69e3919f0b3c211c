/*
 * Makes a copy of a tree, or of a file of any kind, from which nothing is missing: hard links
 * within the tree, holes, extended attributes with ACLs and capabilities, owners, permissions, times
 * of access and change of the data.
 */
#ifndef OVL_EXDEV_COPY_H
#define OVL_EXDEV_COPY_H

#include "data.h"
#include "table.h"
#include "walk.h"

struct copy {
	/* What is copied, by its name in a directory; */
	int source;
	const char *name;
	struct statx stat;
	/* into this directory, by that name. */
	int target;
	const char *temporary;
	struct statx target_stat;

	/* What was copied. */
	struct table marks;
	/* Whether the temporary name is there, and ours. */
	bool made;
	/* Whether it failed since the target's directory is in the tree. */
	bool into_itself;

	struct table links;
	struct data_ways ways;
	char *names;
	uint64_t limit;
};

/*
 * Makes the copy, and sees to it that it is on the disk but for its name. A negated errno: -EXDEV
 * where the tree cannot be moved by copying since it holds mount points or what may not be removed,
 * -ESTALE where it changes, and those of system calls; what is there of the copy stays.
 */
int copy_make(struct copy *copy);

void copy_free(struct copy *copy);

#endif
