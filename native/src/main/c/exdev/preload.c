/*
 * libovl-exdev.so: rename(2) that survives EXDEV, for programs that do not know of it, by
 * LD_PRELOAD. On an overlay, directories of lower layers cannot be renamed; between file systems
 * nothing can. Such a rename is done by copying here (move.h). All others are the kernel's alone.
 *
 * OVL_EXDEV=off in the environment turns it off.
 *
 * The functions have no symbol versions, and so are taken for any.
 */
#include "move.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* Newer than the headers of some systems. */
int renameat2(int from_directory, const char *from, int to_directory, const char *to,
	      unsigned int flags);

static int is_off(void)
{
	const char *setting = getenv("OVL_EXDEV");

	return setting && !strcmp(setting, "off");
}

/* Gives what the system call gave, or what became of a move after EXDEV. */
static int recover(long result, int earlier_errno, int from_directory, const char *from,
		   int to_directory, const char *to, unsigned int flags)
{
	int cancellation;
	int type;
	int error;

	if (result == 0 || errno != EXDEV || is_off())
		return (int)result;
	/*
	 * A thread that is cancelled would leave descriptors, memory and a temporary name. Its type
	 * matters as well: where a cancellation is under way already, the signal handler of
	 * Debian 12's glibc 2.36 looks at nothing else.
	 */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	error = move(from_directory, from, to_directory, to, flags);
	pthread_setcanceltype(type, &type);
	pthread_setcancelstate(cancellation, &cancellation);
	errno = error ? -error : earlier_errno;
	return error ? -1 : 0;
}

EXPORTED int rename(const char *from, const char *to)
{
	int earlier = errno;

	return recover(syscall(SYS_rename, from, to), earlier, AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORTED int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	int earlier = errno;

	return recover(syscall(SYS_renameat, from_directory, from, to_directory, to), earlier,
		       from_directory, from, to_directory, to, 0);
}

EXPORTED int renameat2(int from_directory, const char *from, int to_directory, const char *to,
		       unsigned int flags)
{
	int earlier = errno;

	return recover(syscall(SYS_renameat2, from_directory, from, to_directory, to, flags),
		       earlier, from_directory, from, to_directory, to, flags);
}
