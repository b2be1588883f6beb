/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP server of a binary protocol on the main loop: a bounded number of clients, a bounded buffer
 * for each, and an end for those that stall. Modbus and the stock protocol use it.
 */
#ifndef ECUD_TCP_H
#define ECUD_TCP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sd_event;
struct tcp_server;
struct tcp_client;

/* Longest request that is taken in pieces. */
#define TCP_REQUEST_MAX 512

/**
 * struct tcp_config - one server
 * @name: for the log
 * @address: IPv4 or IPv6 address; "" for all
 * @port: 0 for a free one
 * @clients_max: one more, and a client gives way: of the address with the most connections, first
 *               those that have never asked for anything, then the longest-idle one
 * @idle_s: a client without a request for so long is closed
 * @request_s: a request must be complete within this time
 * @take: looks at the bytes so far. Returns the length of the request that it has answered, 0 when
 *        more bytes are needed, or a negative errno to close the connection
 */
struct tcp_config {
	const char *name;
	const char *address;
	uint16_t port;
	unsigned int clients_max;
	unsigned int idle_s;
	unsigned int request_s;
	ssize_t (*take)(void *ctx, struct tcp_client *client, const uint8_t *bytes, size_t n);
	void *ctx;
};

/**
 * tcp_start() - listen
 *
 * Return: 0 or a negative errno, which is logged.
 */
int tcp_start(struct tcp_server **ret_server, struct sd_event *event,
	      const struct tcp_config *config);
void tcp_stop(struct tcp_server *server);

uint16_t tcp_port(const struct tcp_server *server);

/* Address of a client as text. */
const char *tcp_from(const struct tcp_client *client);

/**
 * tcp_reply() - send a reply as a whole
 *
 * A client that does not read its replies is closed: no reply waits in memory.
 *
 * Return: 0 or a negative errno, which @take passes on.
 */
int tcp_reply(struct tcp_client *client, const void *bytes, size_t n);

#endif /* ECUD_TCP_H */
