// SPDX-License-Identifier: GPL-2.0-or-later
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "util.h"

int file_sync_folder(const char *path)
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

int file_write_all(int fd, const char *buf, size_t n, off_t at)
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

static int write_new(const char *path, const char *text, size_t n, mode_t mode, bool sync)
{
	int fd __cleanup(close_fd) = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0) {
		return -errno;
	}
	ret = file_write_all(fd, text, n, 0);
	if (!ret && (fchmod(fd, mode) < 0 || (sync && fsync(fd) < 0))) {
		ret = -errno;
	}
	return ret;
}

int file_replace(const char *path, const char *text, size_t n, mode_t mode, bool sync)
{
	char next[PATH_MAX + 8];
	int ret;

	snprintf(next, sizeof(next), "%s.new", path);
	ret = write_new(next, text, n, mode, sync);
	if (!ret && rename(next, path) < 0) {
		ret = -errno;
	}
	if (ret < 0) {
		unlink(next);
		return ret;
	}
	return sync ? file_sync_folder(path) : 0;
}
