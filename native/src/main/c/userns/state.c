#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the kernel says what it allows; tests have another place. */
#ifndef OVL_SYSCTLS
#define OVL_SYSCTLS "/proc/sys/"
#endif

const char USERNS_VARIABLE[] = "OVL_NAMESPACE";
const char USERNS_HELD[] = "held";
const char USERNS_ENTERED[] = "daemon";

bool userns_is_ordinary(void)
{
	return geteuid() != 0 || getenv(USERNS_VARIABLE);
}

enum userns_state userns_none(struct userns_reason *reason, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(reason->text, sizeof(reason->text), format, values);
	va_end(values);
	return USERNS_NONE;
}

/* The number in a file; -1 where there is none. */
static long setting(const char *file)
{
	char text[24] = "";
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return size > 0 ? strtol(text, NULL, 10) : -1;
}

enum userns_state userns_refused(struct userns_reason *reason, const char *what, int error)
{
	if (error == EPERM && setting(OVL_SYSCTLS "kernel/unprivileged_userns_clone") == 0)
		return userns_none(reason, "kernel.unprivileged_userns_clone is 0");
	if ((error == EPERM || error == EACCES)
	    && setting(OVL_SYSCTLS "kernel/apparmor_restrict_unprivileged_userns") == 1)
		return userns_none(reason,
				   "AppArmor restricts user namespaces to programs with a profile"
				   " (kernel.apparmor_restrict_unprivileged_userns is 1)");
	if (error == ENOSPC && setting(OVL_SYSCTLS "user/max_user_namespaces") == 0)
		return userns_none(reason, "user.max_user_namespaces is 0");
	if (error == ENOSPC)
		return userns_none(reason,
				   "there are as many user namespaces as user.max_user_namespaces"
				   " allows, or this one is too deep in others (ENOSPC)");
	if (error == EINVAL && !strcmp(what, "unshare"))
		return userns_none(reason, "this kernel has none (CONFIG_USER_NS)");
	return userns_none(reason, "%s: %s", what, strerror(error));
}

void userns_describe(enum userns_state state, const struct userns_reason *reason, char *text,
		     size_t size)
{
	static const char *const words[] = {[USERNS_NONE] = "none ",
					    [USERNS_OUTSIDE] = "outside",
					    [USERNS_OWN] = "own",
					    [USERNS_DAEMON] = "daemon"};

	snprintf(text, size, "%s%s", words[state], state == USERNS_NONE ? reason->text : "");
}
