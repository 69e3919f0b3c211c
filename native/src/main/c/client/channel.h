/* A connection with mountd, and the messages that go through it: protocol.h. */
#ifndef OVL_CLIENT_CHANNEL_H
#define OVL_CLIENT_CHANNEL_H

#include "protocol.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* What is to be sent; grows. All that is put into one that has failed is forgotten. */
struct draft {
	char *bytes;
	size_t size;
	size_t room;
	bool failed; /* there was not enough memory */
};

void draft_put(struct draft *draft, const void *bytes, size_t size);
void draft_put_text(struct draft *draft, const char *text);
void draft_free(struct draft *draft);

/* What was received. Descriptors are those of messages of the kind TREES before it, too. */
struct message {
	enum message_kind kind;
	char *bytes;
	size_t size;
	int *descriptors;
	size_t descriptor_count;
};

/* A socket connected with the one at this path, if a process of this user listens to it; else -1. */
int channel_open(const char *path);

/* Whether all of it was sent; three descriptors at most. */
bool channel_send(int channel, enum message_kind kind, const struct draft *draft,
		  const int *descriptors, size_t count);

/* Sends a message that is a number. */
bool channel_send_number(int channel, enum message_kind kind, uint32_t number);

/* False at the end. What the message has must be freed. */
bool channel_receive(int channel, struct message *message);

/* Frees what a message has, and closes its descriptors. */
void message_free(struct message *message);

#endif
