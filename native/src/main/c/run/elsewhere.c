#include "elsewhere.h"

#include "report.h"
#include "sys.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child is to do: to attach, or to unmount where there is a point. */
struct work {
	int space;
	int tree;
	int directory;
	const char *point;
	int flags;
};

/* Tells of the call that made errno what it is. */
static _Noreturn void fail(int channel, const char *call, int error)
{
	const struct report report = {.kind = REPORT_FAILURE, .what = call, .error = error};

	report_send(channel, &report);
	_exit(1);
}

static void attach(const struct work *work, int channel)
{
	int error = sys_attach(work->tree, work->directory);

	if (error)
		fail(channel, "move_mount", error);
	error = sys_private(work->tree);
	if (!error)
		return;
	/* what cannot be taken back either is seen by who looks there next */
	if (!fchdir(work->tree))
		umount2(".", MNT_DETACH);
	fail(channel, "mount_setattr", error);
}

static void unmount(const struct work *work, int channel)
{
	if (fchdir(work->directory))
		fail(channel, "fchdir", -errno);
	if (chroot("."))
		fail(channel, "chroot", -errno);
	if (umount2(work->point, work->flags))
		fail(channel, "umount2", -errno);
}

static _Noreturn void carry_out(const struct work *work, int channel)
{
	const int kept[] = {work->space, work->tree, work->directory, channel};

	sys_close_others(kept, sizeof(kept) / sizeof(*kept));
	if (setns(work->space, CLONE_NEWNS))
		fail(channel, "setns", -errno);
	if (work->point)
		unmount(work, channel);
	else
		attach(work, channel);
	_exit(0);
}

static int by_child(const struct work *work, const char **call)
{
	struct report failure;
	int ends[2];
	int none;
	int status;
	bool failed;
	pid_t child;
	int error = report_channel(ends);

	*call = "socketpair";
	if (error)
		return error;
	child = sys_fork_blocked(0);
	if (child == 0)
		carry_out(work, ends[1]);
	close(ends[1]);
	if (child < 0) {
		*call = "clone";
		close(ends[0]);
		return child;
	}
	failed = report_receive(ends[0], &failure, &none);
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (failed) {
		*call = failure.what;
		return failure.error;
	}
	*call = "waitpid";
	return status ? -ECHILD : 0;
}

int elsewhere_attach(int space, int tree, int target, const char **call)
{
	const struct work work = {.space = space, .tree = tree, .directory = target};

	return by_child(&work, call);
}

int elsewhere_unmount(int space, int root, const char *point, int flags, const char **call)
{
	const struct work work = {.space = space, .tree = root, .directory = root, .point = point,
				  .flags = flags};

	return by_child(&work, call);
}
