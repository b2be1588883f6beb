// SPDX-License-Identifier: GPL-2.0-only
/* File operations of a ring on the operating system's files. */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../lib/file.h"
#include "../lib/util.h"

/* Written, not only allocated: later writes then change no metadata. */
static int fill(int fd, const char *path, size_t size)
{
	static const char zeros[RING_BLOCK];
	struct stat st;
	int ret = 0;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if ((size_t)st.st_size >= size) {
		return 0;
	}
	for (size_t at = st.st_size; at < size && !ret;) {
		size_t n = size - at < sizeof(zeros) ? size - at : sizeof(zeros);

		ret = file_write_all(fd, zeros, n, at);
		at += n;
	}
	if (!ret && fsync(fd) < 0) {
		ret = -errno;
	}
	return ret ?: file_sync_folder(path);
}

/* What cannot be written can at least be read. */
static int open_any(const char *path, bool *ret_writable)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int ret;

	*ret_writable = fd >= 0;
	if (fd >= 0) {
		return fd;
	}
	ret = -errno;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? ret : -errno;
}

/* The lock keeps a second instance out. It ends with the process. */
static int open_file(void *ctx, const char *path, size_t size)
{
	bool writable;
	int fd = open_any(path, &writable);
	int ret = 0;

	(void)ctx;
	if (fd < 0) {
		return fd;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ret = errno == EWOULDBLOCK ? -EBUSY : -errno;
	} else if (writable) {
		ret = fill(fd, path, size);
	}
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

static int read_file(void *ctx, int file, void *buf, size_t n, size_t at)
{
	char *next = buf;

	(void)ctx;
	while (n > 0) {
		ssize_t done = pread(file, next, n, at);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			return done < 0 ? -errno : -EIO;
		}
		next += done;
		at += done;
		n -= done;
	}
	return 0;
}

static int write_file(void *ctx, int file, const void *buf, size_t n, size_t at)
{
	int ret = file_write_all(file, buf, n, at);

	(void)ctx;
	/* A file that could only be opened for reading. */
	return ret == -EBADF ? -EROFS : ret;
}

static int sync_file(void *ctx, int file)
{
	(void)ctx;
	return fdatasync(file) < 0 ? -errno : 0;
}

static void close_file_of(void *ctx, int file)
{
	(void)ctx;
	close(file);
}

const struct ring_io ring_io_files = {
	.open = open_file,
	.read = read_file,
	.write = write_file,
	.sync = sync_file,
	.close = close_file_of,
};
