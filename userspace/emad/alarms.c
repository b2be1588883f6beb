// SPDX-License-Identifier: GPL-2.0-or-later
/* Alarms of the stored sites, see alarms.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "days.h"

#define DAY_S 86400
#define HOUR_MS 3600000
#define FINDINGS_MAX 512
#define OPEN_MAX 512
/* Comparison of modules begins at this local time, when the day before is complete. */
#define MODULES_FROM_S 3600
/* All sites have their turn within this many runs; sites of a run at least. */
#define RUNS_A_ROUND 12
#define SITES_A_RUN 100

int alarms_settings(struct sql *sql, int64_t tenant,
		    struct watch_setting settings[WATCH_RULE_COUNT])
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret =
		sql_query(sql, &rows,
			  "SELECT name, enabled, threshold, delay_min FROM rules WHERE tenant = $1",
			  "i", tenant);

	watch_defaults(settings);
	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		int rule = watch_rule_find(sql_text(rows, 0));

		if (rule >= 0) {
			settings[rule] = (struct watch_setting){ sql_int(rows, 1) != 0,
								 sql_real(rows, 2),
								 (int)sql_int(rows, 3) };
		}
		ret = 0;
	}
	return ret;
}

/**
 * struct state - a site with what the rules need
 * @quiet tenants are looked up when a message is queued
 */
struct state {
	int64_t id;
	int64_t customer;
	int64_t company;
	int64_t zone_min;
	int64_t today;
	struct watch_site site;
	struct watch_unit *unit;
	struct watch_open open[OPEN_MAX];
	size_t open_n;
};

static int read_site(struct sql *sql, int64_t id, int64_t now_ms, struct state *state)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT customer, COALESCE(company, -1), zone_min, COALESCE(last_ms, 0), (SELECT "
		"MAX(last_ms) FROM ecus WHERE site = $1), (SELECT clock_offset_ms FROM ecus WHERE site = "
		"$1 ORDER BY ABS(COALESCE(clock_offset_ms, 0)) DESC LIMIT 1), (SELECT COUNT(*) FROM events "
		"WHERE site = $1 AND time_ms > $2 AND name = 'grid-trip'), (SELECT COUNT(*) FROM conflicts "
		"WHERE ecu IN (SELECT ecu FROM ecus WHERE site = $1) AND time_ms > $3) FROM sites WHERE id "
		"= $1",
		"iii", id, now_ms - HOUR_MS, now_ms - INT64_C(24) * HOUR_MS);

	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret <= 0) {
		return ret < 0 ? ret : -ENOENT;
	}
	state->id = id;
	state->customer = sql_int(rows, 0);
	state->company = sql_int(rows, 1);
	state->zone_min = sql_int(rows, 2);
	state->today = day_of(now_ms / 1000, (int)state->zone_min);
	state->site = (struct watch_site){
		.now_s = now_ms / 1000,
		.last_s = sql_int(rows, 3) / 1000,
		.contact_s = sql_int(rows, 4) / 1000,
		.local_s = (int)(now_ms / 1000 + state->zone_min * 60 - state->today * DAY_S),
		.clock_offset_s = sql_int(rows, 5) / 1000,
		.trips = (int)sql_int(rows, 6),
		.conflicts = (int)sql_int(rows, 7),
	};
	return 0;
}

static int read_units(struct sql *sql, struct state *state)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(sql, &rows, "SELECT newest FROM units WHERE site = $1 ORDER BY serial",
			    "i", state->id);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct unpacker unpacker = { 0 };
		struct report *report;
		struct watch_unit *more =
			realloc(state->unit, (state->site.units + 1) * sizeof(*state->unit));
		size_t n;

		if (!more) {
			return -ENOMEM;
		}
		state->unit = more;
		unpacker.bytes = sql_blob(rows, 0, &unpacker.n);
		ret = report_unpack(&unpacker, 1, &report, &n);
		if (ret == 0 && n == 1) {
			struct watch_unit *unit = &state->unit[state->site.units++];

			*unit = (struct watch_unit){ .newest = *report };
			for (int i = 0; i < WATCH_DAYS * REPORT_INPUTS; i++) {
				unit->energy_wh[i / REPORT_INPUTS][i % REPORT_INPUTS] = NAN;
			}
		}
		if (ret == 0) {
			free(report);
		}
	}
	state->site.unit = state->unit;
	return ret;
}

static struct watch_unit *find_unit(struct state *state, uint64_t serial)
{
	for (size_t i = 0; i < state->site.units; i++) {
		if (state->unit[i].newest.serial == serial) {
			return &state->unit[i];
		}
	}
	return NULL;
}

/* Energies of complete days, and counters that have fallen between the last two days. */
static int read_days(struct sql *sql, struct state *state)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct watch_unit *unit = NULL;
	int64_t before[REPORT_INPUTS];
	int ret = sql_query(
		sql, &rows,
		"SELECT serial, day, first1, first2, first3, first4, last1, last2, last3, "
		"last4 FROM unit_days WHERE site = $1 AND day >= $2 ORDER BY serial, day",
		"ii", state->id, state->today - WATCH_DAYS);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		int64_t back = state->today - sql_int(rows, 1) - 1;

		if (!unit || unit->newest.serial != (uint64_t)sql_int(rows, 0)) {
			unit = find_unit(state, (uint64_t)sql_int(rows, 0));
			memset(before, 0, sizeof(before));
		}
		ret = 0;
		for (int i = 0; unit && i < REPORT_INPUTS; i++) {
			int64_t first = sql_int(rows, 2 + i);
			int64_t last = sql_int(rows, 6 + i);

			if (sql_is_null(rows, 6 + i)) {
				continue;
			}
			if (back >= 0 && back < WATCH_DAYS) {
				unit->energy_wh[back][i] = (float)(last - first) / 10;
			}
			if (back <= 0) {
				unit->energy_falls |= last < first || first < before[i];
			}
			before[i] = last;
		}
	}
	return ret;
}

static int read_open(struct sql *sql, struct state *state)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT id, rule, serial, input, since_ms, begin_ms IS NOT NULL FROM alarms "
		"WHERE site = $1 AND end_ms IS NULL ORDER BY id LIMIT $2",
		"ii", state->id, (int64_t)OPEN_MAX);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct watch_open *open = &state->open[state->open_n];
		int rule = watch_rule_find(sql_text(rows, 1));
		struct watch_unit *unit = find_unit(state, (uint64_t)sql_int(rows, 2));
		const char *begun = sql_text(rows, 5);

		ret = 0;
		if (rule < 0) {
			continue;
		}
		*open = (struct watch_open){
			.id = sql_int(rows, 0),
			.rule = (enum watch_rule)rule,
			.serial = (uint64_t)sql_int(rows, 2),
			.input = (int)sql_int(rows, 3),
			.since_s = sql_int(rows, 4) / 1000,
			.begun = begun[0] == '1' || begun[0] == 't',
		};
		state->open_n++;
		if (rule == WATCH_MODULE_LOW && unit && open->input > 0) {
			unit->low |= (uint8_t)(1 << (open->input - 1));
		}
	}
	return ret;
}

/* ---- messages ---- */

/* When a message may go: at once, or at the end of the quiet hours. */
static int64_t due_ms(const struct state *state, const struct sql_rows *rows,
		      enum watch_severity severity)
{
	int from = sql_is_null(rows, 2) ? -1 : (int)sql_int(rows, 2);
	int to = sql_is_null(rows, 3) ? -1 : (int)sql_int(rows, 3);
	int local_min = state->site.local_s / 60;
	int wait_min = 0;

	if (severity != WATCH_ALARM && watch_quiet(from, to, local_min)) {
		wait_min = (to - local_min + 24 * 60) % (24 * 60);
	}
	return (state->site.now_s + wait_min * 60) * 1000;
}

static int queue_one(struct sql *sql, int64_t alarm, int64_t tenant, bool ended, const char *target,
		     int64_t due)
{
	int ret = sql_run(
		sql,
		"INSERT INTO outbox (alarm, tenant, ended, target, due_ms) VALUES ($1, $2, $3, "
		"$4, $5) ON CONFLICT DO NOTHING",
		"iiisi", alarm, tenant, (int64_t)ended, target, due);

	return ret < 0 ? ret : 0;
}

/* One message for each address, which are separated by spaces, and one for the webhook. */
static int queue_for(struct sql *sql, const struct state *state, int64_t tenant, int64_t alarm,
		     enum watch_severity severity, bool ended)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	char *addresses __cleanup(free_ptr) = NULL;
	char *state_of_strtok = NULL;
	int64_t due;
	int ret = sql_query(
		sql, &rows,
		"SELECT emails, webhook, quiet_from_min, quiet_to_min FROM notifications WHERE "
		"tenant = $1 AND min_severity <= $2",
		"ii", tenant, (int64_t)severity);

	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret <= 0) {
		return ret;
	}
	due = due_ms(state, rows, severity);
	addresses = strdup(sql_text(rows, 0));
	ret = addresses ? 0 : -ENOMEM;
	for (char *at = addresses ? strtok_r(addresses, " ", &state_of_strtok) : NULL;
	     at && ret == 0; at = strtok_r(NULL, " ", &state_of_strtok)) {
		char target[300];

		snprintf(target, sizeof(target), "mailto:%s", at);
		ret = queue_one(sql, alarm, tenant, ended, target, due);
	}
	if (ret == 0 && !sql_is_null(rows, 1)) {
		ret = queue_one(sql, alarm, tenant, ended, sql_text(rows, 1), due);
	}
	return ret;
}

static int queue_messages(struct sql *sql, const struct state *state, int64_t alarm,
			  enum watch_rule rule, bool ended)
{
	enum watch_severity severity = watch_rules[rule].severity;
	int ret = queue_for(sql, state, state->customer, alarm, severity, ended);

	if (ret == 0 && state->company >= 0) {
		ret = queue_for(sql, state, state->company, alarm, severity, ended);
	}
	return ret;
}

/* ---- actions ---- */

static int begin_alarm(struct sql *sql, const struct state *state,
		       const struct watch_finding *finding, const struct watch_open *open)
{
	int64_t now_ms = state->site.now_s * 1000;
	int64_t id = open ? open->id : 0;
	int ret;

	if (open) {
		ret = sql_run(sql, "UPDATE alarms SET begin_ms = $2, text = $3 WHERE id = $1",
			      "iis", id, now_ms, finding->text);
	} else {
		ret = sql_one(
			sql, &id, 0,
			"INSERT INTO alarms (site, serial, input, rule, severity, since_ms, begin_ms, "
			"text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
			"iiisiiis", state->id, finding->serial, (int64_t)finding->input,
			watch_rules[finding->rule].name,
			(int64_t)watch_rules[finding->rule].severity, now_ms, now_ms,
			finding->text);
	}
	return ret < 0 ? ret : queue_messages(sql, state, id, finding->rule, false);
}

static int pend_alarm(struct sql *sql, const struct state *state,
		      const struct watch_finding *finding)
{
	int ret = sql_run(
		sql,
		"INSERT INTO alarms (site, serial, input, rule, severity, since_ms, text) VALUES "
		"($1, $2, $3, $4, $5, $6, $7)",
		"iiisiis", state->id, finding->serial, (int64_t)finding->input,
		watch_rules[finding->rule].name, (int64_t)watch_rules[finding->rule].severity,
		state->site.now_s * 1000, finding->text);

	return ret < 0 ? ret : 0;
}

static int end_alarm(struct sql *sql, const struct state *state, const struct watch_open *open)
{
	int ret = sql_run(sql, "UPDATE alarms SET end_ms = $2 WHERE id = $1", "ii", open->id,
			  state->site.now_s * 1000);

	return ret < 0 ? ret : queue_messages(sql, state, open->id, open->rule, true);
}

static int act(struct sql *sql, const struct state *state, const struct watch_finding *findings,
	       const struct watch_action *action)
{
	const struct watch_open *open = action->open < 0 ? NULL : &state->open[action->open];
	int ret;

	switch (action->kind) {
	case WATCH_PEND:
		return pend_alarm(sql, state, &findings[action->finding]);
	case WATCH_BEGIN:
		return begin_alarm(sql, state, &findings[action->finding], open);
	case WATCH_END:
		return end_alarm(sql, state, open);
	default:
		ret = sql_run(sql, "DELETE FROM alarms WHERE id = $1", "i", open->id);
		return ret < 0 ? ret : 0;
	}
}

/* Between two comparisons, a module's alarm stays as it is. */
static size_t keep_modules(const struct state *state, struct watch_finding *findings, size_t n)
{
	for (size_t i = 0; i < state->open_n && n < FINDINGS_MAX; i++) {
		if (state->open[i].rule == WATCH_MODULE_LOW) {
			findings[n++] = (struct watch_finding){ .rule = WATCH_MODULE_LOW,
								.serial = state->open[i].serial,
								.input = state->open[i].input };
		}
	}
	return n;
}

static int apply(struct sql *sql, const struct state *state, struct watch_finding *findings,
		 size_t n, const struct watch_setting *settings)
{
	struct watch_action *actions __cleanup(free_ptr) =
		calloc(n + state->open_n + 1, sizeof(*actions));
	bool silent = false;
	size_t count;
	int ret = actions ? 0 : -ENOMEM;

	if (!actions) {
		return ret;
	}
	count = watch_diff(findings, n, state->open, state->open_n, settings, state->site.now_s,
			   actions);
	for (size_t i = 0; i < n; i++) {
		silent |= findings[i].rule == WATCH_NO_DATA;
	}
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = act(sql, state, findings, &actions[i]);
	}
	if (ret == 0 && count > 0) {
		ret = sql_run(
			sql,
			"UPDATE sites SET alarms = (SELECT COUNT(*) FROM alarms WHERE site = $1 AND "
			"begin_ms IS NOT NULL AND end_ms IS NULL AND acknowledged_ms IS NULL) WHERE "
			"id = $1",
			"i", state->id);
	}
	if (ret >= 0 && silent) {
		ret = sql_run(sql, "UPDATE sites SET state = 'silent' WHERE id = $1", "i",
			      state->id);
	}
	return ret < 0 ? ret : count > 0;
}

int alarms_run(struct store *store, struct sql *sql, int64_t site, bool modules, int64_t now_ms)
{
	struct watch_finding *findings __cleanup(free_ptr) =
		calloc(FINDINGS_MAX, sizeof(*findings));
	struct state *state __cleanup(free_ptr) = calloc(1, sizeof(*state));
	struct watch_setting settings[WATCH_RULE_COUNT];
	size_t n;
	int ret = findings && state ? sql_begin(sql) : -ENOMEM;

	(void)store;
	if (ret < 0) {
		return ret;
	}
	ret = read_site(sql, site, now_ms, state);
	ret = ret ? ret : read_units(sql, state);
	ret = ret ? ret : read_days(sql, state);
	ret = ret ? ret : read_open(sql, state);
	/* The company that looks after a site decides, otherwise the customer. */
	ret = ret ? ret
		  : alarms_settings(sql, state->company >= 0 ? state->company : state->customer,
				    settings);
	if (ret == 0) {
		n = watch_find(&state->site, settings, modules, findings, FINDINGS_MAX);
		if (!modules) {
			n = keep_modules(state, findings, n);
		}
		ret = apply(sql, state, findings, n, settings);
	}
	if (ret >= 0) {
		int done = sql_commit(sql);

		ret = done < 0 ? done : ret;
	} else {
		sql_rollback(sql);
	}
	free(state->unit);
	return ret;
}

/* Sites after a number and their zones; to be freed. */
static int64_t list_sites(struct sql *sql, int64_t after, int64_t max, int64_t **ret_sites)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int64_t *sites = NULL;
	int64_t n = 0;
	int ret = sql_query(
		sql, &rows,
		"SELECT sites.id, zone_min, COALESCE(progress.number, 0) FROM sites LEFT JOIN progress "
		"ON progress.name = 'modules-' || sites.id WHERE last_ms IS NOT NULL AND sites.id > $1 "
		"ORDER BY sites.id LIMIT $2",
		"ii", after, max);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		int64_t *more = realloc(sites, (size_t)(n + 1) * 3 * sizeof(*more));

		ret = more ? 0 : -ENOMEM;
		if (more) {
			sites = more;
			for (int i = 0; i < 3; i++) {
				sites[n * 3 + i] = sql_int(rows, i);
			}
			n++;
		}
	}
	if (ret < 0) {
		free(sites);
		return ret;
	}
	*ret_sites = sites;
	return n;
}

static int mark_modules(struct sql *sql, int64_t site, int64_t day)
{
	int ret = sql_run(
		sql,
		"INSERT INTO progress VALUES ('modules-' || $1, $2) ON CONFLICT (name) DO UPDATE "
		"SET number = excluded.number",
		"ii", site, day);

	return ret < 0 ? ret : 0;
}

int alarms_run_some(struct store *store, struct sql *sql, int64_t now_ms, int64_t *after,
		    const bool *stop, void (*changed)(void *ctx, int64_t site), void *ctx)
{
	int64_t *sites __cleanup(free_ptr) = NULL;
	int64_t all, max;
	int64_t n = 0;
	int ret = sql_one(sql, &all, 0, "SELECT COUNT(*) FROM sites", "");

	max = ret == 0 && all / RUNS_A_ROUND > SITES_A_RUN ? all / RUNS_A_ROUND : SITES_A_RUN;
	n = ret < 0 ? ret : list_sites(sql, *after, max, &sites);
	ret = n < 0 ? (int)n : 0;
	if (n >= 0) {
		*after = n < max ? 0 : sites[(n - 1) * 3];
	}
	for (int64_t i = 0; i < n && ret == 0 && !*stop; i++) {
		int64_t day = day_of(now_ms / 1000 - MODULES_FROM_S, (int)sites[i * 3 + 1]);
		bool modules = day != sites[i * 3 + 2];

		ret = alarms_run(store, sql, sites[i * 3], modules, now_ms);
		if (ret > 0 && changed) {
			changed(ctx, sites[i * 3]);
		}
		ret = ret < 0 ? ret : modules ? mark_modules(sql, sites[i * 3], day) : 0;
	}
	return ret;
}
