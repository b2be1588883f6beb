// SPDX-License-Identifier: GPL-2.0-or-later
#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "../lib/log.h"
#include "../lib/util.h"

#define SWEEP_US 1000000
#define BACKLOG 32
#define FROM_SIZE 48

/**
 * struct tcp_client - a connection
 * @request: of @have bytes so far
 * @since_us: when the first byte of @request, or the last request, came
 * @served: it has had an answer
 */
struct tcp_client {
	struct tcp_client *next;
	struct tcp_server *server;
	int fd;
	sd_event_source *source;
	char from[FROM_SIZE];
	uint8_t request[TCP_REQUEST_MAX];
	size_t have;
	uint64_t since_us;
	bool served;
};

/* What a client does, the one that gives way first at the top. */
enum standing {
	CLOSED, /* by the client; not read so far */
	SILENT, /* has never asked for anything */
	IDLE,
	ASKING, /* its bytes have come, and are not read so far */
};

struct tcp_server {
	struct tcp_config config;
	sd_event *event;
	int fd;
	sd_event_source *source;
	sd_event_source *sweep;
	uint16_t port;
	unsigned int clients;
	struct tcp_client *client;
};

/* Sockets keep the system's time, whatever clock a simulated site has. */
static uint64_t now_us(const struct tcp_server *server)
{
	uint64_t now = 0;

	sd_event_now(server->event, CLOCK_MONOTONIC, &now);
	return now;
}

static void close_client(struct tcp_client *client)
{
	struct tcp_server *server = client->server;
	struct tcp_client **place = &server->client;

	while (*place != client) {
		place = &(*place)->next;
	}
	*place = client->next;
	server->clients--;
	sd_event_source_disable_unref(client->source);
	close(client->fd);
	free(client);
}

const char *tcp_from(const struct tcp_client *client)
{
	return client->from;
}

int tcp_reply(struct tcp_client *client, const void *bytes, size_t n)
{
	ssize_t sent = send(client->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	return sent == (ssize_t)n ? 0 : sent < 0 ? -errno : -EAGAIN;
}

/* Answer all requests that are complete. Return 0, or a negative errno to close. */
static int take_requests(struct tcp_client *client)
{
	const struct tcp_config *config = &client->server->config;

	while (client->have) {
		ssize_t used = config->take(config->ctx, client, client->request, client->have);

		if (used < 0) {
			return used;
		}
		if (used == 0) {
			return client->have == sizeof(client->request) ? -EMSGSIZE : 0;
		}
		client->served = true;
		client->have -= used;
		memmove(client->request, client->request + used, client->have);
		client->since_us = now_us(client->server);
	}
	return 0;
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct tcp_client *client = ctx;
	ssize_t n = recv(fd, client->request + client->have, sizeof(client->request) - client->have,
			 MSG_DONTWAIT);

	(void)source;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return 0;
	}
	if (n > 0) {
		if (!client->have) {
			client->since_us = now_us(client->server);
		}
		client->have += n;
	}
	if (n <= 0 || take_requests(client) < 0) {
		close_client(client);
	}
	return 0;
}

static int on_sweep(sd_event_source *source, uint64_t due_us, void *ctx)
{
	struct tcp_server *server = ctx;
	struct tcp_client *next;

	for (struct tcp_client *each = server->client; each; each = next) {
		uint64_t limit_s = each->have ? server->config.request_s : server->config.idle_s;

		next = each->next;
		if (now_us(server) - each->since_us >= limit_s * 1000000) {
			close_client(each);
		}
	}
	sd_event_source_set_time(source, due_us + SWEEP_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Clients with the address of this one. */
static int count_alike(const struct tcp_server *server, const struct tcp_client *client)
{
	int count = 0;

	for (struct tcp_client *each = server->client; each; each = each->next) {
		count += !strcmp(each->from, client->from);
	}
	return count;
}

static enum standing standing_of(const struct tcp_client *client)
{
	char byte;
	ssize_t n = recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0) {
		return ASKING;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		return CLOSED;
	}
	return client->served ? IDLE : SILENT;
}

/**
 * struct place - how easily a client gives way
 * @alike: connections of its address
 */
struct place {
	enum standing standing;
	int alike;
	uint64_t since_us;
};

/* Does @a give way before @b? */
static bool gives_way(const struct place *a, const struct place *b)
{
	if ((a->standing == CLOSED) != (b->standing == CLOSED)) {
		return a->standing == CLOSED;
	}
	if (a->alike != b->alike) {
		return a->alike > b->alike;
	}
	return a->standing != b->standing ? a->standing < b->standing : a->since_us < b->since_us;
}

/*
 * Make room for a new client: one of the address that has the most connections gives way, so that a
 * client with many connections cannot push out the others. Of these it is the longest-idle one, but
 * none whose request has come and is not read so far: the loop may see the new connection first.
 */
static void close_idlest(struct tcp_server *server)
{
	struct tcp_client *idlest = NULL;
	struct place first = { 0 };

	for (struct tcp_client *each = server->client; each; each = each->next) {
		struct place place = { standing_of(each), count_alike(server, each),
				       each->since_us };

		if (!idlest || gives_way(&place, &first)) {
			idlest = each;
			first = place;
		}
	}
	close_client(idlest);
}

static void name_peer(struct tcp_client *client, const struct sockaddr_storage *peer)
{
	const struct sockaddr_in6 *v6 = (const void *)peer;
	const struct sockaddr_in *v4 = (const void *)peer;

	if (peer->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, client->from, sizeof(client->from));
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], client->from, sizeof(client->from));
	} else {
		inet_ntop(AF_INET6, &v6->sin6_addr, client->from, sizeof(client->from));
	}
}

static int on_connection(sd_event_source *source, int listening, uint32_t events, void *ctx)
{
	struct tcp_server *server = ctx;
	struct sockaddr_storage peer = { 0 };
	socklen_t size = sizeof(peer);
	struct tcp_client *client;
	const int on = 1;
	int fd = accept4(listening, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (fd < 0) {
		return 0;
	}
	if (server->clients >= server->config.clients_max) {
		close_idlest(server);
	}
	client = calloc(1, sizeof(*client));
	if (!client ||
	    sd_event_add_io(server->event, &client->source, fd, EPOLLIN, on_client, client) < 0) {
		free(client);
		close(fd);
		return 0;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	client->server = server;
	client->fd = fd;
	client->since_us = now_us(server);
	name_peer(client, &peer);
	client->next = server->client;
	server->client = client;
	server->clients++;
	return 0;
}

/* A socket that systemd has bound, below 1024 where we may not; -1 if there is none. */
static int inherited(uint16_t port)
{
	int count = sd_listen_fds(0);

	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; fd++) {
		if (sd_is_socket_inet(fd, AF_UNSPEC, SOCK_STREAM, 1, port) > 0) {
			return fd;
		}
	}
	return -1;
}

static int open_socket(struct tcp_server *server)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(server->config.port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(server->config.port) };
	const char *address = *server->config.address ? server->config.address : "::";
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	struct sockaddr *any = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t size = is_v4 ? sizeof(v4) : sizeof(v6);
	const int on = 1;

	server->fd = server->config.port ? inherited(server->config.port) : -1;
	if (server->fd >= 0) {
		server->port = server->config.port;
		return 0;
	}
	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1) {
		return -EINVAL;
	}
	server->fd = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0) {
		return -errno;
	}
	if (setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(server->fd, any, size) < 0 || listen(server->fd, BACKLOG) < 0 ||
	    getsockname(server->fd, any, &size) < 0) {
		return -errno;
	}
	/* At the same place in both families. */
	server->port = ntohs(is_v4 ? v4.sin_port : v6.sin6_port);
	return 0;
}

int tcp_start(struct tcp_server **ret_server, sd_event *event, const struct tcp_config *config)
{
	struct tcp_server *server = calloc(1, sizeof(*server));
	int ret;

	if (!server) {
		return -ENOMEM;
	}
	server->config = *config;
	server->event = event;
	server->fd = -1;
	ret = open_socket(server);
	if (ret == 0) {
		ret = sd_event_add_io(event, &server->source, server->fd, EPOLLIN, on_connection,
				      server);
	}
	if (ret >= 0) {
		ret = sd_event_add_time_relative(event, &server->sweep, CLOCK_MONOTONIC, SWEEP_US,
						 0, on_sweep, server);
	}
	if (ret < 0) {
		log_err("%s: listen on %s port %u: %s", config->name, config->address, config->port,
			strerror(-ret));
		tcp_stop(server);
		return ret;
	}
	*ret_server = server;
	return 0;
}

void tcp_stop(struct tcp_server *server)
{
	if (!server) {
		return;
	}
	while (server->client) {
		close_client(server->client);
	}
	sd_event_source_disable_unref(server->source);
	sd_event_source_disable_unref(server->sweep);
	close_fd(&server->fd);
	free(server);
}

uint16_t tcp_port(const struct tcp_server *server)
{
	return server->port;
}
