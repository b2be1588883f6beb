// SPDX-License-Identifier: GPL-2.0-or-later
/* The web interface: start, and what the handlers share. See api.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "audit.h"
#include "log.h"
#include "web_files.h"

extern const char emad_openapi[];
extern const size_t emad_openapi_size;

static const struct http_route routes[] = {
#define ROUTE(id, method, path, roles, flags, body_max)                                            \
	{ method, path, roles, flags, body_max, api_##id },
#include "routes.inc"
#undef ROUTE
};

int api_start(struct http_server **ret_server, struct api *api, const struct tls_pair *tls,
	      char *err, size_t size)
{
	const struct config *config = api->config;
	struct http_config http = {
		.address = config->listen,
		.port = (uint16_t)config->web_port,
		.tls = tls,
		.route = routes,
		.route_count = ARRAY_SIZE(routes),
		.file = web_ema.file,
		.file_count = web_ema.count,
		.csp = web_ema.csp,
		.auth = api->auth,
		.cookie = "qs1-ema",
		.ctx = api,
	};
	int ret = http_start(ret_server, &http, err, size);

	api->server = ret == 0 ? *ret_server : NULL;
	return ret;
}

struct sql *api_sql(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct sql *sql = store_sql(api->store);
	int ret = sql ? sql_scope(sql, api_tenant(request)) : -ENOTCONN;

	if (ret < 0) {
		http_reply_error(request, 503, "database", "the database is not reachable");
		return NULL;
	}
	return sql;
}

int64_t api_tenant(const struct http_request *request)
{
	const struct auth_identity *identity = http_identity(request);

	return identity && identity->role == AUTH_OPERATOR ? STORE_ALL
	       : identity				   ? identity->tenant
							   : STORE_NOBODY;
}

bool api_site(struct http_request *request, struct sql *sql, struct api_site *ret_site)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	const char *text = http_param(request, "id");
	char *end;
	int64_t id;
	int ret;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (errno || *end || id < 1) {
		http_reply_error(request, 404, "not_found", "there is no site '%.20s'", text);
		return false;
	}
	ret = sql_query(sql, &rows,
			"SELECT customer, zone_min FROM sites WHERE id = $2 AND " API_VISIBLE, "ii",
			api_tenant(request), id);
	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret < 0) {
		api_failed(request, sql, ret);
		return false;
	}
	if (ret == 0) {
		http_reply_error(request, 404, "not_found", "there is no site %" PRId64, id);
		return false;
	}
	*ret_site = (struct api_site){ id, sql_int(rows, 0), sql_int(rows, 1) };
	return true;
}

void api_failed(struct http_request *request, struct sql *sql, int error)
{
	log_err("web: %s", sql_error(sql));
	http_reply_errno(request, error, "the database did not answer: %s", strerror(-error));
}

void api_reply_rows(struct http_request *request, struct sql *sql, int ret, struct sql_rows *rows,
		    const char *name, struct json_object *(*element)(const struct sql_rows *rows))
{
	struct json_object *list = json_object_new_array();
	struct json_object *json;

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		json_object_array_add(list, element(rows));
		ret = 0;
	}
	if (ret < 0) {
		json_object_put(list);
		api_failed(request, sql, ret);
		return;
	}
	json = json_object_new_object();
	json_object_object_add(json, name, list);
	http_reply_json(request, 200, json);
}

bool api_member(struct http_request *request, const char *name, enum json_type type,
		struct json_object **ret_member)
{
	struct json_object *member = NULL;

	json_object_object_get_ex(http_json(request), name, &member);
	if (member && !json_object_is_type(member, type)) {
		http_reply_error(request, 400, "invalid", "%s: expected %s, found %s", name,
				 json_type_to_name(type),
				 json_type_to_name(json_object_get_type(member)));
		return false;
	}
	*ret_member = member;
	return true;
}

bool api_text(struct http_request *request, const char *name, size_t max, const char **ret_text)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(http_json(request), name, &member) || !member) {
		return true;
	}
	return http_text(request, name, 0, max, ret_text);
}

bool api_optional_int(struct http_request *request, const char *name, int64_t min, int64_t max,
		      int64_t missing, int64_t *ret_value)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(http_json(request), name, &member) || !member) {
		*ret_value = missing;
		return true;
	}
	return http_int(request, name, min, max, NULL, ret_value);
}

void api_audit(struct http_request *request, const char *action, const char *target,
	       const char *detail)
{
	struct api *api = http_ctx(request);
	const struct auth_identity *identity = http_identity(request);
	const struct audit_entry entry = {
		.tenant = identity ? identity->tenant : 0,
		.who = identity ? identity->name : "",
		.role = identity ? auth_role_name(identity->role) : "",
		.interface = "rest",
		.from = http_from(request),
		.action = action,
		.target = target,
		.detail = detail,
		.result = "ok",
	};

	audit_write(api->control, &entry);
}

void api_get_openapi_json(struct http_request *request)
{
	http_reply(request, 200, "application/json", emad_openapi, emad_openapi_size);
}
