#include "subids.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number that ends with the given character; advances to behind it. */
static bool number(char **text, char end, unsigned long *value)
{
	char *after;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*value = strtoul(*text, &after, 10);
	if (errno || *value > 0xffffffffUL || *after != end)
		return false;
	*text = after + 1;
	return true;
}

static bool is_of(const char *owner, const char *name, unsigned int uid)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%u", uid);
	return !strcmp(owner, digits) || (name && !strcmp(owner, name));
}

static void take(char *line, const char *name, unsigned int uid, struct subids *ids)
{
	char *colon = strchr(line, ':');
	char *rest;
	unsigned long first;
	unsigned long count;

	if (!colon)
		return;
	*colon = '\0';
	rest = colon + 1;
	if (!is_of(line, name, uid) || !number(&rest, ':', &first) || !number(&rest, '\n', &count)
	    || count == 0)
		return;
	ids->ranges[ids->count].first = first;
	ids->ranges[ids->count++].count = count;
}

void subids_read(const char *file, const char *name, unsigned int uid, struct subids *ids)
{
	FILE *in = fopen(file, "re");
	char *line = NULL;
	size_t size = 0;

	ids->count = 0;
	if (!in)
		return;
	while (ids->count < SUBIDS_MOST && getline(&line, &size, in) > 0)
		take(line, name, uid, ids);
	free(line);
	fclose(in);
}
