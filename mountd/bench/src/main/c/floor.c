/*
 * What a stack's up and down cost without Java: makes recorded system calls again, in a loop.
 *
 * A script holds one call a line, written by dev.ovl.bench.Recording:
 *
 *     NAME OUTCOME ARGUMENT...
 *
 * OUTCOME is "ok" or the number of the errno that the call is to fail with. The ARGUMENTs are those
 * of the system call; statmount and listmount have theirs as id, namespace, parameter and room.
 * Calls are counted from 0:
 *
 *     i5           the number 5
 *     s/a%20b      a string, with percent signs for what is not printable
 *     b%00%01      bytes, which the kernel may change
 *     o4096        a buffer of that size, to be filled
 *     r3           what call 3 returned: a descriptor
 *     n3:/proc/    a string that ends with the number that call 3 returned
 *     x3.144.8     the number of 8 bytes at offset 144 of what call 3 filled
 *     d3.8         the device number whose major and minor are at offset 8 of what call 3 filled
 *     l3.1         the last id but one that call 3, a listmount, gave
 *
 * "chdir DIRECTORY" on the first line enters a directory once and for all.
 *
 * All text is parsed beforehand. In the loop a call takes a copy of its few varying arguments,
 * syscall(2), as the Java bindings do it, and a comparison: some nanoseconds.
 *
 * Commands on standard input, each answered by one line on standard output:
 *
 *     load SLOT FILE       "ok CALLS"
 *     run SLOT TIMES       "ok NANOSECONDS..." with one number for each time
 *     profile SLOT TIMES   "ok NANOSECONDS..." with one number for each call: its mean
 *
 * or by "failed REASON". A call that ends otherwise than it was recorded is such a failure: the
 * world has changed, what was opened is closed, and whoever gave the command clears up and records
 * anew. What Java does on a second thread (unshare, fchdir, mount) is done on the only one here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 4
#define ARGUMENTS 6
#define FIXES 6
#define LINE_BYTES (64 * 1024)
#define MOUNT_ANSWER_BYTES 4096
#define LARGEST_MOUNT_ANSWER (1 << 20)
#define NUMBER_DIGITS 12

/* Not in every C library's headers. */
#ifndef SYS_statmount
#define SYS_statmount 457
#endif
#ifndef SYS_listmount
#define SYS_listmount 458
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static const struct {
	const char *name;
	long number;
} known_calls[] = {
	{ "close", SYS_close },
	{ "fchdir", SYS_fchdir },
	{ "fchmodat", SYS_fchmodat },
	{ "fchownat", SYS_fchownat },
	{ "flock", SYS_flock },
	{ "fsconfig", SYS_fsconfig },
	{ "fsmount", SYS_fsmount },
	{ "fsopen", SYS_fsopen },
	{ "fsync", SYS_fsync },
	{ "getdents64", SYS_getdents64 },
	{ "geteuid", SYS_geteuid },
	{ "ioctl", SYS_ioctl },
	{ "listmount", SYS_listmount },
	{ "mkdirat", SYS_mkdirat },
	{ "mount", SYS_mount },
	{ "move_mount", SYS_move_mount },
	{ "openat", SYS_openat },
	{ "read", SYS_read },
	{ "readlinkat", SYS_readlinkat },
	{ "renameat2", SYS_renameat2 },
	{ "statfs", SYS_statfs },
	{ "statmount", SYS_statmount },
	{ "statx", SYS_statx },
	{ "symlinkat", SYS_symlinkat },
	{ "syncfs", SYS_syncfs },
	{ "umount2", SYS_umount2 },
	{ "unlinkat", SYS_unlinkat },
	{ "unshare", SYS_unshare },
	{ "ustat", SYS_ustat },
	{ "write", SYS_write },
};

/* struct mnt_id_req of linux/mount.h, version 1. */
struct mount_request {
	uint32_t size;
	uint32_t spare;
	uint64_t id;
	uint64_t parameter;
	uint64_t namespace_id;
};

#define REQUEST_SIZE_WITHOUT_NAMESPACE 24

/* An argument that differs from one time to the next: where it comes from, where it goes. */
struct fix {
	enum { RETURNED, DECIMAL, NUMBER4, NUMBER8, DEVICE, FROM_END } kind;
	const long *returned; /* of the call it comes from */
	const char *from;
	size_t back;
	void *to;
};

struct call {
	const char *name;
	long number;
	long argument[ARGUMENTS];
	long returned;
	long expected; /* 0, or an errno */
	char *output;
	struct fix fix[FIXES];
	int fixes;
	struct mount_request request;
};

struct script {
	struct call *calls;
	size_t size;
	char *directory;
};

static struct script scripts[SLOTS];

static char answer[512];

__attribute__((format(printf, 1, 2))) static bool failed(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(answer, sizeof(answer), format, arguments);
	va_end(arguments);
	return false;
}

static void *allocated(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory) {
		fputs("floor: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* ---- scripts ---------------------------------------------------------------------------- */

/* Decodes percent signs in place; returns the number of bytes. */
static size_t decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		unsigned int byte;

		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to++ = (char)byte;
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = 0;
	return (size_t)(to - text);
}

static char *copy(const char *bytes, size_t size, size_t spare)
{
	char *memory = allocated(size + spare + 1);

	memcpy(memory, bytes, size);
	return memory;
}

static bool add_fix(struct call *call, struct fix fix)
{
	if (call->fixes == FIXES)
		return failed("%s has too many varying arguments", call->name);
	call->fix[call->fixes++] = fix;
	return true;
}

/* Parses one argument, which goes to where `to` points. */
static bool parse_argument(const struct script *script, struct call *call, char *text, long *to)
{
	size_t source = 0;
	size_t offset = 0;
	size_t width = 0;
	const struct call *from;
	struct fix fix = { .to = to };

	switch (*text) {
	case 'i':
		*to = strtol(text + 1, NULL, 10);
		return true;
	case 's':
	case 'b': {
		size_t size = decode(text + 1);
		char *memory = copy(text + 1, size, 0);

		if (*text == 'b')
			call->output = memory;
		*to = (long)memory;
		return true;
	}
	case 'o':
		call->output = allocated(strtoul(text + 1, NULL, 10));
		*to = (long)call->output;
		return true;
	default:
		break;
	}

	if (sscanf(text + 1, "%zu.%zu.%zu", &source, &offset, &width) < 1)
		return failed("unknown argument %s", text);
	if (source >= script->size - 1)
		return failed("%s: call %zu comes later", text, source);
	from = &script->calls[source];
	fix.returned = &from->returned;
	fix.from = from->output ? from->output + offset : NULL;
	switch (*text) {
	case 'r':
		fix.kind = RETURNED;
		break;
	case 'n': {
		char *colon = strchr(text, ':');
		size_t size = colon ? decode(colon + 1) : 0;
		char *memory = copy(colon ? colon + 1 : "", size, NUMBER_DIGITS);

		fix.kind = DECIMAL;
		fix.to = memory + size;
		*to = (long)memory;
		break;
	}
	case 'x':
		fix.kind = width == sizeof(uint32_t) ? NUMBER4 : NUMBER8;
		break;
	case 'd':
		fix.kind = DEVICE;
		break;
	case 'l':
		fix.kind = FROM_END;
		fix.from = from->output;
		fix.back = offset + 1;
		break;
	default:
		return failed("unknown argument %s", text);
	}
	if (*text != 'r' && *text != 'n' && !fix.from)
		return failed("%s: call %zu fills nothing", text, source);
	return add_fix(call, fix);
}

static bool parse_mount_question(const struct script *script, struct call *call, char **words)
{
	struct mount_request *request = &call->request;
	long room = 0;

	if (!parse_argument(script, call, words[0], (long *)&request->id) ||
	    !parse_argument(script, call, words[1], (long *)&request->namespace_id) ||
	    !parse_argument(script, call, words[2], (long *)&request->parameter) ||
	    !parse_argument(script, call, words[3], &room))
		return false;
	request->size = strcmp(words[1], "i0") ? sizeof(*request) : REQUEST_SIZE_WITHOUT_NAMESPACE;
	call->output = call->number == SYS_listmount ? allocated((size_t)room * sizeof(uint64_t)) :
						       allocated(LARGEST_MOUNT_ANSWER);
	call->argument[0] = (long)request;
	call->argument[1] = (long)call->output;
	call->argument[2] = room;
	return true;
}

static bool parse_call(struct script *script, char *line)
{
	struct call *call = &script->calls[script->size++];
	char *words[ARGUMENTS] = { 0 };
	size_t count = 0;
	char *rest = line;
	char *name = strsep(&rest, " ");
	char *outcome = strsep(&rest, " ");

	if (!outcome)
		return failed("no outcome in %s", line);
	for (char *word; (word = strsep(&rest, " ")); words[count++] = word) {
		if (count == ARGUMENTS)
			return failed("too many arguments of %s", name);
	}
	for (size_t i = 0; i < sizeof(known_calls) / sizeof(*known_calls); i++) {
		if (!strcmp(known_calls[i].name, name)) {
			call->name = known_calls[i].name;
			call->number = known_calls[i].number;
		}
	}
	if (!call->name)
		return failed("unknown call %s", name);
	call->expected = strcmp(outcome, "ok") ? strtol(outcome, NULL, 10) : 0;
	if (call->number == SYS_statmount || call->number == SYS_listmount) {
		if (count != 4)
			return failed("%s takes four arguments", name);
		return parse_mount_question(script, call, words);
	}
	for (size_t i = 0; i < count; i++) {
		if (!parse_argument(script, call, words[i], &call->argument[i]))
			return false;
	}
	return true;
}

/* What an earlier script of the slot has allocated stays: fixes point into it, and it is little. */
static bool load(struct script *script, const char *path)
{
	static char line[LINE_BYTES];
	size_t lines = 0;
	bool good = true;
	FILE *file = fopen(path, "re");

	if (!file)
		return failed("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		lines++;
	rewind(file);
	*script = (struct script){ .calls = allocated(lines * sizeof(struct call)) };
	while (good && fgets(line, sizeof(line), file)) {
		char *end = strchr(line, '\n');

		if (!end) {
			good = failed("a line is too long in %s", path);
			break;
		}
		*end = 0;
		if (!strncmp(line, "chdir ", 6)) {
			decode(line + 6);
			script->directory = copy(line + 6, strlen(line + 6), 0);
		} else {
			good = parse_call(script, line);
		}
	}
	fclose(file);
	if (good)
		snprintf(answer, sizeof(answer), "%zu", script->size);
	else
		script->size = 0;
	return good;
}

/* ---- the loop --------------------------------------------------------------------------- */

static void write_decimal(char *to, long number)
{
	char digits[NUMBER_DIGITS];
	int n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number && n < NUMBER_DIGITS - 1);
	while (n)
		*to++ = digits[--n];
	*to = 0;
}

static void apply(const struct fix *fix)
{
	switch (fix->kind) {
	case RETURNED:
		*(long *)fix->to = *fix->returned;
		break;
	case DECIMAL:
		write_decimal(fix->to, *fix->returned);
		break;
	case NUMBER4:
		*(long *)fix->to = *(const int32_t *)fix->from;
		break;
	case NUMBER8:
		*(long *)fix->to = *(const int64_t *)fix->from;
		break;
	case DEVICE: {
		const uint32_t *numbers = (const uint32_t *)fix->from;

		*(long *)fix->to = (numbers[1] & 0xff) | (long)(numbers[0] & 0xfff) << 8 |
				   (long)(numbers[1] & 0xfff00) << 12;
		break;
	}
	case FROM_END:
		if (*fix->returned >= (long)fix->back)
			*(long *)fix->to = ((const long *)fix->from)[*fix->returned - (long)fix->back];
		break;
	}
}

static long perform(const struct call *call)
{
	const long *a = call->argument;

	if (call->number != SYS_statmount)
		return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	/* dev.ovl.sys.LinuxSyscalls asks again with more room in the same way */
	for (long size = MOUNT_ANSWER_BYTES;; size *= 4) {
		long result = syscall(call->number, a[0], a[1], size, 0);

		if (result != -1 || errno != EOVERFLOW || size >= LARGEST_MOUNT_ANSWER)
			return result;
	}
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static inline bool repeat(const struct script *script, size_t i)
{
	struct call *call = &script->calls[i];
	long error;

	for (int k = 0; k < call->fixes; k++)
		apply(&call->fix[k]);
	call->returned = perform(call);
	error = call->returned == -1 ? errno : 0;
	if (error != call->expected)
		return failed("call %zu, %s: expected errno %ld, got %ld", i, call->name,
			      call->expected, error);
	return true;
}

/* Makes all calls so many times; spent[i] becomes what the i-th time took. */
static bool run(const struct script *script, long times, long *spent)
{
	for (long i = 0; i < times; i++) {
		long start = now();

		for (size_t k = 0; k < script->size; k++) {
			if (!repeat(script, k))
				return false;
		}
		spent[i] = now() - start;
	}
	return true;
}

/* Makes all calls so many times; spent[k] becomes what the k-th call took on average. */
static bool profile(const struct script *script, long times, long *spent)
{
	for (long i = 0; i < times; i++) {
		for (size_t k = 0; k < script->size; k++) {
			long start = now();

			if (!repeat(script, k))
				return false;
			spent[k] += now() - start;
		}
	}
	for (size_t k = 0; k < script->size; k++)
		spent[k] /= times;
	return true;
}

static void obey(const struct script *script, long times, bool by_call)
{
	long numbers = by_call ? (long)script->size : times;
	long *spent = allocated((size_t)numbers * sizeof(long));
	bool good;

	if (script->directory && chdir(script->directory) != 0)
		good = failed("%s: %s", script->directory, strerror(errno));
	else
		good = by_call ? profile(script, times, spent) : run(script, times, spent);
	if (chdir("/") != 0)
		good = failed("/: %s", strerror(errno));
	if (good) {
		printf("ok");
		for (long i = 0; i < numbers; i++)
			printf(" %ld", spent[i]);
		printf("\n");
	} else {
		/* what a call that did not come would have closed */
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		printf("failed %s\n", answer);
	}
	free(spent);
}

int main(void)
{
	static char line[LINE_BYTES];

	while (fgets(line, sizeof(line), stdin)) {
		char path[LINE_BYTES];
		size_t slot;
		long times;

		if (sscanf(line, "load %zu %65535[^\n]", &slot, path) == 2 && slot < SLOTS)
			printf("%s %s\n", load(&scripts[slot], path) ? "ok" : "failed", answer);
		else if (sscanf(line, "run %zu %ld", &slot, &times) == 2 && slot < SLOTS)
			obey(&scripts[slot], times, false);
		else if (sscanf(line, "profile %zu %ld", &slot, &times) == 2 && slot < SLOTS)
			obey(&scripts[slot], times, true);
		else
			printf("failed unknown command\n");
		fflush(stdout);
	}
	return 0;
}
