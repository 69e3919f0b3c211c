/* The ids that an ordinary user was given besides their own: subuid(5), subgid(5). */
#ifndef OVL_USERNS_SUBIDS_H
#define OVL_USERNS_SUBIDS_H

#include <stddef.h>

enum { SUBIDS_MOST = 32 };

struct subids {
	struct {
		unsigned long first;
		unsigned long count;
	} ranges[SUBIDS_MOST];
	size_t count;
};

/*
 * Those of the user, known by name or number, in such a file; none where there is no file. What is
 * no line of this format is passed over, as newuidmap(1) does.
 */
void subids_read(const char *file, const char *name, unsigned int uid, struct subids *ids);

#endif
