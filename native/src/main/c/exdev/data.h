/* The data of files, holes included. */
#ifndef OVL_EXDEV_DATA_H
#define OVL_EXDEV_DATA_H

#include <stdbool.h>
#include <stdint.h>

#define DATA_BUFFER_BYTES (256 * 1024)

/* Which ways there are: all at first, less when one turned out not to be there. */
struct data_ways {
	bool no_clone;
	bool no_range;
	char *buffer; /* DATA_BUFFER_BYTES */
};

/*
 * Copies so many bytes from the beginning of one file into an empty one: as a clone, else within
 * the kernel, else through the buffer. -ESTALE where the file is shorter than that.
 */
int data_copy(struct data_ways *ways, int from, int to, uint64_t size);

#endif
