/*
 * Runs a command in a tree of its own: a mount that is attached nowhere becomes the root directory
 * of new mount and process namespaces.
 *
 * The caller's process forks process 1 of the namespaces (init.c), which makes the world around the
 * command (world.c), starts it, passes signals on, reaps, and ends with it; all that was mounted
 * ends with process 1. Process 1 ends too when the caller's process does, however that came about:
 * it waits for the end of a pipe that nobody else holds.
 *
 * Between fork and exec there is no call that is not async-signal-safe, and none of libc's that
 * speaks to other threads: the caller may be a Java machine. What can fail tells so through a
 * socket.
 */
#ifndef OVL_RUN_RUN_H
#define OVL_RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is mounted inside besides what every tree gets. */
struct run_volume {
	int tree; /* a mount that is attached nowhere */
	const char *target; /* in the tree, absolute and normalised; made if it is missing */
	bool directory; /* what the target must be */
	bool read_only;
};

/* All pointers stay the caller's, and must be valid until run_start is back. */
struct run_plan {
	int root; /* a mount that is attached nowhere */
	const struct run_volume *volumes;
	size_t volume_count;
	const char *directory; /* where the command begins, in the tree, absolute */
	char *const *arguments;
	char *const *environment;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t group_count;
	bool own_network; /* one with nothing but a loopback device */
	bool terminal; /* the command gets one of its own, tied to the caller's 0 and 1 */
};

/* A sentence: what went wrong, about what of the plan, and why. */
struct run_problem {
	const char *what; /* a literal, "cannot mount /proc" */
	const char *about; /* of the plan, or NULL */
	int error; /* an errno, or 0 where the sentence says it all */
};

/* Exit statuses of docker run and env(1) for commands that never ran. */
enum {
	RUN_FAILED = 125,
	RUN_NOT_EXECUTABLE = 126,
	RUN_NOT_FOUND = 127,
	RUN_SIGNALLED = 128 /* plus the signal's number */
};

/* A command that runs. Of the thread that started it. */
struct run_command {
	pid_t init;
	int reports; /* from process 1, and none after its end */
	int lifeline; /* never written to */
	int master; /* of the command's terminal, or -1 */
};

/*
 * Starts the command: when this returns 0, it has taken the place of process 1's child.
 *
 * Otherwise an exit status: nothing runs, nothing is mounted, and the problem says why. Notes are
 * problems that keep nobody from running.
 */
int run_start(const struct run_plan *plan, struct run_command *command, struct run_problem *problem,
	      void (*note)(void *context, const struct run_problem *note), void *context);

/*
 * Waits for the end of a command and of all that it left behind; meanwhile passes on the signals
 * that the caller's process gets, and what goes through the terminal. One at a time in a process.
 *
 * The exit status as a shell would give it.
 */
int run_wait(struct run_command *command);

#endif
