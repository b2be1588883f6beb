/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client of the gateway's REST interface, by its Unix socket or by HTTPS. */
#ifndef ECUCTL_CLIENT_H
#define ECUCTL_CLIENT_H

#include <stdio.h>

#include <json-c/json.h>

#define CLIENT_SOCKET "/var/lib/qs1-ecu/rest.sock"

/**
 * struct client - how to reach the gateway
 * @socket: Unix socket; used when @url is NULL
 * @url: "https://HOST:PORT"
 * @ca: file with the gateway's authority, for @url
 * @token_file: file with a token, for @url
 */
struct client {
	const char *socket;
	const char *url;
	const char *ca;
	const char *token_file;
};

/**
 * client_call() - one request
 * @path: of the API, as "/status"
 * @body: JSON, or NULL; taken over
 * @ret_reply: NULL if the reply is not wanted; untouched on failure
 * @err: on failure the reason
 *
 * Return: 0; -ENOTCONN when the gateway cannot be reached; -EPERM when it refuses.
 */
int client_call(const struct client *client, const char *method, const char *path,
		struct json_object *body, struct json_object **ret_reply, char *err, size_t size);

/* Send a file as the body. */
int client_upload(const struct client *client, const char *path, const char *type, FILE *file,
		  struct json_object **ret_reply, char *err, size_t size);

/* Write the reply to a file. */
int client_download(const struct client *client, const char *path, FILE *file, char *err,
		    size_t size);

#endif /* ECUCTL_CLIENT_H */
