// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "http_server.h"

#define UNIX_PREFIX "unix:"
/* Connections that wait to be accepted, at least; the kernel drops more. */
#define BACKLOG 128

/* The address of any family as the socket calls want it. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static int parse(const struct http_config *config, union address *address, socklen_t *ret_size)
{
	const char *text = config->address;

	*address = (union address){ 0 };
	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX))) {
		text += strlen(UNIX_PREFIX);
		if (!*text || strlen(text) >= sizeof(address->un.sun_path)) {
			return -EINVAL;
		}
		address->un.sun_family = AF_UNIX;
		strcpy(address->un.sun_path, text);
		*ret_size = sizeof(address->un);
	} else if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(config->port);
		*ret_size = sizeof(address->v4);
	} else if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(config->port);
		*ret_size = sizeof(address->v6);
	} else {
		return -EINVAL;
	}
	return 0;
}

/* Do packets to this address stay on the machine? */
static bool is_local(const union address *address)
{
	switch (address->any.sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
	default:
		return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
	}
}

/* All clients may come at once, as after a restart. One whose connection is dropped tries again
 * after 1, 3, 7, 15, ... s. */
static int backlog(const struct http_config *config)
{
	return config->connections_max > BACKLOG ? (int)config->connections_max : BACKLOG;
}

static int bind_and_listen(const struct http_config *config, int fd, union address *address,
			   socklen_t size)
{
	const int on = 1;

	if (address->any.sa_family == AF_UNIX) {
		/* Of a daemon that has ended without removing it. */
		unlink(address->un.sun_path);
	} else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) {
		return -errno;
	}
	if (bind(fd, &address->any, size) < 0 || listen(fd, backlog(config)) < 0 ||
	    getsockname(fd, &address->any, &size) < 0) {
		return -errno;
	}
	return 0;
}

int http_listen(const struct http_config *config, bool *ret_unix, uint16_t *ret_port, char *err,
		size_t size)
{
	union address address;
	socklen_t address_size = 0;
	int fd __cleanup(close_fd) = -1;
	int ret = parse(config, &address, &address_size);

	if (ret < 0) {
		snprintf(err, size,
			 "listen: expected an IPv4 or IPv6 address or unix:PATH, found '%s'",
			 config->address);
		return ret;
	}
	if (!config->tls && !is_local(&address)) {
		snprintf(err, size, "listen: expected TLS outside of loopback, found none for '%s'",
			 config->address);
		return -EINVAL;
	}
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = fd < 0 ? -errno : bind_and_listen(config, fd, &address, address_size);
	if (ret < 0) {
		snprintf(err, size, "listen: %s port %u: %s", config->address, config->port,
			 strerror(-ret));
		return ret;
	}
	*ret_unix = address.any.sa_family == AF_UNIX;
	/* The port is at the same place in both families. */
	*ret_port = *ret_unix ? 0 : ntohs(address.v4.sin_port);
	ret = fd;
	fd = -1;
	return ret;
}
