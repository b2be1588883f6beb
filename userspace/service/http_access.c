// SPDX-License-Identifier: GPL-2.0-or-later
/* Who asks, and may they? */
#include <errno.h>
#include <string.h>

#include "http_server.h"

#define BEARER "Bearer "

static bool is_read(const struct http_request *request)
{
	return !strcmp(request->method, "GET");
}

/*
 * A page of another site must not act with this site's cookie. SameSite=Strict keeps the browser
 * from sending it; this also holds for a browser that does not know the attribute, and for another
 * port of the same host, which counts as the same site.
 */
static bool is_same_origin(const struct http_request *request)
{
	const char *origin = http_header(request, "Origin");
	const char *host = http_header(request, "Host");
	const char *name;

	if (!origin) {
		return true;
	}
	name = strstr(origin, "://");
	return name && host && !strcmp(name + strlen("://"), host);
}

/* Identity from token, cookie or Unix socket. Return 0, -ENOENT for none, -EACCES, -EBUSY. */
static int identify(struct http_request *request)
{
	const struct http_config *config = &request->server->config;
	const char *header = http_header(request, "Authorization");

	if (config->local) {
		request->who = *config->local;
		return 0;
	}
	if (!config->auth) {
		return -ENOENT;
	}
	if (header) {
		return strncmp(header, BEARER, strlen(BEARER))
			       ? -EACCES
			       : auth_token(config->auth, header + strlen(BEARER), request->from,
					    &request->who);
	}
	if (!request->session) {
		return -ENOENT;
	}
	return auth_session(config->auth, request->session, &request->who);
}

static bool refuse_unknown(struct http_request *request, int error)
{
	if (error == -EBUSY) {
		http_set_header(request, "Retry-After", "60");
		http_reply_error(request, MHD_HTTP_TOO_MANY_REQUESTS, "too_many_guesses",
				 "expected a valid token, found too many wrong ones from %s",
				 request->from);
		return false;
	}
	if (error != -ENOENT && error != -EACCES) {
		/* the client need not log in again */
		http_reply_errno(request, -EAGAIN, "cannot read the logins: %s", strerror(-error));
		return false;
	}
	http_set_header(request, "WWW-Authenticate", "Bearer");
	http_reply_error(request, MHD_HTTP_UNAUTHORIZED, "unauthorized",
			 "expected a login or a valid token, found %s",
			 error == -ENOENT ? "none" : "one that is unknown or over");
	return false;
}

static bool refuse(struct http_request *request, const char *expected)
{
	http_reply_error(request, MHD_HTTP_FORBIDDEN, "forbidden", "%s %s: expected %s, found %s",
			 request->method, request->path, expected,
			 auth_role_name(request->who.role));
	return false;
}

/* The roles of a set in words. */
static const char *roles_text(uint32_t roles, char *text, size_t size)
{
	size_t n = 0;

	for (int role = 0; role < AUTH_ROLE_COUNT; role++) {
		if (roles & AUTH_BIT(role)) {
			n += snprintf(text + n, n < size ? size - n : 0, "%s%s", n ? " or " : "",
				      auth_role_name(role));
		}
	}
	return text;
}

bool http_admit(struct http_request *request)
{
	uint32_t roles = request->file ? AUTH_PUBLIC : request->route->roles;
	char text[64] = "";
	int ret = identify(request);

	request->known = ret == 0;
	if (!is_read(request) && request->session && !is_same_origin(request)) {
		http_reply_error(request, MHD_HTTP_FORBIDDEN, "cross_origin",
				 "expected a request of our own pages, found Origin '%s'",
				 http_header(request, "Origin"));
		return false;
	}
	if (roles & AUTH_PUBLIC) {
		return true;
	}
	if (!request->known) {
		return (ret == -ENOENT && is_read(request) && (roles & AUTH_BIT(AUTH_VIEWER)) &&
			request->server->open_reads) ||
		       refuse_unknown(request, ret);
	}
	if (!(roles & AUTH_BIT(request->who.role))) {
		return refuse(request, roles_text(roles, text, sizeof(text)));
	}
	if (request->who.read_only && !is_read(request)) {
		return refuse(request, "a token that may write");
	}
	return true;
}
