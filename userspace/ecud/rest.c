// SPDX-License-Identifier: GPL-2.0-or-later
/* REST interface: its servers, and what reads the model. */
#include "rest.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "../lib/log.h"
#include "../service/db.h"
#include "../service/helper.h"
#include "../service/service_clock.h"
#include "../web/plain.h"
#include "../web/web_files.h"
#include "settings.h"
#include "view.h"

#define COOKIE "qs1_session"
#define SOCKET "rest.sock"
#define STREAM_KEEP 1024
#define DOCUMENT "qs1-document"
#define TICK_US 1000000
/* Pages give way to the radio. */
#define WORKER_NICE 10
/* A status that has not changed is sent after this time, so that its times are not old. */
#define STATUS_US UINT64_C(15000000)
/* The certificate is looked at this often: it is renewed 30 days before its end. */
#define RENEW_US UINT64_C(3600000000)
/* Half of the server's connections, so that one client cannot lock out the others. */
#define CLIENT_CONNECTIONS 128

#define READERS (AUTH_BIT(AUTH_OWNER) | AUTH_BIT(AUTH_INSTALLER) | AUTH_BIT(AUTH_VIEWER))

/* Status as a page without scripts. */
static void get_plain_status(struct http_request *request);

static const struct http_route routes[] = {
#define ROUTE(operation, method, path, roles, flags, body_max)                                     \
	{ method, path, roles, flags, body_max, rest_##operation },
#include "routes.inc"
#undef ROUTE
	{ "GET", "/metrics", READERS, 0, 0, rest_get_metrics },
	{ "GET", "/status", READERS, 0, 0, get_plain_status },
};

/* The file as it is; rest.mk names it as a prerequisite. */
__asm__(".pushsection .rodata\n"
	"rest_openapi_start: .incbin \"userspace/ecud/openapi.json\"\n"
	"rest_openapi_end:\n"
	".popsection\n");
extern const char rest_openapi_start[];
extern const char rest_openapi_end[];

bool rest_unit(struct http_request *request, struct model_unit *ret_unit)
{
	const char *text = http_param(request, "serial");
	struct serial serial;

	if (serial_parse(text, &serial) < 0 ||
	    model_copy(rest_of(request)->ecu->model, &serial, ret_unit) < 0) {
		http_reply_errno(request, -ENOENT,
				 "inverters: expected the serial number of an inverter of this "
				 "site, found '%.32s'",
				 text);
		return false;
	}
	return true;
}

void rest_audit(struct http_request *request, const char *action, const char *target,
		const char *result)
{
	const struct auth_identity *who = http_identity(request);
	struct audit_entry entry = {
		.who = who ? who->name : "",
		.role = who ? auth_role_name(who->role) : "",
		.interface = "rest",
		.from = http_from(request),
		.action = action,
		.target = target,
		.result = result,
	};

	store_put_audit(rest_of(request)->ecu->store, &entry);
}

/* Reading. */

static struct snapshot *snapshot_or_busy(struct http_request *request)
{
	struct snapshot *snapshot = snapshot_take(rest_of(request)->ecu->model);

	if (!snapshot) {
		http_reply_errno(request, -EAGAIN, "no memory");
	}
	return snapshot;
}

void rest_get_openapi_json(struct http_request *request)
{
	const char *text = rest_of(request)->openapi;

	http_reply(request, 200, "application/json", text, strlen(text));
}

void rest_get_status(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);

	if (snapshot) {
		http_reply_json(request, 200, view_status(snapshot, clock_wall_ms()));
	}
}

static void get_plain_status(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);
	int64_t now_ms = clock_wall_ms();
	struct json_object *status, *inverters;
	char *html = NULL;
	size_t size = 0;
	int ret;

	if (!snapshot) {
		return;
	}
	status = view_status(snapshot, now_ms);
	inverters = view_units(snapshot, now_ms);
	ret = plain_status(http_header(request, "Accept-Language"), status, inverters, &html,
			   &size);
	json_object_put(status);
	json_object_put(inverters);
	if (ret < 0) {
		http_reply_errno(request, -EAGAIN, "no memory");
	} else {
		http_reply_take(request, 200, "text/html; charset=utf-8", html, size);
	}
}

void rest_get_inverters(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);

	if (snapshot) {
		http_reply_json(request, 200, view_units(snapshot, clock_wall_ms()));
	}
}

void rest_get_inverters_serial(struct http_request *request)
{
	struct model_unit unit;

	if (rest_unit(request, &unit)) {
		http_reply_json(request, 200, view_unit(&unit, clock_wall_ms()));
	}
}

void rest_get_topology(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);

	if (snapshot) {
		http_reply_json(request, 200, view_topology(snapshot));
	}
}

void rest_get_commissioning(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);

	if (snapshot) {
		http_reply_json(request, 200, view_commissioning(snapshot, clock_wall_ms()));
	}
}

/* Local time with its zone. */
static char *local_time(int64_t now_ms, char *text, size_t size)
{
	time_t now = now_ms / 1000;
	struct tm local;

	localtime_r(&now, &local);
	strftime(text, size, "%Y-%m-%d %H:%M %z", &local);
	return text;
}

void rest_get_commissioning_report(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);
	int64_t now_ms = clock_wall_ms();
	struct json_object *input, *ecus;
	char made_at[40], *pdf;
	const char *text;
	size_t n;
	int ret;

	if (!snapshot) {
		return;
	}
	input = json_object_new_object();
	ecus = json_object_new_array();
	json_object_array_add(ecus, json_object_new_string(snapshot->ecu_id));
	json_object_object_add(input, "kind", json_object_new_string("commissioning-report"));
	json_object_object_add(input, "name", json_object_new_string(snapshot->site_name));
	json_object_object_add(input, "ecus", ecus);
	json_object_object_add(
		input, "made_at",
		json_object_new_string(local_time(now_ms, made_at, sizeof(made_at))));
	json_object_object_add(input, "made_by",
			       json_object_new_string(http_identity(request)->name));
	json_object_object_add(input, "commissioning", view_commissioning(snapshot, now_ms));
	json_object_object_add(input, "inverters", view_units(snapshot, now_ms));
	text = json_object_to_json_string_ext(input, JSON_C_TO_STRING_PLAIN);
	ret = helper_run(DOCUMENT, text, strlen(text), &pdf, &n);
	json_object_put(input);
	if (ret < 0) {
		http_reply_errno(request, -EAGAIN, "report: " DOCUMENT ": %s",
				 ret == -EOPNOTSUPP ? "not installed" : strerror(-ret));
		return;
	}
	http_reply_take(request, 200, "application/pdf", pdf, n);
}

void rest_get_limits(struct http_request *request)
{
	struct model *model = rest_of(request)->ecu->model;
	struct json_object *json;

	model_lock(model);
	json = view_limits(model);
	model_unlock(model);
	http_reply_json(request, 200, json);
}

void rest_get_label(struct http_request *request)
{
	struct rest *rest = rest_of(request);
	struct json_object *json = json_object_new_object();
	char url[96], code[AUTH_CODE_SIZE];

	snprintf(url, sizeof(url), "https://ecu-%s.local:%u", rest->ecu->model->ecu_id,
		 rest->server ? http_port(rest->server) : 0);
	json_object_object_add(json, "id", json_object_new_string(rest->ecu->model->ecu_id));
	json_object_object_add(json, "url", json_object_new_string(url));
	json_object_object_add(json, "fingerprint", json_object_new_string(rest->fingerprint));
	json_object_object_add(json, "code",
			       auth_code(rest->auth, code) == 0 ? json_object_new_string(code)
								: NULL);
	explicit_bzero(code, sizeof(code));
	http_reply_secret(request, 200, json);
}

/* Settings. */

static struct json_object *settings_json(const struct settings *settings)
{
	struct json_object *json = json_object_new_object();
	struct json_object *writers = json_object_new_array();

	for (int i = 0; i < settings->writers; i++) {
		json_object_array_add(writers, json_object_new_string(settings->writer[i]));
	}
	json_object_object_add(json, "open_reads", json_object_new_boolean(settings->open_reads));
	json_object_object_add(json, "mqtt_commands",
			       json_object_new_boolean(settings->mqtt_commands));
	json_object_object_add(json, "modbus_writers", writers);
	return json;
}

void rest_get_settings(struct http_request *request)
{
	struct settings settings = settings_get();

	http_reply_json(request, 200, settings_json(&settings));
}

/* A truth value that may be absent. */
static bool take_flag(struct http_request *request, const char *name, bool *flag)
{
	struct json_object *value = json_object_object_get(http_json(request), name);

	if (!value && !json_object_object_get_ex(http_json(request), name, NULL)) {
		return true;
	}
	if (!json_object_is_type(value, json_type_boolean)) {
		http_reply_error(request, 400, "invalid", "%s: expected true or false, found %.40s",
				 name, json_object_to_json_string(value));
		return false;
	}
	*flag = json_object_get_boolean(value);
	return true;
}

static bool take_writers(struct http_request *request, struct settings *settings)
{
	struct json_object *list;

	if (!json_object_object_get_ex(http_json(request), "modbus_writers", &list)) {
		return true;
	}
	settings->writers = 0;
	if (!json_object_is_type(list, json_type_array)) {
		http_reply_error(request, 400, "invalid",
				 "modbus_writers: expected an array of addresses");
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *each = json_object_array_get_idx(list, i);
		const char *text = json_object_is_type(each, json_type_string)
					   ? json_object_get_string(each)
					   : "";
		int ret = settings_add_writer(settings, text);

		if (ret < 0) {
			http_reply_error(request, 400, "invalid",
					 "modbus_writers: expected up to %d IPv4 or IPv6 "
					 "addresses, found %.60s",
					 SETTINGS_WRITERS_MAX, json_object_to_json_string(each));
			return false;
		}
	}
	return true;
}

void rest_put_settings(struct http_request *request)
{
	struct rest *rest = rest_of(request);
	struct settings settings = settings_get();

	if (!take_flag(request, "open_reads", &settings.open_reads) ||
	    !take_flag(request, "mqtt_commands", &settings.mqtt_commands) ||
	    !take_writers(request, &settings)) {
		return;
	}
	settings_put(rest->ecu, &settings);
	if (rest->server) {
		http_open_reads(rest->server, settings.open_reads);
	}
	rest_audit(request, "settings", json_object_to_json_string(http_json(request)), "ok");
	http_reply_json(request, 200, settings_json(&settings));
}

/* Events as they happen. */

void rest_get_stream(struct http_request *request)
{
	struct rest *rest = rest_of(request);
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_or_busy(request);
	struct json_object *status;

	if (!snapshot) {
		return;
	}
	status = view_status(snapshot, clock_wall_ms());
	http_reply_channel(
		request,
		http_from(request) && !strcmp(http_from(request), "local") ? rest->local_stream
									   : rest->stream,
		"status", json_object_to_json_string_ext(status, JSON_C_TO_STRING_PLAIN));
	json_object_put(status);
}

/* What has changed, as an event's name and JSON; NULL for nothing. */
static struct json_object *change_json(struct model *model, enum model_change change, int unit,
				       uint64_t number, const char **ret_event)
{
	static const char *const names[] = {
		[CHANGE_READING] = "inverter", [CHANGE_UNIT] = "inverter", [CHANGE_SITE] = "status",
		[CHANGE_EVENT] = "event",      [CHANGE_ORDER] = "order",
	};
	int64_t now_ms = clock_wall_ms();
	struct snapshot *snapshot __cleanup(free_ptr) = NULL;
	struct json_object *json = NULL;

	*ret_event = names[change];
	if (change == CHANGE_SITE || (change == CHANGE_UNIT && unit < 0)) {
		*ret_event = "status";
		snapshot = snapshot_take(model);
		return snapshot ? view_status(snapshot, now_ms) : NULL;
	}
	model_lock(model);
	if (change == CHANGE_EVENT) {
		json = view_event(&model->event[number % MODEL_EVENTS]);
	} else if (change == CHANGE_ORDER) {
		json = view_order(&model->order[number % ORDERS_KEPT]);
	} else if (unit < model->units) {
		json = view_unit(&model->unit[unit], now_ms);
	}
	model_unlock(model);
	return json;
}

/* Remove what changes although nothing has happened. */
static void drop_times(struct json_object *json)
{
	json_object_object_del(json, "generation");
	json_object_object_del(json, "time_ms");
	json_object_object_foreach(json, name, member) {
		(void)name;
		if (json_object_is_type(member, json_type_object)) {
			drop_times(member);
		}
	}
}

/* Is this status another one than the last that was sent, or is that one old? */
static bool is_news(struct rest *rest, const struct json_object *status)
{
	uint64_t now_us = clock_monotonic_us();
	struct json_object *copy = NULL;
	bool news;

	if (json_object_deep_copy((struct json_object *)status, &copy, NULL) < 0) {
		return true;
	}
	drop_times(copy);
	news = now_us - rest->status_us >= STATUS_US || !json_object_equal(copy, rest->status);
	if (news) {
		json_object_put(rest->status);
		rest->status = copy;
		rest->status_us = now_us;
	} else {
		json_object_put(copy);
	}
	return news;
}

void rest_changed(void *ctx, enum model_change change, int unit, uint64_t number)
{
	struct rest *rest = ctx;
	struct json_object *json;
	const char *event;
	const char *text;

	if (!rest->stream && !rest->local_stream) {
		return;
	}
	json = change_json(rest->ecu->model, change, unit, number, &event);
	if (!json || (!strcmp(event, "status") && !is_news(rest, json))) {
		json_object_put(json);
		return;
	}
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
	if (rest->stream) {
		http_channel_send(rest->stream, event, text);
	}
	if (rest->local_stream) {
		http_channel_send(rest->local_stream, event, text);
	}
	json_object_put(json);
}

static int load_tls(struct rest *rest, struct tls_pair *ret_pair, char *err, size_t size)
{
	const char *listen = rest->ecu->config->listen;
	char folder[PATH_MAX], name[32], local[64], host[HOST_NAME_MAX + 1] = "", host_local[96];
	const char *san[] = { local, "localhost", "127.0.0.1", "::1", NULL, NULL, NULL };
	size_t names = 4;

	snprintf(folder, sizeof(folder), "%s/tls", rest->ecu->config->state);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		snprintf(err, size, "folder tls of the state: %s", strerror(errno));
		return -errno;
	}
	snprintf(name, sizeof(name), "ecu-%s", rest->ecu->model->ecu_id);
	snprintf(local, sizeof(local), "%s.local", name);
	if (*listen) {
		san[names++] = listen;
	}
	/* The name under which mDNS announces the pages. */
	if (gethostname(host, sizeof(host)) == 0 && *host) {
		snprintf(host_local, sizeof(host_local), "%.*s.local", (int)strcspn(host, "."),
			 host);
		san[names++] = host_local;
	}
	return tls_server_pair(folder, name, san, clock_wall_ms(), ret_pair, err, size);
}

/* Renew the certificate before it ends. New connections get the new one. */
static void renew_tls(struct rest *rest)
{
	struct tls_pair pair;
	char err[512];
	int ret;

	if (!rest->server || clock_monotonic_us() < rest->renew_us) {
		return;
	}
	rest->renew_us = clock_monotonic_us() + RENEW_US;
	ret = load_tls(rest, &pair, err, sizeof(err));
	if (ret < 0) {
		log_err("rest: certificate not renewed: %s", err);
		return;
	}
	ret = http_renew_tls(&rest->server, 1, &rest->tls, &pair);
	if (ret < 0) {
		log_err("rest: certificate not renewed: %s", strerror(-ret));
	}
}

static int on_tick(struct sd_event_source *source, uint64_t now_us, void *ctx)
{
	struct rest *rest = ctx;

	if (rest->stream) {
		http_channel_tick(rest->stream);
	}
	if (rest->local_stream) {
		http_channel_tick(rest->local_stream);
	}
	renew_tls(rest);
	sd_event_source_set_time(source, now_us + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Start and stop. */

/* One property for each reading of a scope. */
static void fill_schema(struct json_object *schemas, const char *name, enum reading_scope scope)
{
	struct json_object *schema = json_object_object_get(schemas, name);
	struct json_object *properties = json_object_new_object();
	struct json_object *required = json_object_new_array();

	for (int id = 0; id < READING_COUNT; id++) {
		struct json_object *property, *types;
		char text[160];

		if (model_reading[id].scope != scope) {
			continue;
		}
		property = json_object_new_object();
		types = json_object_new_array();
		json_object_array_add(types, json_object_new_string("number"));
		json_object_array_add(types, json_object_new_string("null"));
		json_object_object_add(property, "type", types);
		snprintf(text, sizeof(text), "%s, %s", model_reading[id].help,
			 model_reading[id].unit);
		json_object_object_add(property, "description", json_object_new_string(text));
		json_object_object_add(properties, model_reading[id].name, property);
		json_object_array_add(required, json_object_new_string(model_reading[id].name));
	}
	json_object_object_add(schema, "properties", properties);
	json_object_object_add(schema, "required", required);
}

static char *make_openapi(void)
{
	static const char *const names[] = {
		[SCOPE_UNIT] = "Readings",
		[SCOPE_CHANNEL] = "ChannelReadings",
		[SCOPE_SITE] = "SiteReadings",
	};
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *document, *schemas;
	char *text = NULL;

	if (!tokener) {
		return NULL;
	}
	document = json_tokener_parse_ex(tokener, rest_openapi_start,
					 rest_openapi_end - rest_openapi_start);
	json_tokener_free(tokener);
	schemas = json_object_object_get(json_object_object_get(document, "components"), "schemas");
	for (size_t i = 0; i < ARRAY_SIZE(names) && schemas; i++) {
		fill_schema(schemas, names[i], i);
	}
	if (schemas) {
		text = strdup(json_object_to_json_string_ext(
			document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(document);
	return text;
}

static int open_auth(struct rest *rest, char *err, size_t size)
{
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/auth.db", rest->ecu->config->state);
	ret = db_open(&rest->auth_db, path, DB_SAFE, err, size);
	return ret < 0 ? ret : auth_open(&rest->auth, rest->auth_db, err, size);
}

static int start_server(struct rest *rest, char *err, size_t size)
{
	const struct config *config = rest->ecu->config;
	struct http_config http = {
		.address = *config->listen ? config->listen : "::",
		.port = config->port,
		.tls = &rest->tls,
		.route = routes,
		.route_count = ARRAY_SIZE(routes),
		.file = web_ecu.file,
		.file_count = web_ecu.count,
		.csp = web_ecu.csp,
		.auth = rest->auth,
		.cookie = COOKIE,
		.ctx = rest,
		.client_connections_max = CLIENT_CONNECTIONS,
		.worker_nice = WORKER_NICE,
	};
	uint8_t hash[TLS_HASH_SIZE];
	int ret;

	if (!config->port) {
		return 0;
	}
	ret = load_tls(rest, &rest->tls, err, size);
	ret = ret < 0 ? ret : tls_cert_hash(rest->tls.cert, hash);
	if (ret < 0) {
		return ret;
	}
	tls_hash_hex(hash, rest->fingerprint);
	rest->renew_us = clock_monotonic_us() + RENEW_US;
	ret = http_start(&rest->server, &http, err, size);
	if (ret < 0) {
		return ret;
	}
	http_open_reads(rest->server, settings_get().open_reads);
	rest->stream = http_channel_new(rest->server, STREAM_KEEP);
	return rest->stream ? 0 : -ENOMEM;
}

/* ecuctl on this machine is the owner: the folder's mode keeps everybody but root out. */
static int start_local(struct rest *rest, char *err, size_t size)
{
	static const struct auth_identity local = { .role = AUTH_OWNER, .name = "local" };
	char address[PATH_MAX];
	struct http_config http = {
		.address = address,
		.route = routes,
		.route_count = ARRAY_SIZE(routes),
		.auth = rest->auth,
		.local = &local,
		.cookie = COOKIE,
		.ctx = rest,
		.worker_nice = WORKER_NICE,
	};
	int ret;

	snprintf(address, sizeof(address), "unix:%s/" SOCKET, rest->ecu->config->state);
	ret = http_start(&rest->local, &http, err, size);
	if (ret < 0) {
		return ret;
	}
	if (chmod(address + strlen("unix:"), 0600) < 0) {
		return -errno;
	}
	rest->local_stream = http_channel_new(rest->local, STREAM_KEEP);
	return rest->local_stream ? 0 : -ENOMEM;
}

static void rest_stop(void *state)
{
	struct rest *rest = state;

	sd_event_source_unref(rest->tick);
	http_stop(rest->server);
	http_stop(rest->local);
	http_channel_free(rest->stream);
	http_channel_free(rest->local_stream);
	json_object_put(rest->status);
	tls_pair_free(&rest->tls);
	auth_close(rest->auth);
	db_close(rest->auth_db);
	free(rest->openapi);
	free(rest);
}

static int start_all(struct rest *rest, char *err, size_t size)
{
	int ret = open_auth(rest, err, size);

	if (ret == 0) {
		ret = start_server(rest, err, size);
	}
	if (ret == 0) {
		ret = start_local(rest, err, size);
	}
	if (ret == 0) {
		ret = model_watch(rest->ecu->model, rest_changed, rest);
	}
	return ret < 0 ? ret
		       : sd_event_add_time_relative(rest->ecu->event, &rest->tick, CLOCK_MONOTONIC,
						    TICK_US, 0, on_tick, rest);
}

static int rest_start(struct ecu *ecu, void **ret_state)
{
	struct rest *rest = calloc(1, sizeof(*rest));
	char err[512] = "no memory";
	int ret = -ENOMEM;

	if (!rest) {
		return -ENOMEM;
	}
	rest->ecu = ecu;
	settings_load(ecu);
	rest->openapi = make_openapi();
	if (rest->openapi) {
		ret = start_all(rest, err, sizeof(err));
	}
	if (ret < 0) {
		log_err("rest: %s", err);
		rest_stop(rest);
		return ret;
	}
	*ret_state = rest;
	return 0;
}

const struct interface interface_rest = { "rest", rest_start, rest_stop };
