#include "relay.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* ---- signals ------------------------------------------------------------------------------- */

/* Those that are meant for the command when this process gets them. */
static const int PASSED[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
enum { PASSED_COUNT = sizeof(PASSED) / sizeof(*PASSED) };

/* Signals are the process's, and so is what their handler knows. */
static volatile int signals_in = -1;
static volatile bool terminals_too;

static void handle(int signal, siginfo_t *info, void *context)
{
	unsigned char number = (unsigned char)signal;
	int error = errno;

	(void)context;
	/*
	 * What the kernel sends to a terminal's process group the command gets too, unless it has a
	 * terminal of its own. A full pipe holds thousands of signals that nobody has looked at.
	 */
	if (terminals_too || info->si_code != SI_KERNEL)
		(void)!write(signals_in, &number, 1);
	errno = error;
}

struct handlers {
	int pipe[2];
	struct sigaction before[PASSED_COUNT];
};

static void take_signals(struct handlers *handlers, bool own_terminal)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART};

	if (pipe2(handlers->pipe, O_CLOEXEC | O_NONBLOCK)) {
		/* without it signals end this process, and with it the command */
		handlers->pipe[0] = -1;
		return;
	}
	signals_in = handlers->pipe[1];
	terminals_too = own_terminal;
	sigfillset(&action.sa_mask);
	for (int i = 0; i < PASSED_COUNT; i++)
		sigaction(PASSED[i], &action, &handlers->before[i]);
}

static void give_signals_back(const struct handlers *handlers)
{
	if (handlers->pipe[0] < 0)
		return;
	for (int i = 0; i < PASSED_COUNT; i++)
		sigaction(PASSED[i], &handlers->before[i], NULL);
	signals_in = -1;
	close(handlers->pipe[0]);
	close(handlers->pipe[1]);
}

void relay_size(int master)
{
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		ioctl(master, TIOCSWINSZ, &size);
}

static void pass_signals(const struct run_command *command, int signals)
{
	unsigned char number;

	while (read(signals, &number, 1) == 1)
		if (number == SIGWINCH && command->master >= 0)
			relay_size(command->master);
		else
			kill(command->init, number);
}

/* ---- the terminal -------------------------------------------------------------------------- */

/* Whether the terminal of this process was changed; then before is how it was. */
static bool make_raw(struct termios *before)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, before))
		return false;
	raw = *before;
	cfmakeraw(&raw);
	return !tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		size -= (size_t)written;
	}
	return true;
}

/* From the command to the terminal of this process. False when there will be no more. */
static bool pass_output(int master)
{
	char buffer[4096];
	ssize_t size = read(master, buffer, sizeof(buffer));

	if (size < 0)
		return errno == EINTR || errno == EAGAIN;
	return size > 0 && write_all(STDOUT_FILENO, buffer, (size_t)size);
}

static bool is_readable(int master)
{
	struct pollfd event = {.fd = master, .events = POLLIN};

	return poll(&event, 1, 0) > 0;
}

/* What was typed and does not fit into the command's terminal yet. */
struct typed {
	char data[4096];
	size_t start;
	size_t end;
};

/* False when there will be no more. */
static bool pass_input(struct typed *typed, int master)
{
	ssize_t size;

	if (typed->start == typed->end) {
		size = read(STDIN_FILENO, typed->data, sizeof(typed->data));
		if (size <= 0)
			return size < 0 && errno == EINTR;
		typed->start = 0;
		typed->end = (size_t)size;
	}
	size = write(master, typed->data + typed->start, typed->end - typed->start);
	if (size < 0)
		return errno == EINTR || errno == EAGAIN;
	typed->start += (size_t)size;
	return true;
}

/* ---- both ---------------------------------------------------------------------------------- */

enum { REPORTS, SIGNALS, INPUT, OUTPUT, SOURCES };

/* Until process 1 is gone. */
static void relay(const struct run_command *command, int signals, int *status)
{
	struct typed typed = {.start = 0};
	bool types = command->master >= 0;
	bool shows = types;

	for (;;) {
		bool waits = typed.start < typed.end;
		struct pollfd events[SOURCES] = {
			[REPORTS] = {.fd = command->reports, .events = POLLIN},
			[SIGNALS] = {.fd = signals, .events = POLLIN},
			[INPUT] = {.fd = types && !waits ? STDIN_FILENO : -1, .events = POLLIN},
			[OUTPUT] = {.fd = shows ? command->master : -1,
				    .events = (short)(POLLIN | (types && waits ? POLLOUT : 0))},
		};
		struct report report;
		int none;

		if (poll(events, SOURCES, -1) < 0)
			continue;
		if (events[SIGNALS].revents)
			pass_signals(command, signals);
		if (events[INPUT].revents || events[OUTPUT].revents & POLLOUT)
			types = pass_input(&typed, command->master);
		if (events[OUTPUT].revents & ~POLLOUT)
			shows = pass_output(command->master);
		if (!events[REPORTS].revents)
			continue;
		if (!report_receive(command->reports, &report, &none))
			break;
		if (report.kind == REPORT_END)
			*status = report.status;
	}
	/* what was written last */
	while (shows && is_readable(command->master))
		shows = pass_output(command->master);
}

void relay_until_end(struct run_command *command, int *status)
{
	struct handlers handlers;
	struct termios before;
	bool raw = false;

	take_signals(&handlers, command->master >= 0);
	if (command->master >= 0)
		raw = make_raw(&before);
	relay(command, handlers.pipe[0], status);
	if (raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	give_signals_back(&handlers);
}
