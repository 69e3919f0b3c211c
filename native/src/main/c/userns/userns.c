#include "userns.h"

#include "../run/users.h"
#include "daemon.h"
#include "subids.h"

#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the system says who has which ids; tests have another place. */
#ifndef OVL_SUBIDS
#define OVL_SUBIDS "/etc/"
#endif

/* ---- ids ----------------------------------------------------------------------------------- */

/* newuidmap(1) or newgidmap(1), which waits until it is told to begin. */
struct mapper {
	const char *program;
	pid_t pid;
	int begin; /* to be written to, or closed if it shall not begin */
	int said; /* what it says of itself */
};

enum { WORD = 12, FIRST_WORDS = 2, WORDS_A_RANGE = 3 };

/* PID, and for each range where it begins inside and outside, and its length; the caller's id is 0. */
static void write_arguments(pid_t pid, unsigned int own, const struct subids *ids, const char *program,
			    char words[][WORD], char **arguments)
{
	size_t at = 0;
	unsigned long inside = 1;

	arguments[at++] = (char *)(uintptr_t)program;
	snprintf(words[at++], WORD, "%d", pid);
	snprintf(words[at++], WORD, "0");
	snprintf(words[at++], WORD, "%u", own);
	snprintf(words[at++], WORD, "1");
	for (size_t i = 0; i < ids->count; i++) {
		snprintf(words[at++], WORD, "%lu", inside & 0xffffffffUL);
		snprintf(words[at++], WORD, "%lu", ids->ranges[i].first & 0xffffffffUL);
		snprintf(words[at++], WORD, "%lu", ids->ranges[i].count & 0xffffffffUL);
		inside += ids->ranges[i].count;
	}
	for (size_t i = 1; i < at; i++)
		arguments[i] = words[i];
	arguments[at] = NULL;
}

static _Noreturn void become_mapper(const char *program, char **arguments, int begin, int said)
{
	char any;

	if (read(begin, &any, 1) != 1)
		_exit(0);
	if (dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	execvp(program, arguments);
	dprintf(STDERR_FILENO, "%s", strerror(errno));
	_exit(EXIT_FAILURE);
}

/*
 * Outside, since it has its rights there alone. 0 or the negated number of an error. Another one,
 * or -1, waits for the end of a pipe that is not to be held.
 */
static int start_mapper(struct mapper *mapper, const char *program, unsigned int own,
			const struct subids *ids, int other)
{
	char words[FIRST_WORDS + WORDS_A_RANGE * (SUBIDS_MOST + 1)][WORD];
	char *arguments[FIRST_WORDS + WORDS_A_RANGE * (SUBIDS_MOST + 1) + 1];
	int begin[2];
	int said[2];

	if (pipe2(begin, O_CLOEXEC))
		return -errno;
	if (pipe2(said, O_CLOEXEC)) {
		int error = errno;

		close(begin[0]);
		close(begin[1]);
		return -error;
	}
	write_arguments(getpid(), own, ids, program, words, arguments);
	mapper->program = program;
	mapper->begin = begin[1];
	mapper->said = said[0];
	mapper->pid = fork();
	if (mapper->pid == 0) {
		close(begin[1]);
		if (other >= 0)
			close(other);
		become_mapper(program, arguments, begin[0], said[1]);
	}
	close(begin[0]);
	close(said[1]);
	if (mapper->pid < 0) {
		int error = errno;

		close(begin[1]);
		close(said[0]);
		return -error;
	}
	return 0;
}

/* Has it map, or end without. Whether it did; else text is its first line. */
static bool end_mapper(struct mapper *mapper, bool map, char *text, size_t size)
{
	size_t length = 0;
	ssize_t some = 0;
	char rest[64];
	int status;

	/* one that is gone has told why, or is told of by its status */
	if (map && write(mapper->begin, "", 1) != 1)
		map = false;
	close(mapper->begin);
	while (length + 1 < size && (some = read(mapper->said, text + length, size - 1 - length)) > 0)
		length += (size_t)some;
	while (some > 0)
		some = read(mapper->said, rest, sizeof(rest));
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	close(mapper->said);
	while (waitpid(mapper->pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return map && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whether there is such a program to execute. */
static bool is_there(const char *program)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		size_t length = strcspn(path, ":");

		if (snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, program)
			    < (int)sizeof(file)
		    && !access(file, X_OK))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

/* The caller's id alone; groups cannot be given up then, since they may take rights away. */
static enum userns_state map_one(uid_t uid, gid_t gid, struct userns_reason *reason)
{
	char users[40];
	char groups[40];
	int error;

	snprintf(users, sizeof(users), "0 %u 1", uid);
	snprintf(groups, sizeof(groups), "0 %u 1", gid);
	error = users_write(getpid(), "uid_map", users);
	if (!error)
		error = users_write(getpid(), "setgroups", "deny");
	if (!error)
		error = users_write(getpid(), "gid_map", groups);
	return error ? userns_refused(reason, "mapping ids", -error) : USERNS_OWN;
}

/* ---- a new one ----------------------------------------------------------------------------- */

/*
 * The kernel has made all that was shared a slave, since the owner of the mounts is another now.
 * That it is asked to do so shows whether the new root may do what a root does.
 */
static enum userns_state try_mounting(struct userns_reason *reason)
{
	return mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL)
		       ? userns_refused(reason, "changing mounts in a user namespace", errno)
		       : USERNS_OWN;
}

static enum userns_state unshare_and_map(struct mapper mappers[2], size_t count,
					 struct userns_reason *reason)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	bool unshared = !unshare(CLONE_NEWUSER | CLONE_NEWNS);
	int error = errno;
	const char *failed = NULL;
	char said[160] = "";

	for (size_t i = 0; i < count; i++) {
		char text[sizeof(said)];

		if (!end_mapper(&mappers[i], unshared, text, sizeof(text)) && !failed) {
			failed = mappers[i].program;
			memcpy(said, text, sizeof(said));
		}
	}
	if (!unshared)
		return userns_refused(reason, "unshare", error);
	if (failed)
		return userns_none(reason, "%s failed%s%s", failed, *said ? ": " : "", said);
	if (!count && map_one(uid, gid, reason) == USERNS_NONE)
		return USERNS_NONE;
	return try_mounting(reason);
}

enum userns_state userns_new(struct userns_reason *reason)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : NULL;
	struct mapper mappers[2];
	struct subids users;
	struct subids groups;
	size_t count = 0;
	int error;

	subids_read(OVL_SUBIDS "subuid", name, geteuid(), &users);
	subids_read(OVL_SUBIDS "subgid", name, geteuid(), &groups);
	if (users.count && groups.count && is_there("newuidmap") && is_there("newgidmap")) {
		error = start_mapper(&mappers[0], "newuidmap", geteuid(), &users, -1);
		if (error)
			return userns_refused(reason, "starting newuidmap", -error);
		error = start_mapper(&mappers[1], "newgidmap", getegid(), &groups,
				     mappers[0].begin);
		if (error) {
			char text[2];

			end_mapper(&mappers[0], false, text, sizeof(text));
			return userns_refused(reason, "starting newgidmap", -error);
		}
		count = 2;
	}
	return unshare_and_map(mappers, count, reason);
}

/* ---- the daemon's -------------------------------------------------------------------------- */

enum userns_state userns_join(const char *socket, struct userns_reason *reason)
{
	int connection = daemon_connect(socket, 0);
	struct ucred daemon;
	enum userns_state state;

	if (connection < 0)
		return userns_new(reason);
	if (!daemon_peer(connection, &daemon)) {
		close(connection);
		return userns_none(reason, "asking who listens at %s: %s", socket, strerror(errno));
	}
	if (daemon.uid != geteuid()) {
		close(connection);
		return USERNS_OUTSIDE;
	}
	state = daemon_is_apart(connection) ? daemon_enter(connection, reason) : userns_new(reason);
	close(connection);
	return state;
}
