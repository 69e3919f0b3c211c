/* User namespaces: their maps, and such that say how ids are mapped, in which nobody lives. */
#ifndef OVL_RUN_USERS_H
#define OVL_RUN_USERS_H

#include <sys/types.h>

/*
 * Writes to a file of the process in /proc, in one call, as the kernel takes uid_map, gid_map and
 * setgroups. 0 or the negated number of an error.
 */
int users_write(pid_t pid, const char *name, const char *text);

/*
 * A descriptor of a new user namespace with these maps, in the format of /proc/PID/uid_map, or the
 * negated number of an error.
 */
int users_map(const char *users, const char *groups);

#endif
