/* The mounts around the command. */
#ifndef OVL_RUN_WORLD_H
#define OVL_RUN_WORLD_H

#include "run.h"

/*
 * Makes the plan's tree the root directory of this process, which has a mount namespace of its own,
 * with /proc, /dev, /sys and the volumes, and what it had before is gone. Notes and failures go to
 * the channel.
 *
 * slave gets the command's end of its terminal, or -1. 0, or -1 if it failed.
 */
int world_enter(const struct run_plan *plan, int channel, int *slave);

#endif
