/* Mounting in the mount namespace of another process, by a child that enters it. */
#ifndef OVL_RUN_ELSEWHERE_H
#define OVL_RUN_ELSEWHERE_H

/*
 * They return 0, or the negated number of an error, and then the name of the system call that it is
 * of; nothing is changed then.
 */

/*
 * Attaches a mount that is attached nowhere on what the descriptor target is of, which must be of that
 * namespace. What is mounted in it later is nobody else's business.
 */
int elsewhere_attach(int space, int tree, int target, const char **call);

/*
 * Unmounts what is mounted on a directory.
 *
 * root: the directory that point is seen from as an absolute path
 * flags: of umount2(2)
 */
int elsewhere_unmount(int space, int root, const char *point, int flags, const char **call);

#endif
