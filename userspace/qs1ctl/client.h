/* SPDX-License-Identifier: GPL-2.0-only */
/* One connection to the daemon's control socket. */
#ifndef QS1CTL_CLIENT_H
#define QS1CTL_CLIENT_H

#include <stddef.h>

#include <json-c/json.h>

#include "../lib/protocol.h"

struct client;

/* Longer than qs1d takes for any answer. */
#define CLIENT_TIMEOUT_S (PROTOCOL_ANSWER_S + 5)

/**
 * client_open() - connect
 * @path: of the socket
 * @ret_client: untouched on failure; freed by client_close()
 * @err: on failure the reason
 *
 * Return: 0, -ENOTCONN, or another negative errno.
 */
int client_open(const char *path, struct client **ret_client, char *err, size_t size);
void client_close(struct client *client);

/**
 * client_call() - send a request and wait for its answer
 * @name: of the request
 * @arguments: object with further members, taken over; or NULL
 * @ret_result: the result, which the caller puts; untouched on failure
 * @err: on failure the reason, the daemon's own if it gave one
 *
 * Return: 0; -EREMOTEIO when qs1d refused; -ENOTCONN when it did not answer;
 * -EPROTO for an answer that is none.
 */
int client_call(struct client *client, const char *name, struct json_object *arguments,
		struct json_object **ret_result, char *err, size_t size);

/**
 * client_event() - wait without a timeout for the next event
 * @ret_event: which the caller puts; untouched on failure
 *
 * Return: 0 or a negative errno.
 */
int client_event(struct client *client, struct json_object **ret_event, char *err, size_t size);

#endif /* QS1CTL_CLIENT_H */
