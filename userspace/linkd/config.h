/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linkd's configuration file, `name value` lines. */
#ifndef LINKD_CONFIG_H
#define LINKD_CONFIG_H

#include <limits.h>
#include <sys/un.h>

#include "core.h"

#define LINKD_CONFIG_FILE "/etc/qs1/linkd.conf"

/**
 * struct linkd_settings - contents of the file
 * @port: the modem's serial port
 * @socket: qs1d's second socket
 * @network: file that keeps the PAN of a stock ECU that has paired with the unit
 * @link: of the network
 */
struct linkd_settings {
	char port[PATH_MAX];
	char socket[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char network[PATH_MAX];
	struct linkd_config link;
};

/**
 * linkd_settings_load() - the defaults, overridden by a file
 * @path: file name; NULL for LINKD_CONFIG_FILE, which need not exist
 * @ret: untouched on failure
 * @err: on failure the reason, with file and line
 *
 * Return: 0 or a negative errno.
 */
int linkd_settings_load(const char *path, struct linkd_settings *ret, char *err, size_t size);

/**
 * linkd_network_load() - the PAN that @settings->network keeps goes before the configured one
 *
 * Return: 0, also without such a file; otherwise a negative errno and the reason in @err.
 */
int linkd_network_load(struct linkd_settings *settings, char *err, size_t size);

/* Keep a PAN there, over a loss of power. Return: 0 or a negative errno. */
int linkd_network_save(const struct linkd_settings *settings, uint16_t pan);

#endif /* LINKD_CONFIG_H */
