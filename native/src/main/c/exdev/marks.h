/*
 * What was met in a tree, so that later walks can tell what is still the same. A mark is made of a
 * name's whole path, and of the type, owner, permissions, size and times of what has it.
 */
#ifndef OVL_EXDEV_MARKS_H
#define OVL_EXDEV_MARKS_H

#include "table.h"
#include "walk.h"

/* 0 or -ENOMEM. */
int marks_add(struct table *marks, const struct walk *walk, const char *name,
	      const struct statx *stat);
bool marks_have(const struct table *marks, const struct walk *walk, const char *name,
		const struct statx *stat);

#endif
