// SPDX-License-Identifier: GPL-2.0-only
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct memory *memory, int error, char *err, size_t size, const char *reason)
{
	snprintf(err, size, "shared memory %s: %s", memory->path, reason);
	if (memory->fd >= 0)
		close(memory->fd);
	memory->fd = -1;
	return -error;
}

int memory_create(struct memory *memory, const char *path, char *err, size_t size)
{
	/*
	 * A lock of the process, not of the open file: both emulators get hold
	 * of the file and may outlive us.
	 */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;
	void *map;
	int ret;

	memory->path = path;
	memory->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (memory->fd < 0)
		return refuse(memory, errno, err, size, strerror(errno));
	if (fstat(memory->fd, &st) || !S_ISREG(st.st_mode))
		return refuse(memory, EINVAL, err, size, "not a regular file");
	if (st.st_size && st.st_size != QS1_VHW_SIZE)
		return refuse(memory, EEXIST, err, size,
			      "exists and is not a virtual board's memory of 16 MB");
	if (fcntl(memory->fd, F_SETLK, &lock))
		return refuse(memory, EBUSY, err, size, "in use by another vboard");

	/* Ours from here on, and all of it: a full file system would kill us later. */
	ret = ftruncate(memory->fd, 0) ? errno : posix_fallocate(memory->fd, 0, QS1_VHW_SIZE);
	map = MAP_FAILED;
	if (!ret) {
		map = mmap(NULL, QS1_VHW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
		ret = errno;
	}
	if (map == MAP_FAILED) {
		unlink(path);
		return refuse(memory, ret, err, size, strerror(ret));
	}

	memory->vhw = map;
	memory->shm = (struct qs1_shm *)((char *)map + QS1_VHW_SHM_OFFSET);
	*memory->vhw = (struct qs1_vhw){
		.version = QS1_VHW_VERSION,
		.size = QS1_VHW_SIZE,
		.shm_offset = QS1_VHW_SHM_OFFSET,
		.fw_offset = QS1_VHW_FW_OFFSET,
		.da = QS1_VHW_DA,
		.coproc_state = QS1_VHW_COPROC_RESET,
		.rest = 1,
		.sense = QS1_VHW_SENSE_ESTOP_N,
		.magic = QS1_VHW_MAGIC,
	};
	return 0;
}

void memory_remove(struct memory *memory)
{
	if (memory->fd < 0)
		return;
	munmap(memory->vhw, QS1_VHW_SIZE);
	unlink(memory->path);
	close(memory->fd);
	memory->fd = -1;
}
