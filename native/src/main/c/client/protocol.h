/*
 * What ovlctl and mountd say to each other at cli.sock in the run directory: messages, each a header
 * and so many bytes, in the machine's byte order, with descriptors beside them (SCM_RIGHTS). In Java:
 * dev.ovl.server.commandline.
 *
 *   ovlctl                           mountd
 *   REQUEST                       ->
 *                                 <- HEARD       the daemon is well, though it may have much to do
 *                                 <- ACCEPTED, or REFUSED, even before HEARD: nothing was done
 *   GO                            ->             so that a daemon that took too long does nothing
 *   CANCEL                        ->             at any time
 *                                 <- PROGRAM     run and try; TREES before it, if there are many
 *   NOTE …, FAILED or RUNNING     ->
 *   ENDED                         ->
 *                                 <- DONE
 *
 * Texts end with a NUL. The end of the connection means cancel, or that mountd has ended.
 */
#ifndef OVL_CLIENT_PROTOCOL_H
#define OVL_CLIENT_PROTOCOL_H

#include <stdint.h>

enum message_kind {
	/*
	 * struct request_head; the texts build and directory, arguments, variables of the environment;
	 * the streams that are open.
	 */
	MESSAGE_REQUEST = 0,
	MESSAGE_GO,
	MESSAGE_CANCEL,
	MESSAGE_NOTE, /* struct problem_head, the texts what and about */
	MESSAGE_FAILED, /* uint32_t status, and as NOTE */
	MESSAGE_RUNNING, /* beside it a pidfd of process 1 */
	MESSAGE_ENDED, /* uint32_t status */

	MESSAGE_REFUSED,
	MESSAGE_HEARD,
	MESSAGE_ACCEPTED,
	MESSAGE_TREES, /* descriptors for the PROGRAM that follows, before its own */
	/*
	 * struct program_head; uint32_t groups; uint32_t volumes' flags; the texts directory, volumes'
	 * targets, arguments, variables of the environment; the root, and volumes' trees.
	 */
	MESSAGE_PROGRAM,
	MESSAGE_DONE, /* uint32_t status */
};

struct message_head {
	uint32_t kind;
	uint32_t size; /* of what follows, in bytes */
};

struct request_head {
	uint32_t open; /* a bit for each of the descriptors 0, 1 and 2 */
	uint32_t terminals; /* the same */
	uint32_t argument_count;
	uint32_t variable_count;
};

struct problem_head {
	uint32_t error;
	uint32_t is_about;
};

struct program_head {
	uint32_t uid;
	uint32_t gid;
	uint32_t own_network;
	uint32_t terminal;
	uint32_t group_count;
	uint32_t volume_count;
	uint32_t argument_count;
	uint32_t variable_count;
};

enum { VOLUME_DIRECTORY = 1, VOLUME_READ_ONLY = 2 };

#endif
