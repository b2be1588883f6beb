// SPDX-License-Identifier: GPL-2.0-or-later
#include "iio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "sysfs.h"
#include "util.h"

static void close_dir(DIR **dir)
{
	if (*dir) {
		closedir(*dir);
	}
}

int iio_find(const char *root, const char *name, char *ret_path)
{
	char path[PATH_MAX];
	DIR *dir __cleanup(close_dir) = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/bus/iio/devices", root);
	dir = opendir(path);
	if (!dir) {
		return errno == ENOENT ? -ENODEV : -errno;
	}
	while ((entry = readdir(dir))) {
		int fd __cleanup(close_fd) = -1;
		char found[64];

		if (entry->d_name[0] == '.') {
			continue;
		}
		fd = openat(dirfd(dir), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || sysfs_read_at(fd, "name", found, sizeof(found)) < 0 ||
		    strcmp(found, name)) {
			continue;
		}
		if (snprintf(path, sizeof(path), "%s/bus/iio/devices/%s", root, entry->d_name) >=
		    (int)sizeof(path)) {
			return -ENAMETOOLONG;
		}
		return realpath(path, ret_path) ? 0 : -errno;
	}
	return -ENODEV;
}

int iio_open_parent(const char *device, const char *attribute)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", device);
	while (path[0]) {
		int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		char *slash = strrchr(path, '/');

		if (dir >= 0 && faccessat(dir, attribute, F_OK, 0) == 0) {
			return dir;
		}
		close_fd(&dir);
		if (!slash) {
			break;
		}
		*slash = '\0';
	}
	return -ENODEV;
}

/* The channel's stem, "in_voltage3", of the label file "in_voltage3_label". */
static int find_stem(int dir, const char *type, const char *label, char *stem, size_t size)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list __cleanup(close_dir) = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char prefix[64];

	if (!list) {
		return -errno;
	}
	snprintf(prefix, sizeof(prefix), "in_%s", type);
	while ((entry = readdir(list))) {
		const char *rest = entry->d_name + strlen(prefix);
		char found[64];
		size_t digits;

		if (strncmp(entry->d_name, prefix, strlen(prefix))) {
			continue;
		}
		digits = strspn(rest, "0123456789");
		if (strcmp(rest + digits, "_label") ||
		    sysfs_read_at(dir, entry->d_name, found, sizeof(found)) < 0 ||
		    strcmp(found, label)) {
			continue;
		}
		snprintf(stem, size, "%s%.*s", prefix, (int)digits, rest);
		return 0;
	}
	return -ENOENT;
}

/* A scale or offset: the channel's own, or the one shared by its type. */
static double factor(int dir, const char *stem, const char *type, const char *what, double missing)
{
	char name[128], text[64];
	double value;

	snprintf(name, sizeof(name), "%s_%s", stem, what);
	if (sysfs_read_at(dir, name, text, sizeof(text)) < 0) {
		snprintf(name, sizeof(name), "in_%s_%s", type, what);
		if (sysfs_read_at(dir, name, text, sizeof(text)) < 0) {
			return missing;
		}
	}
	return sysfs_double(text, &value) < 0 ? missing : value;
}

int iio_channel_open(int dir, const char *type, const char *label, const char *quantity,
		     struct iio_channel *ret_channel)
{
	char stem[80], name[128];
	int ret = find_stem(dir, type, label, stem, sizeof(stem));
	int fd;

	if (ret < 0) {
		return ret;
	}
	snprintf(name, sizeof(name), "%s_%s", stem, quantity ?: "input");
	fd = sysfs_open(dir, name);
	if (fd >= 0) {
		*ret_channel = (struct iio_channel){ .fd = fd, .scale = 1 };
		return 0;
	}
	if (quantity) {
		return fd;
	}
	snprintf(name, sizeof(name), "%s_raw", stem);
	fd = sysfs_open(dir, name);
	if (fd < 0) {
		return fd;
	}
	*ret_channel = (struct iio_channel){
		.fd = fd,
		.scale = factor(dir, stem, type, "scale", 1),
		.offset = factor(dir, stem, type, "offset", 0),
	};
	return 0;
}

int iio_channel_read(const struct iio_channel *channel, double *ret_value)
{
	char text[64];
	double value;
	int ret;

	if (channel->fd < 0) {
		return -ENOENT;
	}
	ret = sysfs_read(channel->fd, text, sizeof(text));
	if (ret < 0) {
		return ret;
	}
	ret = sysfs_double(text, &value);
	if (ret < 0) {
		return ret;
	}
	*ret_value = (value + channel->offset) * channel->scale;
	return 0;
}

void iio_channel_close(struct iio_channel *channel)
{
	close_fd(&channel->fd);
	channel->fd = -1;
}
