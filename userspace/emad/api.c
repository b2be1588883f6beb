// SPDX-License-Identifier: GPL-2.0-or-later
/* The web interface: start, and what the handlers share. See api.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "audit.h"
#include "log.h"
#include "web_files.h"

/* When to come back to a shard that does not answer, s. */
#define RETRY_S "5"

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

struct sql *api_shard(struct http_request *request, int shard)
{
	struct api *api = http_ctx(request);
	struct sql *sql = store_shard(api->store, shard);

	return sql && sql_scope(sql, api_tenant(request)) == 0 ? sql : NULL;
}

void api_unreachable(struct http_request *request)
{
	http_set_header(request, "Retry-After", RETRY_S);
	http_reply_error(request, 503, "database", "the database is not reachable");
}

struct sql *api_sql(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct sql *sql = NULL;

	for (int i = 0; i < api->store->shards && !sql; i++) {
		sql = api_shard(request, i);
	}
	if (!sql) {
		api_unreachable(request);
	}
	return sql;
}

/* The first column of the first row of a shard; 0 for none. */
static int ask_shard(struct sql *sql, const char *text, const char *types, va_list arguments,
		     int64_t *ret_value)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql ? sql_query_list(sql, &rows, text, types, arguments) : -ENOTCONN;

	ret = ret < 0 ? ret : sql_next(rows);
	*ret_value = ret > 0 ? sql_int(rows, 0) : 0;
	return ret < 0 ? ret : 0;
}

/* Shard @first is the most probable. As api_find(). */
static struct sql *find_row(struct http_request *request, int first, int64_t *ret_value,
			    const char *text, const char *types, va_list arguments)
{
	struct api *api = http_ctx(request);
	struct sql *none = NULL;
	int ret = 0;

	for (int i = 0; i < api->store->shards; i++) {
		struct sql *sql = api_shard(request, (first + i) % api->store->shards);
		int64_t value;
		va_list each;
		int done;

		va_copy(each, arguments);
		done = ask_shard(sql, text, types, each, &value);
		va_end(each);
		if (value) {
			*ret_value = value;
			return sql;
		}
		ret = done < 0 ? done : ret;
		none = i == 0 ? sql : none;
	}
	*ret_value = 0;
	if (ret < 0) {
		api_unreachable(request);
		return NULL;
	}
	return none;
}

struct sql *api_find(struct http_request *request, int64_t *ret_value, const char *text,
		     const char *types, ...)
{
	struct sql *sql;
	int64_t value;
	va_list arguments;

	va_start(arguments, types);
	sql = find_row(request, 0, ret_value ? ret_value : &value, text, types, arguments);
	va_end(arguments);
	return sql;
}

int api_reach_all(struct http_request *request, struct sql **ret_sql)
{
	struct api *api = http_ctx(request);

	for (int i = 0; i < api->store->shards; i++) {
		ret_sql[i] = api_shard(request, i);
		if (!ret_sql[i]) {
			api_unreachable(request);
			return -ENOTCONN;
		}
	}
	return 0;
}

int api_run_all(struct http_request *request, const char *text, const char *types, ...)
{
	struct api *api = http_ctx(request);
	struct sql *sql[STORE_SHARDS_MAX];
	int ret = api_reach_all(request, sql);
	struct sql *failed = NULL;
	int begun = 0;

	if (ret < 0) {
		return ret;
	}
	for (int i = 0; i < api->store->shards && ret >= 0; i++) {
		struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
		va_list arguments;

		failed = sql[i];
		ret = sql_begin(sql[i]);
		begun += ret == 0;
		va_start(arguments, types);
		ret = ret < 0 ? ret : sql_query_list(sql[i], &rows, text, types, arguments);
		va_end(arguments);
		ret = ret < 0 ? ret : sql_next(rows);
	}
	for (int i = 0; i < begun; i++) {
		if (ret < 0) {
			sql_rollback(sql[i]);
		} else {
			failed = sql[i];
			ret = sql_commit(sql[i]);
		}
	}
	if (ret < 0) {
		api_failed(request, failed, ret);
	}
	return ret;
}

/* ---- lists of all shards ---- */

/* Below 0 when @a comes first. */
static int compare_rows(const struct api_order *order, const struct sql_rows *a,
			const struct sql_rows *b)
{
	int64_t x = sql_int(a, 0);
	int64_t y = sql_int(b, 0);
	int by_id = (x > y) - (x < y);
	int by_column = 0;

	if (order->column && order->text) {
		by_column = strcmp(sql_text(a, order->column), sql_text(b, order->column));
	} else if (order->column) {
		double p = sql_is_null(a, order->column) ? -1 : sql_real(a, order->column);
		double q = sql_is_null(b, order->column) ? -1 : sql_real(b, order->column);

		by_column = (p > q) - (p < q);
	}
	if (by_column) {
		return order->falling ? -by_column : by_column;
	}
	return order->id_falling ? -by_id : by_id;
}

/* Goes to the next row of a shard. Return: 0 or a negative errno. */
static int advance(struct api_merge *merge, int shard)
{
	int ret = sql_next(merge->rows[shard]);

	if (ret <= 0) {
		sql_done(merge->rows[shard]);
		merge->rows[shard] = NULL;
	}
	return ret < 0 ? ret : 0;
}

int api_merge_open(struct http_request *request, struct api_merge *merge,
		   const struct api_order *order, const char *text, const char *types, ...)
{
	struct api *api = http_ctx(request);
	int ret = 0;

	*merge = (struct api_merge){
		.order = *order, .left = INT64_MAX, .shards = api->store->shards, .current = -1
	};
	for (int i = 0; i < merge->shards && ret == 0; i++) {
		struct sql *sql = api_shard(request, i);
		va_list arguments;

		va_start(arguments, types);
		ret = sql ? sql_query_list(sql, &merge->rows[i], text, types, arguments)
			  : -ENOTCONN;
		va_end(arguments);
		merge->sql[i] = sql;
		ret = ret < 0 ? ret : advance(merge, i);
		if (ret < 0 && sql) {
			log_err("web: shard %d: %s", i, sql_error(sql));
		}
		if (ret == -ENOTCONN) {
			merge->missing |= 1u << i;
			ret = 0;
		}
	}
	if (ret == 0 && __builtin_popcount(merge->missing) < merge->shards) {
		return 0;
	}
	api_merge_close(merge);
	if (ret == 0) {
		api_unreachable(request);
		return -ENOTCONN;
	}
	http_reply_errno(request, ret, "the database did not answer: %s", strerror(-ret));
	return ret;
}

const struct sql_rows *api_merge_next(struct api_merge *merge, int *ret_error)
{
	int first = -1;

	*ret_error = merge->current < 0 ? 0 : advance(merge, merge->current);
	merge->current = -1;
	if (*ret_error < 0 || merge->left-- <= 0) {
		return NULL;
	}
	for (int i = 0; i < merge->shards; i++) {
		if (merge->rows[i] && (first < 0 || compare_rows(&merge->order, merge->rows[i],
								 merge->rows[first]) < 0)) {
			first = i;
		}
	}
	merge->current = first;
	return first < 0 ? NULL : merge->rows[first];
}

void api_merge_close(struct api_merge *merge)
{
	for (int i = 0; i < merge->shards; i++) {
		sql_done(merge->rows[i]);
		merge->rows[i] = NULL;
	}
}

void api_missing(struct json_object *json, unsigned int missing)
{
	if (missing) {
		json_int(json, "missing_shards", __builtin_popcount(missing));
	}
}

void api_reply_merge(struct http_request *request, struct api_merge *merge, const char *name,
		     struct json_object *(*element)(const struct sql_rows *rows))
{
	struct json_object *list = json_object_new_array();
	const struct sql_rows *rows;
	struct json_object *json;
	int ret;

	while ((rows = api_merge_next(merge, &ret))) {
		json_object_array_add(list, element(rows));
	}
	api_merge_close(merge);
	if (ret < 0) {
		json_object_put(list);
		http_reply_errno(request, ret, "the database did not answer: %s", strerror(-ret));
		return;
	}
	json = json_object_new_object();
	json_object_object_add(json, name, list);
	api_missing(json, merge->missing);
	http_reply_json(request, 200, json);
}

int64_t api_tenant(const struct http_request *request)
{
	const struct auth_identity *identity = http_identity(request);

	return identity && identity->role == AUTH_OPERATOR ? STORE_ALL
	       : identity				   ? identity->tenant
							   : STORE_NOBODY;
}

/* As find_row(), at first in the shard where the site should be. */
static struct sql *find_site(struct http_request *request, int64_t id, int64_t *ret_found,
			     const char *types, ...)
{
	struct api *api = http_ctx(request);
	struct sql *sql;
	va_list arguments;

	va_start(arguments, types);
	sql = find_row(request, store_home(id, api->store->shards), ret_found,
		       "SELECT id FROM sites WHERE id = $2 AND " API_VISIBLE, types, arguments);
	va_end(arguments);
	return sql;
}

struct sql *api_find_site(struct http_request *request, int64_t id, int64_t *ret_found)
{
	return find_site(request, id, ret_found, "ii", api_tenant(request), id);
}

int64_t api_path_id(const struct http_request *request)
{
	const char *text = http_param(request, "id");
	char *end;
	int64_t id;

	errno = 0;
	id = strtoll(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && !*end ? id : 0;
}

struct sql *api_site(struct http_request *request, struct api_site *ret_site)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int64_t id = api_path_id(request);
	struct sql *sql;
	int64_t found;
	int ret;

	if (id == 0) {
		http_reply_error(request, 404, "not_found", "there is no site '%.20s'",
				 http_param(request, "id"));
		return NULL;
	}
	sql = api_find_site(request, id, &found);
	if (!sql) {
		return NULL;
	}
	ret = found ? sql_query(sql, &rows, "SELECT customer, zone_min FROM sites WHERE id = $1",
				"i", id)
		    : 0;
	ret = ret < 0 || !found ? ret : sql_next(rows);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return NULL;
	}
	if (ret == 0) {
		http_reply_error(request, 404, "not_found", "there is no site %" PRId64, id);
		return NULL;
	}
	*ret_site = (struct api_site){ id, sql_int(rows, 0), sql_int(rows, 1) };
	return sql;
}

void api_failed(struct http_request *request, struct sql *sql, int error)
{
	/* A foreign key or row-level security has refused a row of a site that is not here. */
	if (error == -ESTALE || error == -EPERM) {
		http_set_header(request, "Retry-After", RETRY_S);
		http_reply_error(request, 503, "moving",
				 "the site is being moved, or was deleted: try again");
		return;
	}
	log_err("web: %s", sql_error(sql));
	if (error == -ENOTCONN) {
		api_unreachable(request);
		return;
	}
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
