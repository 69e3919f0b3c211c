/*
 * Executes Java, for an ordinary user in a user namespace in which they are root:
 *
 *   ovl-userns JAVA OPTION... CLASS ARGUMENT...
 *
 * A Java machine has threads and could not enter one. It learns where it is by an option that is put
 * before the others, -Dovl.namespace=: own, daemon, outside, held, or none and why. For root Java is
 * executed as it is.
 *
 * The command of 'ovlctl unshare' is executed in Java's place. What it calls of ovl finds itself in
 * a namespace that is held, by a variable; by the same the client in C tells what it has entered.
 */
#include "call.h"
#include "userns.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As env(1) has them. */
enum { NOT_STARTED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* Its call, if it is one of ovlctl; false: mountd's. */
static bool read_call(char **arguments, struct call *call)
{
	while (*arguments && strncmp(*arguments, "dev.ovl.", strlen("dev.ovl.")))
		arguments++;
	if (*arguments && !strcmp(*arguments, "dev.ovl.server.Main"))
		return false;
	call_read(*arguments ? arguments + 1 : arguments, call);
	return true;
}

static enum userns_state enter(const struct call *call, struct userns_reason *reason)
{
	static const char unix_host[] = "unix://";
	char socket[PATH_MAX];

	if (geteuid() == 0)
		return USERNS_DAEMON;
	if (call_stays_outside(call))
		return USERNS_OUTSIDE;
	if (call->host && !strncmp(call->host, unix_host, strlen(unix_host)))
		return userns_join(call->host + strlen(unix_host), reason);
	return call_socket(call, "mountd.sock", socket, sizeof(socket)) ? userns_join(socket, reason)
									: userns_new(reason);
}

/* Relative ones would mean something else in another directory. */
static void keep_path(const char *name, const char *path)
{
	char absolute[PATH_MAX];
	char directory[PATH_MAX];

	if (!path)
		return;
	if (*path != '/' && getcwd(directory, sizeof(directory))
	    && snprintf(absolute, sizeof(absolute), "%s/%s", directory, path) < PATH_MAX)
		path = absolute;
	setenv(name, path, 1);
}

static int unshare_command(const struct call *call)
{
	static char *shell[2];
	char *const *command = call->command;
	struct userns_reason reason = {""};
	enum userns_state state = enter(call, &reason);

	if (state != USERNS_OWN && state != USERNS_DAEMON) {
		fprintf(stderr, "ovlctl: unshare: there is no user namespace to work in: %s\n",
			state == USERNS_NONE ? reason.text : "the daemon is another user's");
		return NOT_STARTED;
	}
	keep_path("OVL_ROOT", call->root);
	keep_path("OVL_RUN", call->run);
	setenv(USERNS_VARIABLE, USERNS_HELD, 1);
	if (!*command) {
		shell[0] = getenv("SHELL") ? getenv("SHELL") : (char *)(uintptr_t) "/bin/sh";
		command = shell;
	}
	execvp(*command, command);
	fprintf(stderr, "ovlctl: unshare: cannot execute %s: %s\n", *command, strerror(errno));
	return errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

/* What Java is told of the namespace that this process is in, or enters for it. */
static void arrange(const char *told, bool is_daemon, const struct call *call, char *text, size_t size)
{
	struct userns_reason reason = {""};
	enum userns_state state;

	if (told && geteuid() == 0) {
		snprintf(text, size, "%s", told);
	} else {
		state = is_daemon ? userns_new(&reason) : enter(call, &reason);
		userns_describe(state, &reason, text, size);
	}
}

int main(int count, char **arguments)
{
	static const char option[] = "-Dovl.namespace=";
	char word[sizeof(option) + sizeof(struct userns_reason)];
	const char *told = getenv(USERNS_VARIABLE);
	struct call call = {NULL};
	char **all;

	if (count < 2) {
		fputs("usage: ovl-userns JAVA ARGUMENT...\n", stderr);
		return 2;
	}
	all = arguments + 1;
	if (userns_is_ordinary()) {
		bool is_daemon = !read_call(arguments + 2, &call);

		if (call.command)
			return unshare_command(&call);
		strcpy(word, option);
		arrange(told, is_daemon, &call, word + strlen(option), sizeof(word) - strlen(option));
		/* nobody beneath Java is told, but where the namespace is held for them */
		if (told && strcmp(told, USERNS_HELD))
			unsetenv(USERNS_VARIABLE);
		/* the place of our own name is free for one word more */
		all = arguments;
		all[0] = arguments[1];
		all[1] = word;
	}
	execv(all[0], all);
	fprintf(stderr, "ovl-userns: cannot execute %s: %s\n", all[0], strerror(errno));
	return errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}
