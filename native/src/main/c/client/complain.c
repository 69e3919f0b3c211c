#include "complain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void complain(const char *what, const char *about, int error)
{
	const char *name = program_invocation_short_name;

	if (error)
		dprintf(STDERR_FILENO, "%s: %s: %s (%s)\n", name, what, about, strerrorname_np(error));
	else
		dprintf(STDERR_FILENO, "%s: %s: %s\n", name, what, about);
}
