/* Handing a command line over to a daemon that is there already. */
#ifndef OVL_CLIENT_HANDOVER_H
#define OVL_CLIENT_HANDOVER_H

#include <stdbool.h>

/*
 * Has mountd carry out a command line of ovlctl's, with this process's streams, directory and
 * environment, and passes on that the user wants to stop.
 *
 * False if there is none that would do the same as this process itself: then nothing was done, but
 * that an ordinary user's process may be in the namespaces of their daemon, of which the environment
 * tells Java. Else status is the exit status.
 */
bool handover(const char *home, char *const *arguments, int *status);

#endif
