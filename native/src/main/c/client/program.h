/* The programs that this one is. */
#ifndef OVL_CLIENT_PROGRAM_H
#define OVL_CLIENT_PROGRAM_H

enum program { PROGRAM_OVLCTL, PROGRAM_MOUNTD, PROGRAM_MOUNT_HELPER, PROGRAM_FSCK_HELPER };

/* By the name that it was called by; by any other it is ovlctl. */
enum program program_called(void);

/* The verb of ovlctl that a helper is, which goes before its arguments; NULL for other programs. */
const char *program_verb(enum program program);

#endif
