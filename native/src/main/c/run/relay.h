/* What goes on between the caller's process and the command while it runs. */
#ifndef OVL_RUN_RELAY_H
#define OVL_RUN_RELAY_H

#include "run.h"

/*
 * Passes signals and what goes through the terminal until the command has ended; status is the one
 * of waitpid(2), and stays as it is if process 1 was killed before it could tell.
 */
void relay_until_end(struct run_command *command, int *status);

/* Gives the command's terminal the size of the one of this process. */
void relay_size(int master);

#endif
