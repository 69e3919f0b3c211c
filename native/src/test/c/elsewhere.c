/*
 * Mounts a copy of a directory in the mount namespace of another process, and unmounts there:
 *
 *   elsewhere PID attach SOURCE TARGET
 *   elsewhere PID unmount POINT
 *
 * A failure goes to standard error: the system call, and the number of the error.
 */
#include "../../main/c/run/elsewhere.h"
#include "../../main/c/run/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* It exits with 2 for what is not under test. */
static int get(int fd, const char *what)
{
	if (fd < 0) {
		perror(what);
		exit(2);
	}
	return fd;
}

static int open_of(const char *pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	return get(open(path, O_RDONLY | O_CLOEXEC), path);
}

int main(int count, char **arguments)
{
	int space = open_of(arguments[1], "ns/mnt");
	int root = open_of(arguments[1], "root");
	const char *call = "none";
	int error;

	if (count == 5) {
		int tree = sys_copy_mount(AT_FDCWD, arguments[3]);
		int target = sys_open_inside(root, arguments[4], O_DIRECTORY);

		if (tree < 0 || target < 0)
			return 2;
		error = elsewhere_attach(space, tree, target, &call);
		close(tree);
		close(target);
	} else {
		error = elsewhere_unmount(space, root, arguments[3], 0, &call);
	}
	close(space);
	close(root);
	if (error)
		fprintf(stderr, "%s: %d\n", call, -error);
	return error ? 1 : 0;
}
