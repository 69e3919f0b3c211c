/* What of a command line of ovlctl says where it is to run. */
#ifndef OVL_USERNS_CALL_H
#define OVL_USERNS_CALL_H

#include <stdbool.h>
#include <stddef.h>

struct call {
	const char *verb;
	const char *host; /* as the option or OVL_HOST has it */
	const char *root;
	const char *run; /* as the option or OVL_RUN has it */
	char *const *command; /* of unshare, and perhaps empty; NULL if it is no call of that */
};

/* Java itself says what is wrong with a command line: what makes no sense is passed over. */
void call_read(char *const *words, struct call *call);

/* Whether the verb works with the rights of whoever calls it, or for mount(8), which has root's. */
bool call_stays_outside(const struct call *call);

/*
 * The path of a socket in the run directory, as dev.ovl.config has it, as far as can be told without
 * the configuration's file. Whether it fits.
 */
bool call_socket(const struct call *call, const char *name, char *path, size_t size);

#endif
