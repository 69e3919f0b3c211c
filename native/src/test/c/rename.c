/*
 * Renames, and prints what came of it: "0", or the number of the errno; "0 errno N" where a success
 * changed errno.
 *
 *   rename FROM TO                        rename
 *   rename at DIRECTORY FROM TO           renameat, both relative to a descriptor of the directory
 *   rename FLAGS DIRECTORY FROM TO        renameat2 likewise, with flags by number
 *   rename threads N DIRECTORY FROM TO    N threads at once, of FROM/i to TO/i for each below N;
 *                                         a line each
 *   rename cancelled FROM TO              by a thread that is cancelled at once; says whether it was
 *   rename cancelled-late FROM TO         likewise, but as if who cancels had been kept from sending
 *                                         the signal for a millisecond
 *   rename closed FROM TO                 with the descriptors 0, 1 and 2 closed; status is errno
 *   rename below SIZE FROM TO             where files may become so large, in bytes
 *   rename as UID FROM TO                 as another user
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNTOUCHED 12345
#define NOT_RETURNED 1
#define MOST_THREADS 64
/* glibc's: the first of the kernel's real-time signals, which its sigaction(2) knows nothing of */
#define SIGCANCEL 32

static atomic_bool begun;
static pid_t cancelled_thread;

struct task {
	pthread_t thread;
	char from[4096];
	char to[4096];
	int error;
	int errno_after;
};

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void tell(int result, int errno_after)
{
	if (result == 0 && errno_after != UNTOUCHED)
		printf("0 errno %d\n", errno_after);
	else
		printf("%d\n", result ? errno_after : 0);
}

static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		die(path);
	return fd;
}

static void *run(void *argument)
{
	struct task *task = argument;

	errno = UNTOUCHED;
	task->error = rename(task->from, task->to);
	task->errno_after = errno;
	return NULL;
}

static int run_threads(int count, const char *from, const char *to)
{
	static struct task tasks[MOST_THREADS];

	for (int i = 0; i < count && i < MOST_THREADS; i++) {
		snprintf(tasks[i].from, sizeof(tasks[i].from), "%s/%d", from, i);
		snprintf(tasks[i].to, sizeof(tasks[i].to), "%s/%d", to, i);
		if (pthread_create(&tasks[i].thread, NULL, run, &tasks[i]))
			die("pthread_create");
	}
	for (int i = 0; i < count && i < MOST_THREADS; i++) {
		pthread_join(tasks[i].thread, NULL);
		tell(tasks[i].error, tasks[i].errno_after);
	}
	return 0;
}

static void *run_cancelled(void *argument)
{
	int ignored;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &ignored);
	cancelled_thread = gettid();
	atomic_store(&begun, true);
	return run(argument);
}

static void *run_nothing(void *argument)
{
	pause();
	return argument;
}

/* The first cancellation of a process sets up what the later ones need. */
static void cancel_another(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_nothing, NULL))
		die("pthread_create");
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static int run_one_cancelled(const char *from, const char *to, bool is_late)
{
	static struct task task = { .error = NOT_RETURNED };

	snprintf(task.from, sizeof(task.from), "%s", from);
	snprintf(task.to, sizeof(task.to), "%s", to);
	if (is_late)
		cancel_another();
	if (pthread_create(&task.thread, NULL, run_cancelled, &task))
		die("pthread_create");
	while (!atomic_load(&begun))
		sched_yield();
	if (is_late) {
		usleep(1000);
		if (syscall(SYS_tgkill, getpid(), cancelled_thread, SIGCANCEL))
			die("tgkill");
	} else {
		pthread_cancel(task.thread);
	}
	pthread_join(task.thread, NULL);
	/* not by PTHREAD_CANCELED: glibc 2.36 forgets that where cancellation was disabled */
	puts(task.error == NOT_RETURNED ? "cancelled" : "not cancelled");
	return 0;
}

static int run_closed(const char *from, const char *to)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close(fd);
	/* the status of a failure is its errno */
	_exit(rename(from, to) ? errno : 0);
}

int main(int count, char **words)
{
	int result;

	if (count == 6 && !strcmp(words[1], "threads")) {
		if (chdir(words[3]))
			die(words[3]);
		return run_threads(atoi(words[2]), words[4], words[5]);
	}
	if (count == 4 && !strcmp(words[1], "cancelled"))
		return run_one_cancelled(words[2], words[3], false);
	if (count == 4 && !strcmp(words[1], "cancelled-late"))
		return run_one_cancelled(words[2], words[3], true);
	if (count == 4 && !strcmp(words[1], "closed"))
		return run_closed(words[2], words[3]);
	if (count == 5 && !strcmp(words[1], "at")) {
		int fd = open_directory(words[2]);

		errno = UNTOUCHED;
		result = renameat(fd, words[3], fd, words[4]);
	} else if (count == 5 && !strcmp(words[1], "below")) {
		struct rlimit limit = { .rlim_cur = (rlim_t)atol(words[2]), .rlim_max = RLIM_INFINITY };

		if (setrlimit(RLIMIT_FSIZE, &limit))
			die("setrlimit");
		errno = UNTOUCHED;
		result = rename(words[3], words[4]);
	} else if (count == 5 && !strcmp(words[1], "as")) {
		uid_t user = (uid_t)atoi(words[2]);

		if (setresgid(user, user, user) || setresuid(user, user, user))
			die("setresuid");
		errno = UNTOUCHED;
		result = rename(words[3], words[4]);
	} else if (count == 5) {
		int fd = open_directory(words[2]);

		errno = UNTOUCHED;
		result = renameat2(fd, words[3], fd, words[4], (unsigned int)atoi(words[1]));
	} else if (count == 3) {
		errno = UNTOUCHED;
		result = rename(words[1], words[2]);
	} else {
		fprintf(stderr, "usage: see the source\n");
		return 2;
	}
	tell(result, errno);
	return 0;
}
