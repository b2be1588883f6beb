// SPDX-License-Identifier: GPL-2.0-or-later
/* The server: connections, requests, and what handlers ask of them. */
#include "http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>

#include "../lib/log.h"
#include "http_server.h"
#include "wipe.h"

/* Of a connection without progress, also in the TLS handshake. */
#define TIMEOUT_S 10u
#define CONNECTIONS 256u
#define CONNECTION_MEMORY (32 * 1024)
#define STACK_SIZE (256 * 1024)
#define CREDENTIAL_MAX 4096
#define JSON_DEPTH 16
#define PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* What a handler asks of its request. */

void *http_ctx(const struct http_request *request)
{
	return request->server->config.ctx;
}

const char *http_query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *http_header(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct json_object *http_json(const struct http_request *request)
{
	return request->json;
}

const void *http_body(const struct http_request *request, size_t *ret_size)
{
	*ret_size = request->body_size;
	return request->body;
}

const struct auth_identity *http_identity(const struct http_request *request)
{
	return request->known ? &request->who : NULL;
}

const char *http_from(const struct http_request *request)
{
	return request->from;
}

const char *http_session(const struct http_request *request)
{
	return request->session;
}

/* Hash of the key of a certificate that nginx has put into a header, as PEM with percent encoding.
 */
static int hash_of_header(const char *escaped, uint8_t hash[TLS_HASH_SIZE])
{
	char *pem __cleanup(free_ptr) = NULL;

	if (!escaped || !escaped[0]) {
		return -ENOENT;
	}
	pem = strdup(escaped);
	if (!pem) {
		return -ENOMEM;
	}
	MHD_http_unescape(pem);
	return tls_cert_hash(pem, hash);
}

int http_peer_hash(const struct http_request *request, uint8_t ret_hash[TLS_HASH_SIZE])
{
	const struct http_server *server = request->server;
	const union MHD_ConnectionInfo *info;

	if (server->unix_socket && server->config.key_header) {
		return hash_of_header(http_header(request, server->config.key_header), ret_hash);
	}
	info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info ? tls_peer_hash(info->tls_session, ret_hash) : -ENOENT;
}

bool http_query_int(struct http_request *request, const char *name, int64_t min, int64_t max,
		    int64_t missing, int64_t *ret_value)
{
	const char *text = http_query(request, name);
	char *end;
	long long value;

	if (!text) {
		*ret_value = missing;
		return true;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (!*text || *end || errno || isspace((unsigned char)*text) || value < min ||
	    value > max) {
		http_reply_error(request, MHD_HTTP_BAD_REQUEST, "invalid",
				 "%s: expected an integer from %lld to %lld, found '%.40s'", name,
				 (long long)min, (long long)max, text);
		return false;
	}
	*ret_value = value;
	return true;
}

/* A member of the body; NULL when it is absent. */
static struct json_object *member(const struct http_request *request, const char *name)
{
	return json_object_object_get(request->json, name);
}

static bool refuse_member(struct http_request *request, const char *name, const char *expected,
			  struct json_object *found)
{
	http_reply_error(request, MHD_HTTP_BAD_REQUEST, "invalid", "%s: expected %s, found %.80s",
			 name, expected,
			 !found ? "none"
			 : request->route->flags & HTTP_CREDENTIAL
				 ? "another value"
				 : json_object_to_json_string(found));
	return false;
}

static bool has_control(const char *text)
{
	while (*text && !iscntrl((unsigned char)*text)) {
		text++;
	}
	return *text;
}

bool http_text(struct http_request *request, const char *name, size_t min, size_t max,
	       const char **ret_text)
{
	struct json_object *value = member(request, name);
	char expected[80];
	const char *text;
	size_t n;

	if (!value && min == 0) {
		*ret_text = "";
		return true;
	}
	if (json_object_is_type(value, json_type_string)) {
		text = json_object_get_string(value);
		n = json_object_get_string_len(value);
		if (n >= min && n <= max && strlen(text) == n && !has_control(text)) {
			*ret_text = text;
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "a text of %zu to %zu bytes", min, max);
	return refuse_member(request, name, expected, value);
}

bool http_number(struct http_request *request, const char *name, double min, double max,
		 double missing, double *ret_value)
{
	struct json_object *value = member(request, name);
	char expected[80];

	if (!value && !isnan(missing)) {
		*ret_value = missing;
		return true;
	}
	if (json_object_is_type(value, json_type_int) ||
	    json_object_is_type(value, json_type_double)) {
		double number = json_object_get_double(value);

		if (number >= min && number <= max) {
			*ret_value = number;
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "a number from %g to %g", min, max);
	return refuse_member(request, name, expected, value);
}

bool http_int(struct http_request *request, const char *name, int64_t min, int64_t max,
	      const int64_t *missing, int64_t *ret_value)
{
	struct json_object *value = member(request, name);
	char expected[80];

	if (!value && missing) {
		*ret_value = *missing;
		return true;
	}
	if (json_object_is_type(value, json_type_int)) {
		int64_t number = json_object_get_int64(value);

		if (number >= min && number <= max) {
			*ret_value = number;
			return true;
		}
	}
	snprintf(expected, sizeof(expected), "an integer from %lld to %lld", (long long)min,
		 (long long)max);
	return refuse_member(request, name, expected, value);
}

/* Requests. */

/* Address of the client; a proxy on our Unix socket names it. */
static void find_from(struct http_request *request)
{
	const union MHD_ConnectionInfo *info;
	const struct sockaddr *address;
	const char *named;

	snprintf(request->from, sizeof(request->from), "local");
	if (request->server->unix_socket) {
		named = http_header(request, "X-Real-IP");
		if (named && request->server->config.key_header) {
			snprintf(request->from, sizeof(request->from), "%s", named);
		}
		return;
	}
	info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	address = info ? info->client_addr : NULL;
	if (address && address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, request->from,
			  sizeof(request->from));
	} else if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

		/* ::ffff:192.0.2.1 is 192.0.2.1 on a socket for both families. */
		if (IN6_IS_ADDR_V4MAPPED(v6)) {
			inet_ntop(AF_INET, &v6->s6_addr[12], request->from, sizeof(request->from));
		} else {
			inet_ntop(AF_INET6, v6, request->from, sizeof(request->from));
		}
	}
}

static struct http_request *request_new(struct http_server *server,
					struct MHD_Connection *connection, const char *method,
					const char *url)
{
	struct http_request *request = calloc(1, sizeof(*request));

	if (!request) {
		return NULL;
	}
	request->server = server;
	request->connection = connection;
	request->method = strcmp(method, "HEAD") ? method : "GET";
	request->path = url;
	if (server->config.cookie) {
		request->session = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND,
							       server->config.cookie);
	}
	find_from(request);
	return request;
}

void http_free(struct http_request *request)
{
	if (!request) {
		return;
	}
	if (request->reply) {
		MHD_destroy_response(request->reply);
	}
	for (int i = 0; i < request->headers; i++) {
		wipe_text(&request->header[i].value);
	}
	wipe_free(request->body, request->body_size);
	wipe_json(request->json);
	free(request);
}

static enum MHD_Result give_reply(struct http_request *request)
{
	if (!request->reply) {
		return MHD_NO;
	}
	return MHD_queue_response(request->connection, request->status, request->reply);
}

static bool refuse_path(struct http_request *request, unsigned int status, const char *allow)
{
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		http_set_header(request, MHD_HTTP_HEADER_ALLOW, allow);
		http_reply_error(request, status, "method_not_allowed",
				 "%.128s: expected %s, found %.16s", request->path, allow,
				 request->method);
	} else {
		http_reply_error(request, status, "not_found", "no such path: %.128s",
				 request->path);
	}
	return false;
}

static size_t body_max(const struct http_request *request)
{
	const struct http_route *route = request->route;

	if (!route) {
		return 0;
	}
	return route->flags & HTTP_CREDENTIAL && route->body_max > CREDENTIAL_MAX ? CREDENTIAL_MAX
										  : route->body_max;
}

static bool refuse_size(struct http_request *request)
{
	http_reply_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
			 "body: expected at most %zu bytes, found more", body_max(request));
	return false;
}

/* After the header, before the body. Replies and returns false if the request is refused. */
static bool begin(struct http_request *request)
{
	const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	char allow[64];
	unsigned int status = http_find(request, allow, sizeof(allow));

	if (status) {
		return refuse_path(request, status, allow);
	}
	if (!http_admit(request)) {
		return false;
	}
	if (length && strtoull(length, NULL, 10) > body_max(request)) {
		return refuse_size(request);
	}
	return true;
}

/* As realloc(), but a text leaves no copy behind. */
static char *grow(const struct http_request *request, size_t size)
{
	char *grown;

	if (request->route->flags & HTTP_BINARY) {
		return realloc(request->body, size);
	}
	grown = malloc(size);
	if (grown && request->body) {
		memcpy(grown, request->body, request->body_size);
		wipe_free(request->body, request->body_size);
	}
	return grown;
}

/* Append to the body. */
static bool take_body(struct http_request *request, const char *data, size_t size)
{
	char *grown;

	if (request->body_size + size > body_max(request)) {
		return refuse_size(request);
	}
	grown = grow(request, request->body_size + size);
	if (!grown) {
		http_reply_errno(request, -EAGAIN, "body: no memory for it");
		return false;
	}
	memcpy(grown + request->body_size, data, size);
	request->body = grown;
	request->body_size += size;
	return true;
}

static bool is_json_type(const char *type)
{
	return type && !strncasecmp(type, "application/json", strlen("application/json"));
}

bool http_parse(struct http_request *request)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	enum json_tokener_error error;

	if (!tokener) {
		http_reply_errno(request, -EAGAIN, "body: no memory for it");
		return false;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	request->json = json_tokener_parse_ex(tokener, request->body ? request->body : "",
					      request->body_size);
	error = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	if (error == json_tokener_success && json_object_is_type(request->json, json_type_object)) {
		return true;
	}
	http_reply_error(request, MHD_HTTP_BAD_REQUEST, "malformed",
			 "body: expected a JSON object, found %s",
			 error == json_tokener_success ? "another value"
						       : json_tokener_error_desc(error));
	return false;
}

/* The body of a route that has one. */
static bool parse_body(struct http_request *request)
{
	const char *type = http_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);

	if (!request->route->body_max || request->route->flags & HTTP_BINARY) {
		return true;
	}
	if (!is_json_type(type)) {
		http_reply_error(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "media_type",
				 "Content-Type: expected application/json, found %.64s",
				 type ? type : "none");
		return false;
	}
	return http_parse(request);
}

/*
 * The whole request is here: run its handler, or let another thread reply.
 *
 * Return: whether the connection was suspended. Its reply may be there already, but libmicrohttpd
 * takes it only when it calls again.
 */
static bool finish(struct http_request *request)
{
	if (request->file) {
		http_reply_compiled(request);
	} else if (!parse_body(request)) {
		return false;
	} else if (request->route->flags & HTTP_LATER) {
		MHD_suspend_connection(request->connection);
		request->route->handler(request);
		return true;
	} else if (!(request->route->flags & HTTP_WORKER)) {
		request->route->handler(request);
	} else if (http_work(request)) {
		return true;
	} else {
		http_reply_errno(request, -EAGAIN, "expected fewer requests at once");
	}
	return false;
}

void http_resume(struct http_request *request)
{
	MHD_resume_connection(request->connection);
}

/* Called by libmicrohttpd after the header, for each part of the body, and after the last one. */
static enum MHD_Result answer(void *ctx, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **request_ctx)
{
	struct http_request *request = *request_ctx;

	(void)version;
	if (!request) {
		request = request_new(ctx, connection, method, url);
		*request_ctx = request;
		if (!request) {
			return MHD_NO;
		}
		return begin(request) ? MHD_YES : give_reply(request);
	}
	if (*size) {
		size_t n = *size;

		*size = 0;
		if (request->reply) {
			return MHD_YES;
		}
		take_body(request, data, n);
		return MHD_YES;
	}
	if (!request->started && !request->reply) {
		request->started = true;
		if (finish(request)) {
			return MHD_YES;
		}
	}
	return give_reply(request);
}

static void completed(void *ctx, struct MHD_Connection *connection, void **request_ctx,
		      enum MHD_RequestTerminationCode code)
{
	(void)ctx;
	(void)connection;
	(void)code;
	http_free(*request_ctx);
	*request_ctx = NULL;
}

static void log_library(void *ctx, const char *format, va_list args)
{
	char text[256];

	(void)ctx;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	/* Any client can cause it, as often as it likes. */
	log_write(LOG_DEBUG, "http: %s", text);
}

/* The server. */

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
	const struct http_config *config = &server->config;
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
			     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[5];
	int n = 0;

	if (config->tls) {
		flags |= MHD_USE_TLS;
		tls[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, config->tls->key };
		tls[n++] =
			(struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, config->tls->cert };
		tls[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, PRIORITIES };
		if (config->ask_client_cert) {
			tls[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0,
							    config->tls->ca };
		}
	}
	tls[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(
		flags, server->port, NULL, NULL, answer, server, MHD_OPTION_EXTERNAL_LOGGER,
		log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT,
		TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT,
		config->connections_max ? config->connections_max : CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->client_connections_max,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_SIZE, MHD_OPTION_NOTIFY_COMPLETED,
		completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, http_tls_connection, server,
		MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static int open_server(struct http_server *server, char *err, size_t size)
{
	int fd = http_listen(&server->config, &server->unix_socket, &server->port, err, size);
	int ret;

	if (fd < 0) {
		return fd;
	}
	ret = http_workers_start(server);
	if (ret < 0) {
		snprintf(err, size, "http: threads: %s", strerror(-ret));
		close(fd);
		return ret;
	}
	server->daemon = start_daemon(server, fd);
	if (!server->daemon) {
		snprintf(err, size, "http: certificate, key or socket not accepted");
		close(fd);
		return -EINVAL;
	}
	return 0;
}

int http_start(struct http_server **ret_server, const struct http_config *config, char *err,
	       size_t size)
{
	struct http_server *server = calloc(1, sizeof(*server));
	int ret;

	if (!server) {
		snprintf(err, size, "http: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	server->config = *config;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->wake, NULL);
	ret = open_server(server, err, size);
	if (ret < 0) {
		http_stop(server);
		return ret;
	}
	*ret_server = server;
	return 0;
}

void http_stop(struct http_server *server)
{
	if (!server) {
		return;
	}
	http_workers_stop(server);
	http_channels_end(server);
	if (server->daemon) {
		MHD_stop_daemon(server->daemon);
	}
	http_tls_free(server);
	pthread_cond_destroy(&server->wake);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

uint16_t http_port(const struct http_server *server)
{
	return server->port;
}

void http_open_reads(struct http_server *server, bool open)
{
	server->open_reads = open;
}
