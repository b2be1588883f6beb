// SPDX-License-Identifier: GPL-2.0-or-later
/* Readers of the store, and what concerns the whole file. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "days.h"
#include "db.h"
#include "log.h"
#include "service_clock.h"
#include "store.h"
#include "store_history.h"
#include "store_schema.h"
#include "util.h"

#define QUARTER_S 900
#define QUARTER_MS (QUARTER_S * 1000LL)
/* Steps that are in memory at once: a day of minutes, or two weeks of quarter hours. */
#define STEPS_BLOCK 1440
/* Days that one answer may have. */
#define DAYS_MAX 200000

struct store_reader {
	sqlite3 *db;
};

static void path_of(const char *folder, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", folder, STORE_FILE);
}

int store_reader_open(struct store_reader **ret, const char *folder, char *err, size_t size)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));
	char path[PATH_MAX + 16];
	int error;

	if (!reader) {
		return -ENOMEM;
	}
	path_of(folder, path, sizeof(path));
	error = db_open(&reader->db, path, DB_READ, err, size);
	if (error < 0) {
		free(reader);
		return error;
	}
	*ret = reader;
	return 0;
}

void store_reader_close(struct store_reader *reader)
{
	if (reader) {
		db_close(reader->db);
		free(reader);
	}
}

sqlite3 *store_reader_db(struct store_reader *reader)
{
	return reader->db;
}

/* ---- history ---- */

/* Some steps of an answer; sums until they are means. */
struct steps {
	int64_t from_ms;
	int64_t step_ms;
	size_t count;
	struct store_point *point;
	uint16_t (*samples)[READING_COUNT][MODEL_CHANNELS];
};

static int steps_init(struct steps *steps, int64_t from_ms, int64_t to_ms, int64_t step_ms)
{
	memset(steps, 0, sizeof(*steps));
	steps->from_ms = from_ms;
	steps->step_ms = step_ms;
	steps->count = (size_t)((to_ms - from_ms + step_ms - 1) / step_ms);
	steps->point = calloc(steps->count, sizeof(*steps->point));
	steps->samples = calloc(steps->count, sizeof(*steps->samples));
	if (!steps->point || !steps->samples) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < steps->count; i++) {
		steps->point[i].time_ms = steps->from_ms + (int64_t)i * step_ms;
		steps->point[i].step_ms = step_ms;
	}
	return 0;
}

static void steps_free(struct steps *steps)
{
	free(steps->point);
	free(steps->samples);
}

static bool is_total(enum reading_id id)
{
	return id == READING_DC_ENERGY || id == READING_ENERGY || id == READING_SITE_ENERGY;
}

static void add_value(struct steps *steps, int64_t time_ms, enum reading_id id, int channel,
		      double value)
{
	size_t i;

	if (isnan(value) || time_ms < steps->from_ms) {
		return;
	}
	i = (size_t)((time_ms - steps->from_ms) / steps->step_ms);
	if (i >= steps->count) {
		return;
	}
	if (is_total(id)) {
		steps->point[i].value[id][channel] = value;
		steps->samples[i][id][channel] = 1;
	} else {
		steps->point[i].value[id][channel] += value;
		steps->samples[i][id][channel]++;
	}
}

static void add_report(struct steps *steps, const struct report *report)
{
	for (int field = 0; field < REPORT_FIELD_COUNT; field++) {
		enum reading_id id;
		int channel;

		if (history_reading(field, &id, &channel)) {
			add_value(steps, report->time_s * 1000, id, channel,
				  report_get(report, field));
		}
	}
}

/* The power of each module is not kept: it is the product of what is. */
static void finish(struct steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		struct store_point *point = &steps->point[i];

		for (int id = 0; id < READING_COUNT; id++) {
			for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
				uint16_t n = steps->samples[i][id][channel];

				point->value[id][channel] = n ? point->value[id][channel] / n
							      : (double)NAN;
			}
		}
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			point->value[READING_DC_P][channel] = point->value[READING_DC_V][channel] *
							      point->value[READING_DC_I][channel];
		}
	}
}

static int add_chunks(sqlite3 *db, uint64_t serial, int64_t from_ms, int64_t to_ms,
		      struct steps *steps)
{
	sqlite3_stmt *rows __cleanup(db_finalize) = NULL;
	int ret = history_minutes(db, &rows);

	for (int64_t minute = from_ms / 60000; ret >= 0 && minute * 60000 < to_ms; minute++) {
		uint64_t total_mwh[ACCOUNT_CHANNELS];
		struct report *reports;
		size_t n;

		ret = history_chunk(rows, minute, serial, &reports, &n, total_mwh);
		/* readings that are damaged are absent; the sums set them aside */
		ret = ret == -EBADMSG ? 0 : ret;
		for (size_t i = 0; i < n; i++) {
			add_report(steps, &reports[i]);
		}
		if (n > 0) {
			add_value(steps, reports[n - 1].time_s * 1000, READING_ENERGY, 0,
				  (double)total_mwh[ACCOUNT_GRID] / 1e3);
		}
		free(reports);
	}
	return ret < 0 ? ret : 0;
}

/* Day blobs, and chunks for the days that have none yet. */
static int add_days(sqlite3 *db, uint64_t serial, int64_t from_ms, int64_t to_ms,
		    struct steps *steps)
{
	int32_t done = history_day_done(db);
	int32_t day = local_day(from_ms);
	int ret = 0;

	for (; ret >= 0 && done && day <= done && local_day_start(day) < to_ms;
	     day = history_next_day(day)) {
		sqlite3_stmt *row __cleanup(db_finalize) = NULL;
		struct report *reports = NULL;
		size_t n = 0;

		ret = db_prepare(db, &row,
				 "SELECT reports, e4 FROM day WHERE serial = ? AND day = ?", "ii",
				 (int64_t)serial, (int64_t)day);
		if (ret < 0 || (ret = db_step(row)) <= 0) {
			continue;
		}
		ret = day_unpack(sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0),
				 &reports, &n);
		if (ret == -EBADMSG) {
			log_warning("store: day %d of inverter %" PRIu64
				    ": its minutes are damaged, and absent",
				    day, serial);
			ret = 0;
		}
		for (size_t i = 0; i < n; i++) {
			add_report(steps, &reports[i]);
		}
		if (n > 0) {
			add_value(steps, reports[n - 1].time_s * 1000, READING_ENERGY, 0,
				  (double)sqlite3_column_int64(row, 1) / 1e3);
		}
		free(reports);
	}
	if (ret >= 0 && local_day_start(day) < to_ms) {
		int64_t start_ms = local_day_start(day);

		ret = add_chunks(db, serial, start_ms > from_ms ? start_ms : from_ms, to_ms, steps);
	}
	return ret;
}

/* Quarters before @to_ms that are not summed up; false for none. */
static bool open_quarters(sqlite3 *db, int64_t to_ms, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
	int64_t from_ms = history_open_ms(db);

	if (from_ms >= to_ms) {
		return false;
	}
	*ret_from_ms = from_ms;
	*ret_to_ms = to_ms - from_ms < STEPS_BLOCK * QUARTER_MS
			     ? to_ms
			     : from_ms + STEPS_BLOCK * QUARTER_MS;
	return true;
}

/* Quarters that are not summed up, from the chunks, with the weight of those that are. */
static int add_open_quarters(sqlite3 *db, uint64_t serial, int64_t to_ms, struct steps *steps)
{
	struct steps open;
	int64_t from_ms;
	int ret;

	if (!open_quarters(db, to_ms, &from_ms, &to_ms)) {
		return 0;
	}
	ret = steps_init(&open, from_ms, to_ms, QUARTER_MS);
	ret = ret < 0 ? ret : add_chunks(db, serial, from_ms, to_ms, &open);
	if (ret >= 0) {
		finish(&open);
	}
	for (size_t i = 0; i < open.count && ret >= 0; i++) {
		for (int id = 0; id < READING_COUNT; id++) {
			for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
				add_value(steps, open.point[i].time_ms, id, channel,
					  open.point[i].value[id][channel]);
			}
		}
	}
	steps_free(&open);
	return ret;
}

static int add_quarters(sqlite3 *db, uint64_t serial, int64_t from_ms, int64_t to_ms,
			struct steps *steps)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &row,
			     "SELECT quarter, power, e0, e1, e2, e3, e4 FROM quarter"
			     " WHERE quarter >= ? AND quarter < ? AND serial = ? ORDER BY quarter",
			     "iii", from_ms / 1000 / QUARTER_S,
			     (to_ms / 1000 + QUARTER_S - 1) / QUARTER_S, (int64_t)serial);

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		int64_t time_ms = sqlite3_column_int64(row, 0) * QUARTER_MS;

		add_value(steps, time_ms, READING_POWER, 0, db_number(row, 1));
		for (int i = 0; i < MODEL_CHANNELS; i++) {
			add_value(steps, time_ms, READING_DC_ENERGY, i,
				  db_number(row, 2 + i) / 1e3);
		}
		add_value(steps, time_ms, READING_ENERGY, 0, db_number(row, 6) / 1e3);
	}
	return ret < 0 ? ret : add_open_quarters(db, serial, to_ms, steps);
}

static int history_of_unit(sqlite3 *db, uint64_t serial, int64_t from_ms, int64_t to_ms,
			   int64_t step_s, struct steps *steps)
{
	return step_s >= QUARTER_S ? add_quarters(db, serial, from_ms, to_ms, steps)
	       : step_s >= 60	   ? add_days(db, serial, from_ms, to_ms, steps)
				   : add_chunks(db, serial, from_ms, to_ms, steps);
}

/* One unit more in the sums of the site. */
static void add_to_site(struct steps *site, const struct steps *unit)
{
	for (size_t i = 0; i < unit->count; i++) {
		double w = unit->point[i].value[READING_POWER][0];
		double wh = unit->point[i].value[READING_ENERGY][0];

		if (!isnan(w)) {
			site->point[i].value[READING_SITE_POWER][0] += w;
			site->samples[i][READING_SITE_POWER][0] = 1;
		}
		if (!isnan(wh)) {
			site->point[i].value[READING_SITE_ENERGY][0] += wh;
			site->samples[i][READING_SITE_ENERGY][0] = 1;
		}
	}
}

/* Each unit's history in steps of @site, summed up. */
static int add_units_to_site(sqlite3 *db, int64_t from_ms, int64_t to_ms, int64_t step_s,
			     struct steps *site)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &row, "SELECT CAST(serial AS INTEGER) FROM unit", "");

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		struct steps unit;

		ret = steps_init(&unit, site->from_ms, to_ms, site->step_ms);
		ret = ret < 0 ? ret
			      : history_of_unit(db, (uint64_t)sqlite3_column_int64(row, 0), from_ms,
						to_ms, step_s, &unit);
		if (ret >= 0) {
			finish(&unit);
			add_to_site(site, &unit);
		}
		steps_free(&unit);
	}
	return ret;
}

static int add_open_quarters_of_site(sqlite3 *db, int64_t to_ms, struct steps *site)
{
	struct steps open;
	int64_t from_ms;
	int ret;

	if (!open_quarters(db, to_ms, &from_ms, &to_ms)) {
		return 0;
	}
	ret = steps_init(&open, from_ms, to_ms, QUARTER_MS);
	ret = ret < 0 ? ret : add_units_to_site(db, from_ms, to_ms, 0, &open);
	if (ret >= 0) {
		finish(&open);
	}
	for (size_t i = 0; i < open.count && ret >= 0; i++) {
		for (int id = READING_SITE_POWER; id <= READING_SITE_ENERGY; id++) {
			add_value(site, open.point[i].time_ms, id, 0, open.point[i].value[id][0]);
		}
	}
	steps_free(&open);
	return ret;
}

/* All units in one pass, because the rows of a quarter are side by side. */
static int add_quarters_of_site(sqlite3 *db, int64_t from_ms, int64_t to_ms, struct steps *site)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &row,
			     "SELECT quarter, sum(power), sum(e4) FROM quarter"
			     " WHERE quarter >= ? AND quarter < ? GROUP BY quarter",
			     "ii", from_ms / 1000 / QUARTER_S,
			     (to_ms / 1000 + QUARTER_S - 1) / QUARTER_S);

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		int64_t time_ms = sqlite3_column_int64(row, 0) * QUARTER_MS;

		add_value(site, time_ms, READING_SITE_POWER, 0, db_number(row, 1));
		add_value(site, time_ms, READING_SITE_ENERGY, 0, db_number(row, 2) / 1e3);
	}
	return ret < 0 ? ret : add_open_quarters_of_site(db, to_ms, site);
}

static int history_of_site(sqlite3 *db, int64_t from_ms, int64_t to_ms, int64_t step_s,
			   struct steps *site)
{
	return step_s >= QUARTER_S ? add_quarters_of_site(db, from_ms, to_ms, site)
				   : add_units_to_site(db, from_ms, to_ms, step_s, site);
}

static bool has_any(const struct steps *steps, size_t i)
{
	const uint16_t *samples = &steps->samples[i][0][0];

	for (size_t n = 0; n < READING_COUNT * MODEL_CHANNELS; n++) {
		if (samples[n]) {
			return true;
		}
	}
	return false;
}

/* What is asked for; each block of it is read, handed over and forgotten. */
struct question {
	sqlite3 *db;
	uint64_t serial; /* 0 for the site */
	int64_t from_ms;
	int64_t to_ms;
	int64_t step_s;
	int (*take)(void *ctx, const struct store_point *point);
	void *ctx;
};

/* Return: 0, 1 when the caller has had enough, or a negative errno. */
static int hand_over_points(const struct question *question, const struct steps *steps, int *points)
{
	for (size_t i = 0; i < steps->count; i++) {
		if (!has_any(steps, i)) {
			continue;
		}
		(*points)++;
		if (question->take(question->ctx, &steps->point[i])) {
			return 1;
		}
	}
	return 0;
}

static int history_block(const struct question *question, int64_t start_ms, int64_t end_ms,
			 int64_t step_ms, int *points)
{
	int64_t from_ms = start_ms > question->from_ms ? start_ms : question->from_ms;
	struct steps steps;
	int ret = steps_init(&steps, start_ms, end_ms, step_ms);

	if (ret >= 0) {
		ret = question->serial ? history_of_unit(question->db, question->serial, from_ms,
							 end_ms, question->step_s, &steps)
				       : history_of_site(question->db, from_ms, end_ms,
							 question->step_s, &steps);
	}
	if (ret >= 0) {
		finish(&steps);
		ret = hand_over_points(question, &steps, points);
	}
	steps_free(&steps);
	return ret;
}

int store_history(struct store_reader *reader, const struct serial *serial, int64_t from_ms,
		  int64_t to_ms, int64_t step_s,
		  int (*take)(void *ctx, const struct store_point *point), void *ctx)
{
	struct question question = { reader->db, 0, from_ms, to_ms, step_s, take, ctx };
	int64_t step_ms = (step_s > 0 ? step_s : 1) * 1000;
	char text[SERIAL_TEXT_SIZE];
	int points = 0;
	int ret = 0;

	if (serial) {
		id_parse(serial_format(text, serial), &question.serial);
	}
	/* all of it as of one commit, and with one lock */
	ret = db_exec(reader->db, "BEGIN");
	for (int64_t start_ms = from_ms - from_ms % step_ms; start_ms < to_ms && ret == 0;
	     start_ms += STEPS_BLOCK * step_ms) {
		int64_t end_ms = start_ms + STEPS_BLOCK * step_ms;

		ret = history_block(&question, start_ms, end_ms < to_ms ? end_ms : to_ms, step_ms,
				    &points);
	}
	db_rollback(reader->db);
	return ret < 0 ? ret : points;
}

/* ---- energy ---- */

/* Date of a step: its day, month or year. */
static int32_t date_of(int32_t day, char unit)
{
	return unit == 'y' ? day / 10000 * 10000 : unit == 'm' ? day / 100 * 100 : day;
}

struct day_energy {
	int32_t day;
	double wh[ACCOUNT_CHANNELS];
};

/* Differences of the totals of one unit's days, added to @days; they are sorted by day. */
static int add_unit_days(sqlite3 *db, int64_t serial, int32_t from_day, int32_t to_day,
			 struct day_energy *days, size_t n)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int64_t last[ACCOUNT_CHANNELS] = { 0 };
	/* the day before gives what the first one starts from; today's total is in the accounts */
	int ret = db_prepare(db, &row,
			     "SELECT day, e0, e1, e2, e3, e4 FROM day WHERE serial = ?1 AND"
			     " day >= coalesce((SELECT max(day) FROM day WHERE serial = ?1 AND"
			     " day < ?2), 0) AND day <= ?3 ORDER BY day",
			     "iii", serial, (int64_t)from_day, (int64_t)to_day);
	size_t at = 0;

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		int32_t day = sqlite3_column_int(row, 0);

		while (at < n && days[at].day < day) {
			at++;
		}
		for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
			int64_t total = sqlite3_column_int64(row, 1 + i);

			if (at < n && days[at].day == day) {
				days[at].wh[i] += (double)(total - last[i]) / 1e3;
			}
			last[i] = total;
		}
	}
	return ret;
}

/* Energy of the day that is not over, from the accounts. */
static int add_today(sqlite3 *db, const char *serial, struct day_energy *days, size_t n)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &row,
			     "SELECT channel, day, total_mwh - day_mwh FROM account"
			     " WHERE serial = ?",
			     "s", serial);

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		int channel = sqlite3_column_int(row, 0);

		for (size_t i = 0; i < n; i++) {
			if (days[i].day == sqlite3_column_int(row, 1) && channel >= 0 &&
			    channel < ACCOUNT_CHANNELS && days[i].day > history_day_done(db)) {
				days[i].wh[channel] += (double)sqlite3_column_int64(row, 2) / 1e3;
			}
		}
	}
	return ret;
}

static int add_units(sqlite3 *db, const struct serial *only, int32_t from_day, int32_t to_day,
		     struct day_energy *days, size_t n)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	char text[SERIAL_TEXT_SIZE] = "";
	int ret;

	if (only) {
		serial_format(text, only);
	}
	ret = db_prepare(db, &row, "SELECT serial FROM unit WHERE ?1 = '' OR serial = ?1", "s",
			 text);
	while (ret >= 0 && (ret = db_step(row)) > 0) {
		const char *serial = db_text(row, 0);

		ret = add_unit_days(db, strtoll(serial, NULL, 10), from_day, to_day, days, n);
		ret = ret < 0 ? ret : add_today(db, serial, days, n);
	}
	return ret;
}

/* Days are put together to months or years, and handed over. */
static int hand_over(const struct day_energy *days, size_t n, char unit,
		     int (*take)(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS]),
		     void *ctx)
{
	int count = 0;

	for (size_t at = 0; at < n;) {
		double wh[ACCOUNT_CHANNELS] = { 0 };
		int32_t date = date_of(days[at].day, unit);

		for (; at < n && date_of(days[at].day, unit) == date; at++) {
			for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
				wh[i] += days[at].wh[i];
			}
		}
		count++;
		if (take(ctx, date, wh)) {
			break;
		}
	}
	return count;
}

int store_energy(struct store_reader *reader, const struct serial *serial, int32_t from_day,
		 int32_t to_day, char unit,
		 int (*take)(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS]), void *ctx)
{
	struct day_energy *days = NULL;
	size_t n = 0;
	int ret = 0;

	for (int32_t day = from_day; day <= to_day; day = history_next_day(day)) {
		struct day_energy *more = realloc(days, sizeof(*days) * (n + 1));

		if (!more || n == DAYS_MAX) {
			free(more ? more : days);
			return -ENOMEM;
		}
		days = more;
		days[n++] = (struct day_energy){ .day = day };
	}
	ret = add_units(reader->db, serial, from_day, to_day, days, n);
	ret = ret < 0 ? ret : hand_over(days, n, unit, take, ctx);
	free(days);
	return ret;
}

/* ---- events, outbox ---- */

int store_events(struct store_reader *reader, uint64_t after, int max,
		 int (*take)(void *ctx, const struct model_event *event), void *ctx)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(reader->db, &row,
			     "SELECT * FROM event WHERE number > ? ORDER BY number LIMIT ?", "ii",
			     (int64_t)after, (int64_t)max);
	int count = 0;

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		struct model_event event;

		store_event_of_row(row, &event);
		count++;
		if (take(ctx, &event)) {
			break;
		}
	}
	return ret < 0 ? ret : count;
}

int store_batch(struct store_reader *reader, uint64_t from, uint64_t *ret_sequence,
		uint8_t **ret_bytes, size_t *ret_n)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(reader->db, &row,
			     "SELECT sequence, bytes FROM batch WHERE sequence >= ?"
			     " ORDER BY sequence LIMIT 1",
			     "i", (int64_t)from);
	uint8_t *bytes;
	size_t n;

	ret = ret < 0 ? ret : db_step(row);
	if (ret <= 0) {
		return ret;
	}
	n = (size_t)sqlite3_column_bytes(row, 1);
	bytes = malloc(n + 1);
	if (!bytes) {
		return -ENOMEM;
	}
	memcpy(bytes, sqlite3_column_blob(row, 1), n);
	*ret_sequence = (uint64_t)sqlite3_column_int64(row, 0);
	*ret_bytes = bytes;
	*ret_n = n;
	return 1;
}

/* ---- whole store ---- */

/*
 * Copy a database page by page, so that a daemon that writes is not held up. One transaction reads
 * all pages: without it SQLite would begin again after each commit of the daemon.
 */
static int copy(const char *from, const char *to, char *err, size_t size)
{
	sqlite3 *source = NULL, *target = NULL;
	sqlite3_backup *backup;
	int ret = db_open(&source, from, DB_READ, err, size);
	int code = SQLITE_OK;

	if (ret < 0) {
		return ret;
	}
	ret = db_exec(source, "BEGIN; SELECT count(*) FROM sqlite_schema");
	ret = ret < 0 ? ret
		      : db_errno(sqlite3_open_v2(to, &target,
						 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
	backup = ret < 0 ? NULL : sqlite3_backup_init(target, "main", source, "main");
	if (backup) {
		while ((code = sqlite3_backup_step(backup, 1000)) == SQLITE_OK ||
		       code == SQLITE_BUSY || code == SQLITE_LOCKED) {
			sqlite3_sleep(5);
		}
		sqlite3_backup_finish(backup);
	}
	ret = !backup ? -EIO : db_errno(code);
	if (ret < 0) {
		snprintf(err, size, "%s: %s", to, target ? sqlite3_errmsg(target) : strerror(-ret));
	}
	sqlite3_close(target);
	db_close(source);
	return ret;
}

/* A backup is sound, and a store of ours. */
static int check_backup(const char *path, char *err, size_t size)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	sqlite3 *db = NULL;
	int ret = db_open(&db, path, DB_READ, err, size);

	if (ret < 0) {
		return ret;
	}
	ret = db_prepare(db, &row, "PRAGMA integrity_check", "");
	ret = ret < 0 ? ret : db_step(row);
	if (ret > 0) {
		ret = strcmp(db_text(row, 0), "ok") ? -EUCLEAN : 0;
	}
	if (ret == 0) {
		ret = db_exec(db, "SELECT count(*) FROM setting");
	}
	if (ret < 0) {
		snprintf(err, size,
			 "%s: expected a backup of ecud, found a file that is damaged or "
			 "another one",
			 path);
	}
	sqlite3_finalize(row);
	row = NULL;
	db_close(db);
	return ret;
}

int store_backup(const char *folder, const char *path, char *err, size_t size)
{
	char from[PATH_MAX + 16];
	int ret;

	if (access(path, F_OK) == 0) {
		snprintf(err, size, "%s: exists", path);
		return -EEXIST;
	}
	path_of(folder, from, sizeof(from));
	ret = copy(from, path, err, size);
	return ret < 0 ? ret : check_backup(path, err, size);
}

int store_restore(const char *folder, const char *path, char *err, size_t size)
{
	static const char *const tail[] = { "-wal", "-shm" };
	char to[PATH_MAX + 16], next[PATH_MAX + 32], old[PATH_MAX + 32];
	sqlite3 *db = NULL;
	int ret = check_backup(path, err, size);

	if (ret < 0) {
		return ret;
	}
	path_of(folder, to, sizeof(to));
	snprintf(next, sizeof(next), "%s.restored", to);
	unlink(next);
	ret = copy(path, next, err, size);
	if (ret < 0) {
		return ret;
	}
	/* what was delivered after the backup has other contents: its keys must not come again */
	ret = db_open(&db, next, DB_SAFE, err, size);
	ret = ret < 0 ? ret
		      : db_exec(db, "DELETE FROM setting WHERE name IN ('epoch', 'sequence');"
				    "DELETE FROM batch");
	ret = ret < 0 ? ret : db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	ret = ret < 0 ? ret : db_exec(db, "PRAGMA journal_mode=DELETE");
	db_close(db);
	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tail); i++) {
		snprintf(old, sizeof(old), "%s%s", to, tail[i]);
		unlink(old);
	}
	if (rename(next, to) < 0) {
		ret = -errno;
		snprintf(err, size, "%s: %s", to, strerror(-ret));
	}
	return ret;
}

/* ---- CSV ---- */

struct csv {
	FILE *file;
	char serial[SERIAL_TEXT_SIZE];
};

static bool in_csv(enum reading_id id)
{
	return model_reading[id].scope != SCOPE_SITE;
}

static int channels_of(enum reading_id id)
{
	return model_reading[id].scope == SCOPE_CHANNEL ? MODEL_CHANNELS : 1;
}

static void write_head(FILE *file)
{
	fputs("time,serial", file);
	for (int id = 0; id < READING_COUNT; id++) {
		for (int channel = 0; in_csv(id) && channel < channels_of(id); channel++) {
			fprintf(file, channels_of(id) > 1 ? ",%s_%d" : ",%s",
				model_reading[id].name, channel + 1);
		}
	}
	fputc('\n', file);
}

static int write_point(void *ctx, const struct store_point *point)
{
	struct csv *csv = ctx;
	time_t seconds = (time_t)(point->time_ms / 1000);
	char time_text[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(csv->file, "%s,%s", time_text, csv->serial);
	for (int id = 0; id < READING_COUNT; id++) {
		for (int channel = 0; in_csv(id) && channel < channels_of(id); channel++) {
			double value = point->value[id][channel];

			if (isnan(value)) {
				fputc(',', csv->file);
			} else {
				fprintf(csv->file, ",%.*f", model_reading[id].decimals, value);
			}
		}
	}
	fputc('\n', csv->file);
	return ferror(csv->file);
}

/* A day of a unit at a time, so that memory stays small. */
static int export_unit(struct store_reader *reader, struct csv *csv, int64_t from_ms)
{
	int64_t now_ms = clock_wall_ms();
	struct serial serial;
	int ret = serial_parse(csv->serial, &serial);

	for (int32_t day = local_day(from_ms); ret >= 0 && local_day_start(day) <= now_ms;
	     day = history_next_day(day)) {
		ret = store_history(reader, &serial, local_day_start(day),
				    local_day_start(history_next_day(day)), 60, write_point, csv);
	}
	return ret;
}

static int64_t first_day_ms(sqlite3 *db)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int32_t day;

	if (db_prepare(db, &row, "SELECT min(day) FROM day", "") == 0 && db_step(row) > 0 &&
	    (day = sqlite3_column_int(row, 0)) > 0) {
		return local_day_start(day);
	}
	return clock_wall_ms() - 2 * 86400000LL;
}

int store_export(const char *folder, const char *path, char *err, size_t size)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	struct store_reader *reader;
	struct csv csv;
	int64_t from_ms;
	int ret = store_reader_open(&reader, folder, err, size);

	if (ret < 0) {
		return ret;
	}
	csv.file = fopen(path, "we");
	if (!csv.file) {
		ret = -errno;
		snprintf(err, size, "%s: %s", path, strerror(-ret));
		store_reader_close(reader);
		return ret;
	}
	write_head(csv.file);
	from_ms = first_day_ms(reader->db);
	ret = db_prepare(reader->db, &row, "SELECT serial FROM unit ORDER BY serial", "");
	while (ret >= 0 && (ret = db_step(row)) > 0) {
		snprintf(csv.serial, sizeof(csv.serial), "%s", db_text(row, 0));
		ret = export_unit(reader, &csv, from_ms);
	}
	if (fclose(csv.file) != 0 && ret >= 0) {
		ret = -EIO;
	}
	if (ret < 0) {
		snprintf(err, size, "%s: %s", path, strerror(-ret));
	}
	sqlite3_finalize(row);
	row = NULL;
	store_reader_close(reader);
	return ret < 0 ? ret : 0;
}
