// SPDX-License-Identifier: GPL-2.0-or-later
/* The writing side of the store; store_read.c has the readers. */
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "days.h"
#include "db.h"
#include "log.h"
#include "report.h"
#include "service_clock.h"
#include "store_chunks.h"
#include "store_damage.h"
#include "store_history.h"
#include "store_schema.h"
#include "util.h"

/* Reports that wait while the disk does not work: 20,000 of 184 bytes. */
#define READINGS_MAX 20000
/* Events and audit lines that wait. */
#define LINES_MAX 4096
/* The thread looks at its queue this often, ns of the site's time. */
#define LOOK_NS 200e6
/* Events, orders and settings are committed after this time. */
#define URGENT_US UINT64_C(1000000)
/* A disk that failed is tried again after this time. */
#define RETRY_US UINT64_C(10000000)
/* Full rate is kept for a day, and while its day blob is not written. */
#define CHUNK_KEEP_S (26 * 3600)
/* Limits with a shorter lease than this are not worth a write: those of the controls. */
#define LIMIT_KEEP_MS 120000
/* A quarter is summed up when its last minute is on the disk. */
#define QUARTER_LATE_S (2 * STORE_COMMIT_S)

/* What waits for the disk. */
struct waiting_reading {
	struct report report;
	uint64_t us; /* monotonic, for a clock that is set later */
	uint64_t total_mwh[ACCOUNT_CHANNELS];
};

struct waiting_unit {
	struct store_unit unit;
	bool changed; /* identity */
	bool counted; /* accounts */
	bool used;
};

struct waiting_line {
	bool audit;
	uint64_t us;
	struct model_event event;
	char text[8][ORDER_TEXT_SIZE];
	int64_t time_ms;
};

struct waiting_setting {
	char name[64];
	char value[1024];
};

struct waiting_batch {
	struct waiting_batch *next;
	uint64_t sequence;
	size_t n;
	uint8_t bytes[];
};

struct store {
	char folder[PATH_MAX];
	struct model *model;
	sqlite3 *db;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t done;
	bool stop;
	uint64_t urgent_us; /* urgent data are written then */
	uint64_t commit_us; /* readings of minutes that are over are written then */
	uint64_t flushes;   /* asked for */
	uint64_t flushed;
	int result; /* of the last commit */
	struct waiting_reading *reading;
	size_t readings;
	struct waiting_unit unit[MODEL_UNITS_MAX];
	struct waiting_line *line;
	size_t lines;
	struct waiting_setting setting[64];
	size_t settings;
	struct power_limits *limits; /* NULL when unchanged */
	struct waiting_batch *batch, **batch_end;
	uint64_t drop_through;
	uint64_t lost_readings;
};

/* ---- queue ---- */

static void advance(uint64_t *due_us, uint64_t us)
{
	uint64_t at_us = clock_monotonic_us() + us;

	if (at_us < *due_us) {
		*due_us = at_us;
	}
}

/* Data that must survive a crash shortly afterwards. */
static void urgent(struct store *store)
{
	advance(&store->urgent_us, URGENT_US);
}

/*
 * Readings wait for the end of the minute of the wall clock, which is the end of their chunk: each
 * chunk is written once.
 */
static void with_the_minute(struct store *store)
{
	int64_t into_ms = clock_wall_ms() % (STORE_COMMIT_S * 1000);

	advance(&store->commit_us, (uint64_t)(STORE_COMMIT_S * 1000 - into_ms) * 1000);
}

static struct waiting_unit *unit_place(struct store *store, const struct serial *serial)
{
	struct waiting_unit *free_place = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(store->unit); i++) {
		struct waiting_unit *place = &store->unit[i];

		if (place->used && serial_equal(&place->unit.unit.serial, serial)) {
			return place;
		}
		if (!place->used && !free_place) {
			free_place = place;
		}
	}
	if (free_place) {
		memset(free_place, 0, sizeof(*free_place));
		free_place->used = true;
		free_place->unit.unit.serial = *serial;
	}
	return free_place;
}

void store_put_unit(struct store *store, const struct store_unit *unit)
{
	struct waiting_unit *place;

	pthread_mutex_lock(&store->lock);
	place = unit_place(store, &unit->unit.serial);
	if (place) {
		place->unit = *unit;
		place->changed = place->counted = true;
	}
	urgent(store);
	pthread_mutex_unlock(&store->lock);
}

void store_put_readings(struct store *store, const struct model_unit *unit,
			const struct account account[ACCOUNT_CHANNELS], int64_t time_ms)
{
	struct waiting_reading *reading;
	struct waiting_unit *place;

	pthread_mutex_lock(&store->lock);
	if (store->readings == READINGS_MAX) {
		store->readings--;
		store->lost_readings++;
		memmove(store->reading, store->reading + 1,
			sizeof(*store->reading) * store->readings);
	}
	reading = &store->reading[store->readings++];
	history_report(unit, account, time_ms, &reading->report);
	reading->us = clock_monotonic_us();
	for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
		reading->total_mwh[i] = account[i].total_mwh;
	}
	place = unit_place(store, &unit->serial);
	if (place) {
		memcpy(place->unit.account, account, sizeof(place->unit.account));
		place->counted = true;
	}
	with_the_minute(store);
	pthread_mutex_unlock(&store->lock);
}

/* A place for an event or an audit line; the oldest goes when the disk has failed for long. */
static struct waiting_line *new_line(struct store *store)
{
	if (store->lines == LINES_MAX) {
		store->lines--;
		memmove(store->line, store->line + 1, sizeof(*store->line) * store->lines);
	}
	memset(&store->line[store->lines], 0, sizeof(*store->line));
	store->line[store->lines].us = clock_monotonic_us();
	urgent(store);
	return &store->line[store->lines++];
}

void store_put_event(struct store *store, const struct model_event *event)
{
	struct waiting_line *line;

	pthread_mutex_lock(&store->lock);
	line = new_line(store);
	line->event = *event;
	line->time_ms = event->time_ms;
	pthread_mutex_unlock(&store->lock);
}

void store_put_audit(struct store *store, const struct audit_entry *entry)
{
	const char *const text[] = {
		entry->who,    entry->role,   entry->interface, entry->from,
		entry->action, entry->target, entry->detail,	entry->result
	};
	struct waiting_line *line;

	pthread_mutex_lock(&store->lock);
	line = new_line(store);
	line->audit = true;
	line->time_ms = entry->time_ms;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		snprintf(line->text[i], sizeof(line->text[i]), "%s", text[i] ? text[i] : "");
	}
	pthread_mutex_unlock(&store->lock);
}

void store_put_limits(struct store *store, const struct power_limits *limits)
{
	pthread_mutex_lock(&store->lock);
	if (!store->limits) {
		store->limits = malloc(sizeof(*store->limits));
	}
	if (store->limits) {
		*store->limits = *limits;
	}
	urgent(store);
	pthread_mutex_unlock(&store->lock);
}

void store_set(struct store *store, const char *name, const char *value)
{
	size_t i = 0;

	pthread_mutex_lock(&store->lock);
	while (i < store->settings && strcmp(store->setting[i].name, name)) {
		i++;
	}
	if (i < ARRAY_SIZE(store->setting)) {
		snprintf(store->setting[i].name, sizeof(store->setting[i].name), "%s", name);
		snprintf(store->setting[i].value, sizeof(store->setting[i].value), "%s", value);
		store->settings += i == store->settings;
	}
	urgent(store);
	pthread_mutex_unlock(&store->lock);
}

void store_put_batch(struct store *store, uint64_t sequence, const uint8_t *bytes, size_t n)
{
	struct waiting_batch *batch = malloc(sizeof(*batch) + n);

	if (!batch) {
		return;
	}
	batch->next = NULL;
	batch->sequence = sequence;
	batch->n = n;
	memcpy(batch->bytes, bytes, n);
	pthread_mutex_lock(&store->lock);
	*store->batch_end = batch;
	store->batch_end = &batch->next;
	urgent(store);
	pthread_mutex_unlock(&store->lock);
}

void store_drop_batches(struct store *store, uint64_t through)
{
	struct waiting_batch **at = &store->batch;

	pthread_mutex_lock(&store->lock);
	if (through > store->drop_through) {
		store->drop_through = through;
	}
	while (*at) {
		struct waiting_batch *batch = *at;

		if (batch->sequence <= through) {
			*at = batch->next;
			free(batch);
		} else {
			at = &batch->next;
		}
	}
	store->batch_end = at;
	with_the_minute(store);
	pthread_mutex_unlock(&store->lock);
}

int store_flush(struct store *store)
{
	uint64_t wanted;
	int ret;

	pthread_mutex_lock(&store->lock);
	wanted = ++store->flushes;
	pthread_cond_signal(&store->wake);
	while (store->flushed < wanted) {
		pthread_cond_wait(&store->done, &store->lock);
	}
	ret = store->result;
	pthread_mutex_unlock(&store->lock);
	return ret;
}

/* ---- one transaction ---- */

/* The wall-clock time of an item: its own, or by the monotonic clock when it was not set then. */
static int64_t true_time(int64_t time_ms, uint64_t us)
{
	return time_ms >= STORE_CLOCK_SET_MS
		       ? time_ms
		       : clock_wall_ms() - (int64_t)(clock_monotonic_us() - us) / 1000;
}

static int write_settings(sqlite3 *db, const struct waiting_setting *setting, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && ret >= 0; i++) {
		ret = db_run(db, "INSERT OR REPLACE INTO setting VALUES (?, ?)", "ss",
			     setting[i].name, setting[i].value);
	}
	return ret;
}

static int write_identity(sqlite3 *db, const struct store_unit *unit, const char *serial)
{
	const struct model_unit *shown = &unit->unit;
	const void *key = unit->has_key ? unit->key.byte : NULL;

	return db_run(db,
		      "INSERT OR REPLACE INTO unit VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		      "sisiiiiibsssssbiii", serial, (int64_t)unit->removed, shown->name,
		      (int64_t)shown->make, (int64_t)shown->paired, (int64_t)shown->address,
		      (int64_t)shown->modbus_unit, (int64_t)shown->phase,
		      (const void *)shown->place, sizeof(shown->place), shown->rma, shown->firmware,
		      shown->model, shown->profile, shown->profile_desired, key,
		      key ? sizeof(unit->key.byte) : (size_t)0, (int64_t)unit->event_last,
		      (int64_t)shown->phase_named, (int64_t)shown->phase_group);
}

static int write_accounts(sqlite3 *db, const struct account *account, const char *serial)
{
	int ret = 0;

	for (int i = 0; i < ACCOUNT_CHANNELS && ret >= 0; i++) {
		ret = db_run(db, "INSERT OR REPLACE INTO account VALUES (?,?,?,?,?,?,?,?)",
			     "siiiiiii", serial, (int64_t)i, (int64_t)account[i].total_mwh,
			     (int64_t)account[i].day, (int64_t)account[i].day_mwh,
			     (int64_t)account[i].counter_mwh, (int64_t)account[i].counted,
			     account[i].time_ms);
	}
	return ret;
}

static int write_units(sqlite3 *db, const struct waiting_unit *unit)
{
	int ret = 0;

	for (int i = 0; i < MODEL_UNITS_MAX && ret >= 0; i++) {
		char serial[SERIAL_TEXT_SIZE];

		if (!unit[i].used) {
			continue;
		}
		serial_format(serial, &unit[i].unit.unit.serial);
		if (unit[i].changed) {
			ret = write_identity(db, &unit[i].unit, serial);
		}
		if (unit[i].counted && ret >= 0) {
			ret = write_accounts(db, unit[i].unit.account, serial);
		}
	}
	return ret;
}

static int write_line(sqlite3 *db, const struct waiting_line *line)
{
	int64_t time_ms = true_time(line->time_ms, line->us);
	char serial[SERIAL_TEXT_SIZE] = "";
	struct audit_entry entry = { .time_ms = time_ms,
				     .who = line->text[0],
				     .role = line->text[1],
				     .interface = line->text[2],
				     .from = line->text[3],
				     .action = line->text[4],
				     .target = line->text[5],
				     .detail = line->text[6],
				     .result = line->text[7] };

	if (line->audit) {
		int64_t id = audit_write(db, &entry);

		return id < 0 ? (int)id : 0;
	}
	if (line->event.has_serial) {
		serial_format(serial, &line->event.serial);
	}
	return db_run(db, "INSERT OR REPLACE INTO event VALUES (?,?,?,?,?)", "iisss",
		      (int64_t)line->event.number, time_ms, model_event_name(line->event.kind),
		      serial, line->event.detail);
}

static bool is_worth_keeping(const struct model_limit_entry *entry)
{
	return entry->until_ms == 0 || entry->until_ms - entry->since_ms > LIMIT_KEEP_MS;
}

static int write_limits(sqlite3 *db, const struct power_limits *limits)
{
	int ret = db_exec(db, "DELETE FROM power_limit");

	for (int i = 0; i < limits->count && ret >= 0; i++) {
		const struct model_limit_entry *entry = &limits->entry[i].shown;
		char serial[SERIAL_TEXT_SIZE] = "";

		if (!is_worth_keeping(entry)) {
			continue;
		}
		if (!entry->site) {
			serial_format(serial, &entry->serial);
		}
		ret = db_run(db, "INSERT INTO power_limit VALUES (?,?,?,?,?,?,?,?,?)", "sisddiiss",
			     entry->owner, (int64_t)entry->site, serial, entry->w, entry->then_w,
			     entry->since_ms, entry->until_ms, entry->reason, entry->by);
	}
	return ret;
}

/* By minute, unit and time: the order in which they are written. */
static int compare_readings(const void *a, const void *b)
{
	const struct report *x = &((const struct waiting_reading *)a)->report;
	const struct report *y = &((const struct waiting_reading *)b)->report;
	int64_t minutes = x->time_s / 60 - y->time_s / 60;

	return minutes ? (minutes > 0) - (minutes < 0) : report_compare(x, y);
}

/* The first readings that are of one unit. */
static size_t of_one_unit(const struct waiting_reading *reading, size_t n)
{
	size_t count = 0;

	while (count < n && reading[count].report.serial == reading[0].report.serial) {
		count++;
	}
	return count;
}

/* A chunk of @n readings of one unit, and of those in @before, which may be NULL. */
static int put_chunk(struct packer *row, const struct waiting_reading *reading, size_t n,
		     const struct chunk *before)
{
	struct report *reports = NULL, *more;
	struct chunk chunk = { .serial = reading->report.serial };
	uint8_t *bytes = NULL;
	size_t count = 0;
	int ret = before ? day_unpack(before->reports, before->n, &reports, &count) : 0;

	if (ret < 0) {
		return ret;
	}
	more = realloc(reports, sizeof(*reports) * (count + n));
	if (!more) {
		free(reports);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		more[count++] = reading[i].report;
	}
	qsort(more, count, sizeof(*more), report_compare);
	ret = day_pack_open(more, count, &bytes, &chunk.n);
	if (ret >= 0) {
		chunk.reports = bytes;
		memcpy(chunk.total_mwh, reading[n - 1].total_mwh, sizeof(chunk.total_mwh));
		chunk_put(row, &chunk);
	}
	free(more);
	free(bytes);
	return ret;
}

/* Chunks of @n readings of a minute, among those that @before has, both by serial number. */
static int merge_row(struct packer *row, const struct waiting_reading *reading, size_t n,
		     struct unpacker *before)
{
	struct chunk chunk;
	bool more = chunk_next(before, &chunk);
	int ret = 0;

	for (size_t at = 0, count; at < n && ret >= 0; at += count) {
		uint64_t serial = reading[at].report.serial;
		bool known;

		for (; more && chunk.serial < serial; more = chunk_next(before, &chunk)) {
			chunk_put(row, &chunk);
		}
		known = more && chunk.serial == serial;
		count = of_one_unit(reading + at, n - at);
		ret = put_chunk(row, reading + at, count, known ? &chunk : NULL);
		more = known ? chunk_next(before, &chunk) : more;
	}
	for (; more; more = chunk_next(before, &chunk)) {
		chunk_put(row, &chunk);
	}
	return ret < 0 ? ret : before->failed ? -EBADMSG : row->failed ? -ENOMEM : 0;
}

/* The row of a minute. Readings that the row already has, after a step of the clock, stay. */
static int write_minute(sqlite3 *db, int64_t minute, const struct waiting_reading *reading,
			size_t n)
{
	sqlite3_stmt *rows __cleanup(db_finalize) = NULL;
	struct unpacker before = { 0 };
	struct packer row = { 0 };
	int ret = history_minutes(db, &rows);

	ret = ret < 0 ? ret : db_bind(rows, "i", minute);
	ret = ret < 0 ? ret : db_step(rows);
	if (ret > 0) {
		before = chunk_row(rows, 0);
	}
	ret = ret < 0 ? ret : merge_row(&row, reading, n, &before);
	if (ret == -EBADMSG) {
		/* It cannot become readable, and the commit would fail for ever. */
		ret = damage_keep_minute(db, minute);
		before = (struct unpacker){ 0 };
		free(row.bytes);
		row = (struct packer){ 0 };
		ret = ret < 0 ? ret : merge_row(&row, reading, n, &before);
	}
	if (ret >= 0) {
		ret = db_run(db, "INSERT OR REPLACE INTO minute VALUES (?, ?)", "ib", minute,
			     (const void *)row.bytes, row.n);
	}
	free(row.bytes);
	return ret;
}

/* All waiting readings, a minute at a time. */
static int write_readings(sqlite3 *db, struct waiting_reading *reading, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		reading[i].report.time_s =
			true_time(reading[i].report.time_s * 1000, reading[i].us) / 1000;
	}
	if (n > 0) {
		qsort(reading, n, sizeof(*reading), compare_readings);
	}
	for (size_t at = 0, count; at < n && ret >= 0; at += count) {
		int64_t minute = reading[at].report.time_s / 60;

		for (count = 0; at + count < n; count++) {
			if (reading[at + count].report.time_s / 60 != minute) {
				break;
			}
		}
		ret = write_minute(db, minute, reading + at, count);
	}
	return ret;
}

/* First the old ones go: those of a new epoch begin at 1 again. */
static int write_batches(sqlite3 *db, const struct waiting_batch *batch, uint64_t drop_through)
{
	int ret = drop_through ? db_run(db, "DELETE FROM batch WHERE sequence <= ?", "i",
					(int64_t)drop_through)
			       : 0;

	for (; batch && ret >= 0; batch = batch->next) {
		ret = db_run(db, "INSERT OR REPLACE INTO batch VALUES (?, ?)", "ib",
			     (int64_t)batch->sequence, (const void *)batch->bytes, batch->n);
	}
	return ret;
}

/*
 * What one transaction writes; taken from the queue, and put back if the write fails.
 * @reading is NULL when readings wait on.
 */
struct work {
	struct waiting_reading *reading;
	size_t readings;
	struct waiting_unit *unit;
	struct waiting_line *line;
	size_t lines;
	struct waiting_setting setting[64];
	size_t settings;
	struct power_limits *limits;
	struct waiting_batch *batch;
	uint64_t drop_through;
};

static int write_all(sqlite3 *db, struct work *work)
{
	int ret = db_begin(db);

	if (ret < 0) {
		return ret;
	}
	ret = write_settings(db, work->setting, work->settings);
	ret = ret < 0 ? ret : write_units(db, work->unit);
	for (size_t i = 0; i < work->lines && ret >= 0; i++) {
		ret = write_line(db, &work->line[i]);
	}
	ret = ret < 0 || !work->limits ? ret : write_limits(db, work->limits);
	ret = ret < 0 ? ret : write_readings(db, work->reading, work->readings);
	ret = ret < 0 ? ret : write_batches(db, work->batch, work->drop_through);
	ret = ret < 0 ? ret : db_commit(db);
	if (ret < 0) {
		db_rollback(db);
	}
	return ret;
}

/* ---- the thread ---- */

/* What a commit takes from the queue. */
enum extent {
	EXTENT_URGENT, /* all but readings, and accounts that alone have changed */
	EXTENT_MINUTE, /* all but the readings of the minute that is not over */
	EXTENT_ALL,
};

static void take_readings(struct store *store, struct work *work, struct waiting_reading *empty,
			  enum extent extent)
{
	int64_t minute = clock_wall_ms() / 60000;
	struct waiting_reading *waiting = store->reading;
	size_t n = store->readings;

	work->reading = waiting;
	store->reading = empty;
	store->readings = 0;
	store->commit_us = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		if (extent == EXTENT_MINUTE && waiting[i].report.time_s / 60 == minute) {
			store->reading[store->readings++] = waiting[i];
		} else {
			work->reading[work->readings++] = waiting[i];
		}
	}
	if (store->readings > 0) {
		with_the_minute(store);
	}
}

static void take_units(struct store *store, struct work *work, enum extent extent)
{
	for (size_t i = 0; i < ARRAY_SIZE(store->unit); i++) {
		work->unit[i].used = store->unit[i].used &&
				     (extent != EXTENT_URGENT || store->unit[i].changed);
		if (work->unit[i].used) {
			work->unit[i] = store->unit[i];
			store->unit[i].used = false;
		}
	}
}

/* Take the queue; false without memory. */
static bool take_work(struct store *store, struct work *work, enum extent extent)
{
	bool readings = extent != EXTENT_URGENT;
	struct waiting_reading *reading = readings ? malloc(sizeof(*reading) * READINGS_MAX) : NULL;
	struct waiting_line *line = malloc(sizeof(*line) * LINES_MAX);

	memset(work, 0, sizeof(*work));
	work->unit = malloc(sizeof(store->unit));
	if ((readings && !reading) || !line || !work->unit) {
		free(reading);
		free(line);
		free(work->unit);
		return false;
	}
	if (readings) {
		take_readings(store, work, reading, extent);
	}
	take_units(store, work, extent);
	work->line = store->line;
	work->lines = store->lines;
	memcpy(work->setting, store->setting, sizeof(store->setting));
	work->settings = store->settings;
	work->limits = store->limits;
	work->batch = store->batch;
	work->drop_through = store->drop_through;
	store->line = line;
	store->lines = store->settings = 0;
	store->limits = NULL;
	store->batch = NULL;
	store->batch_end = &store->batch;
	store->drop_through = 0;
	store->urgent_us = UINT64_MAX;
	return true;
}

static void give_back_readings(struct store *store, const struct work *work)
{
	size_t room = READINGS_MAX - store->readings;
	size_t kept = work->readings < room ? work->readings : room;

	memmove(store->reading + kept, store->reading, sizeof(*store->reading) * store->readings);
	memcpy(store->reading, work->reading + (work->readings - kept),
	       sizeof(*store->reading) * kept);
	store->readings += kept;
	store->lost_readings += work->readings - kept;
}

/* The write has failed: put the items back in front of those that have arrived since. */
static void give_back(struct store *store, struct work *work)
{
	size_t room = LINES_MAX - store->lines;
	size_t kept = work->lines < room ? work->lines : room;
	struct waiting_batch **end = &work->batch;

	if (work->reading) {
		give_back_readings(store, work);
	}
	memmove(store->line + kept, store->line, sizeof(*store->line) * store->lines);
	memcpy(store->line, work->line + (work->lines - kept), sizeof(*store->line) * kept);
	store->lines += kept;
	for (size_t i = 0; i < MODEL_UNITS_MAX; i++) {
		struct waiting_unit *place;

		if (!work->unit[i].used) {
			continue;
		}
		place = unit_place(store, &work->unit[i].unit.unit.serial);
		if (place && work->unit[i].changed && !place->changed) {
			struct account account[ACCOUNT_CHANNELS];

			memcpy(account, place->unit.account, sizeof(account));
			place->unit = work->unit[i].unit;
			if (place->counted) {
				memcpy(place->unit.account, account, sizeof(account));
			}
			place->changed = true;
		} else if (place && !place->counted) {
			memcpy(place->unit.account, work->unit[i].unit.account,
			       sizeof(place->unit.account));
		}
		if (place) {
			place->counted |= work->unit[i].counted;
		}
	}
	for (size_t i = 0; i < work->settings && store->settings < ARRAY_SIZE(store->setting);
	     i++) {
		store->setting[store->settings++] = work->setting[i];
	}
	if (!store->limits) {
		store->limits = work->limits;
		work->limits = NULL;
	}
	while (*end) {
		end = &(*end)->next;
	}
	*end = store->batch;
	if (!store->batch) {
		store->batch_end = work->batch ? end : &store->batch;
	}
	store->batch = work->batch;
	work->batch = NULL;
	if (work->drop_through > store->drop_through) {
		store->drop_through = work->drop_through;
	}
	store->urgent_us = store->commit_us = clock_monotonic_us() + RETRY_US;
}

static void free_work(struct work *work)
{
	while (work->batch) {
		struct waiting_batch *next = work->batch->next;

		free(work->batch);
		work->batch = next;
	}
	free(work->reading);
	free(work->line);
	free(work->unit);
	free(work->limits);
}

static void show_result(struct store *store, int error)
{
	char path[PATH_MAX + 16];
	struct stat st;
	struct model *model = store->model;
	struct damage damage = { 0 };
	bool known = damage_get(store->db, &damage) == 0;

	snprintf(path, sizeof(path), "%s/%s", store->folder, STORE_FILE);
	model_lock(model);
	model->status.store_ok = error >= 0;
	snprintf(model->status.store_error, sizeof(model->status.store_error), "%s",
		 error < 0 ? strerror(-error) : "");
	if (known) {
		model->status.store_damaged = damage.count;
		snprintf(model->status.store_damage, sizeof(model->status.store_damage), "%s",
			 damage.newest);
	}
	if (stat(path, &st) == 0) {
		model->status.store_bytes = (uint64_t)st.st_size;
	}
	model_unlock(model);
}

static void commit(struct store *store, enum extent extent)
{
	uint64_t flushes = store->flushes;
	struct work work;
	int ret = -ENOMEM;

	/* with a clock that was never set nothing gets a time */
	if (clock_wall_ms() < STORE_CLOCK_SET_MS && flushes == store->flushed && !store->stop) {
		store->urgent_us = store->commit_us = clock_monotonic_us() + URGENT_US;
		return;
	}
	if (take_work(store, &work, extent)) {
		pthread_mutex_unlock(&store->lock);
		ret = write_all(store->db, &work);
		show_result(store, ret);
		pthread_mutex_lock(&store->lock);
		if (ret < 0) {
			give_back(store, &work);
		}
		free_work(&work);
	}
	store->result = ret < 0 ? ret : 0;
	store->flushed = flushes;
	pthread_cond_broadcast(&store->done);
}

static void wait_a_little(struct store *store)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(LOOK_NS / fmax(clock_rate(), 1));
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&store->wake, &store->lock, &until);
}

static void *run(void *ctx)
{
	struct store *store = ctx;

	pthread_mutex_lock(&store->lock);
	while (!store->stop) {
		uint64_t now_us = clock_monotonic_us();

		if (store->flushed < store->flushes) {
			commit(store, EXTENT_ALL);
		} else if (now_us >= store->commit_us) {
			commit(store, EXTENT_MINUTE);
		} else if (now_us >= store->urgent_us) {
			commit(store, EXTENT_URGENT);
		}
		pthread_mutex_unlock(&store->lock);
		/* one step at a time, so that a commit never waits for the sums of a year */
		history_maintain(store->db, clock_wall_ms() / 1000, QUARTER_LATE_S, CHUNK_KEEP_S);
		pthread_mutex_lock(&store->lock);
		if (!store->stop && store->flushed == store->flushes) {
			wait_a_little(store);
		}
	}
	commit(store, EXTENT_ALL);
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* ---- open, load, close ---- */

const char *store_folder(const struct store *store)
{
	return store->folder;
}

static int make_folder(const char *folder, char *err, size_t size)
{
	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		int error = errno;

		snprintf(err, size, "%s: %s", folder, strerror(error));
		return -error;
	}
	return 0;
}

static int open_database(const char *folder, sqlite3 **ret_db, char *err, size_t size)
{
	char path[PATH_MAX + 16];
	sqlite3 *db = NULL;
	int ret;

	snprintf(path, sizeof(path), "%s/%s", folder, STORE_FILE);
	ret = db_open(&db, path, DB_SAFE, err, size);
	/*
	 * Debian's SQLite would overwrite and write each page that becomes free. FAST overwrites
	 * what is removed, such as a key, in pages that are written anyway.
	 */
	ret = ret < 0 ? ret : db_exec(db, "PRAGMA secure_delete=FAST");
	ret = ret < 0 ? ret : chunk_migration(db);
	ret = ret < 0 ? ret
		      : db_migrate(db, STORE_COMPONENT, store_schema, ARRAY_SIZE(store_schema), err,
				   size);
	ret = ret < 0 ? ret : audit_migrate(db, err, size);
	if (ret < 0) {
		db_close(db);
		return ret == -EBADMSG ? -EUCLEAN : ret;
	}
	*ret_db = db;
	return 0;
}

int store_open(struct store **ret, const char *folder, struct model *model, char *err, size_t size)
{
	struct store *store = calloc(1, sizeof(*store));
	pthread_condattr_t monotonic;
	int error;

	if (!store) {
		return -ENOMEM;
	}
	store->model = model;
	store->urgent_us = store->commit_us = UINT64_MAX;
	store->batch_end = &store->batch;
	snprintf(store->folder, sizeof(store->folder), "%s", folder);
	store->reading = malloc(sizeof(*store->reading) * READINGS_MAX);
	store->line = malloc(sizeof(*store->line) * LINES_MAX);
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &monotonic);
	pthread_cond_init(&store->done, NULL);
	pthread_condattr_destroy(&monotonic);
	error = store->reading && store->line ? make_folder(folder, err, size) : -ENOMEM;
	error = error < 0 ? error : open_database(folder, &store->db, err, size);
	if (error >= 0) {
		show_result(store, 0);
		error = -pthread_create(&store->thread, NULL, run, store);
	}
	if (error < 0) {
		db_close(store->db);
		free(store->reading);
		free(store->line);
		free(store);
		return error;
	}
	*ret = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store) {
		return;
	}
	pthread_mutex_lock(&store->lock);
	store->stop = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
	db_close(store->db);
	while (store->batch) {
		struct waiting_batch *next = store->batch->next;

		free(store->batch);
		store->batch = next;
	}
	free(store->limits);
	free(store->reading);
	free(store->line);
	pthread_mutex_destroy(&store->lock);
	pthread_cond_destroy(&store->wake);
	pthread_cond_destroy(&store->done);
	free(store);
}

static void copy_text(char *to, size_t size, sqlite3_stmt *row, int column)
{
	snprintf(to, size, "%s", db_text(row, column));
}

static int load_accounts(sqlite3 *db, const char *serial, struct account *account)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret =
		db_prepare(db, &row,
			   "SELECT channel, total_mwh, day, day_mwh, counter_mwh, counted, time_ms"
			   " FROM account WHERE serial = ?",
			   "s", serial);

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		int channel = sqlite3_column_int(row, 0);

		if (channel < 0 || channel >= ACCOUNT_CHANNELS) {
			damage_keep(db, NULL, 0, "account %d of inverter %s", channel, serial);
			continue;
		}
		account[channel] = (struct account){
			.total_mwh = (uint64_t)sqlite3_column_int64(row, 1),
			.day = sqlite3_column_int(row, 2),
			.day_mwh = (uint64_t)sqlite3_column_int64(row, 3),
			.counter_mwh = (uint64_t)sqlite3_column_int64(row, 4),
			.counted = sqlite3_column_int(row, 5),
			.time_ms = sqlite3_column_int64(row, 6),
		};
	}
	return ret;
}

static int load_unit(sqlite3 *db, sqlite3_stmt *row, struct store_unit *unit)
{
	struct model_unit *shown = &unit->unit;
	const char *serial = db_text(row, 0);

	memset(unit, 0, sizeof(*unit));
	if (serial_parse(serial, &shown->serial) < 0) {
		return -EUCLEAN;
	}
	unit->removed = sqlite3_column_int(row, 1);
	copy_text(shown->name, sizeof(shown->name), row, 2);
	shown->make = (enum model_make)sqlite3_column_int(row, 3);
	shown->paired = sqlite3_column_int(row, 4);
	shown->address = (uint16_t)sqlite3_column_int(row, 5);
	shown->modbus_unit = (uint8_t)sqlite3_column_int(row, 6);
	shown->phase = (enum model_phase)sqlite3_column_int(row, 7);
	if (sqlite3_column_bytes(row, 8) == (int)sizeof(shown->place)) {
		memcpy(shown->place, sqlite3_column_blob(row, 8), sizeof(shown->place));
	}
	copy_text(shown->rma, sizeof(shown->rma), row, 9);
	copy_text(shown->firmware, sizeof(shown->firmware), row, 10);
	copy_text(shown->model, sizeof(shown->model), row, 11);
	copy_text(shown->profile, sizeof(shown->profile), row, 12);
	copy_text(shown->profile_desired, sizeof(shown->profile_desired), row, 13);
	unit->has_key = sqlite3_column_bytes(row, 14) == (int)sizeof(unit->key.byte);
	if (unit->has_key) {
		memcpy(unit->key.byte, sqlite3_column_blob(row, 14), sizeof(unit->key.byte));
	}
	unit->event_last = (uint32_t)sqlite3_column_int64(row, 15);
	shown->phase_named = sqlite3_column_int(row, 16);
	shown->phase_group = sqlite3_column_int(row, 17);
	return load_accounts(db, serial, unit->account);
}

int store_load_units(struct store *store, int (*take)(void *ctx, const struct store_unit *unit),
		     void *ctx)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret = db_prepare(store->db, &row,
			     "SELECT * FROM unit ORDER BY removed, modbus_unit, serial", "");

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		struct store_unit unit;

		ret = load_unit(store->db, row, &unit);
		if (ret == -EUCLEAN) {
			ret = damage_keep(store->db, NULL, 0, "inverter '%.40s'", db_text(row, 0));
			continue;
		}
		ret = ret < 0 ? ret : take(ctx, &unit);
	}
	return ret;
}

int store_load_limits(struct store *store,
		      int (*take)(void *ctx, const struct power_limits_entry *entry), void *ctx)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int64_t now_ms = clock_wall_ms();
	int ret = db_prepare(store->db, &row, "SELECT * FROM power_limit", "");

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		struct power_limits_entry entry = { .until_us = POWER_LIMITS_FOREVER };
		struct model_limit_entry *shown = &entry.shown;

		copy_text(shown->owner, sizeof(shown->owner), row, 0);
		shown->site = sqlite3_column_int(row, 1);
		if (!shown->site && serial_parse(db_text(row, 2), &shown->serial) < 0) {
			ret = damage_keep(store->db, NULL, 0, "limit of %s for inverter '%.40s'",
					  shown->owner, db_text(row, 2));
			continue;
		}
		shown->w = db_number(row, 3);
		shown->then_w = db_number(row, 4);
		shown->since_ms = sqlite3_column_int64(row, 5);
		shown->until_ms = sqlite3_column_int64(row, 6);
		copy_text(shown->reason, sizeof(shown->reason), row, 7);
		copy_text(shown->by, sizeof(shown->by), row, 8);
		if (shown->until_ms > 0) {
			int64_t left_ms = shown->until_ms - now_ms;

			entry.until_us =
				clock_monotonic_us() + (left_ms > 0 ? (uint64_t)left_ms * 1000 : 0);
		}
		ret = take(ctx, &entry);
	}
	return ret;
}

static enum model_event_kind event_kind(const char *name)
{
	for (int kind = 0; kind < EVENT_COUNT; kind++) {
		if (!strcmp(model_event_name(kind), name)) {
			return kind;
		}
	}
	return EVENT_INVERTER;
}

int store_event_of_row(sqlite3_stmt *row, struct model_event *event)
{
	*event = (struct model_event){
		.number = (uint64_t)sqlite3_column_int64(row, 0),
		.time_ms = sqlite3_column_int64(row, 1),
		.kind = event_kind(db_text(row, 2)),
	};
	event->has_serial = serial_parse(db_text(row, 3), &event->serial) == 0;
	copy_text(event->detail, sizeof(event->detail), row, 4);
	return 0;
}

int store_load_events(struct store *store, struct model *model)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret =
		db_prepare(store->db, &row,
			   "SELECT * FROM event WHERE number > (SELECT max(number) FROM event) - ?"
			   " ORDER BY number",
			   "i", (int64_t)MODEL_EVENTS);

	while (ret >= 0 && (ret = db_step(row)) > 0) {
		struct model_event event;

		store_event_of_row(row, &event);
		model_lock(model);
		model->event[event.number % MODEL_EVENTS] = event;
		model->event_last = event.number;
		model_unlock(model);
	}
	return ret;
}

int store_get(struct store *store, const char *name, char *value, size_t size)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	int ret =
		db_prepare(store->db, &row, "SELECT value FROM setting WHERE name = ?", "s", name);

	ret = ret < 0 ? ret : db_step(row);
	if (ret >= 0) {
		snprintf(value, size, "%s", ret > 0 ? db_text(row, 0) : "");
	}
	return ret < 0 ? ret : 0;
}
