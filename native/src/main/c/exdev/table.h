/* Pairs of numbers, each with a text if one was given with it. For one thread. */
#ifndef OVL_EXDEV_TABLE_H
#define OVL_EXDEV_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_entry {
	uint64_t key[2];
	char *text;
	bool used;
};

/* All zeros at first. */
struct table {
	struct table_entry *entries;
	size_t room;
	size_t count;
};

/* The entry with this key; NULL if there is none. */
struct table_entry *table_find(const struct table *table, uint64_t key0, uint64_t key1);

/*
 * Adds a pair that is not there yet. The text becomes the table's, and is freed where this fails,
 * too. 0 or -ENOMEM.
 */
int table_add(struct table *table, uint64_t key0, uint64_t key1, char *text);

void table_free(struct table *table);

/* What numbers become that are to be spread evenly. */
uint64_t table_mix(uint64_t hash, uint64_t number);

#endif
