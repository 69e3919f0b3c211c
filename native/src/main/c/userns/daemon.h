/* The namespaces that an ordinary user's daemon holds. */
#ifndef OVL_USERNS_DAEMON_H
#define OVL_USERNS_DAEMON_H

#include "state.h"

#include <sys/socket.h>

/*
 * Connects to whoever listens at a path of any length; -1 if nobody does. The socket is none of the
 * standard streams, even where those are closed, and is closed on exec. Flags are those of
 * socket(2).
 */
int daemon_connect(const char *path, int flags);

/* Who listens at the other end, as of when that began; false with errno set if it cannot be told. */
bool daemon_peer(int connection, struct ucred *peer);

/* Whether who listens at the other end is there, in another user namespace than this process. */
bool daemon_is_apart(int connection);

/*
 * Enters the user and mount namespace of who listens at the other end, with the same working
 * directory: for a process with one thread. USERNS_DAEMON or USERNS_NONE.
 */
enum userns_state daemon_enter(int connection, struct userns_reason *reason);

#endif
