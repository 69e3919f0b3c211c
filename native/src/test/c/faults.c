/*
 * System calls of the library that fail, or are its last: OVL_EXDEV_FAULT=N:ERRNO lets the N-th from
 * 1 fail with that number without being made; N:kill ends the process instead; N:change appends to the
 * file OVL_EXDEV_CHANGE before it is made, and says "changed" if that was possible. How many calls there were
 * is told on standard error: "calls N".
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

long faulty_syscall(long number, ...);

static int calls;

static void change(void)
{
	FILE *file = fopen(getenv("OVL_EXDEV_CHANGE"), "a");

	/* its directory is gone */
	if (!file)
		return;
	fputs("CHANGED\n", file);
	fclose(file);
	fputs("changed, ", stderr);
}

__attribute__((destructor)) static void tell(void)
{
	fprintf(stderr, "calls %d\n", calls);
}

long faulty_syscall(long number, ...)
{
	const char *fault = getenv("OVL_EXDEV_FAULT");
	va_list list;
	long a[6] = { 0 };

	va_start(list, number);
	/* the library gives close(2) one argument and all others six */
	for (int i = 0; i < (number == SYS_close ? 1 : 6); i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_close)
		return syscall(number, a[0]);
	if (fault && atoi(fault) == ++calls) {
		const char *what = strchr(fault, ':') + 1;

		if (!strcmp(what, "kill"))
			raise(SIGKILL);
		if (strcmp(what, "change")) {
			errno = atoi(what);
			return -1;
		}
		change();
	}
	return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
