// SPDX-License-Identifier: GPL-2.0-or-later
/* Alarms, rules, and where alarms are sent. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "api.h"
#include "notify.h"
#include "service_clock.h"

#define ADDRESSES_MAX 10
#define DELAY_MAX_MIN 10080

#define ALARMS                                                                                     \
	"SELECT alarms.id, site, sites.name, serial, input, rule, severity, begin_ms, end_ms, "    \
	"acknowledged_ms, acknowledged_by, text FROM alarms JOIN sites ON sites.id = site WHERE "  \
	"begin_ms IS NOT NULL AND " API_VISIBLE

static struct json_object *alarm_json(const struct sql_rows *rows)
{
	struct json_object *json = json_object_new_object();
	int rule = watch_rule_find(sql_text(rows, 5));

	json_row_int(json, "id", rows, 0);
	json_row_int(json, "site", rows, 1);
	json_row_text(json, "site_name", rows, 2);
	json_id(json, "serial", (uint64_t)sql_int(rows, 3));
	json_int(json, "input", sql_int(rows, 4) ? sql_int(rows, 4) : SQL_NULL);
	json_row_text(json, "rule", rows, 5);
	json_text(json, "severity", watch_severity_name((enum watch_severity)sql_int(rows, 6)));
	json_row_int(json, "begin_ms", rows, 7);
	json_row_int(json, "end_ms", rows, 8);
	json_row_int(json, "acknowledged_ms", rows, 9);
	json_row_text(json, "acknowledged_by", rows, 10);
	json_row_text(json, "text", rows, 11);
	json_text(json, "advice", rule < 0 ? "" : watch_rules[rule].advice);
	return json;
}

/* Alarms are listed by their begin. Return: that of an alarm, 0 when there is none, -1 after a
 * reply. */
static int64_t begin_of(struct http_request *request, int64_t alarm)
{
	int64_t begin_ms;

	return api_find(request, &begin_ms,
			"SELECT begin_ms FROM alarms JOIN sites ON sites.id = site WHERE "
			"begin_ms IS NOT NULL AND alarms.id = $2 AND " API_VISIBLE,
			"ii", api_tenant(request), alarm)
		       ? begin_ms
		       : -1;
}

void api_get_alarms(struct http_request *request)
{
	static const struct api_order newest = { .column = 7, .falling = true, .id_falling = true };
	const char *active = http_query(request, "active");
	int64_t before, limit, site;
	int64_t begin_ms = INT64_MAX;
	struct api_merge merge;

	if (!http_query_int(request, "before", 1, INT64_MAX, INT64_MAX, &before) ||
	    !http_query_int(request, "limit", 1, 1000, 100, &limit) ||
	    !http_query_int(request, "site", 1, INT64_MAX, 0, &site)) {
		return;
	}
	if (before < INT64_MAX && (begin_ms = begin_of(request, before)) < 0) {
		return;
	}
	if (api_merge_open(request, &merge, &newest,
			   ALARMS " AND (begin_ms < $6 OR (begin_ms = $6 AND alarms.id < $2)) AND "
				  "($3 = 0 OR site = $3) AND ($4 = 0 OR end_ms IS NULL) ORDER BY "
				  "begin_ms DESC, alarms.id DESC LIMIT $5",
			   "iiiiii", api_tenant(request), before, site,
			   (int64_t)(active && strcmp(active, "true") == 0), limit,
			   begin_ms) == 0) {
		merge.left = limit;
		api_reply_merge(request, &merge, "alarms", alarm_json);
	}
}

static void reply_alarm(struct http_request *request, struct sql *sql, int64_t id)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret =
		sql_query(sql, &rows, ALARMS " AND alarms.id = $2", "ii", api_tenant(request), id);

	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret > 0) {
		http_reply_json(request, 200, alarm_json(rows));
	} else if (ret == 0) {
		http_reply_error(request, 404, "not_found", "there is no alarm '%.20s'",
				 http_param(request, "id"));
	} else {
		api_failed(request, sql, ret);
	}
}

void api_post_alarms_id_acknowledge(struct http_request *request)
{
	int64_t id = api_path_id(request);
	struct sql *sql =
		api_find(request, NULL,
			 "SELECT alarms.id FROM alarms JOIN sites ON sites.id = site WHERE "
			 "alarms.id = $2 AND " API_VISIBLE,
			 "ii", api_tenant(request), id);
	int ret;

	if (!sql) {
		return;
	}
	ret = sql_run(
		sql,
		"UPDATE alarms SET acknowledged_ms = $3, acknowledged_by = $4 WHERE id = $2 AND "
		"begin_ms IS NOT NULL AND acknowledged_ms IS NULL AND site IN (SELECT id FROM sites "
		"WHERE " API_VISIBLE ")",
		"iiis", api_tenant(request), id, clock_wall_ms(), http_identity(request)->name);
	if (ret > 0) {
		api_audit(request, "acknowledge", http_param(request, "id"), "");
		ret = sql_run(
			sql,
			"UPDATE outbox SET done_ms = $2, error = 'acknowledged' WHERE alarm = $1 AND "
			"done_ms IS NULL",
			"ii", id, clock_wall_ms());
	}
	if (ret >= 0) {
		ret = sql_run(
			sql,
			"UPDATE sites SET alarms = (SELECT COUNT(*) FROM alarms WHERE site = sites.id "
			"AND begin_ms IS NOT NULL AND end_ms IS NULL AND acknowledged_ms IS NULL) "
			"WHERE id = (SELECT site FROM alarms WHERE id = $2) AND " API_VISIBLE,
			"ii", api_tenant(request), id);
	}
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	reply_alarm(request, sql, id);
}

/* ---- rules ---- */

static struct json_object *rule_json(enum watch_rule rule, const struct watch_setting *setting)
{
	const struct watch_rule_info *info = &watch_rules[rule];
	struct json_object *json = json_object_new_object();

	json_text(json, "name", info->name);
	json_text(json, "title", info->title);
	json_text(json, "description", info->meaning);
	json_flag(json, "enabled", setting->enabled);
	json_text(json, "severity", watch_severity_name(info->severity));
	json_number(json, "threshold", setting->threshold, 1);
	json_text(json, "threshold_unit", info->unit);
	json_number(json, "threshold_min", info->min, 1);
	json_number(json, "threshold_max", info->max, 1);
	json_int(json, "delay_min", setting->delay_min);
	return json;
}

void api_get_rules(struct http_request *request)
{
	struct watch_setting settings[WATCH_RULE_COUNT];
	struct sql *sql = api_sql(request);
	struct json_object *json, *list;
	int ret;

	if (!sql) {
		return;
	}
	ret = alarms_settings(sql, http_identity(request)->tenant, settings);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	list = json_object_new_array();
	for (int i = 0; i < WATCH_RULE_COUNT; i++) {
		json_object_array_add(list, rule_json((enum watch_rule)i, &settings[i]));
	}
	json = json_object_new_object();
	json_object_object_add(json, "rules", list);
	http_reply_json(request, 200, json);
}

void api_put_rules_rule(struct http_request *request)
{
	int64_t tenant = http_identity(request)->tenant;
	int rule = watch_rule_find(http_param(request, "rule"));
	struct watch_setting settings[WATCH_RULE_COUNT];
	struct watch_setting *setting;
	struct json_object *enabled;
	int64_t delay_min;
	struct sql *sql;
	int ret;

	if (rule < 0) {
		http_reply_error(request, 404, "not_found", "there is no rule '%.40s'",
				 http_param(request, "rule"));
		return;
	}
	sql = api_sql(request);
	if (!sql) {
		return;
	}
	ret = alarms_settings(sql, tenant, settings);
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	setting = &settings[rule];
	delay_min = setting->delay_min;
	if (!api_member(request, "enabled", json_type_boolean, &enabled) ||
	    !http_number(request, "threshold", watch_rules[rule].min, watch_rules[rule].max,
			 setting->threshold, &setting->threshold) ||
	    !http_int(request, "delay_min", 0, DELAY_MAX_MIN, &delay_min, &delay_min)) {
		return;
	}
	setting->enabled = enabled ? json_object_get_boolean(enabled) : setting->enabled;
	setting->delay_min = (int)delay_min;
	if (api_run_all(
		    request,
		    "INSERT INTO rules (tenant, name, enabled, threshold, delay_min) VALUES ($1, "
		    "$2, $3, $4, $5) ON CONFLICT (tenant, name) DO UPDATE SET enabled = "
		    "excluded.enabled, threshold = excluded.threshold, delay_min = "
		    "excluded.delay_min",
		    "isidi", tenant, watch_rules[rule].name, (int64_t)setting->enabled,
		    setting->threshold, delay_min) < 0) {
		return;
	}
	api_audit(request, "rule", watch_rules[rule].name,
		  json_object_to_json_string(http_json(request)));
	http_reply_json(request, 200, rule_json((enum watch_rule)rule, setting));
}

/* ---- notifications ---- */

void api_get_notifications(struct http_request *request)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	char *addresses __cleanup(free_ptr) = NULL;
	struct json_object *json, *emails;
	struct sql *sql = api_sql(request);
	char *rest = NULL;
	bool known;
	int ret;

	if (!sql) {
		return;
	}
	ret = sql_query(sql, &rows,
			"SELECT emails, webhook, quiet_from_min, quiet_to_min, min_severity FROM "
			"notifications WHERE tenant = $1",
			"i", http_identity(request)->tenant);
	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret < 0) {
		api_failed(request, sql, ret);
		return;
	}
	known = ret > 0;
	json = json_object_new_object();
	emails = json_object_new_array();
	addresses = strdup(known ? sql_text(rows, 0) : "");
	for (char *at = strtok_r(addresses, " ", &rest); at; at = strtok_r(NULL, " ", &rest)) {
		json_object_array_add(emails, json_object_new_string(at));
	}
	json_object_object_add(json, "emails", emails);
	json_text(json, "webhook", known && !sql_is_null(rows, 1) ? sql_text(rows, 1) : NULL);
	json_int(json, "quiet_from_min",
		 known && !sql_is_null(rows, 2) ? sql_int(rows, 2) : SQL_NULL);
	json_int(json, "quiet_to_min",
		 known && !sql_is_null(rows, 3) ? sql_int(rows, 3) : SQL_NULL);
	json_text(
		json, "min_severity",
		watch_severity_name(known ? (enum watch_severity)sql_int(rows, 4) : WATCH_WARNING));
	http_reply_json(request, 200, json);
}

/* Addresses in a row with spaces; false after 400. */
static bool read_addresses(struct http_request *request, char *text, size_t size)
{
	struct json_object *emails;
	size_t used = 0;

	if (!api_member(request, "emails", json_type_array, &emails)) {
		return false;
	}
	text[0] = '\0';
	for (size_t i = 0; emails && i < json_object_array_length(emails); i++) {
		struct json_object *email = json_object_array_get_idx(emails, i);
		const char *address = json_object_get_string(email);

		if (i == ADDRESSES_MAX || !json_object_is_type(email, json_type_string) ||
		    !notify_address_valid(address)) {
			http_reply_error(request, 400, "invalid",
					 "emails: expected at most %d addresses, name@host",
					 ADDRESSES_MAX);
			return false;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", address);
	}
	return true;
}

void api_put_notifications(struct http_request *request)
{
	static const int64_t none = SQL_NULL;
	struct api *api = http_ctx(request);
	char addresses[ADDRESSES_MAX * 256];
	const char *webhook = NULL;
	const char *severity_name;
	int64_t from, to;
	int severity;

	if (!read_addresses(request, addresses, sizeof(addresses)) ||
	    !api_text(request, "webhook", 250, &webhook) ||
	    !http_text(request, "min_severity", 1, 20, &severity_name) ||
	    !api_optional_int(request, "quiet_from_min", 0, 1439, none, &from) ||
	    !api_optional_int(request, "quiet_to_min", 0, 1439, none, &to)) {
		return;
	}
	severity = watch_severity_find(severity_name);
	if (severity < 0 || (from == SQL_NULL) != (to == SQL_NULL)) {
		http_reply_error(
			request, 400, "invalid",
			"expected min_severity info, warning or alarm, and both quiet hours or "
			"none");
		return;
	}
	if (webhook && !notify_webhook_valid(webhook, api->config->webhook_private)) {
		http_reply_error(request, 400, "invalid",
				 "webhook: expected https://..., found '%s'", webhook);
		return;
	}
	if (api_run_all(
		    request,
		    "INSERT INTO notifications (tenant, emails, webhook, quiet_from_min, "
		    "quiet_to_min, min_severity) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT "
		    "(tenant) DO UPDATE SET emails = excluded.emails, webhook = "
		    "excluded.webhook, quiet_from_min = excluded.quiet_from_min, quiet_to_min = "
		    "excluded.quiet_to_min, min_severity = excluded.min_severity",
		    "issnni", http_identity(request)->tenant, addresses, webhook, from, to,
		    (int64_t)severity) < 0) {
		return;
	}
	api_audit(request, "notifications", "", json_object_to_json_string(http_json(request)));
	api_get_notifications(request);
}
