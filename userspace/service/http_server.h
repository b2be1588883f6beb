/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the HTTP server share. */
#ifndef QS1_HTTP_SERVER_H
#define QS1_HTTP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "http.h"

#define HTTP_PARAMS_MAX 4
#define HTTP_PARAM_SIZE 128
#define HTTP_HEADERS_MAX 8
#define HTTP_FROM_SIZE 64

/* A header of the reply. */
struct http_header {
	const char *name;
	char *value;
};

/**
 * struct http_request - from the first line to the end of the reply
 * @next: in the queue of the workers
 * @method: "GET" for HEAD too
 * @path: without query
 * @route: what it asks for; NULL for a file, or when nothing matches
 * @file: the same
 * @param: segments that matched, in the order of the route's names
 * @body: what has arrived
 * @json: parsed from it
 * @who: valid if @known
 * @session: value of the cookie, NULL if absent
 * @header: of the reply
 * @reply: set by the handler, queued by the server's thread
 */
struct http_request {
	struct http_request *next;
	struct http_server *server;
	struct MHD_Connection *connection;
	const char *method;
	const char *path;
	const struct http_route *route;
	const struct http_file *file;
	char param[HTTP_PARAMS_MAX][HTTP_PARAM_SIZE];
	char *body;
	size_t body_size;
	struct json_object *json;
	bool known;
	struct auth_identity who;
	const char *session;
	char from[HTTP_FROM_SIZE];
	struct http_header header[HTTP_HEADERS_MAX];
	int headers;
	bool started;
	struct MHD_Response *reply;
	unsigned int status;
};

/**
 * struct http_server - one listening socket
 * @unix_socket: it is a Unix socket
 * @open_reads: see http_open_reads()
 * @queue, @queue_end, @queued: requests that wait for a worker
 * @busy: workers stop when the queue is empty
 * @channel: list of channels
 * @credentials: what http_set_tls() gave, and what it replaced: handshakes that have begun go on
 *               with it
 */
struct http_server {
	struct http_config config;
	struct MHD_Daemon *daemon;
	uint16_t port;
	bool unix_socket;
	atomic_bool open_reads;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct http_request *queue;
	struct http_request *queue_end;
	int queued;
	pthread_t worker[2];
	int workers;
	struct http_channel *channel;
	gnutls_certificate_credentials_t credentials[2];
};

/* http.c */

/* Parse the body as a JSON object. Replies and returns false for anything else. */
bool http_parse(struct http_request *request);
/* Free a request with its reply. */
void http_free(struct http_request *request);

/* http_route.c */

/* Find route or file; on a miss the status (404, 405) and in @allow the methods of the path. */
unsigned int http_find(struct http_request *request, char *allow, size_t size);

/* http_access.c */

/* Who asks, and may they? Replies and returns false if not. */
bool http_admit(struct http_request *request);

/* http_reply.c */

/* Give the reply; the request takes @response over. */
void http_give(struct http_request *request, unsigned int status, struct MHD_Response *response);
/* Send a compiled-in file, or 304. */
void http_reply_compiled(struct http_request *request);

/* http_worker.c */
int http_workers_start(struct http_server *server);
void http_workers_stop(struct http_server *server);
/* Suspend the connection and let a worker run the handler. False when too many wait. */
bool http_work(struct http_request *request);

/* http_channel.c */

/* Let all followers end. */
void http_channels_end(struct http_server *server);

/* http_tls.c */

/* A connection begins: give it the present certificate. */
void http_tls_connection(void *ctx, struct MHD_Connection *connection, void **connection_ctx,
			 enum MHD_ConnectionNotificationCode code);
/* After the server's thread has ended. */
void http_tls_free(struct http_server *server);

/* http_listen.c */

/* A listening socket for an address. Returns the descriptor, or a negative errno. */
int http_listen(const struct http_config *config, bool *ret_unix, uint16_t *ret_port, char *err,
		size_t size);

#endif /* QS1_HTTP_SERVER_H */
