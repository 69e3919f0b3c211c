/*
 * System calls of the library that fail, or are its last:
 *
 *   OVL_EXDEV_FAULT=N:ERRNO     the N-th from 1 fails with that number, without being made
 *   OVL_EXDEV_FAULT=N:kill      it ends the process
 *   OVL_EXDEV_FAULT=N:change    before it the file OVL_EXDEV_CHANGE is appended to; "changed" is told
 *                               if there is a directory for it
 *   OVL_EXDEV_MISSING=ERRNO     FICLONE fails always, copy_file_range likewise
 *   OVL_EXDEV_NO_CLONE=ERRNO    FICLONE alone does
 *
 * In the end standard error tells of the calls that make things last, or change what was there, and
 * how many calls there were. A call on a descriptor 0, 1 or 2 ends the program by SIGABRT.
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
static char told[4096];

__attribute__((destructor)) static void tell(void)
{
	fprintf(stderr, "%scalls %d\n", told, calls);
}

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

static void note(long number)
{
	const char *name = number == SYS_fsync     ? "fsync "
			   : number == SYS_syncfs    ? "syncfs "
			   : number == SYS_renameat2 ? "renameat2 "
			   : number == SYS_unlinkat  ? "unlinkat "
						     : "";

	if (strlen(told) + strlen(name) < sizeof(told))
		strcat(told, name);
}

/* The errno with which a way of copying data is missing; 0 if it is there. */
static int missing(long number)
{
	const char *all = getenv("OVL_EXDEV_MISSING");
	const char *clone = getenv("OVL_EXDEV_NO_CLONE");

	if (all && (number == SYS_ioctl || number == SYS_copy_file_range))
		return atoi(all);
	return clone && number == SYS_ioctl ? atoi(clone) : 0;
}

/* Whether this call fails instead; errno is set then. */
static int fails(long number)
{
	const char *fault = getenv("OVL_EXDEV_FAULT");
	const char *what;

	errno = missing(number);
	if (errno)
		return 1;
	if (!fault || atoi(fault) != calls)
		return 0;
	what = strchr(fault, ':') + 1;
	if (!strcmp(what, "kill"))
		raise(SIGKILL);
	if (!strcmp(what, "change")) {
		change();
		return 0;
	}
	errno = atoi(what);
	return 1;
}

long faulty_syscall(long number, ...)
{
	va_list list;
	long a[6] = { 0 };

	va_start(list, number);
	/* the library gives close(2) one argument and all others six */
	for (int i = 0; i < (number == SYS_close ? 1 : 6); i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_close)
		return syscall(number, a[0]);
	if (number == SYS_statx && a[0] >= 0 && a[0] <= STDERR_FILENO)
		abort();
	calls++;
	note(number);
	return fails(number) ? -1 : syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
