#include "data.h"

#include "sys.h"

#include <errno.h>
#include <unistd.h>

/* So that a signal that kills is not kept waiting for long. */
#define RANGE_BYTES (INT64_C(64) << 20)

static int64_t smaller(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

/* Whether a way is not there for any file, as far as can be told. */
static bool is_missing(ssize_t error)
{
	return error == -ENOSYS || error == -EOPNOTSUPP || error == -ENOTTY || error == -EPERM;
}

/* Whether it is not there for these two. */
static bool is_unfit(ssize_t error)
{
	return is_missing(error) || error == -EXDEV || error == -EINVAL || error == -ETXTBSY;
}

static int write_all(int to, const char *data, size_t size, int64_t offset)
{
	while (size > 0) {
		ssize_t written = sys_pwrite(to, data, size, offset);

		if (written <= 0)
			return written < 0 ? (int)written : -EIO;
		data += written;
		size -= (size_t)written;
		offset += written;
	}
	return 0;
}

static int copy_by_buffer(char *buffer, int from, int to, int64_t offset, int64_t end)
{
	while (offset < end) {
		size_t wanted = (size_t)smaller(end - offset, DATA_BUFFER_BYTES);
		ssize_t size = sys_pread(from, buffer, wanted, offset);
		int error;

		if (size <= 0)
			return size < 0 ? (int)size : -ESTALE;
		error = write_all(to, buffer, (size_t)size, offset);
		if (error)
			return error;
		offset += size;
	}
	return 0;
}

static int copy_range(struct data_ways *ways, int from, int to, int64_t offset, int64_t end)
{
	int64_t to_offset = offset;

	while (offset < end && !ways->no_range) {
		size_t wanted = (size_t)smaller(end - offset, RANGE_BYTES);
		ssize_t size = sys_copy_range(from, &offset, to, &to_offset, wanted);

		if (size > 0)
			continue;
		if (size < 0 && !is_unfit(size))
			return (int)size;
		ways->no_range = is_missing(size);
		/* nothing, at the end or where a file system cannot */
		break;
	}
	return copy_by_buffer(ways->buffer, from, to, offset, end);
}

int data_copy(struct data_ways *ways, int from, int to, uint64_t size)
{
	int64_t end = (int64_t)size;
	int error;

	if (size > 0 && !ways->no_clone) {
		error = sys_clone(from, to);
		if (!is_unfit(error))
			return error;
		ways->no_clone = is_missing(error);
	}
	/* first, since what makes a file larger may get more room than it needs, and that in its holes */
	error = size > 0 ? sys_truncate(to, size) : 0;
	if (error)
		return error;
	for (int64_t at = 0; at < end;) {
		int64_t data = sys_seek(from, at, SEEK_DATA);
		int64_t hole = data < 0 ? data : sys_seek(from, data, SEEK_HOLE);

		if (data == -ENXIO || data >= end)
			break;
		if (data == -EINVAL || hole == -EINVAL) { /* not told: data all the way */
			data = at;
			hole = end;
		}
		if (data < 0 || hole < 0)
			return (int)(data < 0 ? data : hole);
		at = smaller(hole, end);
		error = copy_range(ways, from, to, data, at);
		if (error)
			return error;
	}
	return 0;
}
