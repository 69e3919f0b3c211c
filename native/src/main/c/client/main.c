/*
 * ovlctl, mountd, mount.ovl and fsck.overlay of an installation: finds out which of them it is and
 * where it lies, and becomes the Java machine that does the work.
 *
 * bin/ovlctl-java does the same as a script, for systems with a libc older than this is linked to.
 */
#include "home.h"
#include "launch.h"
#include "program.h"

#include <limits.h>
#include <stdlib.h>

int main(int count, char **words)
{
	char *const *arguments = count > 0 ? words + 1 : words;
	enum program program = program_called();
	char home[PATH_MAX];

	if (!find_home(home))
		return EXIT_FAILURE;
	/* What need not be done by a Java machine of its own is to be done here. */
	return launch_java(home, program, arguments);
}
