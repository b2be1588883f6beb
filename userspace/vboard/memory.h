/* SPDX-License-Identifier: GPL-2.0-only */
/* The shared memory file of the virtual board. */
#ifndef QS1_VBOARD_MEMORY_H
#define QS1_VBOARD_MEMORY_H

#include <stddef.h>

#include <qs1/vhw.h>

/**
 * struct memory - the file, mapped
 * @path: its name
 * @fd: locked as long as this process lives
 * @vhw: registers, and the start of QS1_VHW_SIZE bytes
 * @shm: the contract
 */
struct memory {
	const char *path;
	int fd;
	struct qs1_vhw *vhw;
	struct qs1_shm *shm;
};

/**
 * memory_create() - create the file, zeroed, with the registers' fixed part
 * @err: on failure the reason, with the path
 *
 * A file that a dead process left behind is used again; one in use is not.
 *
 * Return: 0 or a negative errno.
 */
int memory_create(struct memory *memory, const char *path, char *err, size_t size);

/* Unmaps and removes the file. */
void memory_remove(struct memory *memory);

#endif /* QS1_VBOARD_MEMORY_H */
