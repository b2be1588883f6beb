// SPDX-License-Identifier: GPL-2.0-or-later
/* Which route or file a path names. */
#include <string.h>

#include "http_server.h"

/* Length of a segment, up to '/' or the end. */
static size_t segment(const char *path)
{
	return strcspn(path, "/");
}

/* Compare path and pattern by segments; keep those that stand for a name. */
static bool match(const char *pattern, const char *path,
		  char param[HTTP_PARAMS_MAX][HTTP_PARAM_SIZE])
{
	int n = 0;

	while (*pattern == '/' && *path == '/') {
		size_t want = segment(++pattern);
		size_t have = segment(++path);

		if (*pattern == '{') {
			if (!have || have >= HTTP_PARAM_SIZE || n == HTTP_PARAMS_MAX) {
				return false;
			}
			memcpy(param[n], path, have);
			param[n++][have] = '\0';
		} else if (want != have || memcmp(pattern, path, have)) {
			return false;
		}
		pattern += want;
		path += have;
	}
	return !*pattern && !*path;
}

const char *http_param(const struct http_request *request, const char *name)
{
	const char *pattern = request->route->path;
	size_t length = strlen(name);

	for (int n = 0; (pattern = strchr(pattern, '{')); n++) {
		pattern++;
		if (!strncmp(pattern, name, length) && pattern[length] == '}') {
			return request->param[n];
		}
	}
	return NULL;
}

static const struct http_file *find_file(const struct http_request *request)
{
	const struct http_config *config = &request->server->config;

	for (size_t i = 0; i < config->file_count; i++) {
		if (!strcmp(config->file[i].path, request->path)) {
			return &config->file[i];
		}
	}
	return NULL;
}

unsigned int http_find(struct http_request *request, char *allow, size_t size)
{
	const struct http_config *config = &request->server->config;
	size_t n = 0;

	allow[0] = '\0';
	for (size_t i = 0; i < config->route_count; i++) {
		const struct http_route *route = &config->route[i];

		if (!match(route->path, request->path, request->param)) {
			continue;
		}
		if (!strcmp(route->method, request->method)) {
			request->route = route;
			return 0;
		}
		n += snprintf(allow + n, n < size ? size - n : 0, "%s%s", n ? ", " : "",
			      route->method);
	}
	if (n) {
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	request->file = find_file(request);
	if (!request->file) {
		return MHD_HTTP_NOT_FOUND;
	}
	if (strcmp(request->method, "GET")) {
		snprintf(allow, size, "GET");
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	return 0;
}
