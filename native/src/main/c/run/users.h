/* User namespaces that say how ids are mapped, and in which nobody lives. */
#ifndef OVL_RUN_USERS_H
#define OVL_RUN_USERS_H

/*
 * A descriptor of a new user namespace with these maps, in the format of /proc/PID/uid_map, or the
 * negated number of an error.
 */
int users_map(const char *users, const char *groups);

#endif
