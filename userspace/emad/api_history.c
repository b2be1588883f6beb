// SPDX-License-Identifier: GPL-2.0-or-later
/* History, a day's replay, and export. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api.h"
#include "days.h"
#include "history.h"

#define TIME_MAX_MS (REPORT_TIME_MAX * 1000)

/* Range of the query; false after 400. */
static bool read_range(struct http_request *request, struct history_query *query)
{
	int64_t from_ms, to_ms;

	if (!http_query_int(request, "from_ms", 0, TIME_MAX_MS, -1, &from_ms) ||
	    !http_query_int(request, "to_ms", 0, TIME_MAX_MS, -1, &to_ms)) {
		return false;
	}
	if (from_ms < 0 || to_ms <= from_ms) {
		http_reply_error(request, 400, "invalid",
				 "expected from_ms and to_ms, the second above the first");
		return false;
	}
	query->from_s = from_ms / 1000;
	query->to_s = (to_ms + 999) / 1000;
	return true;
}

static bool read_serial(struct http_request *request, struct history_query *query)
{
	const char *text = http_query(request, "serial");

	if (text && id_parse(text, &query->serial) < 0) {
		http_reply_error(request, 400, "invalid",
				 "serial: expected 12 digits, found '%.20s'", text);
		return false;
	}
	return true;
}

/* False after a reply. */
static bool read_history(struct http_request *request, struct sql *sql,
			 const struct history_query *query, struct history *history)
{
	struct api *api = http_ctx(request);
	int ret = history_read(api->store, sql, query, history);

	if (ret == -E2BIG) {
		http_reply_error(request, 400, "too_large",
				 "expected at most %d steps: ask for less time or longer steps",
				 HISTORY_POINTS_MAX);
	} else if (ret == -EINVAL) {
		http_reply_error(request, 400, "invalid",
				 "step_s: expected 0 with serial, 900, 86400 or 2592000");
	} else if (ret < 0) {
		api_failed(request, sql, ret);
	}
	return ret == 0;
}

static struct json_object *times_json(const struct history *history)
{
	struct json_object *times = json_object_new_array_ext((int)history->points);

	for (size_t i = 0; i < history->points; i++) {
		json_object_array_add(times, json_object_new_int64(history->time_s[i] * 1000));
	}
	return times;
}

static struct json_object *values_json(const struct history *history, size_t series)
{
	struct json_object *values = json_object_new_array_ext((int)history->points);

	for (size_t i = 0; i < history->points; i++) {
		json_object_array_add(values, json_decimal(history->series[series].value[i],
							   history->series[series].decimals));
	}
	return values;
}

void api_get_sites_id_history(struct http_request *request)
{
	const char *modules = http_query(request, "modules");
	struct history_query query = { .modules = modules && strcmp(modules, "true") == 0 };
	struct json_object *json, *list;
	struct history history;
	struct api_site site;
	struct sql *sql;

	if (!read_range(request, &query) || !read_serial(request, &query) ||
	    !http_query_int(request, "step_s", 0, HISTORY_MONTH_S, HISTORY_QUARTER_S,
			    &query.step_s)) {
		return;
	}
	sql = api_site(request, &site);
	if (!sql) {
		return;
	}
	query.site = site.id;
	query.zone_min = site.zone_min;
	if (!read_history(request, sql, &query, &history)) {
		return;
	}
	json = json_object_new_object();
	json_int(json, "from_ms", query.from_s * 1000);
	json_int(json, "to_ms", query.to_s * 1000);
	json_int(json, "step_s", query.step_s);
	json_object_object_add(json, "time_ms", times_json(&history));
	list = json_object_new_array();
	for (size_t i = 0; i < history.count; i++) {
		struct json_object *series = json_object_new_object();

		json_text(series, "name", history.series[i].name);
		json_id(series, "serial", history.series[i].serial);
		json_int(series, "input",
			 history.series[i].input ? history.series[i].input : SQL_NULL);
		json_text(series, "unit", history.series[i].unit);
		json_object_object_add(series, "values", values_json(&history, i));
		json_object_array_add(list, series);
	}
	json_object_object_add(json, "series", list);
	history_free(&history);
	http_reply_json(request, 200, json);
}

/* Local midnight of a date; false after 400. */
static bool read_date(struct http_request *request, const struct api_site *site, int64_t *ret_s)
{
	const char *text = http_query(request, "date");
	struct tm tm = { 0 };
	const char *end = text ? strptime(text, "%Y-%m-%d", &tm) : NULL;

	if (!end || *end) {
		http_reply_error(request, 400, "invalid",
				 "date: expected YYYY-MM-DD, found '%.20s'", text ? text : "");
		return false;
	}
	*ret_s = (int64_t)timegm(&tm) - site->zone_min * 60;
	return true;
}

void api_get_sites_id_day(struct http_request *request)
{
	struct history_query query = { .step_s = HISTORY_QUARTER_S, .modules = true };
	struct json_object *json, *list, *sums;
	struct history history;
	struct api_site site;
	struct sql *sql = api_site(request, &site);

	if (!sql || !read_date(request, &site, &query.from_s)) {
		return;
	}
	query.site = site.id;
	query.zone_min = site.zone_min;
	query.to_s = query.from_s + HISTORY_DAY_S;
	if (!read_history(request, sql, &query, &history)) {
		return;
	}
	json = json_object_new_object();
	json_text(json, "date", http_query(request, "date"));
	json_object_object_add(json, "time_ms", times_json(&history));
	list = json_object_new_array();
	for (size_t i = 0; i < history.count; i++) {
		struct json_object *module = json_object_new_object();

		json_id(module, "serial", history.series[i].serial);
		json_int(module, "input", history.series[i].input);
		json_object_object_add(module, "power_w", values_json(&history, i));
		json_object_array_add(list, module);
	}
	sums = json_object_new_array_ext((int)history.points);
	for (size_t i = 0; i < history.points; i++) {
		double sum = NAN;

		for (size_t j = 0; j < history.count; j++) {
			double value = history.series[j].value[i];

			sum = isnan(value) ? sum : isnan(sum) ? value : sum + value;
		}
		json_object_array_add(sums, json_decimal(sum, 0));
	}
	json_object_object_add(json, "modules", list);
	json_object_object_add(json, "power_w", sums);
	history_free(&history);
	http_reply_json(request, 200, json);
}

/* ---- export ---- */

/* RFC 3339 with the zone of the site. */
static void print_time(FILE *out, int64_t time_s, int64_t zone_min)
{
	time_t local = (time_t)(time_s + zone_min * 60);
	struct tm tm;
	char text[32];

	gmtime_r(&local, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "%s%c%02d:%02d", text, zone_min < 0 ? '-' : '+', (int)(llabs(zone_min) / 60),
		(int)(llabs(zone_min) % 60));
}

static void print_rows(FILE *out, const struct history *history, const char *first,
		       int64_t zone_min)
{
	for (size_t i = 0; i < history->points; i++) {
		print_time(out, history->time_s[i], zone_min);
		fprintf(out, ",%s", first);
		for (size_t j = 0; j < history->count; j++) {
			double value = history->series[j].value[i];

			fputc(',', out);
			if (isfinite(value)) {
				fprintf(out, "%.*f", history->series[j].decimals, value);
			}
		}
		fputc('\n', out);
	}
}

/* The serial numbers of a site's inverters; to be freed. Return: their number or an errno. */
static int64_t list_units(struct sql *sql, int64_t site, uint64_t **ret_serials)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	uint64_t *serials = NULL;
	int64_t n = 0;
	int ret = sql_query(sql, &rows, "SELECT serial FROM units WHERE site = $1 ORDER BY serial",
			    "i", site);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		uint64_t *more = realloc(serials, (size_t)(n + 1) * sizeof(*more));

		ret = more ? 0 : -ENOMEM;
		if (more) {
			serials = more;
			serials[n++] = (uint64_t)sql_int(rows, 0);
		}
	}
	if (ret < 0) {
		free(serials);
		return ret;
	}
	*ret_serials = serials;
	return n;
}

static void print_head(FILE *out, const char *first, int64_t step_s)
{
	fprintf(out, "time,%s", first);
	if (step_s) {
		fputs(",energy_wh\n", out);
		return;
	}
	for (int i = 0; i < REPORT_FIELD_COUNT; i++) {
		fprintf(out, ",%s", report_fields[i].name);
	}
	fputc('\n', out);
}

static void reply_csv(struct http_request *request, FILE *out, char **text, size_t *size)
{
	fclose(out);
	http_set_header(request, "Content-Disposition", "attachment; filename=\"export.csv\"");
	http_reply_take(request, 200, "text/csv; charset=utf-8", *text, *size);
}

void api_get_sites_id_export(struct http_request *request)
{
	struct api *api = http_ctx(request);
	struct history_query query = { 0 };
	uint64_t *serials __cleanup(free_ptr) = NULL;
	struct api_site site;
	char *text = NULL;
	size_t size = 0;
	struct sql *sql;
	int64_t n;
	int ret = 0;
	FILE *out;

	if (!read_range(request, &query) ||
	    !http_query_int(request, "step_s", 0, HISTORY_DAY_S, 0, &query.step_s)) {
		return;
	}
	sql = api_site(request, &site);
	if (!sql) {
		return;
	}
	query.site = site.id;
	query.zone_min = site.zone_min;
	n = list_units(sql, site.id, &serials);
	out = open_memstream(&text, &size);
	if (n < 0 || !out) {
		if (out) {
			fclose(out);
		}
		free(text);
		api_failed(request, sql, n < 0 ? (int)n : -ENOMEM);
		return;
	}
	print_head(out, "serial", query.step_s);
	for (int64_t i = 0; i < n && ret == 0; i++) {
		struct history history;
		char serial[ID_TEXT_SIZE];

		query.serial = serials[i];
		ret = history_read(api->store, sql, &query, &history);
		if (ret == 0) {
			print_rows(out, &history, id_format(serial, serials[i]), site.zone_min);
			history_free(&history);
		}
	}
	if (ret < 0) {
		fclose(out);
		free(text);
		http_reply_errno(request, ret == -E2BIG ? -ERANGE : ret,
				 "expected step_s 0 with at most 32 days, or 86400");
		return;
	}
	reply_csv(request, out, &text, &size);
}

/* A text as a field of CSV: quoted, and no formula for a spreadsheet. */
static void print_field(FILE *out, const char *text)
{
	fputc('"', out);
	if (strchr("=+-@\t", text[0])) {
		fputc('\'', out);
	}
	for (; *text; text++) {
		if (*text == '"') {
			fputc('"', out);
		}
		fputc(*text, out);
	}
	fputc('"', out);
}

/* Days of a site, each with the site's number and name. */
static int print_site(FILE *out, struct store *store, struct sql *sql, struct history_query *query,
		      const struct sql_rows *rows)
{
	struct history history;
	char *first = NULL;
	size_t first_size = 0;
	FILE *field = open_memstream(&first, &first_size);
	int ret = -ENOMEM;

	if (field) {
		fprintf(field, "%" PRId64 ",", sql_int(rows, 0));
		print_field(field, sql_text(rows, 1));
		fclose(field);
		query->site = sql_int(rows, 0);
		query->zone_min = sql_int(rows, 2);
		ret = history_read(store, sql, query, &history);
	}
	if (ret == 0) {
		print_rows(out, &history, first, query->zone_min);
		history_free(&history);
	}
	free(first);
	return ret;
}

void api_get_export(struct http_request *request)
{
	static const struct api_order by_id = { 0 };
	struct api *api = http_ctx(request);
	struct history_query query = { .step_s = HISTORY_DAY_S };
	const struct sql_rows *rows;
	struct api_merge merge;
	char *text = NULL;
	size_t size = 0;
	FILE *out;
	int ret;

	if (!read_range(request, &query) ||
	    api_merge_open(request, &merge, &by_id,
			   "SELECT id, name, zone_min FROM sites WHERE " API_VISIBLE " ORDER BY id",
			   "i", api_tenant(request)) < 0) {
		return;
	}
	out = merge.missing ? NULL : open_memstream(&text, &size);
	if (!out) {
		api_merge_close(&merge);
		api_unreachable(request);
		return;
	}
	fputs("time,site,name,energy_wh\n", out);
	while ((rows = api_merge_next(&merge, &ret)) &&
	       (ret = print_site(out, api->store, merge.sql[merge.current], &query, rows)) == 0) {
	}
	api_merge_close(&merge);
	if (ret < 0) {
		fclose(out);
		free(text);
		http_reply_errno(request, ret == -E2BIG ? -ERANGE : ret, "the export failed");
		return;
	}
	reply_csv(request, out, &text, &size);
}
