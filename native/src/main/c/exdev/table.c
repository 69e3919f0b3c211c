#include "table.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 64

uint64_t table_mix(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
	hash ^= hash >> 32;
	hash *= UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 29;
}

/* Where a key is or belongs; there is always a free place. */
static struct table_entry *place(struct table_entry *entries, size_t room, const uint64_t key[2])
{
	size_t i = (size_t)table_mix(key[0], key[1]) & (room - 1);

	while (entries[i].used && (entries[i].key[0] != key[0] || entries[i].key[1] != key[1]))
		i = (i + 1) & (room - 1);
	return &entries[i];
}

struct table_entry *table_find(const struct table *table, uint64_t key0, uint64_t key1)
{
	struct table_entry *entry;

	if (table->room == 0)
		return NULL;
	entry = place(table->entries, table->room, (const uint64_t[]){ key0, key1 });
	return entry->used ? entry : NULL;
}

static int grow(struct table *table)
{
	size_t room = table->room ? table->room * 2 : FIRST_ROOM;
	struct table_entry *entries = calloc(room, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < table->room; i++)
		if (table->entries[i].used)
			*place(entries, room, table->entries[i].key) = table->entries[i];
	free(table->entries);
	table->entries = entries;
	table->room = room;
	return 0;
}

int table_add(struct table *table, uint64_t key0, uint64_t key1, char *text)
{
	struct table_entry *entry;

	if ((table->count + 1) * 2 > table->room && grow(table)) {
		free(text);
		return -ENOMEM;
	}
	entry = place(table->entries, table->room, (const uint64_t[]){ key0, key1 });
	if (!entry->used)
		table->count++;
	free(entry->text);
	*entry = (struct table_entry){ .key = { key0, key1 }, .text = text, .used = true };
	return 0;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->room; i++)
		free(table->entries[i].text);
	free(table->entries);
	*table = (struct table){ 0 };
}
