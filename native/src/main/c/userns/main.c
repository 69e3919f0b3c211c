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
 * a namespace that is held, by a variable.
 */
#include "userns.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char HELD[] = "OVL_NAMESPACE";

/* As env(1) has them. */
enum { NOT_STARTED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* What of a command line of ovlctl says where it is to run. */
struct call {
	const char *verb;
	const char *host;
	const char *root;
	const char *run;
	char **command; /* of unshare, and perhaps empty; NULL: Java is to be executed */
	bool is_daemon;
};

/* The value of an option, in the same word or the next; moves on past it. */
static const char *value(const char *name, char ***word)
{
	size_t length = strlen(name);

	if (strncmp(**word, name, length))
		return NULL;
	if ((**word)[length] == '=')
		return **word + length + 1;
	if ((**word)[length] || !(*word)[1])
		return NULL;
	return *++*word;
}

/* Whether it is an option that does not matter here; moves on past its value. */
static bool is_other(char ***word)
{
	static const char *const valued[] = {"--driver", "--color", "--config"};
	static const char *const plain[] = {"--json", "--quiet", "-q", "--trace"};

	for (size_t i = 0; i < sizeof(valued) / sizeof(*valued); i++)
		if (value(valued[i], word))
			return true;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (!strcmp(**word, plain[i]))
			return true;
	return false;
}

/* Java itself says what is wrong with a command line: what makes no sense is passed over. */
static void read_words(char **word, struct call *call)
{
	bool for_java = false;
	const char *found;

	for (; *word && strcmp(*word, "--"); word++) {
		if ((found = value("--host", &word)))
			call->host = found;
		else if ((found = value("--root", &word)))
			call->root = found;
		else if ((found = value("--run", &word)))
			call->run = found;
		else if (**word == '-')
			/* --help, and such of the verb's own */
			for_java |= !is_other(&word);
		else if (!call->verb)
			call->verb = *word;
		else if (!strcmp(call->verb, "try") || !strcmp(call->verb, "unshare"))
			/* what follows is the command's */
			break;
	}
	if (call->verb && !strcmp(call->verb, "unshare") && !for_java)
		call->command = word + (*word && !strcmp(*word, "--"));
}

static void read_call(char **arguments, struct call *call)
{
	while (*arguments && strncmp(*arguments, "dev.ovl.", strlen("dev.ovl.")))
		arguments++;
	if (!*arguments)
		return;
	call->is_daemon = !strcmp(*arguments, "dev.ovl.server.Main");
	if (!call->is_daemon)
		read_words(arguments + 1, call);
}

/* Verbs that work with the rights of whoever calls them, or for mount(8), which has root's. */
static bool stays_outside(const char *verb)
{
	static const char *const verbs[] = {"mv", "mount.ovl", "fsck.overlay"};

	for (size_t i = 0; verb && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(verb, verbs[i]))
			return true;
	return false;
}

/* As dev.ovl.config.Defaults has it. Whether it fits. */
static bool own_socket(const struct call *call, char *path, size_t size)
{
	const char *home = getenv("HOME");
	const char *run = call->run ? call->run : getenv("OVL_RUN");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *data = getenv("XDG_DATA_HOME");
	int length;

	if (run)
		length = snprintf(path, size, "%s/mountd.sock", run);
	else if (runtime && *runtime == '/')
		length = snprintf(path, size, "%s/ovl/mountd.sock", runtime);
	else if (data && *data == '/')
		length = snprintf(path, size, "%s/ovl/run/mountd.sock", data);
	else
		length = snprintf(path, size, "%s/.local/share/ovl/run/mountd.sock", home ? home : "");
	return length >= 0 && (size_t)length < size;
}

static enum userns_state enter(const struct call *call, struct userns_reason *reason)
{
	static const char unix_host[] = "unix://";
	const char *host = call->host ? call->host : getenv("OVL_HOST");
	char socket[4096];

	if (geteuid() == 0)
		return USERNS_DAEMON;
	if (call->is_daemon)
		return userns_new(reason);
	if (stays_outside(call->verb))
		return USERNS_OUTSIDE;
	if (host && !strncmp(host, unix_host, strlen(unix_host)))
		return userns_join(host + strlen(unix_host), reason);
	return own_socket(call, socket, sizeof(socket)) ? userns_join(socket, reason)
							: userns_new(reason);
}

/* As the option for Java tells it. */
static void describe(enum userns_state state, const struct userns_reason *reason, char *text,
		     size_t size)
{
	static const char *const words[] = {[USERNS_NONE] = "none ",
					    [USERNS_OUTSIDE] = "outside",
					    [USERNS_OWN] = "own",
					    [USERNS_DAEMON] = "daemon"};

	snprintf(text, size, "-Dovl.namespace=%s%s", words[state],
		 state == USERNS_NONE ? reason->text : "");
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
	char **command = call->command;
	struct userns_reason reason = {""};
	enum userns_state state = enter(call, &reason);

	if (state != USERNS_OWN && state != USERNS_DAEMON) {
		fprintf(stderr, "ovlctl: unshare: there is no user namespace to work in: %s\n",
			state == USERNS_NONE ? reason.text : "the daemon is another user's");
		return NOT_STARTED;
	}
	keep_path("OVL_ROOT", call->root);
	keep_path("OVL_RUN", call->run);
	setenv(HELD, "held", 1);
	if (!*command) {
		shell[0] = getenv("SHELL") ? getenv("SHELL") : (char *)(uintptr_t) "/bin/sh";
		command = shell;
	}
	execvp(*command, command);
	fprintf(stderr, "ovlctl: unshare: cannot execute %s: %s\n", *command, strerror(errno));
	return errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

int main(int count, char **arguments)
{
	struct userns_reason reason = {""};
	struct call call = {NULL};
	char option[sizeof(reason) + 64];
	char **all;

	if (count < 2) {
		fputs("usage: ovl-userns JAVA ARGUMENT...\n", stderr);
		return 2;
	}
	all = arguments + 1;
	if (geteuid() != 0 || getenv(HELD)) {
		read_call(arguments + 2, &call);
		if (call.command)
			return unshare_command(&call);
		if (geteuid() == 0)
			snprintf(option, sizeof(option), "-Dovl.namespace=held");
		else
			describe(enter(&call, &reason), &reason, option, sizeof(option));
		/* the place of our own name is free for one word more */
		all = arguments;
		all[0] = arguments[1];
		all[1] = option;
	}
	execv(all[0], all);
	fprintf(stderr, "ovl-userns: cannot execute %s: %s\n", all[0], strerror(errno));
	return errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}
