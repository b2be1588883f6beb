// SPDX-License-Identifier: GPL-2.0-or-later
/* Replies. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http_server.h"
#include "wipe.h"

#define COOKIE_AGE_S (AUTH_SESSION_DAYS * 24 * 60 * 60)

#define CSP_NOTHING "default-src 'none'; frame-ancestors 'none'"

/* Sent with each reply. */
static const struct {
	const char *name;
	const char *value;
} common[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Frame-Options", "DENY" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
};

/* Columns: negative errno, status, code. */
static const struct {
	int error;
	unsigned int status;
	const char *code;
} errnos[] = {
	{ -EINVAL, MHD_HTTP_BAD_REQUEST, "invalid" },
	{ -ERANGE, MHD_HTTP_BAD_REQUEST, "out_of_range" },
	{ -EBADMSG, MHD_HTTP_BAD_REQUEST, "malformed" },
	{ -EACCES, MHD_HTTP_UNAUTHORIZED, "unauthorized" },
	{ -EPERM, MHD_HTTP_FORBIDDEN, "forbidden" },
	{ -ENOENT, MHD_HTTP_NOT_FOUND, "not_found" },
	{ -EEXIST, MHD_HTTP_CONFLICT, "exists" },
	{ -ESTALE, MHD_HTTP_CONFLICT, "stale" },
	{ -EBUSY, MHD_HTTP_TOO_MANY_REQUESTS, "too_many_guesses" },
	{ -EAGAIN, MHD_HTTP_SERVICE_UNAVAILABLE, "busy" },
	{ -ENOSPC, MHD_HTTP_SERVICE_UNAVAILABLE, "disk_full" },
	{ -EROFS, MHD_HTTP_SERVICE_UNAVAILABLE, "read_only" },
	{ -EOPNOTSUPP, MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable" },
};

static void add_headers(struct http_request *request, struct MHD_Response *response)
{
	const char *csp = request->server->config.csp;

	MHD_add_response_header(response, "Content-Security-Policy", csp ? csp : CSP_NOTHING);
	for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
		MHD_add_response_header(response, common[i].name, common[i].value);
	}
	if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL)) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	}
	for (int i = 0; i < request->headers; i++) {
		MHD_add_response_header(response, request->header[i].name,
					request->header[i].value);
	}
}

void http_give(struct http_request *request, unsigned int status, struct MHD_Response *response)
{
	if (!response) {
		/* No memory: the server's thread closes the connection. */
		return;
	}
	add_headers(request, response);
	request->status = status;
	request->reply = response;
}

void http_set_header(struct http_request *request, const char *name, const char *value)
{
	char *copy;

	if (request->headers == HTTP_HEADERS_MAX) {
		return;
	}
	copy = strdup(value);
	if (copy) {
		request->header[request->headers++] = (struct http_header){ name, copy };
	}
}

void http_set_session(struct http_request *request, const char *secret)
{
	char value[256];

	snprintf(value, sizeof(value), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s; Max-Age=%d",
		 request->server->config.cookie, secret ? secret : "",
		 request->server->config.tls ? "; Secure" : "", secret ? COOKIE_AGE_S : 0);
	http_set_header(request, MHD_HTTP_HEADER_SET_COOKIE, value);
}

/* Give a reply with a type, whose bytes come from malloc(). */
static void give_bytes(struct http_request *request, unsigned int status, const char *type,
		       void *data, size_t size)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(data);
		return;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	http_give(request, status, response);
}

void http_reply_take(struct http_request *request, unsigned int status, const char *type,
		     void *data, size_t size)
{
	give_bytes(request, status, type, data, size);
}

void http_reply(struct http_request *request, unsigned int status, const char *type,
		const void *data, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (copy) {
		memcpy(copy, data, size);
		give_bytes(request, status, type, copy, size);
	}
}

void http_reply_json(struct http_request *request, unsigned int status, struct json_object *json)
{
	const char *text = json_object_to_json_string_ext(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text) {
		http_reply(request, status, "application/json", text, strlen(text));
	}
	json_object_put(json);
}

/**
 * struct secret - bytes of a reply that are overwritten after it
 */
struct secret {
	size_t n;
	char bytes[];
};

static void free_secret(void *ctx)
{
	struct secret *secret = ctx;

	wipe_free(secret, sizeof(*secret) + secret->n);
}

void http_reply_secret(struct http_request *request, unsigned int status, struct json_object *json)
{
	size_t n = 0;
	char *text = (char *)json_object_to_json_string_length(
		json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	struct secret *secret = text ? malloc(sizeof(*secret) + n) : NULL;
	struct MHD_Response *response = NULL;

	if (secret) {
		secret->n = n;
		memcpy(secret->bytes, text, n);
		explicit_bzero(text, n);
		response = MHD_create_response_from_buffer_with_free_callback_cls(
			n, secret->bytes, free_secret, secret);
	}
	wipe_json(json);
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	} else if (secret) {
		free_secret(secret);
	}
	http_give(request, status, response);
}

void http_reply_none(struct http_request *request)
{
	http_give(request, MHD_HTTP_NO_CONTENT,
		  MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT));
}

static void reply_error(struct http_request *request, unsigned int status, const char *code,
			const char *format, va_list args)
{
	struct json_object *error = json_object_new_object();
	struct json_object *reply = json_object_new_object();
	char message[512];

	vsnprintf(message, sizeof(message), format, args);
	json_object_object_add(error, "code", json_object_new_string(code));
	json_object_object_add(error, "message", json_object_new_string(message));
	json_object_object_add(reply, "error", error);
	http_reply_json(request, status, reply);
}

void http_reply_error(struct http_request *request, unsigned int status, const char *code,
		      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply_error(request, status, code, format, args);
	va_end(args);
}

void http_reply_errno(struct http_request *request, int error, const char *format, ...)
{
	unsigned int status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	const char *code = "internal";
	va_list args;

	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (errnos[i].error == error) {
			status = errnos[i].status;
			code = errnos[i].code;
		}
	}
	va_start(args, format);
	reply_error(request, status, code, format, args);
	va_end(args);
}

void http_reply_file(struct http_request *request, const char *type, int fd, const char *name)
{
	struct MHD_Response *response;
	struct stat st;
	char value[256];

	if (fstat(fd, &st) < 0) {
		close(fd);
		http_reply_errno(request, -EIO, "%s: %s", name ? name : "file", strerror(errno));
		return;
	}
	response = MHD_create_response_from_fd(st.st_size, fd);
	if (!response) {
		close(fd);
		return;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (name) {
		snprintf(value, sizeof(value), "attachment; filename=\"%s\"", name);
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, value);
	}
	http_give(request, MHD_HTTP_OK, response);
}

void http_reply_compiled(struct http_request *request)
{
	const struct http_file *file = request->file;
	const char *known = http_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
	bool same = known && !strcmp(known, file->etag);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		same ? 0 : file->size, (void *)file->data, MHD_RESPMEM_PERSISTENT);

	if (!response) {
		return;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, file->etag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, file->type);
	if (file->encoding) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, file->encoding);
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	}
	http_give(request, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
