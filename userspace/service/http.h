/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP server of both services: libmicrohttpd with poll() in one thread, TLS by GnuTLS, a table of
 * routes with the roles that may use each, JSON errors, server-sent events and compiled-in files.
 *
 * Handlers run in the server's thread and must not block for more than a few milliseconds. A route
 * with HTTP_WORKER runs in one of two worker threads, for queries and passwords.
 *
 * Every error has the body {"error": {"code": "not_found", "message": "expected ..., found ..."}}.
 */
#ifndef QS1_HTTP_H
#define QS1_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "../lib/util.h"
#include "auth.h"
#include "tls.h"

struct http_server;
struct http_request;

/* Flags of a route. */
#define HTTP_WORKER (1u << 0)	  /* the handler may block: run it in a worker thread */
#define HTTP_BINARY (1u << 1)	  /* the body need not be JSON */
#define HTTP_LATER (1u << 3)	  /* any thread replies, and then calls http_resume() */
#define HTTP_CREDENTIAL (1u << 2) /* the body holds a secret: never logged, limited to 4 KiB */

/**
 * struct http_route - one operation
 * @method: "GET", "POST", "PUT", "DELETE"; HEAD is answered by GET
 * @path: "/api/v1/inverters/{serial}": a name in braces matches one segment
 * @roles: AUTH_BIT() of the roles that may use it; AUTH_PUBLIC needs no login
 * @flags: HTTP_...
 * @body_max: bytes of the body; 0 for none
 * @handler: gives exactly one reply
 */
struct http_route {
	const char *method;
	const char *path;
	uint32_t roles;
	uint32_t flags;
	size_t body_max;
	void (*handler)(struct http_request *request);
};

/**
 * struct http_file - a file compiled in
 * @path: "/", "/app.js"
 * @type: media type
 * @encoding: "gzip", "br", or NULL
 * @etag: quoted
 */
struct http_file {
	const char *path;
	const char *type;
	const char *encoding;
	const char *etag;
	const void *data;
	size_t size;
};

/**
 * struct http_config - of one server
 * @address: to listen on: "127.0.0.1", "::", or "unix:PATH"
 * @port: TCP port; 0 for a free one, see http_port()
 * @tls: certificate and key; NULL for plain HTTP, which is allowed on loopback and Unix sockets
 * @ask_client_cert: ask each client for a certificate, see http_peer_hash()
 * @key_header: on a Unix socket alone: the header in which nginx passes the client's certificate,
 *              whose key the client has proved: its $ssl_client_escaped_cert; NULL for none
 * @route: table of operations
 * @file: table of files, NULL for none
 * @csp: Content-Security-Policy of each reply; NULL for one that allows nothing
 * @auth: users and tokens; NULL when every route is public
 * @local: who each client of a Unix socket is, whose file mode keeps others out; NULL for none
 * @cookie: name of the session's cookie
 * @ctx: for http_ctx()
 * @connections_max: 0 for 256
 * @client_connections_max: of one address; 0 for no limit
 * @worker_nice: added to the nice value of the threads that run handlers which may block, so that
 *               they give way to more urgent threads of the process
 */
struct http_config {
	const char *address;
	uint16_t port;
	const struct tls_pair *tls;
	bool ask_client_cert;
	const char *key_header;
	const struct http_route *route;
	size_t route_count;
	const struct http_file *file;
	size_t file_count;
	const char *csp;
	struct auth *auth;
	const struct auth_identity *local;
	const char *cookie;
	void *ctx;
	unsigned int connections_max;
	unsigned int client_connections_max;
	int worker_nice;
};

/**
 * http_start() - start the server's thread
 * @config: copied; the tables and objects it points at must outlive the server
 *
 * Return: 0; -EADDRINUSE; -EINVAL for a certificate, an address, or plain HTTP where it is not
 * allowed; or a negative errno with the reason in @err.
 */
int http_start(struct http_server **ret_server, const struct http_config *config, char *err,
	       size_t size);

/* Stop: ends all connections and waits for the workers. NULL is allowed. */
void http_stop(struct http_server *server);

/* Port on which the server listens. */
uint16_t http_port(const struct http_server *server);

/**
 * http_set_tls() - another certificate, for a server with TLS that runs
 *
 * New connections get it; those that exist go on. From any thread, and not twice within the time
 * of a handshake. @pair is copied.
 *
 * Return: 0; -EINVAL for a certificate or key that is none; -ENOMEM.
 */
int http_set_tls(struct http_server *server, const struct tls_pair *pair);

/**
 * http_renew_tls() - the same for a pair that was loaded again, if its certificate is another one
 * @servers: @count of them; NULL and servers without TLS are skipped
 * @pair: of the servers, replaced by @loaded
 * @loaded: taken over, or freed
 *
 * Return: as http_set_tls().
 */
int http_renew_tls(struct http_server *const *servers, size_t count, struct tls_pair *pair,
		   struct tls_pair *loaded);

/* May a client without login use the GET routes of viewers? Off at the start. */
void http_open_reads(struct http_server *server, bool open);

/* What a handler asks of its request. */

void *http_ctx(const struct http_request *request);

/* Segment of the path that matched {name}. Decoded; never NULL for a name of the route. */
const char *http_param(const struct http_request *request, const char *name);

/* Parameter of the query string, decoded; NULL if absent. */
const char *http_query(const struct http_request *request, const char *name);

/**
 * http_query_int() - an integer of the query string
 * @missing: value if the parameter is absent
 *
 * Return: true; false after it has replied with 400.
 */
bool http_query_int(struct http_request *request, const char *name, int64_t min, int64_t max,
		    int64_t missing, int64_t *ret_value);

/* Header of the request, NULL if absent. */
const char *http_header(const struct http_request *request, const char *name);

/* JSON body, an object; owned by the request. NULL when the route has none. */
struct json_object *http_json(const struct http_request *request);

/* Bytes of the body. */
const void *http_body(const struct http_request *request, size_t *ret_size);

/* Who asks; NULL for a client without login. */
const struct auth_identity *http_identity(const struct http_request *request);

/* Address of the client as text. */
const char *http_from(const struct http_request *request);

/* Value of the session's cookie, NULL if absent. */
const char *http_session(const struct http_request *request);

/* Hash of the client's key, as tls_peer_hash(); behind nginx from the header. */
int http_peer_hash(const struct http_request *request, uint8_t ret_hash[TLS_HASH_SIZE]);

/* Members of the JSON body; each replies with 400 and returns false if the member is wrong. */

/* A text of @min to @max bytes, without NUL and control characters. */
bool http_text(struct http_request *request, const char *name, size_t min, size_t max,
	       const char **ret_text);

/* A number in a range; @missing is used when the member is absent, NAN makes it mandatory. */
bool http_number(struct http_request *request, const char *name, double min, double max,
		 double missing, double *ret_value);

/* An integer in a range; a fraction is refused. */
bool http_int(struct http_request *request, const char *name, int64_t min, int64_t max,
	      const int64_t *missing, int64_t *ret_value);

/* Replies: exactly one for a request. */

/**
 * http_resume() - after the reply to a request whose route has HTTP_LATER; from any thread
 *
 * The request must not be used any more. All such requests must be resumed before http_stop().
 */
void http_resume(struct http_request *request);

/* @json is taken over. */
void http_reply_json(struct http_request *request, unsigned int status, struct json_object *json);

/* The same of an object with a secret, which is overwritten afterwards. */
void http_reply_secret(struct http_request *request, unsigned int status, struct json_object *json);

/* @data is copied. */
void http_reply(struct http_request *request, unsigned int status, const char *type,
		const void *data, size_t size);

/* @data comes from malloc() and is taken over. */
void http_reply_take(struct http_request *request, unsigned int status, const char *type,
		     void *data, size_t size);

/* 204. */
void http_reply_none(struct http_request *request);

/**
 * http_reply_error() - JSON error
 * @status: HTTP status, 400 to 599
 * @code: machine word, as "not_found"
 * @format: what was expected, what was found, where
 */
void http_reply_error(struct http_request *request, unsigned int status, const char *code,
		      const char *format, ...) __printf(4, 5);

/* JSON error for a negative errno; the status follows from it. */
void http_reply_errno(struct http_request *request, int error, const char *format, ...)
	__printf(3, 4);

/**
 * http_reply_file() - send an open file, for backups and reports
 * @fd: taken over
 * @name: for Content-Disposition; NULL for none
 */
void http_reply_file(struct http_request *request, const char *type, int fd, const char *name);

/* Add a header to the reply; before the reply. */
void http_set_header(struct http_request *request, const char *name, const char *value);

/* Set the session's cookie (HttpOnly, SameSite=Strict, Secure with TLS); NULL removes it. */
void http_set_session(struct http_request *request, const char *secret);

/* Server-sent events. */

struct http_channel;

/**
 * http_channel_new() - a stream that clients follow
 * @keep: events kept for slow clients and for Last-Event-ID, 1 to 4096
 *
 * A client that is further behind receives the event "reset" and goes on with the newest. After 15
 * seconds without an event, http_channel_tick() sends the event "ping".
 */
struct http_channel *http_channel_new(struct http_server *server, size_t keep);

/* Only after http_stop(). */
void http_channel_free(struct http_channel *channel);

/* Send to all followers. From any thread. @data is JSON, without newlines. */
void http_channel_send(struct http_channel *channel, const char *event, const char *data);

/* Call it about once a second. */
void http_channel_tick(struct http_channel *channel);

/**
 * http_reply_channel() - follow a channel until the client leaves
 * @first_event, @first_data: sent first, as the present state; NULL for none
 *
 * With Last-Event-ID, the events after it follow if they are still kept.
 */
void http_reply_channel(struct http_request *request, struct http_channel *channel,
			const char *first_event, const char *first_data);

#endif /* QS1_HTTP_H */
