/* Looks at a tree once more, and removes it. */
#ifndef OVL_EXDEV_REMOVAL_H
#define OVL_EXDEV_REMOVAL_H

#include "table.h"

#include <stdbool.h>

/* Whether all of a tree is as it was marked, and nothing else is in it: 0, -ESTALE, another errno. */
int removal_check(int directory, const char *name, const struct table *marks);

/*
 * Removes of a tree what is as it was marked. Ends at anything else, with -ESTALE, and where
 * something cannot be removed, with that errno.
 *
 * some: becomes true when something is removed
 */
int removal_of_marked(int directory, const char *name, const struct table *marks, bool *some);

/* Removes a tree of this library's own. */
int removal_of_copy(int directory, const char *name);

#endif
