// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions, users, tokens, tenants, hand-over to a customer, audit log. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "audit.h"
#include "ingest.h"
#include "service_clock.h"

#define DAY_MS INT64_C(86400000)
#define HANDOVER_DAYS 30

/* Which roles each role may give. */
static const uint32_t may_give[AUTH_ROLE_COUNT] = {
	[AUTH_OWNER] = AUTH_BIT(AUTH_OWNER) | AUTH_BIT(AUTH_VIEWER),
	[AUTH_INSTALLER] = AUTH_BIT(AUTH_INSTALLER) | AUTH_BIT(AUTH_VIEWER),
	[AUTH_OPERATOR] = AUTH_ANY,
};

static struct json_object *identity_json(struct api *api, const struct auth_identity *identity)
{
	struct json_object *json = json_object_new_object();
	char code[AUTH_CODE_SIZE];

	json_flag(json, "setup", auth_code(api->auth, code) == 0);
	if (identity) {
		json_text(json, "name", identity->name);
		json_text(json, "role", auth_role_name(identity->role));
		json_int(json, "tenant", identity->tenant);
		json_flag(json, "read_only", identity->read_only);
	}
	return json;
}

void api_get_session(struct http_request *request)
{
	http_reply_json(request, 200, identity_json(http_ctx(request), http_identity(request)));
}

/* Guesses of names, passwords and codes. */
static void reply_auth(struct http_request *request, int error, int64_t wait_ms)
{
	if (error == -EBUSY) {
		http_reply_error(request, 429, "too_many_guesses",
				 "too many wrong tries: wait %" PRId64 " s", wait_ms / 1000 + 1);
	} else if (error == -EACCES) {
		http_reply_error(request, 401, "unauthorized", "wrong name, password or code");
	} else if (error == -ENOENT) {
		http_reply_error(request, 409, "exists", "the service is set up already");
	} else if (error == -EEXIST) {
		http_reply_error(request, 409, "exists", "a user of this name exists");
	} else {
		http_reply_errno(request, error,
				 "expected a name of 1 to %d bytes and a password of %d to %d",
				 AUTH_NAME_SIZE - 1, AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX);
	}
}

static void log_in(struct http_request *request, const char *name, const char *password)
{
	struct api *api = http_ctx(request);
	char secret[AUTH_SECRET_SIZE];
	struct auth_identity identity;
	int64_t wait_ms = 0;
	int ret = auth_login(api->auth, name, password, http_from(request), secret, &identity,
			     &wait_ms);

	if (ret < 0) {
		reply_auth(request, ret, wait_ms);
		return;
	}
	http_set_session(request, secret);
	http_reply_json(request, 200, identity_json(api, &identity));
}

void api_post_setup(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const char *code, *name, *password;
	int64_t wait_ms = 0;
	int64_t id;

	if (!http_text(request, "code", 1, 40, &code) ||
	    !http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		return;
	}
	id = auth_setup(api->auth, code, name, password, http_from(request), &wait_ms);
	if (id < 0) {
		reply_auth(request, (int)id, wait_ms);
		return;
	}
	api_audit(request, "setup", name, "");
	log_in(request, name, password);
}

void api_post_session(struct http_request *request)
{
	const char *name, *password;

	if (http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) &&
	    http_text(request, "password", 1, AUTH_PASSWORD_MAX, &password)) {
		log_in(request, name, password);
	}
}

void api_delete_session(struct http_request *request)
{
	struct api *api = http_ctx(request);

	if (http_session(request)) {
		auth_logout(api->auth, http_session(request));
	}
	http_set_session(request, NULL);
	http_reply_none(request);
}

void api_post_session_password(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const struct auth_identity *identity = http_identity(request);
	char secret[AUTH_SECRET_SIZE];
	struct auth_identity known;
	const char *old, *password;
	int64_t wait_ms = 0;
	int ret;

	if (!http_text(request, "old", 1, AUTH_PASSWORD_MAX, &old) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		return;
	}
	if (identity->token_id) {
		http_reply_error(request, 403, "forbidden", "a token cannot change a password");
		return;
	}
	ret = auth_login(api->auth, identity->name, old, http_from(request), secret, &known,
			 &wait_ms);
	if (ret == 0) {
		ret = auth_user_password(api->auth, known.tenant, known.user_id, password);
	}
	if (ret < 0) {
		reply_auth(request, ret, wait_ms);
		return;
	}
	api_audit(request, "password", identity->name, "");
	http_reply_none(request);
}

/* ---- users ---- */

static int add_user(void *ctx, const struct auth_user *user)
{
	struct json_object *json = json_object_new_object();

	json_int(json, "id", user->id);
	json_text(json, "name", user->name);
	json_text(json, "role", auth_role_name(user->role));
	json_int(json, "created_ms", user->created_ms);
	json_object_array_add(ctx, json);
	return 0;
}

/* Reply with an array as the one member of an object. */
static void reply_list(struct http_request *request, const char *name, struct json_object *list,
		       int error)
{
	struct json_object *json;

	if (error < 0) {
		json_object_put(list);
		http_reply_errno(request, error, "the list cannot be read");
		return;
	}
	json = json_object_new_object();
	json_object_object_add(json, name, list);
	http_reply_json(request, 200, json);
}

void api_get_users(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct json_object *list = json_object_new_array();

	reply_list(request, "users", list,
		   auth_user_list(api->auth, http_identity(request)->tenant, add_user, list));
}

void api_post_users(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const struct auth_identity *identity = http_identity(request);
	const char *name, *password, *role_name;
	struct json_object *json;
	int64_t tenant, id;
	int role;

	if (!http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) ||
	    !http_text(request, "role", 1, 20, &role_name) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password) ||
	    !http_int(request, "tenant", 0, INT64_MAX, &identity->tenant, &tenant)) {
		return;
	}
	role = auth_role_find(role_name);
	if (role < 0) {
		http_reply_error(request, 400, "invalid", "role: there is no role '%.20s'",
				 role_name);
		return;
	}
	if (!(may_give[identity->role] & AUTH_BIT(role)) ||
	    (tenant != identity->tenant && identity->role != AUTH_OPERATOR)) {
		http_reply_error(request, 403, "forbidden",
				 "the role %s may not make a user with the role %s there",
				 auth_role_name(identity->role), role_name);
		return;
	}
	id = auth_user_add(api->auth, tenant, name, (enum auth_role)role, password);
	if (id < 0) {
		reply_auth(request, (int)id, 0);
		return;
	}
	api_audit(request, "user-add", name, role_name);
	json = json_object_new_object();
	json_int(json, "id", id);
	json_text(json, "name", name);
	json_text(json, "role", role_name);
	json_int(json, "created_ms", clock_wall_ms());
	http_reply_json(request, 201, json);
}

/* Result of a change of a user or a token. */
static void reply_changed(struct http_request *request, int ret, const char *action)
{
	if (ret == -EPERM) {
		http_reply_error(request, 409, "last_owner", "the last owner of a tenant stays");
	} else if (ret < 0) {
		http_reply_errno(request, ret, "there is no '%.20s' in this tenant",
				 http_param(request, "id"));
	} else {
		api_audit(request, action, http_param(request, "id"), "");
		http_reply_none(request);
	}
}

void api_delete_users_id(struct http_request *request)
{
	struct api *api = http_ctx(request);

	reply_changed(
		request,
		auth_user_remove(api->auth, http_identity(request)->tenant, api_path_id(request)),
		"user-remove");
}

void api_put_users_id_password(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const char *password;

	if (http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		reply_changed(request,
			      auth_user_password(api->auth, http_identity(request)->tenant,
						 api_path_id(request), password),
			      "user-password");
	}
}

/* ---- tokens ---- */

static int add_token(void *ctx, const struct auth_token *token)
{
	struct json_object *json = json_object_new_object();

	json_int(json, "id", token->id);
	json_text(json, "name", token->name);
	json_text(json, "role", auth_role_name(token->role));
	json_flag(json, "read_only", token->read_only);
	json_int(json, "created_ms", token->created_ms);
	json_int(json, "expires_ms", token->expires_ms);
	json_object_array_add(ctx, json);
	return 0;
}

void api_get_tokens(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct json_object *list = json_object_new_array();

	reply_list(request, "tokens", list,
		   auth_token_list(api->auth, http_identity(request)->tenant, add_token, list));
}

void api_post_tokens(struct http_request *request)
{
	struct api *api = http_ctx(request);
	const struct auth_identity *identity = http_identity(request);
	struct auth_token token = { .tenant = identity->tenant,
				    .user_id = identity->user_id,
				    .role = identity->role };
	struct json_object *read_only, *json;
	char secret[AUTH_SECRET_SIZE];
	int64_t days, id;

	if (!http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &token.name) ||
	    !http_int(request, "days", 1, 3650, NULL, &days) ||
	    !api_member(request, "read_only", json_type_boolean, &read_only)) {
		return;
	}
	if (identity->token_id) {
		http_reply_error(request, 403, "forbidden", "a token cannot make a token");
		return;
	}
	token.read_only = json_object_get_boolean(read_only);
	token.expires_ms = clock_wall_ms() + days * DAY_MS;
	id = auth_token_add(api->auth, &token, secret);
	if (id < 0) {
		http_reply_errno(request, (int)id, "the token cannot be made");
		return;
	}
	api_audit(request, "token-add", token.name, "");
	json = json_object_new_object();
	json_int(json, "id", id);
	json_text(json, "secret", secret);
	http_reply_json(request, 201, json);
}

void api_delete_tokens_id(struct http_request *request)
{
	struct api *api = http_ctx(request);

	reply_changed(
		request,
		auth_token_remove(api->auth, http_identity(request)->tenant, api_path_id(request)),
		"token-remove");
}

/* ---- tenants ---- */

static struct json_object *tenant_json(const struct sql_rows *rows, int64_t sites)
{
	struct json_object *json = json_object_new_object();

	json_row_int(json, "id", rows, 0);
	json_row_text(json, "name", rows, 1);
	json_row_text(json, "kind", rows, 2);
	json_int(json, "sites", sites);
	return json;
}

/* A tenant is in each shard that has sites of it: its rows follow each other. */
static int add_tenants(struct api_merge *merge, struct json_object *list)
{
	struct json_object *last = NULL;
	const struct sql_rows *rows;
	int64_t id = -1;
	int ret;

	while ((rows = api_merge_next(merge, &ret))) {
		if (sql_int(rows, 0) == id) {
			json_object_int_inc(json_object_object_get(last, "sites"),
					    sql_int(rows, 3));
		} else {
			id = sql_int(rows, 0);
			last = tenant_json(rows, sql_int(rows, 3));
			json_object_array_add(list, last);
		}
	}
	return ret;
}

void api_get_tenants(struct http_request *request)
{
	static const struct api_order by_name = { .column = 1, .text = true };
	struct json_object *list, *json;
	struct api_merge merge;
	int ret;

	if (api_merge_open(
		    request, &merge, &by_name,
		    "SELECT id, name, kind, (SELECT COUNT(*) FROM sites WHERE arriving = 0 AND "
		    "(customer = tenants.id OR company = tenants.id)) FROM tenants WHERE $1 = -1 OR "
		    "id = $1 OR id IN (SELECT customer FROM sites WHERE company = $1) ORDER BY "
		    "name, id",
		    "i", api_tenant(request)) < 0) {
		return;
	}
	list = json_object_new_array();
	ret = add_tenants(&merge, list);
	api_merge_close(&merge);
	if (ret < 0) {
		json_object_put(list);
		http_reply_errno(request, ret, "the list cannot be read");
		return;
	}
	json = json_object_new_object();
	json_object_object_add(json, "tenants", list);
	api_missing(json, merge.missing);
	http_reply_json(request, 200, json);
}

int64_t api_add_tenant(struct http_request *request, const char *name, const char *kind)
{
	struct sql *sql = api_shard(request, 0);
	int64_t id;
	/* A new customer is nobody's until it has a site. */
	int ret = sql ? sql_scope(sql, STORE_ALL) : -ENOTCONN;
	int back;

	if (!sql) {
		return ret;
	}
	if (ret == 0) {
		ret = sql_one(sql, &id, 0,
			      "INSERT INTO tenants (name, kind) VALUES ($1, $2) RETURNING id", "ss",
			      name, kind);
	}
	back = sql_scope(sql, api_tenant(request));
	return ret < 0 ? ret : back < 0 ? back : id;
}

void api_post_tenants(struct http_request *request)
{
	const char *name, *kind;
	struct json_object *json;
	int64_t id;

	if (!http_text(request, "name", 1, 100, &name) ||
	    !http_text(request, "kind", 1, 20, &kind)) {
		return;
	}
	if (strcmp(kind, "customer") != 0 && strcmp(kind, "company") != 0) {
		http_reply_error(request, 400, "invalid",
				 "kind: expected customer or company, found '%s'", kind);
		return;
	}
	id = api_add_tenant(request, name, kind);
	if (id < 0) {
		api_unreachable(request);
		return;
	}
	api_audit(request, "tenant-add", name, kind);
	json = json_object_new_object();
	json_int(json, "id", id);
	json_text(json, "name", name);
	json_text(json, "kind", kind);
	json_int(json, "sites", 0);
	http_reply_json(request, 201, json);
}

/* ---- hand-over ---- */

void api_post_sites_id_handover(struct http_request *request)
{
	int64_t expires_ms = clock_wall_ms() + HANDOVER_DAYS * DAY_MS;
	uint8_t hash[INGEST_CODE_HASH_BYTES];
	char code[AUTH_CODE_SIZE];
	struct json_object *json;
	struct api_site site;
	struct sql *sql = api_site(request, &site);
	int ret;

	if (!sql) {
		return;
	}
	ingest_code(code, hash);
	ret = sql_run(
		sql,
		"INSERT INTO handovers (code_hash, site, tenant, expires_ms) VALUES ($1, $2, $3, "
		"$4)",
		"biii", hash, sizeof(hash), site.id, site.customer, expires_ms);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	api_audit(request, "handover", http_param(request, "id"), "");
	json = json_object_new_object();
	json_text(json, "code", code);
	json_int(json, "expires_ms", expires_ms);
	http_reply_json(request, 201, json);
}

void api_post_handover(struct http_request *request)
{
	struct api *api = http_ctx(request);
	uint8_t hash[INGEST_CODE_HASH_BYTES];
	const char *code, *name, *password;
	int64_t site, id;
	int64_t tenant = -1;
	int shard = 0;

	if (!http_text(request, "code", 1, 40, &code) ||
	    !http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		return;
	}
	ingest_code_hash(code, hash);
	/* The code is the right. */
	for (int i = 0; i < api->store->shards; i++) {
		struct sql *sql = api_shard(request, i);

		if (!sql || sql_scope(sql, STORE_ALL) < 0) {
			api_unreachable(request);
			return;
		}
	}
	site = store_find(api->store, 0, &shard,
			  "SELECT site FROM handovers WHERE code_hash = $1 AND expires_ms > $2",
			  "bi", hash, sizeof(hash), clock_wall_ms());
	if (site < 0 || (site > 0 && sql_one(store_shard(api->store, shard), &tenant, -1,
					     "SELECT tenant FROM handovers WHERE code_hash = $1",
					     "b", hash, sizeof(hash)) < 0)) {
		api_unreachable(request);
		return;
	}
	id = tenant < 0 ? -EACCES : auth_user_add(api->auth, tenant, name, AUTH_OWNER, password);
	if (id < 0) {
		reply_auth(request, (int)id, 0);
		return;
	}
	sql_run(store_shard(api->store, shard), "DELETE FROM handovers WHERE code_hash = $1", "b",
		hash, sizeof(hash));
	api_audit(request, "handover-accept", name, "");
	log_in(request, name, password);
}

/* ---- audit ---- */

static int add_entry(void *ctx, const struct audit_entry *entry)
{
	struct json_object *json = json_object_new_object();

	json_int(json, "id", entry->id);
	json_int(json, "time_ms", entry->time_ms);
	json_text(json, "who", entry->who);
	json_text(json, "role", entry->role);
	json_text(json, "interface", entry->interface);
	json_text(json, "from", entry->from);
	json_text(json, "action", entry->action);
	json_text(json, "target", entry->target);
	json_text(json, "detail", entry->detail);
	json_text(json, "result", entry->result);
	json_object_array_add(ctx, json);
	return 0;
}

void api_get_audit(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct json_object *list;
	int64_t before, limit;

	if (!http_query_int(request, "before", 1, INT64_MAX, 0, &before) ||
	    !http_query_int(request, "limit", 1, 1000, 100, &limit)) {
		return;
	}
	list = json_object_new_array();
	reply_list(request, "entries", list,
		   audit_list(api->control, http_identity(request)->tenant, before, (int)limit,
			      add_entry, list));
}
