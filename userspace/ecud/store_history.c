// SPDX-License-Identifier: GPL-2.0-or-later
#include "store_history.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "days.h"
#include "db.h"
#include "store_chunks.h"
#include "store_damage.h"
#include "util.h"

#define MINUTES_OF_QUARTER 15
#define QUARTER_MS (MINUTES_OF_QUARTER * 60000LL)
/* In the middle of the next day, whether this one has 23, 24 or 25 hours. */
#define INTO_NEXT_DAY_MS (36 * 3600 * 1000LL)
/* Minutes whose chunks are removed in one step. */
#define REMOVE_MINUTES 30

static const struct {
	enum report_field field;
	enum reading_id id;
	int channel;
} reading_of[] = {
	{ REPORT_GRID_V, READING_GRID_V, 0 },	  { REPORT_GRID_HZ, READING_GRID_F, 0 },
	{ REPORT_POWER, READING_POWER, 0 },	  { REPORT_REACTIVE, READING_REACTIVE_POWER, 0 },
	{ REPORT_LIMIT, READING_POWER_LIMIT, 0 }, { REPORT_TEMPERATURE, READING_TEMPERATURE, 0 },
	{ REPORT_LINK, READING_LINK_QUALITY, 0 }, { REPORT_V1, READING_DC_V, 0 },
	{ REPORT_V2, READING_DC_V, 1 },		  { REPORT_V3, READING_DC_V, 2 },
	{ REPORT_V4, READING_DC_V, 3 },		  { REPORT_I1, READING_DC_I, 0 },
	{ REPORT_I2, READING_DC_I, 1 },		  { REPORT_I3, READING_DC_I, 2 },
	{ REPORT_I4, READING_DC_I, 3 },		  { REPORT_E1, READING_DC_ENERGY, 0 },
	{ REPORT_E2, READING_DC_ENERGY, 1 },	  { REPORT_E3, READING_DC_ENERGY, 2 },
	{ REPORT_E4, READING_DC_ENERGY, 3 },
};

bool history_reading(enum report_field field, enum reading_id *ret_id, int *ret_channel)
{
	for (size_t i = 0; i < ARRAY_SIZE(reading_of); i++) {
		if (reading_of[i].field == field) {
			*ret_id = reading_of[i].id;
			*ret_channel = reading_of[i].channel;
			return true;
		}
	}
	return false;
}

void history_report(const struct model_unit *unit, const struct account account[ACCOUNT_CHANNELS],
		    int64_t time_ms, struct report *ret)
{
	char serial[SERIAL_TEXT_SIZE];

	report_clear(ret);
	id_parse(serial_format(serial, &unit->serial), &ret->serial);
	ret->time_s = time_ms / 1000;
	for (size_t i = 0; i < ARRAY_SIZE(reading_of); i++) {
		report_set(ret, reading_of[i].field,
			   unit->reading[reading_of[i].id][reading_of[i].channel].value);
	}
	for (int i = 0; i < MODEL_CHANNELS; i++) {
		report_set(ret, (enum report_field)(REPORT_E1 + i),
			   (double)account[i].total_mwh / 1e3);
	}
	ret->value[REPORT_STATE] = unit->state >= 0 ? unit->state : REPORT_ABSENT;
	ret->value[REPORT_FAULTS] = unit->faults_active | unit->faults_latched;
}

static bool is_last_of(enum report_field field)
{
	return field == REPORT_STATE || field == REPORT_FAULTS ||
	       (field >= REPORT_E1 && field <= REPORT_E4);
}

void history_mean(const struct report *report, size_t n, struct report *ret)
{
	report_clear(ret);
	ret->serial = report[0].serial;
	ret->time_s = report[0].time_s;
	for (int field = 0; field < REPORT_FIELD_COUNT; field++) {
		double sum = 0;
		int count = 0;

		for (size_t i = 0; i < n; i++) {
			if (report[i].value[field] == REPORT_ABSENT) {
				continue;
			}
			if (is_last_of(field)) {
				ret->value[field] = report[i].value[field];
			} else {
				sum += (double)report[i].value[field];
				count++;
			}
		}
		if (count > 0) {
			ret->value[field] = llround(sum / count);
		}
	}
}

int history_minutes(sqlite3 *db, sqlite3_stmt **ret_minutes)
{
	return db_prepare(db, ret_minutes, "SELECT chunks FROM minute WHERE minute = ?", "");
}

int history_chunk(sqlite3_stmt *minutes, int64_t minute, uint64_t serial,
		  struct report **ret_reports, size_t *ret_n, uint64_t *total_mwh)
{
	int ret = db_bind(minutes, "i", minute);
	struct unpacker row;
	struct chunk chunk;

	*ret_reports = NULL;
	*ret_n = 0;
	ret = ret < 0 ? ret : db_step(minutes);
	if (ret <= 0) {
		return ret;
	}
	row = chunk_row(minutes, 0);
	while (chunk_next(&row, &chunk)) {
		if (chunk.serial != serial) {
			continue;
		}
		if (total_mwh) {
			memcpy(total_mwh, chunk.total_mwh, sizeof(chunk.total_mwh));
		}
		ret = day_unpack(chunk.reports, chunk.n, ret_reports, ret_n);
		return ret < 0 ? ret : 1;
	}
	return row.failed ? -EBADMSG : 0;
}

/* ---- sums ---- */

int32_t history_next_day(int32_t day)
{
	return local_day(local_day_start(day) + INTO_NEXT_DAY_MS);
}

static int64_t setting_of(sqlite3 *db, const char *name)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;

	if (db_prepare(db, &row, "SELECT value FROM setting WHERE name = ?", "s", name) < 0 ||
	    db_step(row) <= 0) {
		return 0;
	}
	return strtoll(db_text(row, 0), NULL, 10);
}

static int set_setting(sqlite3 *db, const char *name, int64_t value)
{
	return db_run(db, "INSERT OR REPLACE INTO setting VALUES (?, CAST(? AS TEXT))", "si", name,
		      value);
}

int32_t history_day_done(sqlite3 *db)
{
	return (int32_t)setting_of(db, "day_done");
}

/* First minute of a chunk from @from on; -1 for none. */
static int64_t first_minute(sqlite3 *db, int64_t from)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;

	if (db_prepare(db, &row, "SELECT min(minute) FROM minute WHERE minute >= ?", "i", from) <
		    0 ||
	    db_step(row) <= 0 || sqlite3_column_type(row, 0) == SQLITE_NULL) {
		return -1;
	}
	return sqlite3_column_int64(row, 0);
}

/* First minute of a chunk that is in no quarter; -1 for none. */
static int64_t open_minute(sqlite3 *db)
{
	return first_minute(db, (setting_of(db, "quarter_done") + 1) * MINUTES_OF_QUARTER);
}

int64_t history_open_ms(sqlite3 *db)
{
	int64_t minute = open_minute(db);

	return minute < 0 ? INT64_MAX : minute / MINUTES_OF_QUARTER * QUARTER_MS;
}

/* Power of a unit over a quarter, from its chunks. */
struct quarter {
	uint64_t serial;
	double sum_w;
	double max_w;
	int count;
	uint64_t total_mwh[ACCOUNT_CHANNELS];
};

/* Return: 0 or a negative errno; -EBADMSG for readings that are damaged. */
static int add_chunk(struct quarter *quarter, const struct chunk *chunk)
{
	struct report *reports = NULL;
	size_t n = 0;
	int ret = day_unpack(chunk->reports, chunk->n, &reports, &n);

	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < n; i++) {
		double w = report_get(&reports[i], REPORT_POWER);

		if (!isnan(w)) {
			quarter->max_w = quarter->count ? fmax(quarter->max_w, w) : w;
			quarter->sum_w += w;
			quarter->count++;
		}
	}
	memcpy(quarter->total_mwh, chunk->total_mwh, sizeof(quarter->total_mwh));
	free(reports);
	return 0;
}

/* The quarter of a unit among those that are added up; a new one, or NULL without memory. */
static struct quarter *quarter_of(struct quarter **quarters, size_t *n, uint64_t serial)
{
	struct quarter *more;

	for (size_t i = 0; i < *n; i++) {
		if ((*quarters)[i].serial == serial) {
			return &(*quarters)[i];
		}
	}
	more = realloc(*quarters, sizeof(*more) * (*n + 1));
	if (!more) {
		return NULL;
	}
	*quarters = more;
	more[*n] = (struct quarter){ .serial = serial };
	return &more[(*n)++];
}

static int write_quarter(sqlite3 *db, int64_t number, const struct quarter *quarter)
{
	double mean_w = quarter->count ? quarter->sum_w / quarter->count : (double)NAN;

	return db_run(db, "INSERT OR REPLACE INTO quarter VALUES (?,?,?,?,?,?,?,?,?)", "iiddiiiii",
		      number, (int64_t)quarter->serial, mean_w,
		      quarter->count ? quarter->max_w : (double)NAN, (int64_t)quarter->total_mwh[0],
		      (int64_t)quarter->total_mwh[1], (int64_t)quarter->total_mwh[2],
		      (int64_t)quarter->total_mwh[3], (int64_t)quarter->total_mwh[4]);
}

/* Add up the chunks of a minute. Return: 0 or a negative errno; -EBADMSG when some are damaged. */
static int add_row(struct unpacker row, struct quarter **quarters, size_t *n)
{
	struct chunk chunk;
	int ret = 0;

	while (chunk_next(&row, &chunk)) {
		struct quarter *quarter = quarter_of(quarters, n, chunk.serial);
		int error = quarter ? add_chunk(quarter, &chunk) : -ENOMEM;

		if (error == -ENOMEM) {
			return error;
		}
		ret = error < 0 ? error : ret;
	}
	return row.failed ? -EBADMSG : ret;
}

/* Add up the chunks of all units. Those that are damaged are set aside. */
static int add_minutes(sqlite3 *db, int64_t number, struct quarter **quarters, size_t *n)
{
	sqlite3_stmt *rows __cleanup(db_finalize) = NULL;
	int ret = db_prepare(db, &rows,
			     "SELECT chunks, minute FROM minute WHERE minute >= ? AND minute < ?"
			     " ORDER BY minute",
			     "ii", number * MINUTES_OF_QUARTER, (number + 1) * MINUTES_OF_QUARTER);

	while (ret >= 0 && (ret = db_step(rows)) > 0) {
		ret = add_row(chunk_row(rows, 0), quarters, n);
		if (ret == -EBADMSG) {
			ret = damage_keep_minute(db, sqlite3_column_int64(rows, 1));
		}
		if (ret < 0) {
			return ret;
		}
	}
	return ret;
}

static int sum_quarter(sqlite3 *db, int64_t number)
{
	struct quarter *quarters = NULL;
	size_t n = 0;
	int ret = add_minutes(db, number, &quarters, &n);

	for (size_t i = 0; i < n && ret >= 0; i++) {
		ret = write_quarter(db, number, &quarters[i]);
	}
	free(quarters);
	return ret;
}

/* Return: 1 when a quarter was summed up, 0 when none is due. */
static int next_quarter(sqlite3 *db, int64_t now_s, int64_t late_s)
{
	int64_t minute = open_minute(db);
	int64_t number = minute / MINUTES_OF_QUARTER;
	int ret;

	if (minute < 0 || (number + 1) * (QUARTER_MS / 1000) + late_s > now_s) {
		return 0;
	}
	ret = db_begin(db);
	ret = ret < 0 ? ret : sum_quarter(db, number);
	ret = ret < 0 ? ret : set_setting(db, "quarter_done", number);
	ret = ret < 0 ? ret : db_commit(db);
	if (ret < 0) {
		db_rollback(db);
	}
	return ret < 0 ? ret : 1;
}

/* Minutes of a unit's day, from its chunks. Return: their number, or a negative errno. */
static int day_minutes(sqlite3 *db, uint64_t serial, int64_t from_minute, int64_t to_minute,
		       struct report *minutes, uint64_t *total_mwh)
{
	sqlite3_stmt *rows __cleanup(db_finalize) = NULL;
	int ret = history_minutes(db, &rows);
	int count = 0;

	for (int64_t minute = from_minute; ret >= 0 && minute < to_minute; minute++) {
		struct report *reports;
		size_t n;

		ret = history_chunk(rows, minute, serial, &reports, &n, total_mwh);
		if (ret == -EBADMSG) {
			/* the sums of years must not wait for it */
			ret = damage_keep_minute(db, minute);
		}
		if (ret > 0 && n > 0) {
			history_mean(reports, n, &minutes[count]);
			minutes[count++].time_s = minute * 60;
		}
		free(reports);
	}
	return ret < 0 ? ret : count;
}

/* Totals of a unit when nothing of the day is known: those of the day before. */
static void totals_before(sqlite3 *db, uint64_t serial, int32_t day, uint64_t *total_mwh)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;

	memset(total_mwh, 0, sizeof(*total_mwh) * ACCOUNT_CHANNELS);
	if (db_prepare(db, &row,
		       "SELECT e0, e1, e2, e3, e4 FROM day WHERE serial = ? AND day < ?"
		       " ORDER BY day DESC LIMIT 1",
		       "ii", (int64_t)serial, (int64_t)day) == 0 &&
	    db_step(row) > 0) {
		for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
			total_mwh[i] = (uint64_t)sqlite3_column_int64(row, i);
		}
	}
}

static int write_day(sqlite3 *db, uint64_t serial, int32_t day)
{
	int64_t from = local_day_start(day) / 60000;
	int64_t to = local_day_start(history_next_day(day)) / 60000;
	struct report *minutes = malloc(sizeof(*minutes) * (size_t)(to - from));
	uint64_t total_mwh[ACCOUNT_CHANNELS];
	uint8_t *bytes = NULL;
	size_t size = 0;
	int n, ret;

	if (!minutes) {
		return -ENOMEM;
	}
	totals_before(db, serial, day, total_mwh);
	n = day_minutes(db, serial, from, to, minutes, total_mwh);
	ret = n < 0 ? n : day_pack(minutes, (size_t)n, &bytes, &size);
	if (ret >= 0) {
		ret = db_run(db, "INSERT OR REPLACE INTO day VALUES (?,?,?,?,?,?,?,?)", "iibiiiii",
			     (int64_t)serial, (int64_t)day, (const void *)bytes, size,
			     (int64_t)total_mwh[0], (int64_t)total_mwh[1], (int64_t)total_mwh[2],
			     (int64_t)total_mwh[3], (int64_t)total_mwh[4]);
	}
	free(minutes);
	free(bytes);
	return ret;
}

/* One lock for the minutes that are read, and the day. */
static int commit_day(sqlite3 *db, uint64_t serial, int32_t day)
{
	int ret = db_begin(db);

	ret = ret < 0 ? ret : write_day(db, serial, day);
	ret = ret < 0 ? ret : db_commit(db);
	if (ret < 0) {
		db_rollback(db);
	}
	return ret;
}

/* A unit whose day is not written; 0 when all are. */
static uint64_t unit_without_day(sqlite3 *db, int32_t day)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;

	if (db_prepare(db, &row,
		       "SELECT CAST(serial AS INTEGER) AS number FROM unit WHERE removed = 0"
		       " AND number > 0 AND NOT EXISTS (SELECT 1 FROM day WHERE day.serial ="
		       " CAST(unit.serial AS INTEGER) AND day.day = ?) LIMIT 1",
		       "i", (int64_t)day) < 0 ||
	    db_step(row) <= 0) {
		return 0;
	}
	return (uint64_t)sqlite3_column_int64(row, 0);
}

/* Return: 1 when something was done. */
static int next_day(sqlite3 *db, int64_t now_s, int64_t late_s)
{
	int32_t done = history_day_done(db);
	int64_t first;
	int32_t day;
	uint64_t serial;

	if (!done) {
		first = first_minute(db, 0);
		if (first < 0) {
			return 0;
		}
		/* the day before the first one */
		day = local_day(local_day_start(local_day(first * 60000)) - 12 * 3600 * 1000LL);
		return set_setting(db, "day_done", day) < 0 ? -EIO : 1;
	}
	day = history_next_day(done);
	if (local_day_start(history_next_day(day)) / 1000 + late_s > now_s) {
		return 0;
	}
	serial = unit_without_day(db, day);
	if (serial) {
		return commit_day(db, serial, day) < 0 ? -EIO : 1;
	}
	return set_setting(db, "day_done", day) < 0 ? -EIO : 1;
}

/* Chunks whose day and quarter are written, and that are old enough, a few at a time. */
static int remove_chunks(sqlite3 *db, int64_t now_s, int64_t keep_s)
{
	int32_t done = history_day_done(db);
	int64_t first = first_minute(db, 0);
	int64_t last = (now_s - keep_s) / 60;
	int64_t written;

	if (!done || first < 0) {
		return 0;
	}
	written = local_day_start(history_next_day(done)) / 60000;
	last = last < written ? last : written;
	if (first >= last) {
		return 0;
	}
	return db_run(db, "DELETE FROM minute WHERE minute < ?", "i",
		      first + REMOVE_MINUTES < last ? first + REMOVE_MINUTES : last);
}

void history_maintain(sqlite3 *db, int64_t now_s, int64_t late_s, int64_t keep_s)
{
	if (next_quarter(db, now_s, late_s) == 0 && next_day(db, now_s, late_s) == 0) {
		remove_chunks(db, now_s, keep_s);
	}
}
