// SPDX-License-Identifier: GPL-2.0-or-later
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "util.h"

int sysfs_open(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sysfs_read(int fd, char *buf, size_t size)
{
	ssize_t n;

	do {
		n = pread(fd, buf, size - 1, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return -errno;
	}
	if (n > 0 && buf[n - 1] == '\n') {
		n--;
	}
	buf[n] = '\0';
	return n;
}

int sysfs_read_at(int dir, const char *name, char *buf, size_t size)
{
	int fd __cleanup(close_fd) = sysfs_open(dir, name);

	return fd < 0 ? fd : sysfs_read(fd, buf, size);
}

int sysfs_write_at(int dir, const char *name, const char *text)
{
	int fd __cleanup(close_fd) = openat(dir, name, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);
	ssize_t n;

	if (fd < 0) {
		return -errno;
	}
	do {
		n = write(fd, text, length);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return -errno;
	}
	return (size_t)n == length ? 0 : -EIO;
}

int sysfs_int(const char *text, int64_t *ret_value)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (end == text || *end) {
		return -EINVAL;
	}
	if (errno == ERANGE) {
		return -ERANGE;
	}
	*ret_value = value;
	return 0;
}

int sysfs_double(const char *text, double *ret_value)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value)) {
		return -EINVAL;
	}
	*ret_value = value;
	return 0;
}
