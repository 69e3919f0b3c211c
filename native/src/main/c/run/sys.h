/*
 * System calls that libc has no wrapper for, or one that speaks to other threads (setuid and its
 * family), or only in newer versions. They return a result or the negated number of an error.
 */
#ifndef OVL_RUN_SYS_H
#define OVL_RUN_SYS_H

#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A child that goes on from here, as by fork(2), in new namespaces; only of this thread. */
pid_t sys_fork(unsigned long namespaces);

/* As sys_fork, with all signals blocked in the child: handlers are another process's. */
pid_t sys_fork_blocked(unsigned long namespaces);

/* Of any signal, those included that libc keeps for itself. */
void sys_default_action(int signal);

void sys_close_range(unsigned int first, unsigned int last);

/* The lowest of some descriptors that is not below next; ~0U if there is none. */
unsigned int sys_lowest(const int *descriptors, size_t count, unsigned int next);

/* Closes all descriptors but these. */
void sys_close_others(const int *kept, size_t count);

/* Opens with O_PATH what a name means to those who have root as their root directory. */
int sys_open_inside(int root, const char *name, int flags);

/* A mount of a new file system, attached nowhere; options are key, value, …, NULL. */
int sys_new_mount(const char *type, const char *const *options, unsigned int attributes);

/* A copy of a mount and of those below it, attached nowhere; of a descriptor's if there is no name. */
int sys_copy_mount(int directory, const char *name);

/* Attaches a mount on what the descriptor is of. */
int sys_attach(int mount, int on);

/* Makes a mount and those below it read-only; on kernels before 5.12 that mount alone. */
int sys_read_only(int mount);

/* Has an attached mount and those below it share nothing with others. */
int sys_private(int mount);

int sys_pivot_root(const char *new_root, const char *old_root);

/* The groups stay as they are where the user namespace allows nothing else: setgroups is "deny". */
int sys_set_user(uid_t uid, gid_t gid, const gid_t *groups, size_t count);

#endif
