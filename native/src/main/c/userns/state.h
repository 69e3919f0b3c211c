/* What an ordinary user has for a user namespace, as ovl's programs tell each other and Java. */
#ifndef OVL_USERNS_STATE_H
#define OVL_USERNS_STATE_H

#include <stdbool.h>
#include <stddef.h>

enum userns_state {
	USERNS_NONE, /* there is none, and reason says why */
	USERNS_OUTSIDE, /* the daemon is another user's: all is to be asked of it */
	USERNS_OWN, /* a new one, which ends with this process and its children */
	USERNS_DAEMON, /* the one of the user's daemon, with its mounts */
};

/* A sentence. */
struct userns_reason {
	char text[384];
};

/*
 * The variable that tells a program of ovl's that it is in an ordinary user's namespace already, and
 * which: one that is held, as beneath 'ovlctl unshare', or the daemon's, entered for this call only.
 */
extern const char USERNS_VARIABLE[];
extern const char USERNS_HELD[];
extern const char USERNS_ENTERED[];

/* Whether this process is an ordinary user's, who may be root in a namespace. */
bool userns_is_ordinary(void);

/* USERNS_NONE, and why. */
__attribute__((format(printf, 2, 3))) enum userns_state userns_none(struct userns_reason *reason,
								    const char *format, ...);

/* USERNS_NONE: a call failed; names what of a system's settings forbids it, where that can be told. */
enum userns_state userns_refused(struct userns_reason *reason, const char *what, int error);

/* One word, or "none" and why. */
void userns_describe(enum userns_state state, const struct userns_reason *reason, char *text,
		     size_t size);

#endif
