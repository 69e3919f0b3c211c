/* The user namespace in which an ordinary user is root, over mounts of their own. */
#ifndef OVL_USERNS_USERNS_H
#define OVL_USERNS_USERNS_H

#include "state.h"

/*
 * Enters a new user and mount namespace: for a process with one thread. The caller is root in it,
 * and has the ids of /etc/subuid and /etc/subgid besides where newuidmap(1) and newgidmap(1) are
 * there. What the host mounts from now on is seen, and nothing goes the other way.
 */
enum userns_state userns_new(struct userns_reason *reason);

/*
 * Enters the namespaces of the daemon that listens at the path, with the same working directory; or
 * new ones if none does.
 */
enum userns_state userns_join(const char *socket, struct userns_reason *reason);

#endif
