/*
 * Goes through a tree, and through its copy beside it, by descriptors: names may be nested deeper
 * than a path can be long, or a program may have descriptors. Of each tree one directory is open at
 * a time besides the top; the way back is "..". There is no recursion.
 */
#ifndef OVL_EXDEV_WALK_H
#define OVL_EXDEV_WALK_H

#include "sys.h"

struct walk;

/* What is done on the way. Each returns 0, or a negated errno that ends the walk. Some may be NULL. */
struct visitor {
	/* What is no directory. */
	int (*file)(struct walk *walk, const char *name, const struct statx *stat);
	/* A directory, before it is opened, and its copy too. */
	int (*before)(struct walk *walk, const char *name, const struct statx *stat);
	/* Both are open, the walk is in them, and what is in them follows. */
	int (*entered)(struct walk *walk, const struct statx *stat, bool empty);
	/* All that is in it is done. */
	int (*leaving)(struct walk *walk, const struct statx *stat);
	/* The walk is in its parent again. */
	int (*after)(struct walk *walk, const char *name);
	/*
	 * Whether the way back is believed. Else directories are compared with what they were. One that
	 * overlayfs copies up, as it does when something in it is removed, may get another number.
	 */
	bool trusting;
};

struct walk {
	/* Given by the caller: what is gone through is this name in this directory, */
	const struct visitor *visitor;
	int top;
	const char *name;
	/* its copy is that in this one, or -1, */
	int top_copy;
	const char *copy_name;
	/* and this is for the visitor. */
	void *context;

	/* The directories that the walk is in. */
	int here;
	int copy;

	struct level *levels;
	size_t depth;
	size_t room;
};

/* 0, or what ended it: an errno of its own system calls, -ESTALE where things moved, a visitor's. */
int walk(struct walk *walk);

/* Whether this is the very first name, and not in a directory of the tree. */
bool walk_at_top(const struct walk *walk);

/* What the copy of a name is called: the same, unless it is the first. */
const char *walk_copy_name(const struct walk *walk, const char *name);

/* From the copy's top to that of a name here, to be freed; NULL where there is no memory. */
char *walk_copy_path(const struct walk *walk, const char *name);

/* A number that stands for the whole path of a name here. */
uint64_t walk_path_hash(const struct walk *walk, const char *name);

/* Whether a directory has entries: 0, -ENOTEMPTY, or another errno. */
int walk_is_empty(int parent, const char *name);

#endif
