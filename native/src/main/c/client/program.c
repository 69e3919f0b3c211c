#include "program.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

enum program program_called(void)
{
	const char *name = program_invocation_short_name;

	if (!strcmp(name, "mountd"))
		return PROGRAM_MOUNTD;
	/* mount(8) and fsck(8) look for a helper of the file system's type */
	if (starts_with(name, "mount."))
		return PROGRAM_MOUNT_HELPER;
	if (starts_with(name, "fsck."))
		return PROGRAM_FSCK_HELPER;
	return PROGRAM_OVLCTL;
}

const char *program_verb(enum program program)
{
	switch (program) {
	case PROGRAM_MOUNT_HELPER:
		return "mount.ovl";
	case PROGRAM_FSCK_HELPER:
		return "fsck.overlay";
	case PROGRAM_OVLCTL:
	case PROGRAM_MOUNTD:
		break;
	}
	return NULL;
}
