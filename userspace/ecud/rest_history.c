// SPDX-License-Identifier: GPL-2.0-or-later
/* REST interface: what the store has. The handlers run in a worker and open their own reader. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "../service/audit.h"
#include "../service/service_clock.h"
#include "account.h"
#include "rest.h"
#include "view.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
/* 100 days of quarter hours; of all readings of an inverter some 5 MB while the reply is made. */
#define POINTS_MAX 10000
#define ENTRIES_MAX 1000
#define ENTRIES_USUAL 100
#define STEP_USUAL_S 900

static void close_reader(struct store_reader **reader)
{
	if (*reader) {
		store_reader_close(*reader);
	}
}

/* Open a reader, or reply with an error. */
static struct store_reader *open_reader(struct http_request *request)
{
	struct store_reader *reader = NULL;
	char err[256] = "";

	if (store_reader_open(&reader, store_folder(rest_of(request)->ecu->store), err,
			      sizeof(err)) < 0) {
		http_reply_errno(request, -EAGAIN, "store: %s", err);
	}
	return reader;
}

/* Times. */

/* ms since 1970, a date in local time, or RFC 3339. Return false for anything else. */
static bool parse_time(const char *text, int64_t *ret_ms)
{
	struct tm tm = { .tm_isdst = -1 };
	int hours = 0, minutes = 0;
	const char *rest;
	char sign, zone;

	if (*text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 16) {
		*ret_ms = strtoll(text, NULL, 10);
		return true;
	}
	rest = strptime(text, "%Y-%m-%d", &tm);
	if (rest && !*rest) {
		*ret_ms = mktime(&tm) * 1000LL;
		return true;
	}
	rest = rest && (*rest == 'T' || *rest == ' ') ? strptime(rest + 1, "%H:%M:%S", &tm) : NULL;
	if (rest && *rest == '.') {
		rest += 1 + strspn(rest + 1, "0123456789");
	}
	if (!rest) {
		return false;
	}
	if (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3 &&
	    (sign == '+' || sign == '-')) {
		minutes += 60 * hours;
		minutes = sign == '-' ? -minutes : minutes;
	} else if (sscanf(rest, "%c%c", &zone, &sign) != 1 || toupper((unsigned char)zone) != 'Z') {
		return false;
	}
	*ret_ms = (timegm(&tm) - minutes * 60LL) * 1000;
	return true;
}

static bool query_time(struct http_request *request, const char *name, int64_t missing,
		       int64_t *ret_ms)
{
	const char *text = http_query(request, name);

	*ret_ms = missing;
	if (!text || parse_time(text, ret_ms)) {
		return true;
	}
	http_reply_error(request, 400, "invalid",
			 "%s: expected a time as 2026-06-21T12:00:00Z, or ms since 1970, found "
			 "'%.40s'",
			 name, text);
	return false;
}

/**
 * struct span - what a history is asked for
 * @step_s: 0 for each reading
 * @unit: 'd', 'm', 'y' in place of @step_s; 0 for none
 * @names: readings that are asked for, with commas; NULL for all
 */
struct span {
	int64_t from_ms;
	int64_t to_ms;
	int64_t step_s;
	char unit;
	const char *names;
};

static bool query_step(struct http_request *request, struct span *span)
{
	static const char *const words[] = { "day", "month", "year" };
	const char *text = http_query(request, "step");

	for (size_t i = 0; text && i < ARRAY_SIZE(words); i++) {
		if (!strcmp(text, words[i])) {
			span->unit = *text;
			return true;
		}
	}
	if (!http_query_int(request, "step", 0, 86400, STEP_USUAL_S, &span->step_s)) {
		return false;
	}
	if (span->step_s && span->step_s % 60) {
		http_reply_error(request, 400, "invalid",
				 "step: expected 0, a multiple of 60 s, day, month or year, found "
				 "%" PRId64,
				 span->step_s);
		return false;
	}
	return true;
}

static bool query_span(struct http_request *request, struct span *span)
{
	int64_t step_ms;

	*span = (struct span){ .names = http_query(request, "readings") };
	if (!query_time(request, "to", clock_wall_ms(), &span->to_ms) ||
	    !query_time(request, "from", span->to_ms - DAY_MS, &span->from_ms) ||
	    !query_step(request, span)) {
		return false;
	}
	step_ms = (span->step_s ? span->step_s : 1) * 1000;
	if (span->from_ms >= span->to_ms ||
	    (!span->unit && (span->to_ms - span->from_ms) / step_ms > POINTS_MAX * 10LL)) {
		http_reply_error(request, 400, "invalid",
				 "from: expected a time before 'to', and at most %d steps",
				 POINTS_MAX * 10);
		return false;
	}
	return true;
}

/* Histories. */

/**
 * struct text - JSON that grows; json-c would take ten times as much memory
 */
struct text {
	FILE *file;
	char *bytes;
	size_t size;
};

static bool text_open(struct text *text)
{
	text->file = open_memstream(&text->bytes, &text->size);
	return text->file;
}

static void text_free(struct text *text)
{
	if (text->file) {
		fclose(text->file);
	}
	free(text->bytes);
}

/* Also false after an earlier allocation has failed. */
static bool text_close(struct text *text)
{
	bool failed = ferror(text->file);

	failed |= fclose(text->file) != 0;
	text->file = NULL;
	return !failed;
}

/**
 * struct points - steps of a history, as their JSON
 * @value: of each series that is asked for; all but the first of them begin with a comma
 */
struct points {
	bool site;
	const char *names;
	size_t count;
	struct text time;
	struct text value[READING_COUNT][MODEL_CHANNELS];
};

/* Is a name in a list with commas? */
static bool is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (!strncmp(at, name, n) && (at[n] == ',' || !at[n])) {
			return true;
		}
	}
	return false;
}

static int channels_of(enum reading_id id)
{
	return model_reading[id].scope == SCOPE_CHANNEL ? MODEL_CHANNELS : 1;
}

static bool is_asked_for(const struct points *points, enum reading_id id)
{
	const struct reading_desc *desc = &model_reading[id];

	return (desc->scope == SCOPE_SITE) == points->site &&
	       (!points->names || is_listed(points->names, desc->name));
}

static bool points_open(struct points *points)
{
	bool good = text_open(&points->time);

	for (int id = 0; id < READING_COUNT; id++) {
		for (int n = 0; is_asked_for(points, id) && n < channels_of(id); n++) {
			good = good && text_open(&points->value[id][n]);
		}
	}
	return good;
}

static void points_free(struct points *points)
{
	text_free(&points->time);
	for (int id = 0; id < READING_COUNT; id++) {
		for (int n = 0; n < MODEL_CHANNELS; n++) {
			text_free(&points->value[id][n]);
		}
	}
}

static int take_point(void *ctx, const struct store_point *point)
{
	struct points *points = ctx;
	const char *comma = points->count ? "," : "";

	/* one step above the limit of a reply shows that there are too many */
	if (points->count++ == POINTS_MAX) {
		return -E2BIG;
	}
	fprintf(points->time.file, "%s%" PRId64, comma, point->time_ms);
	for (int id = 0; id < READING_COUNT; id++) {
		for (int n = 0; n < MODEL_CHANNELS && points->value[id][n].file; n++) {
			double value = point->value[id][n];

			fputs(comma, points->value[id][n].file);
			if (isfinite(value)) {
				fprintf(points->value[id][n].file, "%.*f",
					model_reading[id].decimals, value);
			} else {
				fputs("null", points->value[id][n].file);
			}
		}
	}
	return 0;
}

static struct json_object *new_series(const char *name, int channel, const char *unit,
				      struct json_object *values)
{
	struct json_object *series = json_object_new_object();

	json_object_object_add(series, "name", json_object_new_string(name));
	json_object_object_add(series, "channel", channel ? json_object_new_int(channel) : NULL);
	json_object_object_add(series, "unit", json_object_new_string(unit));
	json_object_object_add(series, "values", values);
	return series;
}

static struct json_object *history_json(const struct span *span, const char *step)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "from_ms", json_object_new_int64(span->from_ms));
	json_object_object_add(json, "to_ms", json_object_new_int64(span->to_ms));
	json_object_object_add(json, "step", json_object_new_string(step));
	return json;
}

static void write_series(FILE *file, const char *comma, int id, int channel, const char *values)
{
	const struct reading_desc *desc = &model_reading[id];

	fprintf(file, "%s{\"name\":\"%s\",\"channel\":", comma, desc->name);
	if (desc->scope == SCOPE_CHANNEL) {
		fprintf(file, "%d", channel + 1);
	} else {
		fputs("null", file);
	}
	fprintf(file, ",\"unit\":\"%s\",\"values\":[%s]}", desc->unit, values);
}

/* The whole reply; false without memory. */
static bool write_points(struct text *text, const struct span *span, struct points *points)
{
	const char *comma = "";
	bool good = text_open(text) && text_close(&points->time);

	if (!good) {
		return false;
	}
	fprintf(text->file,
		"{\"from_ms\":%" PRId64 ",\"to_ms\":%" PRId64 ",\"step\":\"%" PRId64
		"\",\"time_ms\":[%s],\"series\":[",
		span->from_ms, span->to_ms, span->step_s, points->time.bytes);
	for (int id = 0; id < READING_COUNT; id++) {
		for (int n = 0; n < MODEL_CHANNELS; n++) {
			struct text *value = &points->value[id][n];

			if (!value->file) {
				continue;
			}
			good = text_close(value) && good;
			write_series(text->file, comma, id, n, good ? value->bytes : "");
			free(value->bytes);
			value->bytes = NULL;
			comma = ",";
		}
	}
	fputs("]}", text->file);
	return text_close(text) && good;
}

static void reply_points(struct http_request *request, const struct span *span,
			 struct points *points)
{
	struct text text = { 0 };

	if (write_points(&text, span, points)) {
		http_reply_take(request, 200, "application/json", text.bytes, text.size);
		return;
	}
	text_free(&text);
	http_reply_errno(request, -EAGAIN, "no memory");
}

/* Local midnight of yyyymmdd, where 00 stands for the first. */
static int64_t date_ms(int32_t date)
{
	int month = date / 100 % 100;
	int day = date % 100;
	struct tm tm = { .tm_year = date / 10000 - 1900,
			 .tm_mon = month ? month - 1 : 0,
			 .tm_mday = day ? day : 1,
			 .tm_isdst = -1 };

	return mktime(&tm) * 1000LL;
}

static int32_t date_of(int64_t time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm tm;

	localtime_r(&seconds, &tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

/**
 * struct energies - energy of each day, month or year
 * @values: by ACCOUNT_CHANNELS
 */
struct energies {
	struct json_object *times;
	struct json_object *values[ACCOUNT_CHANNELS];
};

static int take_energy(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS])
{
	struct energies *energies = ctx;

	json_object_array_add(energies->times, json_object_new_int64(date_ms(date)));
	for (int n = 0; n < ACCOUNT_CHANNELS; n++) {
		json_object_array_add(energies->values[n], view_number(wh[n], 1));
	}
	return 0;
}

static void reply_energies(struct http_request *request, struct store_reader *reader,
			   const struct span *span, const struct serial *serial)
{
	static const char *const steps[] = { ['d'] = "day", ['m'] = "month", ['y'] = "year" };
	struct energies energies = { .times = json_object_new_array() };
	struct json_object *series = json_object_new_array();
	struct json_object *json;
	int ret;

	for (int n = 0; n < ACCOUNT_CHANNELS; n++) {
		energies.values[n] = json_object_new_array();
		json_object_array_add(series, new_series("energy", n == ACCOUNT_GRID ? 0 : n + 1,
							 "Wh", energies.values[n]));
	}
	ret = store_energy(reader, serial, date_of(span->from_ms), date_of(span->to_ms - 1),
			   span->unit, take_energy, &energies);
	json = history_json(span, steps[(unsigned char)span->unit]);
	json_object_object_add(json, "time_ms", energies.times);
	json_object_object_add(json, "series", series);
	if (ret < 0) {
		json_object_put(json);
		http_reply_errno(request, ret, "history: %s", strerror(-ret));
	} else {
		http_reply_json(request, 200, json);
	}
}

static void reply_history(struct http_request *request, const struct serial *serial)
{
	struct store_reader *reader __cleanup(close_reader) = NULL;
	struct points points __cleanup(points_free) = { .site = !serial };
	struct span span;
	int ret;

	if (!query_span(request, &span)) {
		return;
	}
	reader = open_reader(request);
	if (!reader) {
		return;
	}
	if (span.unit) {
		reply_energies(request, reader, &span, serial);
		return;
	}
	points.names = span.names;
	if (!points_open(&points)) {
		http_reply_errno(request, -EAGAIN, "no memory");
		return;
	}
	ret = store_history(reader, serial, span.from_ms, span.to_ms, span.step_s, take_point,
			    &points);
	if (points.count > POINTS_MAX) {
		http_reply_error(request, 400, "invalid",
				 "step: expected one that gives at most %d points", POINTS_MAX);
	} else if (ret < 0) {
		http_reply_errno(request, ret, "history: %s", strerror(-ret));
	} else {
		reply_points(request, &span, &points);
	}
}

void rest_get_history(struct http_request *request)
{
	reply_history(request, NULL);
}

void rest_get_inverters_serial_history(struct http_request *request)
{
	struct model_unit unit;

	if (rest_unit(request, &unit)) {
		reply_history(request, &unit.serial);
	}
}

/* Events and audit log. */

/* Reply with a list and where it goes on. */
static void reply_page(struct http_request *request, const char *name, struct json_object *array,
		       int64_t next)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, name, array);
	json_object_object_add(json, "next", next > 1 ? json_object_new_int64(next) : NULL);
	http_reply_json(request, 200, json);
}

/**
 * struct event_page - events of a page, oldest first
 * @serial: of one unit, or NULL
 */
struct event_page {
	const struct serial *serial;
	int count;
	struct model_event event[ENTRIES_MAX];
};

static int take_event(void *ctx, const struct model_event *event)
{
	struct event_page *page = ctx;

	if (page->count < ENTRIES_MAX &&
	    (!page->serial || (event->has_serial && serial_equal(page->serial, &event->serial)))) {
		page->event[page->count++] = *event;
	}
	return 0;
}

/* Events from @from up to @to, without it: old ones of the store, and those in the model's ring. */
static int collect_events(struct http_request *request, uint64_t from, uint64_t to,
			  struct event_page *page)
{
	struct store_reader *reader __cleanup(close_reader) = NULL;
	struct model *model = rest_of(request)->ecu->model;
	uint64_t oldest;
	int ret = 0;

	model_lock(model);
	oldest = model->event_last > MODEL_EVENTS ? model->event_last - MODEL_EVENTS + 1 : 1;
	model_unlock(model);
	if (from < oldest) {
		reader = open_reader(request);
		if (!reader) {
			return -ECANCELED;
		}
		ret = store_events(reader, from - 1, (to < oldest ? to : oldest) - from, take_event,
				   page);
		from = oldest;
	}
	model_lock(model);
	for (uint64_t n = from; n < to; n++) {
		const struct model_event *event = &model->event[n % MODEL_EVENTS];

		if (event->number == n) {
			take_event(page, event);
		}
	}
	model_unlock(model);
	return ret;
}

void rest_get_events(struct http_request *request)
{
	struct event_page *page __cleanup(free_ptr) = NULL;
	struct model *model = rest_of(request)->ecu->model;
	const char *text = http_query(request, "serial");
	struct json_object *array;
	struct serial serial;
	int64_t before, limit, from, newest;
	int ret;

	if (!http_query_int(request, "before", 1, INT64_MAX, 0, &before) ||
	    !http_query_int(request, "limit", 1, ENTRIES_MAX, ENTRIES_USUAL, &limit)) {
		return;
	}
	if (text && serial_parse(text, &serial) < 0) {
		http_reply_error(request, 400, "invalid",
				 "serial: expected 12 digits, found '%.32s'", text);
		return;
	}
	page = calloc(1, sizeof(*page));
	if (!page) {
		http_reply_errno(request, -EAGAIN, "no memory");
		return;
	}
	page->serial = text ? &serial : NULL;
	model_lock(model);
	newest = model->event_last;
	model_unlock(model);
	before = before && before <= newest ? before : newest + 1;
	from = before - limit > 1 ? before - limit : 1;
	ret = collect_events(request, from, before, page);
	if (ret == -ECANCELED) {
		return;
	}
	if (ret < 0) {
		http_reply_errno(request, ret, "events: %s", strerror(-ret));
		return;
	}
	array = json_object_new_array();
	for (int i = page->count - 1; i >= 0; i--) {
		json_object_array_add(array, view_event(&page->event[i]));
	}
	reply_page(request, "events", array, from);
}

static int take_entry(void *ctx, const struct audit_entry *entry)
{
	const struct {
		const char *name;
		const char *text;
	} members[] = {
		{ "who", entry->who },
		{ "role", entry->role },
		{ "interface", entry->interface },
		{ "from", entry->from },
		{ "action", entry->action },
		{ "target", entry->target },
		{ "detail", entry->detail },
		{ "result", entry->result },
	};
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "id", json_object_new_int64(entry->id));
	json_object_object_add(json, "time_ms", json_object_new_int64(entry->time_ms));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_object_object_add(json, members[i].name,
				       json_object_new_string(members[i].text));
	}
	return json_object_array_add(ctx, json);
}

/* Number of the last entry of a page. */
static int64_t last_id(struct json_object *array)
{
	size_t n = json_object_array_length(array);

	return n ? json_object_get_int64(
			   json_object_object_get(json_object_array_get_idx(array, n - 1), "id"))
		 : 0;
}

void rest_get_audit(struct http_request *request)
{
	struct store_reader *reader __cleanup(close_reader) = NULL;
	struct json_object *array;
	int64_t before, limit;
	int ret;

	if (!http_query_int(request, "before", 1, INT64_MAX, 0, &before) ||
	    !http_query_int(request, "limit", 1, ENTRIES_MAX, ENTRIES_USUAL, &limit)) {
		return;
	}
	/* The log is shown as it is now, not as of the last commit. */
	store_flush(rest_of(request)->ecu->store);
	reader = open_reader(request);
	if (!reader) {
		return;
	}
	array = json_object_new_array();
	ret = audit_list(store_reader_db(reader), 0, before, limit, take_entry, array);
	if (ret < 0) {
		json_object_put(array);
		http_reply_errno(request, -EAGAIN, "audit: %s", strerror(-ret));
		return;
	}
	reply_page(request, "entries", array, last_id(array));
}

/* Whole store. */

/* Let @make write a new file, and send it. */
static void reply_made(struct http_request *request, const char *name, const char *type,
		       int (*make)(const char *folder, const char *path, char *err, size_t size))
{
	const char *folder = store_folder(rest_of(request)->ecu->store);
	char path[PATH_MAX], err[256] = "";
	int fd = -1;
	int ret;

	snprintf(path, sizeof(path), "%s/%" PRIu64 "-%s", folder, clock_monotonic_us(), name);
	/* Commit first, so that the file also has the newest readings. */
	store_flush(rest_of(request)->ecu->store);
	ret = make(folder, path, err, sizeof(err));
	if (ret >= 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		ret = fd < 0 ? -errno : 0;
	}
	unlink(path);
	rest_audit(request, "download", name, ret < 0 ? "refused" : "ok");
	if (ret < 0) {
		http_reply_errno(request, ret, "%s: %s", name, *err ? err : strerror(-ret));
		return;
	}
	http_reply_file(request, type, fd, name);
}

void rest_get_export(struct http_request *request)
{
	reply_made(request, "readings.csv", "text/csv", store_export);
}

void rest_get_backup(struct http_request *request)
{
	reply_made(request, "ecu.db", "application/vnd.sqlite3", store_backup);
}
