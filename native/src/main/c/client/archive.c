#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a jar is known by ----------------------------------------------------------------- */

/* The record that a zip file without a comment ends with; numbers are little-endian, as here. */
enum { END_SIZE = 22, END_SIGNATURE = 0x06054b50, AT_LENGTH = 12, AT_OFFSET = 16, AT_COMMENT = 20 };

/* More than any jar of ours has: 100 000 classes. */
enum { LONGEST_DIRECTORY = 16 << 20 };

/* Bytes mixed into a number: no protection from who wants to deceive, who could write classes too. */
static uint64_t mixed(uint64_t number, const void *bytes, size_t count)
{
	const unsigned char *next = bytes;

	for (;;) {
		size_t part = count < sizeof(uint64_t) ? count : sizeof(uint64_t);
		/* the last word has at most 7 bytes, and tells how many */
		uint64_t word = (uint64_t)part << 56;

		memcpy(&word, next, part);
		number = (number ^ word) * 0x9e3779b97f4a7c15;
		number ^= number >> 32;
		if (part < sizeof(word))
			return number;
		next += part;
		count -= part;
	}
}

/* Whether all those bytes are there. */
static bool read_at(int fd, void *bytes, size_t count, off_t at)
{
	return pread(fd, bytes, count, at) == (ssize_t)count;
}

/* Mixes in a zip file's central directory. Returns 0 or an errno. */
static int mix_directory(int jar, uint64_t *number)
{
	struct stat status;
	unsigned char end[END_SIZE];
	uint32_t signature;
	uint32_t length;
	uint32_t offset;
	uint16_t comment;
	void *directory;
	bool whole;

	if (fstat(jar, &status))
		return errno;
	if (!S_ISREG(status.st_mode) || status.st_size < END_SIZE
	    || !read_at(jar, end, END_SIZE, status.st_size - END_SIZE))
		return EBADMSG;
	memcpy(&signature, end, sizeof(signature));
	memcpy(&length, end + AT_LENGTH, sizeof(length));
	memcpy(&offset, end + AT_OFFSET, sizeof(offset));
	memcpy(&comment, end + AT_COMMENT, sizeof(comment));
	if (signature != END_SIGNATURE || comment || length > LONGEST_DIRECTORY
	    || (off_t)offset + length + END_SIZE != status.st_size)
		return EBADMSG;
	directory = malloc(length + 1);
	if (!directory)
		return ENOMEM;
	whole = read_at(jar, directory, length, offset);
	if (whole)
		*number = mixed(*number, directory, length);
	free(directory);
	return whole ? 0 : EBADMSG;
}

static int add_jar(int directory, const char *name, uint64_t *sum)
{
	/* O_NONBLOCK: what has the name may be a pipe */
	int jar = openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	uint64_t number = mixed(0, name, strlen(name));
	int error;

	if (jar < 0)
		return errno;
	error = mix_directory(jar, &number);
	close(jar);
	*sum += number;
	return error;
}

static bool is_jar(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strcmp(name + length - 4, ".jar");
}

static int add_jars(DIR *directory, uint64_t *sum)
{
	for (;;) {
		const struct dirent *entry;
		int error;

		errno = 0;
		entry = readdir(directory);
		if (!entry)
			return errno;
		if (!is_jar(entry->d_name))
			continue;
		error = add_jar(dirfd(directory), entry->d_name, sum);
		if (error)
			return error;
	}
}

/* A number for all jars of a directory, whatever their order. Returns 0 or an errno. */
static int number_jars(const char *directory, uint64_t *number)
{
	DIR *opened = opendir(directory);
	int error;

	if (!opened)
		return errno;
	*number = 0;
	error = add_jars(opened, number);
	closedir(opened);
	return error;
}

/* ---- the seal ------------------------------------------------------------------------------- */

/* What stands at the very end of the archive. */
struct seal {
	char magic[8];
	uint64_t jars;
};

static const char MAGIC[8] = "ovl-jars";

static bool read_seal(int archive, struct seal *seal)
{
	struct stat status;

	return !fstat(archive, &status) && S_ISREG(status.st_mode)
	       && status.st_size >= (off_t)sizeof(*seal)
	       && read_at(archive, seal, sizeof(*seal), status.st_size - (off_t)sizeof(*seal))
	       && !memcmp(seal->magic, MAGIC, sizeof(MAGIC));
}

static bool is_sealed(const char *archive, struct seal *seal)
{
	int fd = open(archive, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool sealed;

	if (fd < 0)
		return false;
	sealed = read_seal(fd, seal);
	close(fd);
	return sealed;
}

bool archive_fits(const char *archive, const char *directory)
{
	struct seal seal;
	uint64_t jars;

	return is_sealed(archive, &seal) && !number_jars(directory, &jars) && seal.jars == jars;
}

int archive_seal(const char *archive, const char *directory)
{
	struct seal seal;
	int error = number_jars(directory, &seal.jars);
	int fd;

	if (error)
		return error;
	fd = open(archive, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return errno;
	memcpy(seal.magic, MAGIC, sizeof(MAGIC));
	errno = 0;
	if (write(fd, &seal, sizeof(seal)) != sizeof(seal))
		error = errno ? errno : ENOSPC;
	if (close(fd) && !error)
		error = errno;
	return error;
}
