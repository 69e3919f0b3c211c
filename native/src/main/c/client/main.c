/*
 * ovlctl, mountd, mount.ovl and fsck.overlay of an installation: finds out which of them it is and
 * where it lies, has a daemon that is there do the work, or becomes the Java machine that does it.
 *
 * bin/ovlctl-java does the same as a script, for whoever cannot or will not run this.
 */
#include "handover.h"
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
	int status;

	if (!find_home(home))
		return EXIT_FAILURE;
	if (program == PROGRAM_OVLCTL && handover(home, arguments, &status))
		return status;
	return launch_java(home, program, arguments);
}
