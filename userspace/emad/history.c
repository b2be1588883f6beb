// SPDX-License-Identifier: GPL-2.0-or-later
/* Readings and energies over time, see history.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "days.h"
#include "derive.h"
#include "history.h"
#include "rollup.h"

void history_free(struct history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		free(history->series[i].value);
	}
	free(history->series);
	free(history->time_s);
	*history = (struct history){ 0 };
}

/* The series of an inverter's input, made when it is new. NULL without memory. */
static struct history_series *find_series(struct history *history, const char *name,
					  const char *unit, int decimals, uint64_t serial,
					  int input)
{
	struct history_series *series;

	/* Rows come by inverter: the series is among the last ones. */
	for (size_t i = history->count; i > 0; i--) {
		series = &history->series[i - 1];
		if (series->serial == serial && series->input == input && series->name == name) {
			return series;
		}
	}
	series = realloc(history->series, (history->count + 1) * sizeof(*series));
	if (!series) {
		return NULL;
	}
	history->series = series;
	series += history->count;
	*series =
		(struct history_series){ .name = name,
					 .unit = unit,
					 .decimals = decimals,
					 .serial = serial,
					 .input = input,
					 .value = malloc((history->points + 1) * sizeof(double)) };
	if (!series->value) {
		return NULL;
	}
	for (size_t i = 0; i < history->points; i++) {
		series->value[i] = NAN;
	}
	history->count++;
	return series;
}

static int make_points(struct history *history, size_t points)
{
	if (points > HISTORY_POINTS_MAX) {
		return -E2BIG;
	}
	history->points = points;
	history->time_s = calloc(points + 1, sizeof(*history->time_s));
	return history->time_s ? 0 : -ENOMEM;
}

/* NAN is the sum of nothing. */
static void add(double *value, double more)
{
	*value = isnan(*value) ? more : *value + more;
}

/* ---- stored days ---- */

/*
 * Days of a site or of one of its inverters, in order, with the day before the first one, whose
 * last counters are where the first one begins. @more: one column more, of unit_days. $1 site, $2
 * first day, $3 last day, $4 inverter or 0. CROSS JOIN keeps SQLite from reading all days of the
 * site and then looking for their inverters.
 */
#define DAYS_OF_UNITS(more, day)                                                                   \
	"SELECT u.serial AS serial, d.day AS day, first1, first2, first3, first4, last1, last2, "  \
	"last3, last4, " more " FROM units u CROSS JOIN unit_days d WHERE u.site = $1 AND ($4 = "  \
	"0 OR u.serial = $4) AND d.site = u.site AND d.serial = u.serial AND d.day " day
#define SELECT_DAYS(more)                                                                          \
	DAYS_OF_UNITS(more, "BETWEEN $2 AND $3")                                                   \
	" UNION ALL " DAYS_OF_UNITS(                                                               \
		more, "= (SELECT MAX(day) FROM unit_days b WHERE b.site = u.site AND b.serial = "  \
		      "u.serial AND b.day < $2)") " ORDER BY serial, day"

/**
 * struct days - where reading of SELECT_DAYS is
 * @carried: energy between the last report of the day before and the first one, 0.1 Wh
 * @gained: energy between first and last report; REPORT_ABSENT for an input without a counter
 * @last: counters at the last report of the day; of the day before until the next row is read
 */
struct days {
	struct sql_rows *rows;
	uint64_t serial;
	int64_t day;
	int64_t carried[REPORT_INPUTS];
	int64_t gained[REPORT_INPUTS];
	int64_t last[REPORT_INPUTS];
};

/* Return: 1, 0 after the last day, or a negative errno. */
static int next_day(struct days *days)
{
	int ret = sql_next(days->rows);

	if (ret <= 0) {
		return ret;
	}
	if ((uint64_t)sql_int(days->rows, 0) != days->serial) {
		for (int i = 0; i < REPORT_INPUTS; i++) {
			days->last[i] = REPORT_ABSENT;
		}
	}
	days->serial = (uint64_t)sql_int(days->rows, 0);
	days->day = sql_int(days->rows, 1);
	for (int i = 0; i < REPORT_INPUTS; i++) {
		int64_t first = sql_int(days->rows, 2 + i);
		int64_t last = sql_int(days->rows, 6 + i);

		days->carried[i] = 0;
		days->gained[i] = REPORT_ABSENT;
		if (sql_is_null(days->rows, 6 + i)) {
			continue;
		}
		if (days->last[i] != REPORT_ABSENT && first > days->last[i]) {
			days->carried[i] = first - days->last[i];
		}
		days->gained[i] = last > first ? last - first : 0;
		days->last[i] = last;
	}
	return 1;
}

/* ---- quarters of an hour ---- */

static int add_quarters(const struct history_query *query, const struct rollup *rollup,
			uint64_t serial, struct history *history)
{
	for (int input = 0; input < REPORT_INPUTS; input++) {
		struct history_series *series = find_series(history, "power_w", "W", 1,
							    query->modules ? serial : query->serial,
							    query->modules ? input + 1 : 0);

		if (!series) {
			return -ENOMEM;
		}
		for (int i = 0; i < ROLLUP_QUARTERS; i++) {
			int64_t at = rollup->begin_s + i * ROLLUP_QUARTER_S - history->time_s[0];
			int64_t energy = rollup->quarter[i][input];

			if (energy != REPORT_ABSENT && at >= 0 &&
			    (size_t)(at / HISTORY_QUARTER_S) < history->points) {
				add(&series->value[at / HISTORY_QUARTER_S],
				    (double)energy / 10 * 3600 / HISTORY_QUARTER_S);
			}
		}
	}
	return 0;
}

/* One stored day. */
static int read_day(const struct history_query *query, const struct days *days,
		    struct history *history)
{
	struct rollup rollup;
	size_t n;
	const void *bytes = sql_blob(days->rows, 10, &n);
	int ret = rollup_unpack(bytes, n, &rollup);

	for (int i = 0; ret == 0 && i < REPORT_INPUTS; i++) {
		rollup_carry(&rollup, i, days->carried[i]);
	}
	return ret < 0 ? ret : add_quarters(query, &rollup, days->serial, history);
}

static int read_quarters(struct sql *sql, const struct history_query *query,
			 struct history *history)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct days days = { 0 };
	int64_t begin_s = query->from_s - query->from_s % HISTORY_QUARTER_S;
	int64_t first_day = day_of(begin_s, (int)query->zone_min) - 1;
	int ret = make_points(history, (size_t)((query->to_s - begin_s + HISTORY_QUARTER_S - 1) /
						HISTORY_QUARTER_S));

	for (size_t i = 0; ret == 0 && i < history->points; i++) {
		history->time_s[i] = begin_s + (int64_t)i * HISTORY_QUARTER_S;
	}
	if (ret == 0) {
		ret = sql_query(sql, &rows, SELECT_DAYS("quarters"), "iiii", query->site, first_day,
				day_of(query->to_s, (int)query->zone_min) + 1, query->serial);
	}
	days.rows = rows;
	while (ret == 0 && (ret = next_day(&days)) > 0) {
		ret = days.day < first_day ? 0 : read_day(query, &days, history);
	}
	return ret;
}

/* ---- days and months ---- */

/* Begin of the month of a local day, in days since 1970. */
static int64_t month_of(int64_t day)
{
	time_t at = (time_t)(day * HISTORY_DAY_S);
	struct tm tm;

	gmtime_r(&at, &tm);
	return day - (tm.tm_mday - 1);
}

/* The step of a day, in days since 1970. */
static int64_t step_of(const struct history_query *query, int64_t day)
{
	return query->step_s == HISTORY_MONTH_S ? month_of(day) : day;
}

static int make_days(const struct history_query *query, struct history *history)
{
	int64_t first = day_of(query->from_s, (int)query->zone_min);
	int64_t last = day_of(query->to_s - 1, (int)query->zone_min);
	size_t points = 0;
	int ret = make_points(history, (size_t)(last - first + 1));

	for (int64_t day = first; ret == 0 && day <= last; day++) {
		int64_t time_s = step_of(query, day) * HISTORY_DAY_S - query->zone_min * 60;

		if (points == 0 || history->time_s[points - 1] != time_s) {
			history->time_s[points++] = time_s;
		}
	}
	history->points = points;
	return ret;
}

static size_t find_point(const struct history *history, int64_t time_s)
{
	size_t low = 0;
	size_t high = history->points;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (history->time_s[middle] <= time_s) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low > 0 ? low - 1 : 0;
}

/* Energy of one stored day. */
static int add_day(const struct history_query *query, const struct days *days,
		   struct history *history)
{
	size_t at = find_point(history, days->day * HISTORY_DAY_S - query->zone_min * 60);

	for (int i = 0; i < REPORT_INPUTS; i++) {
		struct history_series *series;

		if (days->gained[i] == REPORT_ABSENT) {
			continue;
		}
		series = find_series(history, "energy_wh", "Wh", 1,
				     query->modules ? days->serial : query->serial,
				     query->modules ? i + 1 : 0);
		if (!series) {
			return -ENOMEM;
		}
		add(&series->value[at], (double)(days->carried[i] + days->gained[i]) / 10);
	}
	return 0;
}

static int read_days(struct sql *sql, const struct history_query *query, struct history *history)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	struct days days = { 0 };
	int64_t first_day = day_of(query->from_s, (int)query->zone_min);
	int ret = make_days(query, history);

	if (ret == 0) {
		ret = sql_query(sql, &rows, SELECT_DAYS("0"), "iiii", query->site, first_day,
				day_of(query->to_s - 1, (int)query->zone_min), query->serial);
	}
	days.rows = rows;
	while (ret == 0 && (ret = next_day(&days)) > 0) {
		ret = days.day < first_day ? 0 : add_day(query, &days, history);
	}
	return ret;
}

/* ---- reports ---- */

static int append_reports(struct history *history, const struct report *reports, size_t n,
			  const struct history_query *query)
{
	for (size_t i = 0; i < n; i++) {
		if (reports[i].time_s < query->from_s || reports[i].time_s >= query->to_s ||
		    history->points == HISTORY_POINTS_MAX) {
			continue;
		}
		history->time_s[history->points] = reports[i].time_s;
		for (int field = 0; field < REPORT_FIELD_COUNT; field++) {
			history->series[field].value[history->points] =
				report_get(&reports[i], (enum report_field)field);
		}
		history->points++;
	}
	return 0;
}

static int read_reports(struct store *store, struct sql *sql, const struct history_query *query,
			struct history *history)
{
	int64_t last = day_of(query->to_s - 1, (int)query->zone_min);
	int ret = make_points(history, HISTORY_POINTS_MAX);

	for (int field = 0; ret == 0 && field < REPORT_FIELD_COUNT; field++) {
		if (!find_series(history, report_fields[field].name, report_fields[field].unit,
				 report_fields[field].decimals, query->serial, 0)) {
			ret = -ENOMEM;
		}
	}
	history->points = 0;
	for (int64_t day = day_of(query->from_s, (int)query->zone_min); ret == 0 && day <= last;
	     day++) {
		struct report *reports __cleanup(free_ptr) = NULL;
		int64_t n = derive_reports(store, sql, query->site, query->serial, day, &reports);

		/* a day whose reports are not kept any more is empty */
		ret = n == -ENODATA ? 0
		      : n < 0	    ? (int)n
				    : append_reports(history, reports, (size_t)n, query);
	}
	return ret;
}

int history_read(struct store *store, struct sql *sql, const struct history_query *query,
		 struct history *ret_history)
{
	struct history history = { .step_s = query->step_s };
	int ret = -EINVAL;

	if (query->to_s <= query->from_s) {
		return -EINVAL;
	}
	if (query->step_s == 0 && query->serial) {
		ret = (query->to_s - query->from_s) / HISTORY_DAY_S > 32
			      ? -E2BIG
			      : read_reports(store, sql, query, &history);
	} else if (query->step_s == HISTORY_QUARTER_S) {
		ret = read_quarters(sql, query, &history);
	} else if (query->step_s == HISTORY_DAY_S || query->step_s == HISTORY_MONTH_S) {
		ret = read_days(sql, query, &history);
	}
	if (ret < 0) {
		history_free(&history);
		return ret;
	}
	*ret_history = history;
	return 0;
}
