#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { ABOVE_STREAMS = 3 };

static int new_socket(int flags)
{
	int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	int moved;

	if (made < 0 || made >= ABOVE_STREAMS)
		return made;
	moved = fcntl(made, F_DUPFD_CLOEXEC, ABOVE_STREAMS);
	close(made);
	return moved;
}

int daemon_connect(const char *path, int flags)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int file = open(path, O_PATH | O_CLOEXEC);
	int made = file < 0 ? -1 : new_socket(flags);

	/* by descriptor, which fits whatever the path */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", file);
	if (made >= 0 && connect(made, (const struct sockaddr *)&address, sizeof(address))) {
		close(made);
		made = -1;
	}
	if (file >= 0)
		close(file);
	return made;
}

bool daemon_peer(int connection, struct ucred *peer)
{
	socklen_t size = sizeof(*peer);

	return !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, peer, &size);
}

/* Whether both processes are in one user namespace; what cannot be looked at is in another. */
static bool shares_namespace(pid_t pid)
{
	struct stat ours;
	struct stat theirs;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return !stat("/proc/self/ns/user", &ours) && !stat(path, &theirs)
	       && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* Whether nobody has ended it yet. */
static bool is_open(int connection)
{
	char any;

	return recv(connection, &any, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

bool daemon_is_apart(int connection)
{
	struct ucred peer;

	return daemon_peer(connection, &peer) && !shares_namespace(peer.pid) && is_open(connection);
}

/* What has the path of this process's working directory in the namespace of another; -1: nothing. */
static int open_directory(pid_t pid, struct userns_reason *reason)
{
	char path[PATH_MAX + 40];
	size_t length = (size_t)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	const char *directory = path + length;
	int found;

	if (!getcwd(path + length, sizeof(path) - length)) {
		userns_none(reason, "the working directory: %s", strerror(errno));
		return -1;
	}
	found = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (found < 0)
		userns_none(reason, "the daemon's namespace has no %s: %s", directory,
			    strerror(errno));
	return found;
}

static enum userns_state enter(int process, int directory, struct userns_reason *reason)
{
	if (setns(process, CLONE_NEWUSER | CLONE_NEWNS))
		return userns_refused(reason, "entering the daemon's namespaces", errno);
	if (fchdir(directory)) {
		fprintf(stderr, "ovlctl: the working directory in the daemon's namespace: %s\n",
			strerror(errno));
		/* there is no way back */
		exit(EXIT_FAILURE);
	}
	return USERNS_DAEMON;
}

enum userns_state daemon_enter(int connection, struct userns_reason *reason)
{
	enum userns_state state = USERNS_NONE;
	struct ucred peer;
	int directory;
	int process;

	process = daemon_peer(connection, &peer) ? (int)syscall(SYS_pidfd_open, peer.pid, 0) : -1;
	if (process < 0)
		return userns_refused(reason, "the daemon's process", errno);
	directory = open_directory(peer.pid, reason);
	if (directory >= 0) {
		/* as long as the connection lasts the number is the daemon's */
		state = is_open(connection) ? enter(process, directory, reason)
					    : userns_none(reason, "the daemon has ended");
		close(directory);
	}
	close(process);
	return state;
}
