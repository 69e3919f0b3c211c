#include "init.h"

#include "report.h"
#include "sys.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static void tell(int channel, enum report_kind kind, int status)
{
	const struct report report = {.kind = kind, .status = status};

	report_send(channel, &report);
}

static void fail(int channel, int status, const char *what, const char *about, int error)
{
	const struct report report = {.kind = REPORT_FAILURE, .status = status, .what = what,
				      .about = about, .error = error};

	report_send(channel, &report);
}

/* ---- what the caller's process leaves ------------------------------------------------------ */

/* Of the descriptors above 2, those that are needed. */
static void close_others(const struct run_plan *plan, int channel, int lifeline)
{
	unsigned int next = STDERR_FILENO + 1;

	for (;;) {
		const int needed[] = {plan->root, channel, lifeline};
		unsigned int kept = sys_lowest(needed, sizeof(needed) / sizeof(*needed), next);

		/* the lowest that is not passed yet: there are few */
		for (size_t i = 0; i < plan->volume_count; i++)
			if ((unsigned int)plan->volumes[i].tree >= next
			    && (unsigned int)plan->volumes[i].tree < kept)
				kept = (unsigned int)plan->volumes[i].tree;
		if (kept == ~0U)
			break;
		if (kept > next)
			sys_close_range(next, kept - 1);
		next = kept + 1;
	}
	sys_close_range(next, ~0U);
}

/* The caller's handlers are of another process; what it ignores, the command shall not. */
static void reset_handlers(void)
{
	for (int signal = 1; signal < NSIG; signal++)
		sys_default_action(signal);
}

static void unblock_all(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- the network --------------------------------------------------------------------------- */

static int raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return errno;
	error = ioctl(fd, SIOCSIFFLAGS, &request) ? errno : 0;
	close(fd);
	return error;
}

/* ---- the command --------------------------------------------------------------------------- */

static const char *search_path(char *const *environment)
{
	for (; *environment; environment++)
		if (!strncmp(*environment, "PATH=", 5))
			return *environment + 5;
	return PATH;
}

/* execvpe(3) of glibc allocates and looks in its own environment. Returns an errno. */
static int execute(const struct run_plan *plan)
{
	const char *name = plan->arguments[0];
	const char *path = search_path(plan->environment);
	int error = ENOENT;
	char file[PATH_MAX];

	if (strchr(name, '/')) {
		execve(name, plan->arguments, plan->environment);
		return errno;
	}
	while (*name) {
		size_t directory = strcspn(path, ":");
		size_t length = strlen(name);

		if (directory + 1 + length < sizeof(file)) {
			memcpy(file, path, directory);
			file[directory] = '/';
			memcpy(file + directory + (directory > 0), name, length + 1);
			execve(file, plan->arguments, plan->environment);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
		}
		if (!path[directory])
			break;
		path += directory + 1;
	}
	return error;
}

static int take_terminal(int slave)
{
	if (slave < 0)
		return 0;
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0))
		return errno;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(slave, fd) < 0)
			return errno;
	return 0;
}

static _Noreturn void become_command(const struct run_plan *plan, int channel, int slave)
{
	int error = take_terminal(slave);

	if (error) {
		fail(channel, RUN_FAILED, "cannot take the terminal", NULL, error);
		_exit(RUN_FAILED);
	}
	error = -sys_set_user(plan->uid, plan->gid, plan->groups, plan->group_count);
	if (error) {
		fail(channel, RUN_FAILED,
		     error == EINVAL ? "cannot become a user whom this user namespace does not have"
				     : "cannot become the user",
		     NULL, error);
		_exit(RUN_FAILED);
	}
	if (chdir(plan->directory)) {
		fail(channel, RUN_FAILED, "cannot enter", plan->directory, errno);
		_exit(RUN_FAILED);
	}
	unblock_all();
	error = execute(plan);
	fail(channel, error == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE, "cannot execute",
	     plan->arguments[0], error);
	_exit(RUN_FAILED);
}

/*
 * Starts the command and waits until it is executed: then its end of a socket of its own is closed.
 * Its process, or -1 if it never ran.
 */
static pid_t start(const struct run_plan *plan, int channel, int slave)
{
	struct report report;
	int ends[2];
	int none;
	bool failed;
	pid_t command;
	int error = report_channel(ends);

	if (error) {
		fail(channel, RUN_FAILED, "cannot make a socket", NULL, -error);
		return -1;
	}
	command = sys_fork(0);
	if (command == 0)
		become_command(plan, ends[1], slave);
	close(ends[1]);
	if (command < 0) {
		fail(channel, RUN_FAILED, "cannot start a process", NULL, -command);
		close(ends[0]);
		return -1;
	}
	failed = report_receive(ends[0], &report, &none);
	if (failed)
		report_send(channel, &report);
	close(ends[0]);
	return failed ? -1 : command;
}

/* ---- what follows -------------------------------------------------------------------------- */

/* Reaps all that ended. Whether the command was among them; then status is its. */
static bool reap(pid_t command, int *status)
{
	bool ended = false;
	int each;
	pid_t pid;

	while ((pid = waitpid(-1, &each, WNOHANG)) > 0)
		if (pid == command) {
			*status = each;
			ended = true;
		}
	return ended;
}

/*
 * What the kernel sends to a terminal's process group the command gets too: it is one of the group,
 * unless it has a terminal of its own, and then nothing of the kind comes here.
 */
static bool is_for_command(const struct signalfd_siginfo *signal)
{
	return signal->ssi_signo != SIGCHLD && signal->ssi_code != SI_KERNEL;
}

static int await(pid_t command, int signals, int lifeline)
{
	int status = 0;

	while (!reap(command, &status)) {
		struct pollfd events[] = {{.fd = lifeline}, {.fd = signals, .events = POLLIN}};
		struct signalfd_siginfo signal;

		if (poll(events, 2, -1) < 0)
			continue;
		if (events[0].revents)
			_exit(RUN_FAILED);
		if (events[1].revents && read(signals, &signal, sizeof(signal)) == sizeof(signal)
		    && is_for_command(&signal))
			kill(command, (int)signal.ssi_signo);
	}
	return status;
}

_Noreturn void init_run(const struct run_plan *plan, int channel, int lifeline)
{
	sigset_t all;
	int signals;
	int slave;
	int error;
	pid_t command;

	close_others(plan, channel, lifeline);
	reset_handlers();
	prctl(PR_SET_NAME, "ovl-init");
	if (plan->own_network && (error = raise_loopback())) {
		fail(channel, RUN_FAILED, "cannot start the loopback device", NULL, error);
		_exit(RUN_FAILED);
	}
	if (world_enter(plan, channel, &slave))
		_exit(RUN_FAILED);
	sigfillset(&all);
	signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (signals < 0) {
		fail(channel, RUN_FAILED, "cannot listen for signals", NULL, errno);
		_exit(RUN_FAILED);
	}
	command = start(plan, channel, slave);
	if (command < 0)
		_exit(RUN_FAILED);
	/* the command has its own now, and the end of a terminal is that its last user is gone */
	close(plan->root);
	if (slave >= 0)
		close(slave);
	tell(channel, REPORT_RUNNING, 0);
	tell(channel, REPORT_END, await(command, signals, lifeline));
	_exit(0);
}
