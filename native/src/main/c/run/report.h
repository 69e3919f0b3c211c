/* What process 1 tells the process that runs the command: messages on a socket, in order. */
#ifndef OVL_RUN_REPORT_H
#define OVL_RUN_REPORT_H

#include <stdbool.h>

enum report_kind {
	REPORT_NOTE, /* something is not as one would expect */
	REPORT_FAILURE, /* the command never ran, and status says what to exit with */
	REPORT_TERMINAL, /* with the master of the command's terminal */
	REPORT_RUNNING, /* the command is executed */
	REPORT_END, /* the command has ended, and status is the one of waitpid(2) */
};

/* Sentences and volumes are the plan's or literals: both sides have them at the same address. */
struct report {
	enum report_kind kind;
	int status;
	int error;
	const char *what;
	const char *about;
};

/* Both ends are close-on-exec. */
int report_channel(int ends[2]);

/* What cannot be sent has nobody who would read it. */
void report_send(int channel, const struct report *report);
void report_send_terminal(int channel, int master);

/* Whether there was one; master is set with REPORT_TERMINAL. */
bool report_receive(int channel, struct report *report, int *master);

#endif
