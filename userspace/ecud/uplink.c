// SPDX-License-Identifier: GPL-2.0-or-later
#include "uplink.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>
#include <json-c/json.h>
#include <sodium.h>
#include <systemd/sd-event.h>

#include "auth.h"
#include "batch.h"
#include "curl_ca.h"
#include "epoch.h"
#include "job.h"
#include "log.h"
#include "service_clock.h"
#include "store_history.h"
#include "tls.h"
#include "util.h"
#include "wipe.h"

#define CONNECT_TIMEOUT_S 10
#define REQUEST_TIMEOUT_S 60
#define ANSWER_MAX 262144
/* Rows of one batch; more wait for the next one. */
#define EVENTS_MAX 500
#define RESULTS_MAX 200
#define CLIENT_NAME "uplink"

/* One kind of request. */
enum kind { KIND_ENROL, KIND_BATCHES, KIND_ORDERS, KIND_COUNT };

struct request {
	struct uplink *uplink;
	enum kind kind;
	CURL *easy;
	struct curl_slist *headers;
	uint8_t *body;
	size_t body_n;
	char *answer;
	size_t answer_n;
	uint64_t last;	 /* batch of the body */
	uint64_t due_us; /* not before */
	uint64_t retry_us;
	bool running;
};

struct result {
	struct batch_result row;
};

struct uplink {
	struct sd_event *event;
	const struct config *config;
	struct model *model;
	struct orders *orders;
	struct store *store;
	struct store_reader *reader;
	CURLM *multi;
	sd_event_source *timer;	     /* ours */
	sd_event_source *curl_timer; /* libcurl's */
	struct request request[KIND_COUNT];
	char certificate[PATH_MAX];
	char key[PATH_MAX];
	char ca[CONFIG_TEXT_SIZE];
	uint64_t epoch;
	uint64_t sequence;
	uint64_t sent_through; /* of this epoch, stored by the service */
	uint32_t boot;
	bool enrolled;
	bool reachable;
	uint64_t batch_us;
	uint64_t event_next; /* first event for the next batch */
	bool settings_changed;
	struct result result[RESULTS_MAX];
	int results;
};

static uint64_t jitter(uint64_t us)
{
	return us - us / 4 +
	       randombytes_uniform((uint32_t)(us / 2 < UINT32_MAX ? us / 2 : UINT32_MAX));
}

/* ---- making batches ---- */

static uint64_t number_of(const struct serial *serial)
{
	char text[SERIAL_TEXT_SIZE];
	uint64_t number = 0;

	id_parse(serial_format(text, serial), &number);
	return number;
}

static int16_t zone_min(int64_t now_ms)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	return (int16_t)(tm.tm_gmtoff / 60);
}

static int compare_reports(const void *a, const void *b)
{
	return report_compare(a, b);
}

/* The newest readings of each unit that has any since the last batch. */
static size_t take_reports(struct uplink *uplink, struct report *report, int64_t after_ms)
{
	size_t n = 0;

	model_lock(uplink->model);
	for (int i = 0; i < uplink->model->units; i++) {
		const struct model_unit *unit = &uplink->model->unit[i];
		struct account account[ACCOUNT_CHANNELS] = { 0 };

		if (unit->seen_ms < after_ms || unit->seen_ms == 0) {
			continue;
		}
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			account[channel].total_mwh = (uint64_t)llround(
				unit->reading[READING_DC_ENERGY][channel].value * 1e3);
		}
		history_report(unit, account, unit->reading[READING_DC_V][0].time_ms, &report[n++]);
	}
	model_unlock(uplink->model);
	qsort(report, n, sizeof(*report), compare_reports);
	return n;
}

static size_t take_events(struct uplink *uplink, struct batch_event *event)
{
	size_t n = 0;

	model_lock(uplink->model);
	for (; uplink->event_next <= uplink->model->event_last && n < EVENTS_MAX;
	     uplink->event_next++) {
		const struct model_event *shown =
			&uplink->model->event[uplink->event_next % MODEL_EVENTS];

		if (shown->number != uplink->event_next) {
			continue;
		}
		event[n] = (struct batch_event){
			.time_ms = shown->time_ms,
			.serial = shown->has_serial ? number_of(&shown->serial) : 0,
		};
		snprintf(event[n].name, sizeof(event[n].name), "%s", model_event_name(shown->kind));
		snprintf(event[n++].text, sizeof(event[0].text), "%.127s", shown->detail);
	}
	model_unlock(uplink->model);
	return n;
}

static void add_setting(struct batch_setting *setting, size_t *n, uint64_t serial, const char *name,
			const char *value)
{
	setting[*n].serial = serial;
	snprintf(setting[*n].name, sizeof(setting[0].name), "%s", name);
	snprintf(setting[(*n)++].value, sizeof(setting[0].value), "%s", value);
}

/* What the service shows of the site beside readings: three rows for each unit. */
#define SETTINGS_OF_UNIT 3
static size_t take_settings(struct uplink *uplink, struct batch_setting *setting)
{
	size_t n = 0;

	if (!uplink->settings_changed) {
		return 0;
	}
	uplink->settings_changed = false;
	model_lock(uplink->model);
	add_setting(setting, &n, 0, "name", uplink->model->site_name);
	for (int i = 0; i < uplink->model->units; i++) {
		const struct model_unit *unit = &uplink->model->unit[i];
		uint64_t serial = number_of(&unit->serial);

		add_setting(setting, &n, serial, "name", unit->name);
		add_setting(setting, &n, serial, "phase", model_phase_name(unit->phase));
		add_setting(setting, &n, serial, "make", model_make_name(unit->make));
	}
	model_unlock(uplink->model);
	return n;
}

static void keep_sequence(struct uplink *uplink)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, uplink->epoch);
	store_set(uplink->store, "epoch", text);
	snprintf(text, sizeof(text), "%" PRIu64, uplink->sequence);
	store_set(uplink->store, "sequence", text);
}

/* @stored: highest sequence that the service has confirmed. Batches above it are kept. */
static void new_epoch(struct uplink *uplink, uint64_t stored)
{
	int ret = epoch_begin(uplink->store, stored, uplink->epoch, &uplink->epoch,
			      &uplink->sequence);

	if (ret < 0) {
		log_err("uplink: cannot begin a new epoch: %s", strerror(-ret));
		return;
	}
	uplink->sent_through = 0;
	uplink->settings_changed = true;
}

/* One batch into the outbox; the store makes it durable before it is sent. */
static void make_batch(struct uplink *uplink)
{
	static struct report report[MODEL_UNITS_MAX];
	static struct batch_event event[EVENTS_MAX];
	static struct batch_setting setting[1 + SETTINGS_OF_UNIT * MODEL_UNITS_MAX];
	static struct batch_result result[RESULTS_MAX];
	int64_t now_ms = clock_wall_ms();
	struct batch batch = {
		.head = {
			.ecu = strtoull(uplink->model->ecu_id, NULL, 10),
			.epoch = uplink->epoch,
			.sequence = uplink->sequence + 1,
			.wall_ms = now_ms,
			.monotonic_ms = clock_monotonic_us() / 1000,
			.boot = uplink->boot,
			.zone_min = zone_min(now_ms),
			.flags = BATCH_CLOCK_SYNCHRONIZED,
		},
		.reports = report,
		.events = event,
		.settings = setting,
		.results = result,
		.result_count = (size_t)uplink->results,
	};
	uint8_t *bytes = NULL;
	size_t n = 0;
	int ret;

	/* without a clock reports have no time; they wait in the store */
	if (now_ms < STORE_CLOCK_SET_MS) {
		return;
	}
	batch.report_count =
		take_reports(uplink, report, now_ms - (int64_t)(UPLINK_BATCH_US / 1000));
	batch.event_count = take_events(uplink, event);
	batch.setting_count = take_settings(uplink, setting);
	for (int i = 0; i < uplink->results; i++) {
		result[i] = uplink->result[i].row;
	}
	uplink->results = 0;
	ret = batch_seal(&batch, &bytes, &n);
	if (ret < 0) {
		log_warning("uplink: a batch of %zu reports: %s", batch.report_count,
			    strerror(-ret));
		return;
	}
	uplink->sequence++;
	store_put_batch(uplink->store, uplink->sequence, bytes, n);
	keep_sequence(uplink);
	free(bytes);
}

/* ---- requests ---- */

static size_t on_answer(char *bytes, size_t size, size_t n, void *ctx)
{
	struct request *request = ctx;
	char *more;

	n *= size;
	if (request->answer_n + n > ANSWER_MAX) {
		return 0;
	}
	more = realloc(request->answer, request->answer_n + n + 1);
	if (!more) {
		return 0;
	}
	memcpy(more + request->answer_n, bytes, n);
	request->answer = more;
	request->answer_n += n;
	more[request->answer_n] = '\0';
	return n;
}

static void add_header(struct request *request, const char *name, uint64_t value)
{
	char text[64];

	snprintf(text, sizeof(text), "%s: %" PRIu64, name, value);
	request->headers = curl_slist_append(request->headers, text);
}

static bool begin(struct request *request, const char *path, const void *body, size_t n,
		  const char *type, long timeout_s)
{
	struct uplink *uplink = request->uplink;
	char url[CONFIG_TEXT_SIZE + 64];
	char header[64];

	snprintf(url, sizeof(url), "%s/uplink/v1/%s", uplink->config->ema, path);
	request->easy = curl_easy_init();
	if (!request->easy) {
		return false;
	}
	curl_easy_setopt(request->easy, CURLOPT_URL, url);
	curl_easy_setopt(request->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(request->easy, CURLOPT_SSLCERT, uplink->certificate);
	curl_easy_setopt(request->easy, CURLOPT_SSLKEY, uplink->key);
	if (*uplink->ca) {
		curl_ca_only(request->easy, uplink->ca);
	}
	curl_easy_setopt(request->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(request->easy, CURLOPT_TIMEOUT, timeout_s);
	curl_easy_setopt(request->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(request->easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(request->easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(request->easy, CURLOPT_PRIVATE, request);
	if (body) {
		snprintf(header, sizeof(header), "Content-Type: %s", type);
		request->headers = curl_slist_append(request->headers, header);
		/* no "Expect: 100-continue", which costs a round trip */
		request->headers = curl_slist_append(request->headers, "Expect:");
		curl_easy_setopt(request->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
		curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers);
	request->running = curl_multi_add_handle(uplink->multi, request->easy) == CURLM_OK;
	return request->running;
}

static void end(struct request *request)
{
	if (request->easy) {
		curl_multi_remove_handle(request->uplink->multi, request->easy);
		curl_easy_cleanup(request->easy);
	}
	curl_slist_free_all(request->headers);
	/* the code of the enrolment; an order to pair has a label */
	wipe_free(request->body, request->body_n);
	wipe_free(request->answer, request->answer_n);
	request->easy = NULL;
	request->headers = NULL;
	request->body = NULL;
	request->body_n = 0;
	request->answer = NULL;
	request->answer_n = 0;
	request->running = false;
}

static bool send_enrol(struct request *request)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	bool sent;

	json_object_object_add(object, "ecu",
			       json_object_new_string(request->uplink->model->ecu_id));
	json_object_object_add(object, "code",
			       json_object_new_string(request->uplink->config->ema_code));
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	request->body = (uint8_t *)strdup(text);
	request->body_n = strlen(text);
	sent = request->body && begin(request, "enrol", request->body, request->body_n,
				      "application/json", REQUEST_TIMEOUT_S);
	explicit_bzero((char *)text, strlen(text));
	wipe_json(object);
	return sent;
}

/* The service takes no batch that is damaged, and none behind one that is missing. */
static bool is_next(uint64_t expected, uint64_t sequence, const uint8_t *bytes, size_t n, char *err,
		    size_t size)
{
	struct batch_head head;
	size_t length;

	if (sequence != expected) {
		snprintf(err, size, "it is missing");
		return false;
	}
	return batch_read_head(bytes, n, &head, &length, err, size) == 0;
}

/*
 * The oldest batches that are on the disk and not stored by the service. One of them that cannot be
 * sent ends the request before it; as the first one it ends the epoch, which sets it aside.
 */
static bool send_batches(struct request *request)
{
	struct uplink *uplink = request->uplink;
	uint64_t from = uplink->sent_through + 1;
	char err[160] = "";
	size_t n = 0;

	for (int i = 0; i < UPLINK_BATCHES; i++) {
		uint64_t sequence;
		uint8_t *bytes;
		size_t size;
		uint8_t *more;

		if (store_batch(uplink->reader, from, &sequence, &bytes, &size) <= 0) {
			break;
		}
		more = is_next(from, sequence, bytes, size, err, sizeof(err)) &&
				       (n + size <= UPLINK_BYTES || n == 0)
			       ? realloc(request->body, n + size)
			       : NULL;
		if (!more) {
			free(bytes);
			break;
		}
		request->body = more;
		memcpy(request->body + n, bytes, size);
		n += size;
		from = sequence + 1;
		request->last = sequence;
		free(bytes);
	}
	if (n == 0 && *err) {
		log_err("uplink: batch %" PRIu64 " of the outbox: %s: beginning a new epoch", from,
			err);
		new_epoch(uplink, uplink->sent_through);
		request->due_us = clock_monotonic_us() + UPLINK_RETRY_US;
	}
	if (n == 0) {
		return false;
	}
	request->body_n = n;
	add_header(request, "QS1-Wall-Ms", (uint64_t)clock_wall_ms());
	add_header(request, "QS1-Monotonic-Ms", clock_monotonic_us() / 1000);
	add_header(request, "QS1-Boot", uplink->boot);
	return begin(request, "batches", request->body, n, "application/octet-stream",
		     REQUEST_TIMEOUT_S);
}

static bool ask_orders(struct request *request)
{
	char path[64];

	snprintf(path, sizeof(path), "orders?wait=%d", UPLINK_WAIT_S);
	return begin(request, path, NULL, 0, NULL, UPLINK_WAIT_S + REQUEST_TIMEOUT_S);
}

/* ---- orders ---- */

static double number_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !(json_object_is_type(value, json_type_int) ||
	      json_object_is_type(value, json_type_double))) {
		return (double)NAN;
	}
	return json_object_get_double(value);
}

static const char *text_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : "";
}

static int expected(char *err, size_t size, const char *what)
{
	snprintf(err, size, "expected %s", what);
	return -EINVAL;
}

/* The text of the one argument that names something. */
static const char *named(struct json_object *arguments)
{
	static const char *const names[] = { "fault", "name", "label" };
	const char *text = "";

	for (size_t i = 0; i < ARRAY_SIZE(names) && !*text; i++) {
		text = text_member(arguments, names[i]);
	}
	return text;
}

/* The order gets the role of the service if the user behind it may give this order. */
static unsigned int role_of(struct json_object *object, enum order_command command)
{
	int role = auth_role_find(text_member(object, "role"));
	unsigned int person = role < 0 ? 0 : 1u << role;

	return order_desc[command].roles & person ? ROLE_EMA : person;
}

int uplink_order(struct json_object *object, struct order *ret, char *err, size_t size)
{
	struct json_object *arguments = NULL;
	const char *serial = text_member(object, "serial");
	int command = order_command_find(text_member(object, "command"));
	double issued_ms = number_member(object, "issued_ms");
	double ttl_s = number_member(object, "ttl_s");
	double lease_s;
	struct order order;

	if (!json_object_is_type(object, json_type_object) || command < 0) {
		return expected(err, size, "an order with a known command");
	}
	if (!*text_member(object, "id") || isnan(issued_ms) || isnan(ttl_s) || ttl_s < 1 ||
	    ttl_s > 86400) {
		return expected(err, size, "id, issued_ms, and ttl_s from 1 to 86400");
	}
	json_object_object_get_ex(object, "arguments", &arguments);
	if (order_check_arguments(command, arguments, err, size) < 0) {
		return -EINVAL;
	}
	order_init(&order, command, (int64_t)issued_ms);
	order.ttl_s = (uint32_t)ttl_s;
	order.role = role_of(object, command);
	order.interface = INTERFACE_UPLINK;
	snprintf(order.owner, sizeof(order.owner), "ema");
	snprintf(order.key, sizeof(order.key), "%s", text_member(object, "id"));
	snprintf(order.by, sizeof(order.by), "%s", text_member(object, "by"));
	snprintf(order.reason, sizeof(order.reason), "%.95s",
		 *text_member(arguments, "reason") ? text_member(arguments, "reason")
						   : text_member(object, "by"));
	order.site = !*serial;
	if (*serial && serial_parse(serial, &order.serial) < 0) {
		return expected(err, size, "a serial number of 12 digits");
	}
	order.w = number_member(arguments, order_w_name(command));
	order.then_w = number_member(arguments, "then_w");
	lease_s = number_member(arguments, "lease_s");
	order.lease_s = isnan(lease_s) ? 0 : (uint32_t)lease_s;
	snprintf(order.text, sizeof(order.text), "%s", named(arguments));
	*ret = order;
	return 0;
}

/* A result for the next batch. */
static void add_result(struct uplink *uplink, const char *key, uint64_t serial, const char *state,
		       const char *text)
{
	struct batch_result *row;

	if (uplink->results == RESULTS_MAX) {
		return;
	}
	row = &uplink->result[uplink->results++].row;
	memset(row, 0, sizeof(*row));
	snprintf(row->order, sizeof(row->order), "%.39s", key);
	row->serial = serial;
	row->time_ms = clock_wall_ms();
	snprintf(row->state, sizeof(row->state), "%s", state);
	snprintf(row->text, sizeof(row->text), "%.127s", text);
	/* do not let a person wait for a minute */
	uplink->batch_us = 0;
}

/* Has this order come before? Then its result is on its way, or comes. */
static bool is_known(struct uplink *uplink, const char *id)
{
	bool known = false;

	model_lock(uplink->model);
	for (int i = 0; i < ORDERS_KEPT && !known; i++) {
		const struct order *order = &uplink->model->order[i];

		known = order->number && order->interface == INTERFACE_UPLINK &&
			!strcmp(order->key, id);
	}
	model_unlock(uplink->model);
	return known;
}

static void take_order(struct uplink *uplink, struct json_object *object)
{
	const char *id = text_member(object, "id");
	struct order order;
	char err[128];
	int ret;

	if (is_known(uplink, id)) {
		return;
	}
	ret = uplink_order(object, &order, err, sizeof(err));
	if (ret < 0) {
		log_warning("uplink: order '%.40s': %s", id, err);
		if (*id) {
			add_result(uplink, id, 0, order_state_name(ORDER_REFUSED), err);
		}
		return;
	}
	order_submit(uplink->orders, &order);
	explicit_bzero(order.text, sizeof(order.text));
}

static void take_orders(struct uplink *uplink, struct json_object *answer)
{
	struct json_object *list = NULL;

	if (!json_object_object_get_ex(answer, "orders", &list) ||
	    !json_object_is_type(list, json_type_array)) {
		return;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		take_order(uplink, json_object_array_get_idx(list, i));
	}
}

/* ---- answers ---- */

static void set_reachable(struct uplink *uplink, bool reachable, const char *why)
{
	bool was = uplink->reachable;

	uplink->reachable = reachable;
	model_begin(uplink->model, -1);
	uplink->model->status.uplink_ok = reachable;
	if (reachable) {
		uplink->model->status.uplink_ms = clock_wall_ms();
	}
	uplink->model->status.outbox_sequence = uplink->sequence;
	uplink->model->status.outbox = uplink->sequence - uplink->sent_through;
	model_end(uplink->model, CHANGE_SITE, -1);
	if (was != reachable) {
		model_event(uplink->model, reachable ? EVENT_UPLINK_UP : EVENT_UPLINK_DOWN, NULL,
			    reachable ? "" : why);
	}
}

/* @last: batch of the request; all of it are stored. */
static void take_stored(struct uplink *uplink, struct json_object *answer, uint64_t last)
{
	struct json_object *stored = NULL;
	uint64_t epoch;
	double sequence;

	if (!json_object_object_get_ex(answer, "stored_through", &stored) ||
	    !json_object_is_type(stored, json_type_object)) {
		return;
	}
	epoch = strtoull(text_member(stored, "epoch"), NULL, 10);
	sequence = number_member(stored, "sequence");
	if (epoch != uplink->epoch || isnan(sequence) || sequence > (double)uplink->sequence) {
		return;
	}
	if (sequence < (double)uplink->sent_through) {
		log_warning("uplink: the service has lost batches %.0f to %" PRIu64
			    ", probably by a restore: beginning a new epoch",
			    sequence + 1, uplink->sent_through);
		new_epoch(uplink, last);
		return;
	}
	uplink->sent_through = (uint64_t)sequence;
	store_drop_batches(uplink->store, uplink->sent_through);
}

/* The service names its key in each answer to batches: an ECU may be older than signed jobs. */
static void take_job_key(struct uplink *uplink, struct json_object *answer)
{
	const char *key = text_member(answer, "job_key");
	char known[2 * JOB_PUBLIC_BYTES + 1] = "";

	store_get(uplink->store, STORE_JOB_KEY, known, sizeof(known));
	if (*key && strcmp(key, known) != 0) {
		store_set(uplink->store, STORE_JOB_KEY, key);
	}
}

static void done(struct request *request, uint64_t now_us)
{
	struct uplink *uplink = request->uplink;
	struct json_object *answer = json_tokener_parse(request->answer ? request->answer : "");

	request->retry_us = 0;
	request->due_us = now_us + UPLINK_PAUSE_US;
	if (request->kind == KIND_ENROL) {
		uplink->enrolled = true;
		store_set(uplink->store, "enrolled", uplink->config->ema);
		take_job_key(uplink, answer);
	} else if (json_object_is_type(answer, json_type_object)) {
		take_job_key(uplink, answer);
		take_stored(uplink, answer, request->last);
		take_orders(uplink, answer);
	}
	wipe_json(answer);
	set_reachable(uplink, true, "");
}

/* The highest batch that the service has for certain after a 409: the request began behind
 * @sent_through, and what is before the refused batch is stored. */
static uint64_t stored_before_conflict(const struct request *request)
{
	uint64_t stored = request->uplink->sent_through;
	struct curl_header *header;
	uint64_t refused;

	if (curl_easy_header(request->easy, "QS1-Conflict", 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK) {
		return stored;
	}
	refused = strtoull(header->value, NULL, 10);
	return refused > stored && refused <= request->last ? refused - 1 : stored;
}

/* @after_us: delay that the service asks for in Retry-After; 0 without one. */
static void failed(struct request *request, long status, uint64_t after_us, const char *why,
		   uint64_t now_us)
{
	struct uplink *uplink = request->uplink;
	bool person = status == 400 || status == 401 || status == 403;

	if (status == 409 && request->kind == KIND_BATCHES) {
		log_err("uplink: the service has another batch with this number: new epoch");
		new_epoch(uplink, stored_before_conflict(request));
	}
	request->retry_us = request->retry_us == 0 ? UPLINK_RETRY_US : request->retry_us * 2;
	if (request->retry_us > UPLINK_RETRY_MAX_US) {
		request->retry_us = UPLINK_RETRY_MAX_US;
	}
	request->due_us = now_us + jitter(person ? UPLINK_REFUSED_US : request->retry_us);
	if (after_us > 0) {
		/* no jitter: the service itself spreads the retries of its ECUs */
		request->due_us =
			now_us + (after_us < UPLINK_REFUSED_US ? after_us : UPLINK_REFUSED_US);
	}
	if (uplink->reachable || person) {
		log_warning("uplink: %s: %s", uplink->config->ema, why);
	}
	set_reachable(uplink, false, why);
}

static void take_messages(struct uplink *uplink)
{
	uint64_t now_us = clock_monotonic_us();
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(uplink->multi, &left))) {
		struct request *request = NULL;
		CURLcode code = message->data.result;
		curl_off_t after_s = 0;
		long status = 0;
		char why[160];

		if (message->msg != CURLMSG_DONE) {
			continue;
		}
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&request);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		if (code == CURLE_OK && status == 200) {
			done(request, now_us);
		} else {
			snprintf(why, sizeof(why), code == CURLE_OK ? "%sstatus %ld: %.100s" : "%s",
				 code == CURLE_OK ? "" : curl_easy_strerror(code), status,
				 request->answer ? request->answer : "");
			curl_easy_getinfo(message->easy_handle, CURLINFO_RETRY_AFTER, &after_s);
			failed(request, status, (uint64_t)after_s * 1000000, why, now_us);
		}
		end(request);
	}
}

/* ---- what runs when ---- */

static bool wants(const struct uplink *uplink, enum kind kind)
{
	switch (kind) {
	case KIND_ENROL:
		return !uplink->enrolled;
	case KIND_BATCHES:
		return uplink->enrolled && uplink->sequence > uplink->sent_through;
	default:
		return uplink->enrolled;
	}
}

static bool (*const send_kind[KIND_COUNT])(struct request *request) = { send_enrol, send_batches,
									ask_orders };

static void set_timer(struct uplink *uplink, uint64_t now_us)
{
	/* batches become sendable when the store has committed them: look again soon */
	uint64_t due_us = now_us + UPLINK_PAUSE_US;

	due_us = uplink->batch_us < due_us ? uplink->batch_us : due_us;
	sd_event_source_set_time(uplink->timer, clock_system_us(due_us));
	sd_event_source_set_enabled(uplink->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t us, void *ctx)
{
	struct uplink *uplink = ctx;
	uint64_t now_us = clock_monotonic_us();

	(void)source;
	(void)us;
	if (now_us >= uplink->batch_us) {
		make_batch(uplink);
		uplink->batch_us = now_us + UPLINK_BATCH_US;
	}
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		struct request *request = &uplink->request[kind];

		if (!request->running && now_us >= request->due_us && wants(uplink, kind) &&
		    !send_kind[kind](request)) {
			end(request);
		}
	}
	set_timer(uplink, now_us);
	return 0;
}

/* ---- libcurl on the event loop ---- */

static void act(struct uplink *uplink, curl_socket_t socket, int events)
{
	int running;

	curl_multi_socket_action(uplink->multi, socket, events, &running);
	take_messages(uplink);
}

static int on_socket_event(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	int what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
		   (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & EPOLLERR ? CURL_CSELECT_ERR : 0);

	(void)source;
	act(ctx, fd, what);
	return 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
	struct uplink *uplink = ctx;
	sd_event_source *source = assigned;
	uint32_t events = (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? EPOLLIN : 0u) |
			  (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? EPOLLOUT : 0u);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		sd_event_source_disable_unref(source);
		curl_multi_assign(uplink->multi, fd, NULL);
	} else if (source) {
		sd_event_source_set_io_events(source, events);
	} else if (sd_event_add_io(uplink->event, &source, fd, events, on_socket_event, uplink) >=
		   0) {
		curl_multi_assign(uplink->multi, fd, source);
	}
	return 0;
}

static int on_curl_timer(sd_event_source *source, uint64_t us, void *ctx)
{
	(void)source;
	(void)us;
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
	return 0;
}

static int on_set_timer(CURLM *multi, long ms, void *ctx)
{
	struct uplink *uplink = ctx;

	(void)multi;
	if (ms < 0) {
		return sd_event_source_set_enabled(uplink->curl_timer, SD_EVENT_OFF) < 0 ? -1 : 0;
	}
	sd_event_source_set_time_relative(uplink->curl_timer, (uint64_t)ms * 1000);
	return sd_event_source_set_enabled(uplink->curl_timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

/* ---- start and stop ---- */

/* Results of the service's orders, one for the order as a whole. */
static void on_change(void *ctx, enum model_change change, int unit, uint64_t number)
{
	struct uplink *uplink = ctx;
	struct order order;

	(void)unit;
	if (change == CHANGE_UNIT) {
		uplink->settings_changed = true;
	}
	if (change != CHANGE_ORDER) {
		return;
	}
	model_lock(uplink->model);
	order = uplink->model->order[number % ORDERS_KEPT];
	model_unlock(uplink->model);
	if (order.number == number && order.interface == INTERFACE_UPLINK) {
		add_result(uplink, order.key, order.site ? 0 : number_of(&order.serial),
			   order_state_name(order.state), order.message);
	}
}

static void load_sequence(struct uplink *uplink)
{
	char text[CONFIG_TEXT_SIZE] = "";
	uint64_t first;
	uint8_t *bytes;
	size_t n;

	store_get(uplink->store, "epoch", text, sizeof(text));
	uplink->epoch = strtoull(text, NULL, 10);
	store_get(uplink->store, "sequence", text, sizeof(text));
	uplink->sequence = strtoull(text, NULL, 10);
	store_get(uplink->store, "enrolled", text, sizeof(text));
	uplink->enrolled = !*uplink->config->ema_code || !strcmp(text, uplink->config->ema);
	if (uplink->epoch == 0) {
		new_epoch(uplink, 0);
		return;
	}
	/* the outbox begins behind what the service has stored */
	uplink->sent_through = uplink->sequence;
	if (store_batch(uplink->reader, 0, &first, &bytes, &n) > 0) {
		uplink->sent_through = first - 1;
		free(bytes);
	}
}

static int make_key(struct uplink *uplink)
{
	struct tls_pair pair = { 0 };
	char err[256];
	int ret =
		tls_client_pair(store_folder(uplink->store), CLIENT_NAME, &pair, err, sizeof(err));

	tls_pair_free(&pair);
	if (ret < 0) {
		log_err("uplink: %s", err);
		return ret;
	}
	snprintf(uplink->certificate, sizeof(uplink->certificate), "%s/" CLIENT_NAME ".pem",
		 store_folder(uplink->store));
	snprintf(uplink->key, sizeof(uplink->key), "%s/" CLIENT_NAME ".key",
		 store_folder(uplink->store));
	snprintf(uplink->ca, sizeof(uplink->ca), "%s", uplink->config->ema_ca);
	return 0;
}

int uplink_start(struct uplink **ret, struct sd_event *event, const struct config *config,
		 struct model *model, struct orders *orders, struct store *store)
{
	struct uplink *uplink;
	char err[256] = "";
	int error;

	*ret = NULL;
	if (!*config->ema) {
		return 0;
	}
	uplink = calloc(1, sizeof(*uplink));
	if (!uplink) {
		return -ENOMEM;
	}
	uplink->event = event;
	uplink->config = config;
	uplink->model = model;
	uplink->orders = orders;
	uplink->store = store;
	uplink->settings_changed = true;
	uplink->event_next = model->event_last + 1;
	uplink->boot = randombytes_random();
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		uplink->request[kind].uplink = uplink;
		uplink->request[kind].kind = (enum kind)kind;
	}
	uplink->multi = curl_multi_init();
	error = uplink->multi ? make_key(uplink) : -ENOMEM;
	error = error < 0
			? error
			: store_reader_open(&uplink->reader, store_folder(store), err, sizeof(err));
	error = error < 0 ? error
			  : sd_event_add_time(event, &uplink->timer, CLOCK_MONOTONIC, 0, 1000,
					      on_timer, uplink);
	error = error < 0 ? error
			  : sd_event_add_time(event, &uplink->curl_timer, CLOCK_MONOTONIC, 0, 1000,
					      on_curl_timer, uplink);
	error = error < 0 ? error : model_watch(model, on_change, uplink);
	if (error < 0) {
		if (*err) {
			log_err("uplink: %s", err);
		}
		uplink_stop(uplink);
		return error;
	}
	sd_event_source_set_enabled(uplink->curl_timer, SD_EVENT_OFF);
	curl_multi_setopt(uplink->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(uplink->multi, CURLMOPT_SOCKETDATA, uplink);
	curl_multi_setopt(uplink->multi, CURLMOPT_TIMERFUNCTION, on_set_timer);
	curl_multi_setopt(uplink->multi, CURLMOPT_TIMERDATA, uplink);
	load_sequence(uplink);
	*ret = uplink;
	return 0;
}

void uplink_stop(struct uplink *uplink)
{
	if (!uplink) {
		return;
	}
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		if (uplink->request[kind].uplink) {
			end(&uplink->request[kind]);
		}
	}
	if (uplink->multi) {
		curl_multi_cleanup(uplink->multi);
	}
	sd_event_source_disable_unref(uplink->timer);
	sd_event_source_disable_unref(uplink->curl_timer);
	store_reader_close(uplink->reader);
	free(uplink);
}
