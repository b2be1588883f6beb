// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "file.h"
#include "mac.h"
#include "util.h"

static int take_path(char *path, size_t max, const char *value, char *err, size_t size)
{
	if (value[0] != '/' || strlen(value) >= max) {
		snprintf(err, size, "expected an absolute path below %zu bytes, found '%s'", max,
			 value);
		return -EINVAL;
	}
	strcpy(path, value);
	return 0;
}

static int take_port(struct linkd_settings *settings, const char *value, char *err, size_t size)
{
	return take_path(settings->port, sizeof(settings->port), value, err, size);
}

static int take_socket(struct linkd_settings *settings, const char *value, char *err, size_t size)
{
	return take_path(settings->socket, sizeof(settings->socket), value, err, size);
}

static int take_network(struct linkd_settings *settings, const char *value, char *err, size_t size)
{
	return take_path(settings->network, sizeof(settings->network), value, err, size);
}

static int take_pan(struct linkd_settings *settings, const char *value, char *err, size_t size)
{
	char *end;
	unsigned long pan = strtoul(value, &end, 16);

	if (strlen(value) != 4 || strspn(value, "0123456789abcdefABCDEF") != 4 || *end ||
	    pan == MAC_BROADCAST) {
		snprintf(err, size, "expected 4 hexadecimal digits below FFFF, found '%s'", value);
		return -EINVAL;
	}
	settings->link.pan = (uint16_t)pan;
	return 0;
}

static int take_channel(struct linkd_settings *settings, const char *value, char *err, size_t size)
{
	char *end;
	unsigned long channel = strtoul(value, &end, 10);

	if (*end || channel < 11 || channel > 26) {
		snprintf(err, size, "expected 11 to 26, found '%s'", value);
		return -EINVAL;
	}
	settings->link.channel = (uint8_t)channel;
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct linkd_settings *settings, const char *value, char *err, size_t size);
} key[] = {
	{ "port", take_port }, { "socket", take_socket },   { "network", take_network },
	{ "pan", take_pan },   { "channel", take_channel },
};

static int take_line(void *ctx, int line, const char *name, const char *value, char *err,
		     size_t size)
{
	char reason[PATH_MAX + 80];

	(void)line;
	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		if (strcmp(name, key[i].name)) {
			continue;
		}
		if (key[i].take(ctx, value, reason, sizeof(reason)) < 0) {
			snprintf(err, size, "%s: %s", name, reason);
			return -EINVAL;
		}
		return 0;
	}
	snprintf(err, size, "unknown name '%s', expected port, socket, network, pan or channel",
		 name);
	return -EINVAL;
}

int linkd_settings_load(const char *path, struct linkd_settings *ret, char *err, size_t size)
{
	struct linkd_settings settings = {
		.port = "/dev/qs1-radio",
		.socket = "/run/qs1/radio.sock",
		.network = "/var/lib/qs1-link/network",
		/* the PAN of an ECU whose identity begins so; a stock ECU sets it when it pairs */
		.link = { .pan = 0xa3d8, .channel = 16 },
	};
	int parsed = qs1_conf_read(path ?: LINKD_CONFIG_FILE, take_line, &settings, err, size);

	if (parsed < 0 && (path || parsed != -ENOENT)) {
		return parsed;
	}
	*ret = settings;
	return 0;
}

int linkd_network_load(struct linkd_settings *settings, char *err, size_t size)
{
	int fd __cleanup(close_fd) = open(settings->network, O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	char reason[80];
	ssize_t n;
	int ret;

	if (fd < 0 && errno == ENOENT) {
		return 0;
	}
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		ret = -errno;
		snprintf(err, size, "%s: %s", settings->network, strerror(-ret));
		return ret;
	}
	text[strcspn(text, "\n")] = '\0';
	ret = take_pan(settings, text, reason, sizeof(reason));
	if (ret < 0) {
		snprintf(err, size, "%s: %s", settings->network, reason);
	}
	return ret;
}

int linkd_network_save(const struct linkd_settings *settings, uint16_t pan)
{
	char text[8];
	int n = snprintf(text, sizeof(text), "%04X\n", pan);

	return file_replace(settings->network, text, (size_t)n, 0644, true);
}
