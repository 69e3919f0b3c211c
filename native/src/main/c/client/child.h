/* A program of run or try that mountd has made everything ready for: this process's child. */
#ifndef OVL_CLIENT_CHILD_H
#define OVL_CLIENT_CHILD_H

#include "channel.h"

/*
 * Starts the program of a message of the kind PROGRAM, which is freed, waits for its end, and tells
 * mountd how it went.
 *
 * The exit status, also where mountd has ended meanwhile.
 */
int child_run(int channel, struct message *message);

#endif
