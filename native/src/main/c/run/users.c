#include "users.h"

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file of a process in /proc. */
static int open_of(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int users_write(pid_t pid, const char *name, const char *text)
{
	int fd = open_of(pid, name, O_WRONLY);
	int error;

	if (fd < 0)
		return fd;
	error = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return error;
}

/*
 * Lives until the other end is closed. It keeps nothing else open: not that other end, nor one on
 * which another such child waits.
 */
static _Noreturn void wait_for_end(int end)
{
	char any;

	sys_close_others(&end, 1);
	while (read(end, &any, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

int users_map(const char *users, const char *groups)
{
	int ends[2];
	int space;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = sys_fork_blocked(CLONE_NEWUSER);
	if (child == 0)
		wait_for_end(ends[0]);
	close(ends[0]);
	if (child < 0) {
		close(ends[1]);
		return child;
	}
	space = users_write(child, "uid_map", users);
	if (!space)
		space = users_write(child, "gid_map", groups);
	if (!space)
		space = open_of(child, "ns/user", O_RDONLY);
	close(ends[1]);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return space;
}
