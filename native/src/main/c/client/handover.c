#include "handover.h"

#include "../userns/call.h"
#include "../userns/daemon.h"
#include "channel.h"
#include "child.h"
#include "complain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	/* A daemon that is well hears within a few milliseconds. */
	HEARING_MILLIS = 5000,
	/* One that many ask at once, right after its start, may take seconds to read what they want. */
	READING_MILLIS = 60000,
	/* So long an operation may take to come to a good end when the user wants to stop. */
	STOP_MILLIS = 20000,
	SIGNALLED = 128, /* plus the signal's number */
	STREAMS = 3,
};

/* ---- where the daemon would be ------------------------------------------------------------- */

/*
 * Whether an ordinary user's call, from outside of their namespaces, may be one for their daemon. For
 * such a call the namespaces are entered, and then there is no way back.
 */
static bool is_for_own_daemon(const struct call *call)
{
	return !call->host && !call->command && !call_stays_outside(call);
}

/* Enters them. */
static bool come_near(int channel)
{
	struct userns_reason reason = {""};

	return daemon_is_apart(channel) && daemon_enter(channel, &reason) == USERNS_DAEMON;
}

/* ---- what is asked for --------------------------------------------------------------------- */

/* The first line of lib/build-id. */
static bool read_build(const char *home, char *build, size_t size)
{
	char path[PATH_MAX];
	ssize_t length;
	int file;

	if (snprintf(path, sizeof(path), "%s/lib/build-id", home) >= PATH_MAX)
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	length = read(file, build, size - 1);
	close(file);
	if (length <= 0)
		return false;
	build[length] = '\0';
	build[strcspn(build, "\n")] = '\0';
	return true;
}

/* As Java asks for it, without what getcwd(3) adds. */
static bool read_directory(char *directory, size_t size)
{
	ssize_t length = readlink("/proc/self/cwd", directory, size);

	if (length < 0 || (size_t)length == size)
		return false;
	directory[length] = '\0';
	return true;
}

static uint32_t put_texts(struct draft *draft, char *const *texts)
{
	uint32_t count = 0;

	for (; texts[count]; count++)
		draft_put_text(draft, texts[count]);
	return count;
}

static bool send_request(int channel, const char *home, char *const *arguments)
{
	char build[128];
	char directory[PATH_MAX];
	struct request_head head = {.open = 0};
	struct draft draft = {.bytes = NULL};
	int streams[STREAMS];
	size_t count = 0;
	bool sent;

	if (!read_build(home, build, sizeof(build)) || !read_directory(directory, sizeof(directory)))
		return false;
	for (int i = 0; i < STREAMS; i++) {
		if (fcntl(i, F_GETFD) < 0)
			continue;
		head.open |= 1u << i;
		head.terminals |= isatty(i) ? 1u << i : 0;
		streams[count++] = i;
	}
	draft_put(&draft, &head, sizeof(head));
	draft_put_text(&draft, build);
	draft_put_text(&draft, directory);
	head.argument_count = put_texts(&draft, arguments);
	head.variable_count = put_texts(&draft, environ);
	if (!draft.failed)
		memcpy(draft.bytes, &head, sizeof(head));
	sent = channel_send(channel, MESSAGE_REQUEST, &draft, streams, count);
	draft_free(&draft);
	return sent;
}

/* Whether the next message is of this kind, and comes in time. */
static bool is_next(int channel, enum message_kind kind, int patience_millis)
{
	struct pollfd event = {.fd = channel, .events = POLLIN};
	struct message message;
	bool is;

	if (poll(&event, 1, patience_millis) <= 0)
		return false;
	is = channel_receive(channel, &message) && message.kind == kind;
	message_free(&message);
	return is;
}

static bool is_accepted(int channel)
{
	return is_next(channel, MESSAGE_HEARD, HEARING_MILLIS)
	       && is_next(channel, MESSAGE_ACCEPTED, READING_MILLIS);
}

/* ---- while it is carried out --------------------------------------------------------------- */

static const int STOPPING[] = {SIGHUP, SIGINT, SIGTERM};
enum { STOPPING_COUNT = sizeof(STOPPING) / sizeof(*STOPPING) };

/* The first signal that came. */
static volatile sig_atomic_t stopped_by;

static void stop(int signal)
{
	if (!stopped_by)
		stopped_by = signal;
}

/* From now on signals are noted, and come only while this process waits; waiting is how it was. */
static void hold_signals(sigset_t *waiting)
{
	sigset_t held;

	sigemptyset(&held);
	for (int i = 0; i < STOPPING_COUNT; i++) {
		const struct sigaction action = {.sa_handler = stop};
		struct sigaction before;

		sigaddset(&held, STOPPING[i]);
		/* what nohup(1) had ignored stays so */
		if (!sigaction(STOPPING[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(STOPPING[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &held, waiting);
}

static long long now_millis(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits for the next message. False when the user wanted to stop long ago. */
static bool await_message(int channel, const sigset_t *waiting)
{
	struct pollfd event = {.fd = channel, .events = POLLIN};
	long long end = LLONG_MAX;

	for (;;) {
		long long left = end == LLONG_MAX ? STOP_MILLIS : end - now_millis();
		const struct timespec limit = {.tv_sec = left / 1000,
					       .tv_nsec = left % 1000 * 1000000};

		if (left <= 0)
			return false;
		if (ppoll(&event, 1, &limit, waiting) > 0)
			return true;
		if (stopped_by && end == LLONG_MAX) {
			end = now_millis() + STOP_MILLIS;
			channel_send_number(channel, MESSAGE_CANCEL, (uint32_t)stopped_by);
		}
	}
}

static int status_of(const struct message *message)
{
	uint32_t status = EXIT_FAILURE;

	if (message->size >= sizeof(status))
		memcpy(&status, message->bytes, sizeof(status));
	return (int)status;
}

/* The program gets what signals there are; this process is of no use while it waits for it. */
static int run_child(int channel, struct message *message, const sigset_t *waiting)
{
	sigset_t held;
	int status;

	sigprocmask(SIG_SETMASK, waiting, &held);
	status = child_run(channel, message);
	sigprocmask(SIG_SETMASK, &held, NULL);
	return status;
}

/* The exit status. */
static int see_through(int channel, const sigset_t *waiting)
{
	int of_child = -1;

	for (;;) {
		struct message message;
		int status;

		if (!await_message(channel, waiting))
			return SIGNALLED + stopped_by;
		if (!channel_receive(channel, &message)) {
			message_free(&message);
			if (of_child >= 0)
				return of_child;
			complain("the daemon ended", "what was asked for may be done or not", 0);
			return EXIT_FAILURE;
		}
		status = status_of(&message);
		if (message.kind == MESSAGE_DONE) {
			message_free(&message);
			return status;
		}
		if (message.kind == MESSAGE_PROGRAM)
			of_child = run_child(channel, &message, waiting);
		message_free(&message);
	}
}

/* A connection to a daemon that has accepted what is asked for; -1 if there is none. */
static int open_channel(const char *home, char *const *arguments)
{
	bool is_outside = geteuid() != 0;
	char path[PATH_MAX];
	struct call call;
	int channel;

	call_read(arguments, &call);
	if (!call_socket(&call, "cli.sock", path, sizeof(path))
	    || (is_outside && !is_for_own_daemon(&call)))
		return -1;
	channel = channel_open(path);
	if (channel < 0)
		return -1;
	if (is_outside && !come_near(channel)) {
		close(channel);
		return -1;
	}
	if (send_request(channel, home, arguments) && is_accepted(channel))
		return channel;
	close(channel);
	if (is_outside)
		/* what has been entered is there for Java as well */
		setenv(USERNS_VARIABLE, USERNS_ENTERED, 1);
	return -1;
}

bool handover(const char *home, char *const *arguments, int *status)
{
	const struct draft nothing = {.bytes = NULL};
	int channel = open_channel(home, arguments);
	sigset_t waiting;

	if (channel < 0)
		return false;
	hold_signals(&waiting);
	/* from here on the daemon may have begun; that it has ended is noticed below */
	channel_send(channel, MESSAGE_GO, &nothing, NULL, 0);
	*status = see_through(channel, &waiting);
	return true;
}
