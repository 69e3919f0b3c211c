/* Process 1. */
#ifndef OVL_RUN_INIT_H
#define OVL_RUN_INIT_H

#include "run.h"

/*
 * Goes on as process 1 of new namespaces, with all signals blocked. Ends when the command does, or
 * when the other end of lifeline is closed, and all that the command left ends with it.
 */
_Noreturn void init_run(const struct run_plan *plan, int channel, int lifeline);

#endif
