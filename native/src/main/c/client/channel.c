#include "channel.h"

#include "../userns/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MOST_SENT = 3,
	MOST_RECEIVED = 253, /* the kernel passes no more at once */
	LARGEST_MESSAGE = 16 << 20,
};

/* ---- drafts -------------------------------------------------------------------------------- */

void draft_put(struct draft *draft, const void *bytes, size_t size)
{
	if (draft->failed || size == 0)
		return;
	if (draft->size + size > draft->room) {
		size_t room = 2 * (draft->size + size);
		char *grown = realloc(draft->bytes, room);

		if (!grown) {
			draft->failed = true;
			return;
		}
		draft->bytes = grown;
		draft->room = room;
	}
	memcpy(draft->bytes + draft->size, bytes, size);
	draft->size += size;
}

void draft_put_text(struct draft *draft, const char *text)
{
	draft_put(draft, text, strlen(text) + 1);
}

void draft_free(struct draft *draft)
{
	free(draft->bytes);
}

/* ---- the connection ------------------------------------------------------------------------ */

static bool is_of_this_user(int channel)
{
	struct ucred peer;

	return daemon_peer(channel, &peer) && peer.uid == geteuid();
}

int channel_open(const char *path)
{
	/* non-blocking: a daemon that does not accept, with a full queue, keeps nobody waiting */
	int channel = daemon_connect(path, SOCK_NONBLOCK);

	if (channel >= 0 && (!is_of_this_user(channel) || fcntl(channel, F_SETFL, 0))) {
		close(channel);
		return -1;
	}
	return channel;
}

/* ---- sending ------------------------------------------------------------------------------- */

static bool send_part(int channel, const void *bytes, size_t size, const int *descriptors,
		      size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(MOST_SENT * sizeof(int))];
	} control;
	const char *rest = bytes;

	while (size > 0) {
		struct iovec part = {.iov_base = (void *)(uintptr_t)rest, .iov_len = size};
		struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
		ssize_t sent;

		if (count > 0) {
			memset(&control, 0, sizeof(control));
			control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
							  .cmsg_level = SOL_SOCKET,
							  .cmsg_type = SCM_RIGHTS};
			memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
			message.msg_control = &control;
			message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		}
		sent = sendmsg(channel, &message, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		count = 0;
		rest += sent;
		size -= (size_t)sent;
	}
	return true;
}

bool channel_send(int channel, enum message_kind kind, const struct draft *draft,
		  const int *descriptors, size_t count)
{
	const struct message_head head = {.kind = kind, .size = (uint32_t)draft->size};

	return !draft->failed && draft->size <= LARGEST_MESSAGE
	       && send_part(channel, &head, sizeof(head), descriptors, count)
	       && send_part(channel, draft->bytes, draft->size, NULL, 0);
}

bool channel_send_number(int channel, enum message_kind kind, uint32_t number)
{
	char bytes[sizeof(number)];
	const struct draft draft = {.bytes = bytes, .size = sizeof(bytes)};

	memcpy(bytes, &number, sizeof(number));
	return channel_send(channel, kind, &draft, NULL, 0);
}

/* ---- receiving ----------------------------------------------------------------------------- */

static bool keep(struct message *message, const struct cmsghdr *control)
{
	size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	size_t all = message->descriptor_count + count;
	int *descriptors = realloc(message->descriptors, all * sizeof(int));

	if (!descriptors)
		return false;
	memcpy(descriptors + message->descriptor_count, CMSG_DATA(control), count * sizeof(int));
	message->descriptors = descriptors;
	message->descriptor_count = all;
	return true;
}

/* Descriptors that come with the bytes become the message's. */
static bool receive_part(int channel, void *bytes, size_t size, struct message *message)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(MOST_RECEIVED * sizeof(int))];
	} control;
	char *rest = bytes;

	while (size > 0) {
		struct iovec part = {.iov_base = rest, .iov_len = size};
		struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1,
					.msg_control = &control, .msg_controllen = sizeof(control)};
		ssize_t got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
		const struct cmsghdr *passed = CMSG_FIRSTHDR(&header);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || header.msg_flags & MSG_CTRUNC)
			return false;
		if (passed && passed->cmsg_type == SCM_RIGHTS && !keep(message, passed))
			return false;
		rest += got;
		size -= (size_t)got;
	}
	return true;
}

bool channel_receive(int channel, struct message *message)
{
	struct message_head head;

	*message = (struct message){.bytes = NULL};
	do {
		if (!receive_part(channel, &head, sizeof(head), message)
		    || head.size > LARGEST_MESSAGE)
			return false;
	} while (head.kind == MESSAGE_TREES);
	message->kind = head.kind;
	message->size = head.size;
	message->bytes = malloc(head.size + 1);
	if (!message->bytes || !receive_part(channel, message->bytes, head.size, message))
		return false;
	/* so that the last text ends, whatever was sent */
	message->bytes[head.size] = '\0';
	return true;
}

void message_free(struct message *message)
{
	for (size_t i = 0; i < message->descriptor_count; i++)
		close(message->descriptors[i]);
	free(message->descriptors);
	free(message->bytes);
	*message = (struct message){.bytes = NULL};
}
