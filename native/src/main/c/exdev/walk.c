#include "walk.h"

#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LEVELS 16
#define ENTRIES_BYTES (32 * 1024)

/* As getdents64(2) gives it. */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* A directory that the walk is in, or has come through. */
struct level {
	char *names; /* each ended by a NUL */
	size_t end;
	size_t next;
	size_t current;
	uint64_t hash; /* of its path */
	struct statx stat;
	struct statx copy_stat;
};

static struct level *last(const struct walk *walk)
{
	return &walk->levels[walk->depth - 1];
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int append_name(struct level *level, size_t *room, const char *name)
{
	size_t size = strlen(name) + 1;

	if (level->end + size > *room) {
		size_t more = (*room + size) * 2;
		char *names = realloc(level->names, more);

		if (!names)
			return -ENOMEM;
		level->names = names;
		*room = more;
	}
	memcpy(level->names + level->end, name, size);
	level->end += size;
	return 0;
}

static int append_entries(struct level *level, size_t *room, const char *buffer, size_t size)
{
	for (size_t at = 0; at < size;) {
		const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
		int error = is_dots(entry->name) ? 0 : append_name(level, room, entry->name);

		if (error)
			return error;
		at += entry->size;
	}
	return 0;
}

/* All of it, since a directory that changes while it is read may tell names twice or never. */
static int list(int directory, struct level *level)
{
	char *buffer = malloc(ENTRIES_BYTES);
	size_t room = 0;
	ssize_t size;
	int error = 0;

	if (!buffer)
		return -ENOMEM;
	while (!error && (size = sys_entries(directory, buffer, ENTRIES_BYTES)) != 0)
		error = size < 0 ? (int)size : append_entries(level, &room, buffer, (size_t)size);
	free(buffer);
	return error;
}

static int push(struct walk *walk, const struct level *level)
{
	if (walk->depth == walk->room) {
		size_t room = walk->room ? walk->room * 2 : FIRST_LEVELS;
		struct level *levels = realloc(walk->levels, room * sizeof(*levels));

		if (!levels)
			return -ENOMEM;
		walk->levels = levels;
		walk->room = room;
	}
	walk->levels[walk->depth++] = *level;
	return 0;
}

static void pop(struct walk *walk)
{
	free(last(walk)->names);
	walk->depth--;
}

/* The walk goes on there; the directories of the top stay open. */
static void go_to(struct walk *walk, int here, int copy)
{
	if (walk->here != walk->top)
		sys_close(walk->here);
	if (walk->copy != walk->top_copy)
		sys_close(walk->copy);
	walk->here = here;
	walk->copy = copy;
}

/* Opens a directory, which is the one that is expected where that is given. */
static int open_directory(int parent, const char *name, const struct statx *expected,
			  struct statx *stat)
{
	int fd = sys_open(parent, name, SYS_READ_DIRECTORY);
	int error;

	if (fd < 0)
		return fd;
	error = sys_stat(fd, "", stat);
	if (!error && expected && !sys_same(stat, expected))
		error = -ESTALE;
	if (!error)
		return fd;
	sys_close(fd);
	return error;
}

static int descend(struct walk *walk, const char *name, const struct statx *stat)
{
	struct level level = { .stat = *stat, .hash = walk_path_hash(walk, name) };
	struct statx opened;
	int copy = -1;
	int error;
	int here = open_directory(walk->here, name, stat, &opened);

	if (here < 0)
		return here;
	error = list(here, &level);
	if (!error && walk->copy >= 0) {
		copy = open_directory(walk->copy, walk_copy_name(walk, name), NULL, &level.copy_stat);
		error = copy < 0 ? copy : 0;
	}
	if (!error)
		error = push(walk, &level);
	if (error) {
		free(level.names);
		sys_close(here);
		sys_close(copy);
		return error;
	}
	go_to(walk, here, copy);
	return walk->visitor->entered ? walk->visitor->entered(walk, stat, level.end == 0) : 0;
}

static int meet(struct walk *walk, const char *name)
{
	const struct visitor *visitor = walk->visitor;
	struct statx stat;
	int error = sys_stat(walk->here, name, &stat);

	/* Removed meanwhile, as its parent's times tell; or a whiteout, which overlayfs may list. */
	if (error == -ENOENT && !walk_at_top(walk))
		return 0;
	if (error)
		return error;
	if ((stat.stx_mode & S_IFMT) != S_IFDIR)
		return visitor->file(walk, name, &stat);
	error = visitor->before ? visitor->before(walk, name, &stat) : 0;
	return error ? error : descend(walk, name, &stat);
}

/* The directory above the last, which is in the tree as well. */
static int go_back(struct walk *walk)
{
	const struct level *parent = &walk->levels[walk->depth - 2];
	bool trusting = walk->visitor->trusting;
	struct statx stat;
	int copy = -1;
	int here = open_directory(walk->here, "..", trusting ? NULL : &parent->stat, &stat);

	if (here < 0)
		return here;
	if (walk->copy >= 0)
		copy = open_directory(walk->copy, "..", &parent->copy_stat, &stat);
	if (walk->copy >= 0 && copy < 0) {
		sys_close(here);
		return copy;
	}
	go_to(walk, here, copy);
	return 0;
}

static int ascend(struct walk *walk)
{
	const struct visitor *visitor = walk->visitor;
	int error = visitor->leaving ? visitor->leaving(walk, &last(walk)->stat) : 0;

	if (error)
		return error;
	if (walk->depth == 2)
		go_to(walk, walk->top, walk->top_copy);
	else
		error = go_back(walk);
	if (error)
		return error;
	pop(walk);
	return visitor->after ? visitor->after(walk, last(walk)->names + last(walk)->current) : 0;
}

static int step(struct walk *walk)
{
	struct level *level = last(walk);

	if (level->next < level->end) {
		level->current = level->next;
		level->next += strlen(level->names + level->current) + 1;
		return meet(walk, level->names + level->current);
	}
	if (walk->depth > 1)
		return ascend(walk);
	pop(walk);
	return 0;
}

int walk(struct walk *walk)
{
	struct level top = { .names = strdup(walk->name), .end = strlen(walk->name) + 1 };
	int error;

	walk->here = walk->top;
	walk->copy = walk->top_copy;
	walk->levels = NULL;
	walk->depth = walk->room = 0;
	error = top.names ? push(walk, &top) : -ENOMEM;
	if (error)
		free(top.names);
	while (!error && walk->depth > 0)
		error = step(walk);
	while (walk->depth > 0)
		pop(walk);
	go_to(walk, walk->top, walk->top_copy);
	free(walk->levels);
	return error;
}

bool walk_at_top(const struct walk *walk)
{
	return walk->depth == 1;
}

const char *walk_copy_name(const struct walk *walk, const char *name)
{
	return walk_at_top(walk) ? walk->copy_name : name;
}

/* The name by which the walk has come to the level after this one. */
static const char *way(const struct walk *walk, size_t level)
{
	return level == 0 ? walk->copy_name
			  : walk->levels[level].names + walk->levels[level].current;
}

char *walk_copy_path(const struct walk *walk, const char *name)
{
	size_t size = strlen(name) + 1;
	char *path;
	char *end;

	for (size_t i = 0; i + 1 < walk->depth; i++)
		size += strlen(way(walk, i)) + 1;
	path = malloc(size);
	if (!path)
		return NULL;
	end = path;
	for (size_t i = 0; i + 1 < walk->depth; i++) {
		end = stpcpy(end, way(walk, i));
		*end++ = '/';
	}
	stpcpy(end, name);
	return path;
}

uint64_t walk_path_hash(const struct walk *walk, const char *name)
{
	uint64_t hash = last(walk)->hash;

	while (*name)
		hash = table_mix(hash, (unsigned char)*name++);
	return table_mix(hash, '/');
}

int walk_is_empty(int parent, const char *name)
{
	struct level level = { 0 };
	struct statx stat;
	int fd = open_directory(parent, name, NULL, &stat);
	int error;

	if (fd < 0)
		return fd;
	error = list(fd, &level);
	/* what is listed and not there is a whiteout */
	for (size_t at = 0; !error && at < level.end; at += strlen(level.names + at) + 1)
		if (sys_stat(fd, level.names + at, &stat) != -ENOENT)
			error = -ENOTEMPTY;
	free(level.names);
	sys_close(fd);
	return error;
}
