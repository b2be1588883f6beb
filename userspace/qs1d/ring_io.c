// SPDX-License-Identifier: GPL-2.0-only
/* A ring's files as files of the system. */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/util.h"

/* Make a new file's name in its folder last. */
static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd __cleanup(close_fd) = -1;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		return -errno;
	}
	return 0;
}

static int write_all(int fd, const char *buf, size_t n, size_t at)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, buf, n, at);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return -errno;
		}
		buf += done;
		at += done;
		n -= done;
	}
	return 0;
}

/* Written, not only allocated: what is written later then changes no metadata. */
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

		ret = write_all(fd, zeros, n, at);
		at += n;
	}
	if (!ret && fsync(fd) < 0) {
		ret = -errno;
	}
	return ret ?: sync_folder(path);
}

static int open_file(void *ctx, const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int ret;

	(void)ctx;
	if (fd < 0) {
		/* What is there can at least be read. */
		ret = -errno;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			return errno == ENOENT ? ret : -errno;
		}
		return fd;
	}
	ret = fill(fd, path, size);
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
	int ret = write_all(file, buf, n, at);

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
