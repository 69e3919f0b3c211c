#include "home.h"

#include "complain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether it is a directory that holds what this program starts. */
static bool is_installation(const char *home)
{
	char jar[PATH_MAX];
	struct stat status;
	int length = snprintf(jar, sizeof(jar), "%s/lib/ovl.jar", home);

	return length < PATH_MAX && !stat(jar, &status) && S_ISREG(status.st_mode);
}

/* Takes the last part from a path; NULL if it has none. */
static char *cut(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

bool find_home(char home[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
	const char *bin;

	if (length < 0 || length == sizeof(self)) {
		complain("cannot tell where it is installed", "/proc/self/exe",
			 length < 0 ? errno : ENAMETOOLONG);
		return false;
	}
	self[length] = '\0';
	strcpy(home, self);
	cut(home);
	bin = cut(home);
	if (!bin || strcmp(bin, "bin") || !is_installation(home)) {
		complain("not in an installation of ovl", self, 0);
		return false;
	}
	if (strchr(home, ':')) {
		complain("Java cannot run from a directory with a colon in its name", home, 0);
		return false;
	}
	return true;
}
