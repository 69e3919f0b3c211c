#include "run.h"

#include "init.h"
#include "relay.h"
#include "report.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_both(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* ---- the beginning ------------------------------------------------------------------------- */

static int fork_init(const struct run_plan *plan, struct run_command *command)
{
	unsigned long namespaces = CLONE_NEWNS | CLONE_NEWPID;
	int reports[2];
	int lifeline[2];
	pid_t pid;
	int error = report_channel(reports);

	if (error)
		return error;
	if (pipe2(lifeline, O_CLOEXEC)) {
		error = -errno;
		close_both(reports);
		return error;
	}
	if (plan->own_network)
		namespaces |= CLONE_NEWNET;
	pid = sys_fork_blocked(namespaces);
	if (pid == 0)
		init_run(plan, reports[1], lifeline[0]);
	close(reports[1]);
	close(lifeline[0]);
	if (pid < 0) {
		close(reports[0]);
		close(lifeline[1]);
		return pid;
	}
	*command = (struct run_command){.init = pid, .reports = reports[0],
					.lifeline = lifeline[1], .master = -1};
	return 0;
}

/* Waits for process 1, and with it for all of its namespaces. */
static void reap(struct run_command *command)
{
	while (waitpid(command->init, NULL, 0) < 0 && errno == EINTR)
		;
	close(command->reports);
	close(command->lifeline);
	if (command->master >= 0)
		close(command->master);
}

int run_start(const struct run_plan *plan, struct run_command *command, struct run_problem *problem,
	      void (*note)(void *context, const struct run_problem *note), void *context)
{
	int error = fork_init(plan, command);
	struct report report = {.kind = REPORT_NOTE};
	int status = RUN_FAILED;

	if (error) {
		*problem = (struct run_problem){.what = "cannot start a process in new namespaces",
						.error = -error};
		return RUN_FAILED;
	}
	*problem = (struct run_problem){.what = "process 1 died before the command was started"};
	while (report_receive(command->reports, &report, &command->master)) {
		const struct run_problem said = {.what = report.what, .about = report.about,
						 .error = report.error};

		if (report.kind == REPORT_RUNNING)
			return 0;
		if (report.kind == REPORT_NOTE)
			note(context, &said);
		if (report.kind == REPORT_TERMINAL)
			relay_size(command->master);
		if (report.kind == REPORT_FAILURE) {
			*problem = said;
			status = report.status;
		}
	}
	reap(command);
	return status;
}

/* ---- the end ------------------------------------------------------------------------------- */

int run_wait(struct run_command *command)
{
	/* what the kernel would have made of it, had it taken the command along */
	int status = SIGKILL;

	relay_until_end(command, &status);
	reap(command);
	return WIFSIGNALED(status) ? RUN_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}
