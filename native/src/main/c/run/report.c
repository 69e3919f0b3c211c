#include "report.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int report_channel(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ? -errno : 0;
}

void report_send(int channel, const struct report *report)
{
	while (send(channel, report, sizeof(*report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

void report_send_terminal(int channel, int master)
{
	struct report report = {.kind = REPORT_TERMINAL};
	struct iovec data = {.iov_base = &report, .iov_len = sizeof(report)};
	union control control = {0};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &master, sizeof(int));
	while (sendmsg(channel, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

bool report_receive(int channel, struct report *report, int *master)
{
	struct iovec data = {.iov_base = report, .iov_len = sizeof(*report)};
	union control control = {0};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	ssize_t size;

	do
		size = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size != (ssize_t)sizeof(*report))
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(master, CMSG_DATA(header), sizeof(int));
	return true;
}
