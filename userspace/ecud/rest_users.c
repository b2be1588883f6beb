// SPDX-License-Identifier: GPL-2.0-or-later
/* REST interface: first use, sessions, users, tokens. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../service/service_clock.h"
#include "rest.h"
#include "settings.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define TOKEN_DAYS_MAX 3650

/* Numbers of rows in paths. */
static bool take_id(struct http_request *request, int64_t *ret_id)
{
	const char *text = http_param(request, "id");
	char *end;
	long long id;

	errno = 0;
	id = strtoll(text, &end, 10);
	if (*end || errno || id < 1) {
		http_reply_errno(request, -ENOENT, "expected a number, found '%.32s'", text);
		return false;
	}
	*ret_id = id;
	return true;
}

static void reply_created(struct http_request *request, int64_t id)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "id", json_object_new_int64(id));
	http_reply_json(request, 201, json);
}

/* Too many guesses: when to try again. */
static void reply_wait(struct http_request *request, int64_t wait_ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%" PRId64, wait_ms / 1000 + 1);
	http_set_header(request, "Retry-After", seconds);
	http_reply_errno(request, -EBUSY, "too many wrong tries: wait %s s", seconds);
}

static void reply_identity(struct http_request *request, const struct auth_identity *who)
{
	struct rest *rest = rest_of(request);
	struct json_object *json = json_object_new_object();
	char code[AUTH_CODE_SIZE];

	json_object_object_add(json, "logged_in", json_object_new_boolean(who != NULL));
	json_object_object_add(json, "name", json_object_new_string(who ? who->name : ""));
	json_object_object_add(json, "role",
			       who ? json_object_new_string(auth_role_name(who->role)) : NULL);
	json_object_object_add(json, "read_only", json_object_new_boolean(who && who->read_only));
	json_object_object_add(json, "setup_needed",
			       json_object_new_boolean(auth_code(rest->auth, code) == 0));
	explicit_bzero(code, sizeof(code));
	json_object_object_add(json, "open_reads",
			       json_object_new_boolean(settings_get().open_reads));
	json_object_object_add(json, "ecu_id", json_object_new_string(rest->ecu->model->ecu_id));
	json_object_object_add(json, "site_name",
			       json_object_new_string(rest->ecu->model->site_name));
	http_reply_json(request, 200, json);
}

void rest_get_session(struct http_request *request)
{
	reply_identity(request, http_identity(request));
}

/* Check a password, start a session, reply with the identity. */
static void log_in(struct http_request *request, const char *name, const char *password)
{
	struct rest *rest = rest_of(request);
	char secret[AUTH_SECRET_SIZE];
	struct auth_identity who;
	int64_t wait_ms = 0;
	int ret =
		auth_login(rest->auth, name, password, http_from(request), secret, &who, &wait_ms);

	rest_audit(request, "login", name, ret < 0 ? "refused" : "ok");
	if (ret == -EBUSY) {
		reply_wait(request, wait_ms);
	} else if (ret < 0) {
		http_reply_errno(request, ret, "expected the name of a user and its password");
	} else {
		http_set_session(request, secret);
		reply_identity(request, &who);
	}
	explicit_bzero(secret, sizeof(secret));
}

void rest_post_setup(struct http_request *request)
{
	const char *code, *name, *password;
	int64_t wait_ms = 0;
	int64_t id;

	if (!http_text(request, "code", 1, 16, &code) ||
	    !http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		return;
	}
	id = auth_setup(rest_of(request)->auth, code, name, password, http_from(request), &wait_ms);
	rest_audit(request, "setup", name, id < 0 ? "refused" : "ok");
	if (id == -EBUSY) {
		reply_wait(request, wait_ms);
	} else if (id == -ENOENT) {
		http_reply_errno(request, -EEXIST, "set-up was done already: log in");
	} else if (id == -EACCES) {
		http_reply_errno(request, -EPERM,
				 "expected the first-use code of the label, found another one");
	} else if (id < 0) {
		http_reply_errno(request, id, "set-up: %s", strerror(-id));
	} else {
		log_in(request, name, password);
	}
}

void rest_post_session(struct http_request *request)
{
	const char *name, *password;

	if (http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) &&
	    http_text(request, "password", 1, AUTH_PASSWORD_MAX, &password)) {
		log_in(request, name, password);
	}
}

void rest_delete_session(struct http_request *request)
{
	const char *secret = http_session(request);

	if (secret) {
		auth_logout(rest_of(request)->auth, secret);
	}
	http_set_session(request, NULL);
	http_reply_none(request);
}

/* Users. */

/* The reply to a change of a password. */
static void reply_password(struct http_request *request, const char *target, int ret)
{
	rest_audit(request, "password", target, ret < 0 ? "refused" : "ok");
	if (ret < 0) {
		http_reply_errno(request, ret, "user %s: %s", target, strerror(-ret));
	} else {
		http_reply_none(request);
	}
}

void rest_post_session_password(struct http_request *request)
{
	const struct auth_identity *who = http_identity(request);
	struct auth *auth = rest_of(request)->auth;
	char secret[AUTH_SECRET_SIZE];
	struct auth_identity same;
	const char *current, *password;
	int64_t wait_ms = 0;
	int ret;

	if (!http_text(request, "current", 1, AUTH_PASSWORD_MAX, &current) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		return;
	}
	if (!who || who->token_id || !who->user_id) {
		http_reply_errno(request, -EPERM, "expected the session of a user, found %s",
				 who ? who->name : "no login");
		return;
	}
	ret = auth_login(auth, who->name, current, http_from(request), secret, &same, &wait_ms);
	explicit_bzero(secret, sizeof(secret));
	if (ret == -EBUSY) {
		reply_wait(request, wait_ms);
	} else if (ret < 0) {
		http_reply_errno(request, -EPERM, "current: expected the present password");
	} else {
		reply_password(request, who->name,
			       auth_user_password(auth, 0, who->user_id, password));
	}
}

static int add_user(void *ctx, const struct auth_user *user)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "id", json_object_new_int64(user->id));
	json_object_object_add(json, "name", json_object_new_string(user->name));
	json_object_object_add(json, "role", json_object_new_string(auth_role_name(user->role)));
	json_object_object_add(json, "created_ms", json_object_new_int64(user->created_ms));
	return json_object_array_add(ctx, json);
}

/* Reply with an array, or with an error. */
static void reply_list(struct http_request *request, const char *name, struct json_object *array,
		       int ret)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, name, array);
	if (ret < 0) {
		json_object_put(json);
		http_reply_errno(request, ret, "%s: %s", name, strerror(-ret));
	} else {
		http_reply_json(request, 200, json);
	}
}

void rest_get_users(struct http_request *request)
{
	struct json_object *array = json_object_new_array();

	reply_list(request, "users", array,
		   auth_user_list(rest_of(request)->auth, 0, add_user, array));
}

/* A role of the ECU; the EMA alone has operators. */
static bool take_role(struct http_request *request, enum auth_role *ret_role)
{
	const char *text;
	int role;

	if (!http_text(request, "role", 1, 31, &text)) {
		return false;
	}
	role = auth_role_find(text);
	if (role < 0 || role == AUTH_OPERATOR) {
		http_reply_error(request, 400, "invalid",
				 "role: expected owner, installer or viewer, found '%s'", text);
		return false;
	}
	*ret_role = role;
	return true;
}

void rest_post_users(struct http_request *request)
{
	const char *name, *password;
	enum auth_role role;
	int64_t id;

	if (!http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &name) ||
	    !take_role(request, &role) ||
	    !http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		return;
	}
	id = auth_user_add(rest_of(request)->auth, 0, name, role, password);
	rest_audit(request, "add user", name, id < 0 ? "refused" : "ok");
	if (id < 0) {
		http_reply_errno(request, id, "user %s: %s", name,
				 id == -EEXIST ? "exists already" : strerror(-id));
	} else {
		reply_created(request, id);
	}
}

void rest_delete_users_id(struct http_request *request)
{
	int64_t id;
	int ret;

	if (!take_id(request, &id)) {
		return;
	}
	ret = auth_user_remove(rest_of(request)->auth, 0, id);
	rest_audit(request, "remove user", http_param(request, "id"), ret < 0 ? "refused" : "ok");
	if (ret == -EPERM) {
		http_reply_errno(request, -EEXIST, "the last owner cannot be removed");
	} else if (ret < 0) {
		http_reply_errno(request, ret, "users: no user %" PRId64, id);
	} else {
		http_reply_none(request);
	}
}

void rest_put_users_id_password(struct http_request *request)
{
	const char *password;
	int64_t id;

	if (take_id(request, &id) &&
	    http_text(request, "password", AUTH_PASSWORD_MIN, AUTH_PASSWORD_MAX, &password)) {
		reply_password(request, http_param(request, "id"),
			       auth_user_password(rest_of(request)->auth, 0, id, password));
	}
}

/* Tokens. */

static int add_token(void *ctx, const struct auth_token *token)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "id", json_object_new_int64(token->id));
	json_object_object_add(json, "name", json_object_new_string(token->name));
	json_object_object_add(json, "role", json_object_new_string(auth_role_name(token->role)));
	json_object_object_add(json, "read_only", json_object_new_boolean(token->read_only));
	json_object_object_add(json, "created_ms", json_object_new_int64(token->created_ms));
	json_object_object_add(json, "expires_ms", json_object_new_int64(token->expires_ms));
	return json_object_array_add(ctx, json);
}

void rest_get_tokens(struct http_request *request)
{
	struct json_object *array = json_object_new_array();

	reply_list(request, "tokens", array,
		   auth_token_list(rest_of(request)->auth, 0, add_token, array));
}

void rest_post_tokens(struct http_request *request)
{
	const struct auth_identity *who = http_identity(request);
	struct json_object *read_only = json_object_object_get(http_json(request), "read_only");
	struct auth_token token = { .user_id = who ? who->user_id : 0 };
	char secret[AUTH_SECRET_SIZE];
	struct json_object *json;
	int64_t days, id;

	if (!http_text(request, "name", 1, AUTH_NAME_SIZE - 1, &token.name) ||
	    !take_role(request, &token.role) ||
	    !http_int(request, "days", 1, TOKEN_DAYS_MAX, NULL, &days)) {
		return;
	}
	if (read_only && !json_object_is_type(read_only, json_type_boolean)) {
		http_reply_error(request, 400, "invalid", "read_only: expected true or false");
		return;
	}
	token.read_only = json_object_get_boolean(read_only);
	token.expires_ms = clock_wall_ms() + days * DAY_MS;
	id = auth_token_add(rest_of(request)->auth, &token, secret);
	rest_audit(request, "add token", token.name, id < 0 ? "refused" : "ok");
	if (id < 0) {
		http_reply_errno(request, id, "token %s: %s", token.name, strerror(-id));
		return;
	}
	json = json_object_new_object();
	json_object_object_add(json, "id", json_object_new_int64(id));
	json_object_object_add(json, "token", json_object_new_string(secret));
	explicit_bzero(secret, sizeof(secret));
	http_reply_secret(request, 201, json);
}

void rest_delete_tokens_id(struct http_request *request)
{
	int64_t id;
	int ret;

	if (!take_id(request, &id)) {
		return;
	}
	ret = auth_token_remove(rest_of(request)->auth, 0, id);
	rest_audit(request, "remove token", http_param(request, "id"), ret < 0 ? "refused" : "ok");
	if (ret < 0) {
		http_reply_errno(request, ret, "tokens: no token %" PRId64, id);
	} else {
		http_reply_none(request);
	}
}
