// SPDX-License-Identifier: GPL-2.0-or-later
/* From the log to the derived tables, see derive.h. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "days.h"
#include "derive.h"
#include "log.h"
#include "rollup.h"
#include "schema.h"

#define DAY_S 86400
#define HASH_BYTES 16
/* Numbers of events: those of one batch follow each other. */
#define EVENTS_PER_BATCH 4096

static_assert(BATCH_ROWS_MAX < EVENTS_PER_BATCH, "numbers of events");

/**
 * struct source - a batch of the log with what the log knows of it
 */
struct source {
	int64_t number;
	int64_t site;
	int64_t customer;
	int64_t shift_s;
	struct batch batch;
};

/* Before a transaction has this many changed days, or reports of them, in memory, it writes them.
 */
#define CHANGED_DAYS_MAX 4096
#define CHANGED_REPORTS_MAX 20000
#define CHANGED_BUCKETS 1024
/* Batches that are read at once. */
#define READ_MAX 200

/**
 * struct changed_day - a day of an inverter with the reports of some batches
 * @ecu: that sent the newest
 * @zone_min: of the last batch
 * @reports: all of the day, also the stored ones
 * @newest: of the batches
 * @closed: its reports are not kept any more: late reports change nothing
 * @next: index of the next one in the same bucket, -1 for none
 */
struct changed_day {
	int64_t site;
	int64_t customer;
	uint64_t serial;
	int64_t day;
	uint64_t ecu;
	int zone_min;
	struct report *reports;
	size_t n;
	struct report newest;
	bool closed;
	int next;
};

struct changed_site {
	int64_t site;
	int zone_min;
};

/**
 * struct changed - what the batches of a transaction have changed
 *
 * A day is read and written once for many batches: after an outage an ECU delivers a day in
 * hundreds of batches, and each would write the whole day again.
 */
struct changed {
	struct changed_day *day;
	int days;
	size_t reports;
	int bucket[CHANGED_BUCKETS];
	struct changed_site site[CHANGED_DAYS_MAX];
	int sites;
};

int64_t derive_reports(struct store *store, struct sql *sql, int64_t site, uint64_t serial,
		       int64_t day, struct report **ret_reports)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	uint8_t *bytes __cleanup(free_ptr) = NULL;
	struct report *reports;
	const void *sealed;
	size_t n, count;
	int ret = sql_query(sql, &rows,
			    "SELECT content, customer FROM unit_days JOIN sites ON sites.id = "
			    "unit_days.site WHERE site = $1 AND serial = $2 AND day = $3",
			    "iii", site, serial, day);

	if (ret == 0) {
		ret = sql_next(rows);
	}
	if (ret <= 0) {
		*ret_reports = NULL;
		return ret;
	}
	sealed = sql_blob(rows, 0, &n);
	if (n == 0) {
		return -ENODATA;
	}
	ret = vault_open_bytes(store->vault, sql_int(rows, 1), sealed, n, &bytes, &n);
	if (ret == 0) {
		ret = day_unpack(bytes, n, &reports, &count);
	}
	if (ret < 0) {
		return ret;
	}
	*ret_reports = reports;
	return (int64_t)count;
}

static int64_t nullable(int64_t value)
{
	return value == REPORT_ABSENT ? SQL_NULL : value;
}

/* The hash is of the reports alone: the content has a random nonce, and its compression depends
 * on whether the day is over. */
static void hash_reports(const struct report *reports, size_t n, uint8_t *hash)
{
	struct packer packer = { 0 };

	report_pack(&packer, reports, n);
	crypto_generichash(hash, HASH_BYTES, packer.bytes, packer.n, NULL, 0);
	free(packer.bytes);
}

static int write_day(struct store *store, struct sql *sql, const struct changed_day *day)
{
	uint8_t *plain __cleanup(free_ptr) = NULL;
	uint8_t *sealed __cleanup(free_ptr) = NULL;
	struct packer quarters = { 0 };
	uint8_t hash[HASH_BYTES];
	struct rollup rollup;
	size_t plain_n, sealed_n;
	int ret = day_pack_open(day->reports, day->n, &plain, &plain_n);

	if (ret == 0) {
		ret = vault_seal(store->vault, day->customer, plain, plain_n, &sealed, &sealed_n);
	}
	if (ret < 0) {
		return ret;
	}
	rollup_day(day->reports, day->n, day->day * DAY_S - day->zone_min * 60, &rollup);
	rollup_pack(&rollup, &quarters);
	hash_reports(day->reports, day->n, hash);
	ret = quarters.failed
		      ? -ENOMEM
		      : sql_run(sql,
				"INSERT INTO unit_days (site, serial, day, reports, peak_w, "
				"first1, first2, first3, first4, last1, last2, last3, last4, "
				"quarters, plain_hash, content) VALUES ($1, $2, $3, $4, $5, $6, "
				"$7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
				"ON CONFLICT (site, serial, day) DO UPDATE SET reports = "
				"excluded.reports, peak_w = excluded.peak_w, first1 = "
				"excluded.first1, first2 = excluded.first2, first3 = "
				"excluded.first3, first4 = excluded.first4, last1 = "
				"excluded.last1, last2 = excluded.last2, last3 = excluded.last3, "
				"last4 = excluded.last4, quarters = excluded.quarters, "
				"plain_hash = excluded.plain_hash, content = excluded.content",
				"iiiinnnnnnnnnbbb", day->site, day->serial, day->day,
				(int64_t)day->n, nullable(rollup.peak_w), nullable(rollup.first[0]),
				nullable(rollup.first[1]), nullable(rollup.first[2]),
				nullable(rollup.first[3]), nullable(rollup.last[0]),
				nullable(rollup.last[1]), nullable(rollup.last[2]),
				nullable(rollup.last[3]), quarters.bytes, quarters.n, hash,
				sizeof(hash), sealed, sealed_n);
	free(quarters.bytes);
	return ret < 0 ? ret : 0;
}

static int derive_unit(struct sql *sql, int64_t site, uint64_t ecu, const struct report *newest)
{
	struct packer packer = { 0 };
	int ret;

	report_pack(&packer, newest, 1);
	ret = packer.failed
		      ? -ENOMEM
		      : sql_run(sql,
				"INSERT INTO units (serial, site, ecu, time_s, power_w, state, faults, "
				"newest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (site, "
				"serial) DO UPDATE SET ecu = excluded.ecu, time_s = excluded.time_s, "
				"power_w = excluded.power_w, state = excluded.state, faults = "
				"excluded.faults, newest = excluded.newest WHERE excluded.time_s >= "
				"units.time_s",
				"iiiinnnb", newest->serial, site, ecu, newest->time_s,
				nullable(newest->value[REPORT_POWER]),
				nullable(newest->value[REPORT_STATE]),
				nullable(newest->value[REPORT_FAULTS]), packer.bytes, packer.n);
	free(packer.bytes);
	return ret < 0 ? ret : 0;
}

/* Energy of an input in the day u after the day b, as history_read() has it. */
#define MORE(from, to) "CASE WHEN " to " > " from " THEN " to " - " from " ELSE 0 END"
#define GAINED(input)                                                                              \
	MORE("b.last" input, "u.first" input) " + " MORE("u.first" input, "u.last" input)

/* Sums over the inverters of a site, as of its newest report. */
static int derive_site(struct sql *sql, const struct changed_site *changed)
{
	int64_t newest_s;
	int ret = sql_one(sql, &newest_s, 0, "SELECT MAX(time_s) FROM units WHERE site = $1", "i",
			  changed->site);

	if (ret == 0) {
		ret = sql_run(
			sql,
			"UPDATE sites SET zone_min = $2, last_ms = $3, (units, reporting, power_w, state) "
			"= (SELECT COUNT(*), COUNT(*) FILTER (WHERE time_s > $4), SUM(power_w) FILTER "
			"(WHERE time_s > $4), CASE WHEN COUNT(*) FILTER (WHERE time_s > $4 AND faults <> "
			"0) > 0 THEN 'fault' WHEN COUNT(*) FILTER (WHERE time_s > $4 AND power_w > 0) > 0 "
			"THEN 'producing' ELSE 'night' END FROM units WHERE site = $1), energy_today_wh = "
			"(SELECT SUM(" GAINED("1") " + " GAINED("2") " + " GAINED("3") " + " GAINED(
				"4") ") / 10.0 FROM unit_days u LEFT JOIN unit_days b ON b.site = u.site AND b.serial = "
				     "u.serial AND b.day = (SELECT MAX(day) FROM unit_days c WHERE c.site = u.site AND "
				     "c.serial = u.serial AND c.day < u.day) WHERE u.site = $1 AND u.day = $5) WHERE id "
				     "= $1",
			"iiiii", changed->site, (int64_t)changed->zone_min, newest_s * 1000,
			newest_s - DERIVE_FRESH_S, day_of(newest_s, changed->zone_min));
	}
	return ret < 0 ? ret : 0;
}

/* ---- what the batches of a transaction have changed ---- */

static void clear_changed(struct changed *changed)
{
	for (int i = 0; i < changed->days; i++) {
		free(changed->day[i].reports);
	}
	changed->days = 0;
	changed->sites = 0;
	changed->reports = 0;
	for (int i = 0; i < CHANGED_BUCKETS; i++) {
		changed->bucket[i] = -1;
	}
}

static struct changed *new_changed(void)
{
	struct changed *changed = calloc(1, sizeof(*changed));

	if (changed) {
		changed->day = calloc(CHANGED_DAYS_MAX, sizeof(*changed->day));
	}
	if (!changed || !changed->day) {
		free(changed);
		return NULL;
	}
	clear_changed(changed);
	return changed;
}

static void free_changed(struct changed **changed)
{
	if (*changed) {
		clear_changed(*changed);
		free((*changed)->day);
		free(*changed);
	}
}

static int write_changed(struct store *store, struct sql *sql, struct changed *changed)
{
	int ret = 0;

	for (int i = 0; i < changed->days && ret == 0; i++) {
		const struct changed_day *day = &changed->day[i];

		if (day->closed) {
			continue;
		}
		ret = write_day(store, sql, day);
		ret = ret < 0 ? ret : derive_unit(sql, day->site, day->ecu, &day->newest);
	}
	for (int i = 0; i < changed->sites && ret == 0; i++) {
		ret = derive_site(sql, &changed->site[i]);
	}
	clear_changed(changed);
	return ret;
}

/* The day of a report of a batch, with its stored reports when it is new here. */
static int open_day(struct store *store, struct sql *sql, struct changed *changed,
		    const struct source *source, const struct report *report,
		    struct changed_day **ret_day)
{
	int64_t day = day_of(report->time_s, source->batch.head.zone_min);
	int *bucket = &changed->bucket[(report->serial * 31 + (uint64_t)day) % CHANGED_BUCKETS];
	struct changed_day *new;
	int64_t n;

	for (int i = *bucket; i >= 0; i = changed->day[i].next) {
		struct changed_day *known = &changed->day[i];

		if (known->serial == report->serial && known->day == day &&
		    known->site == source->site) {
			*ret_day = known;
			return 0;
		}
	}
	new = &changed->day[changed->days];
	*new = (struct changed_day){ .site = source->site,
				     .customer = source->customer,
				     .serial = report->serial,
				     .day = day,
				     .newest.time_s = INT64_MIN,
				     .next = *bucket };
	n = derive_reports(store, sql, source->site, report->serial, day, &new->reports);
	if (n < 0 && n != -ENODATA) {
		return (int)n;
	}
	new->closed = n == -ENODATA;
	new->n = n < 0 ? 0 : (size_t)n;
	changed->reports += new->n;
	*bucket = changed->days++;
	*ret_day = new;
	return 0;
}

/* Merges reports of one inverter and one day into the day. */
static int change_day(struct store *store, struct sql *sql, struct changed *changed,
		      const struct source *source, const struct report *reports, size_t n)
{
	const struct report *last = &reports[n - 1];
	struct changed_day *day = NULL;
	struct report *all;
	int64_t all_n;
	int ret = 0;

	if (changed->days == CHANGED_DAYS_MAX || changed->reports > CHANGED_REPORTS_MAX) {
		ret = write_changed(store, sql, changed);
	}
	ret = ret < 0 ? ret : open_day(store, sql, changed, source, reports, &day);
	if (ret < 0 || day->closed) {
		return ret;
	}
	all_n = rollup_merge(day->reports, day->n, reports, n, &all);
	if (all_n < 0) {
		return (int)all_n;
	}
	if (all_n > DAY_REPORTS_MAX) {
		all_n = DAY_REPORTS_MAX;
	}
	changed->reports += (size_t)all_n - day->n;
	free(day->reports);
	day->reports = all;
	day->n = (size_t)all_n;
	day->zone_min = source->batch.head.zone_min;
	if (last->time_s >= day->newest.time_s) {
		day->newest = *last;
		day->ecu = source->batch.head.ecu;
	}
	return 0;
}

static void change_site(struct changed *changed, const struct source *source)
{
	int i = 0;

	while (i < changed->sites && changed->site[i].site != source->site) {
		i++;
	}
	/* Its days are open, so there is room. */
	changed->site[i] = (struct changed_site){ source->site, source->batch.head.zone_min };
	changed->sites += i == changed->sites;
}

static int derive_all_reports(struct store *store, struct sql *sql, struct changed *changed,
			      const struct source *source)
{
	struct report *reports = source->batch.reports;
	size_t n = source->batch.report_count;
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		reports[i].time_s += source->shift_s;
	}
	for (size_t i = 0, end; ret == 0 && i < n; i = end) {
		int64_t day = day_of(reports[i].time_s, source->batch.head.zone_min);

		end = i + 1;
		while (end < n && reports[end].serial == reports[i].serial &&
		       day_of(reports[end].time_s, source->batch.head.zone_min) == day) {
			end++;
		}
		ret = change_day(store, sql, changed, source, &reports[i], end - i);
		if (ret == 0) {
			change_site(changed, source);
		}
	}
	return ret;
}

static int put_event(struct sql *sql, const struct source *source, size_t index,
		     const struct batch_event *event)
{
	int ret = sql_run(sql,
			  "INSERT INTO events (id, site, ecu, serial, time_ms, name, value, text) "
			  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
			  "iiinisis", source->number * EVENTS_PER_BATCH + (int64_t)index,
			  source->site, source->batch.head.ecu,
			  event->serial ? (int64_t)event->serial : SQL_NULL, event->time_ms,
			  event->name, event->value, event->text);

	return ret < 0 ? ret : 0;
}

static int derive_rows(struct sql *sql, const struct source *source)
{
	const struct batch *batch = &source->batch;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < batch->event_count; i++) {
		struct batch_event event = batch->events[i];

		event.time_ms += source->shift_s * 1000;
		ret = put_event(sql, source, i, &event);
	}
	if (ret == 0 && source->shift_s != 0) {
		struct batch_event event = { .time_ms =
						     batch->head.wall_ms + source->shift_s * 1000,
					     .name = "clock-shifted",
					     .value = source->shift_s };

		snprintf(event.text, sizeof(event.text),
			 "the ECU's clock was wrong: times of batch %" PRIu64 " moved by %" PRId64
			 " s",
			 batch->head.sequence, source->shift_s);
		ret = put_event(sql, source, BATCH_ROWS_MAX, &event);
	}
	for (size_t i = 0; ret >= 0 && i < batch->setting_count; i++) {
		const struct batch_setting *setting = &batch->settings[i];

		ret = sql_run(
			sql,
			"INSERT INTO settings VALUES ($1, $2, $3, $4) ON CONFLICT (ecu, serial, "
			"name) DO UPDATE SET value = excluded.value",
			"iiss", batch->head.ecu, setting->serial, setting->name, setting->value);
	}
	for (size_t i = 0; ret >= 0 && i < batch->result_count; i++) {
		const struct batch_result *result = &batch->results[i];

		/* Only for an order to this ECU's own site. */
		ret = sql_run(
			sql,
			"INSERT INTO results SELECT id, $2, $3, $4, $5 FROM orders WHERE id = $1 "
			"AND site = $6 ON CONFLICT (order_id, serial) DO UPDATE SET state = "
			"excluded.state, time_ms = excluded.time_ms, text = excluded.text",
			"sisisi", result->order, result->serial, result->state, result->time_ms,
			result->text, source->site);
		if (ret > 0) {
			ret = sql_run(sql,
				      "UPDATE orders SET state = $2 WHERE id = $1 AND state IN "
				      "('queued', 'sent')",
				      "ss", result->order, result->state);
		}
	}
	return ret < 0 ? ret : 0;
}

static int derive_source(struct store *store, struct sql *sql, struct changed *changed,
			 const struct source *source)
{
	int ret = derive_all_reports(store, sql, changed, source);

	return ret < 0 ? ret : derive_rows(sql, source);
}

/*
 * The batch of a row. A batch whose customer was deleted, or that cannot be decrypted, is skipped:
 * it was refused on arrival, or its key was destroyed.
 *
 * Return: 0; -ENODATA for a batch to skip; or a negative errno.
 */
static int read_source(struct store *store, struct sql_rows *rows, struct source *ret)
{
	uint8_t *bytes __cleanup(free_ptr) = NULL;
	const void *sealed;
	char err[200];
	size_t n;
	int done;

	*ret = (struct source){ .number = sql_int(rows, 0),
				.site = sql_int(rows, 1),
				.customer = sql_int(rows, 2),
				.shift_s = sql_int(rows, 3) };
	sealed = sql_blob(rows, 4, &n);
	done = vault_open_bytes(store->vault, ret->customer, sealed, n, &bytes, &n);
	if (done == 0) {
		done = batch_open(bytes, n, &ret->batch, err, sizeof(err));
	}
	if (done == -EBADMSG || done == -EKEYREVOKED) {
		log_err("batch %" PRId64 " of the log: cannot be read", ret->number);
		return -ENODATA;
	}
	return done;
}

/* Numbers that another shard has given are of sites that have moved here, and were derived before.
 */
static int64_t end_of_numbers(const struct sql *sql)
{
	return schema_first_number(sql_shard(sql) + 1);
}

static int read_progress(struct sql *sql, int64_t *ret_number)
{
	return sql_one(sql, ret_number, schema_first_number(sql_shard(sql)) - 1,
		       "SELECT number FROM progress WHERE name = 'derived'", "");
}

int64_t derive_waiting(struct sql *sql, int64_t site)
{
	int64_t number, count;
	int ret = read_progress(sql, &number);

	if (ret == 0) {
		ret = sql_one(sql, &count, 0,
			      "SELECT COUNT(*) FROM batches WHERE number > $1 AND number < $2 AND "
			      "($3 = 0 OR site = $3)",
			      "iii", number, end_of_numbers(sql), site);
	}
	return ret < 0 ? ret : count;
}

static int set_progress(struct sql *sql, int64_t number)
{
	int ret =
		sql_run(sql,
			"INSERT INTO progress VALUES ('derived', $1) ON CONFLICT (name) DO UPDATE "
			"SET number = excluded.number",
			"i", number);

	return ret < 0 ? ret : 0;
}

/*
 * Within a transaction: plan each statement once, or for its parameters. On partitioned tables,
 * planning a statement of one inverter takes longer than its execution, and a plan for its
 * parameters is no better. A range of the log needs one.
 */
static int plan_once(struct sql *sql, bool once)
{
	if (!sql_is_partitioned(sql)) {
		return 0;
	}
	return sql_script(sql, once ? "SET LOCAL plan_cache_mode = force_generic_plan"
				    : "SET LOCAL plan_cache_mode = auto");
}

/* Up to @max batches after *@number and before @end; their sites in @sites. Return: their count or
 * an errno. */
static int derive_read(struct store *store, struct sql *sql, struct changed *changed,
		       int64_t *number, int64_t end, int max, int64_t *sites)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int count = 0;
	int ret = plan_once(sql, false);

	if (ret == 0) {
		ret = sql_query(
			sql, &rows,
			"SELECT number, batches.site, customer, shift_s, payload FROM batches JOIN "
			"sites ON sites.id = batches.site WHERE number > $1 AND number < $3 ORDER BY "
			"number LIMIT $2",
			"iii", *number, (int64_t)max, end);
	}
	if (ret == 0) {
		ret = plan_once(sql, true);
	}
	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct source source;

		ret = read_source(store, rows, &source);
		if (ret == 0) {
			ret = derive_source(store, sql, changed, &source);
			batch_clear(&source.batch);
		}
		if (ret < 0 && ret != -ENODATA) {
			return ret;
		}
		ret = 0;
		*number = source.number;
		if (sites) {
			sites[count] = source.site;
		}
		count++;
	}
	return ret < 0 ? ret : count;
}

static int derive_some(struct store *store, struct sql *sql, int64_t *number, int64_t end, int max,
		       int64_t *sites)
{
	struct changed *changed __cleanup(free_changed) = new_changed();
	int total = 0;
	int count;
	int ret;

	if (!changed) {
		return -ENOMEM;
	}
	do {
		int left = max - total < READ_MAX ? max - total : READ_MAX;

		count = derive_read(store, sql, changed, number, end, left,
				    sites ? sites + total : NULL);
		if (count < 0) {
			return count;
		}
		total += count;
	} while (count > 0 && total < max);
	ret = write_changed(store, sql, changed);
	return ret < 0 ? ret : total;
}

int derive_next(struct store *store, struct sql *sql, int max,
		void (*changed)(void *ctx, int64_t site), void *ctx)
{
	int64_t *sites __cleanup(free_ptr) = calloc((size_t)max, sizeof(*sites));
	int64_t number;
	int count = -ENOMEM;
	int ret;

	if (!sites) {
		return -ENOMEM;
	}
	ret = sql_begin_locked(sql, SQL_LOCK_DERIVE);
	if (ret == 0) {
		ret = read_progress(sql, &number);
	}
	if (ret == 0) {
		count = derive_some(store, sql, &number, end_of_numbers(sql), max, sites);
		ret = count < 0 ? count : count > 0 ? set_progress(sql, number) : 0;
	}
	if (ret == 0) {
		ret = sql_commit(sql);
	}
	if (ret < 0) {
		sql_rollback(sql);
		return ret;
	}
	for (int i = 0; i < count && changed; i++) {
		if (i == 0 || sites[i] != sites[i - 1]) {
			changed(ctx, sites[i]);
		}
	}
	return count;
}

/* ---- rebuild ---- */

/* Events, settings and results of a run of compacted batches, see compact.c. */
static int derive_compacted(struct store *store, struct sql *sql, struct sql_rows *rows)
{
	uint8_t *bytes __cleanup(free_ptr) = NULL;
	struct source source = { .site = sql_int(rows, 0), .customer = sql_int(rows, 1) };
	struct unpacker unpacker = { 0 };
	const void *sealed = sql_blob(rows, 2, &unpacker.n);
	char err[200];
	int ret = vault_open_bytes(store->vault, source.customer, sealed, unpacker.n, &bytes,
				   &unpacker.n);

	unpacker.bytes = bytes;
	while (ret == 0 && unpacker.n > 0) {
		const uint8_t *at;
		size_t n;

		source.number = (int64_t)unpack_unsigned(&unpacker);
		source.shift_s = unpack_signed(&unpacker);
		n = unpack_limited(&unpacker, BATCH_BYTES_MAX);
		at = unpack_bytes(&unpacker, n);
		ret = at ? batch_open(at, n, &source.batch, err, sizeof(err)) : -EBADMSG;
		if (ret == 0) {
			ret = derive_rows(sql, &source);
			batch_clear(&source.batch);
		}
	}
	return ret;
}

static int rebuild_compacted(struct store *store, struct sql *sql)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(sql, &rows,
			    "SELECT log_days.site, customer, rows FROM log_days JOIN sites ON "
			    "sites.id = log_days.site ORDER BY number",
			    "");

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		ret = derive_compacted(store, sql, rows);
	}
	return ret;
}

/* The newest report of each inverter from compacted days; later ones come from batches. */
static int rebuild_units(struct store *store, struct sql *sql)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(
		sql, &rows,
		"SELECT site, serial, MAX(day), (SELECT ecu FROM log_days WHERE "
		"log_days.site = unit_days.site LIMIT 1) FROM unit_days WHERE compacted = 1 "
		"GROUP BY site, serial",
		"");

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		struct report *reports __cleanup(free_ptr) = NULL;
		int64_t n = derive_reports(store, sql, sql_int(rows, 0), (uint64_t)sql_int(rows, 1),
					   sql_int(rows, 2), &reports);

		ret = n < 0   ? (int)(n == -ENODATA ? 0 : n)
		      : n > 0 ? derive_unit(sql, sql_int(rows, 0), (uint64_t)sql_int(rows, 3),
					    &reports[n - 1])
			      : 0;
	}
	return ret;
}

int derive_rebuild(struct store *store, struct sql *sql)
{
	static const char *const empty[] = {
		"DELETE FROM unit_days WHERE compacted = 0",
		"DELETE FROM units",
		"DELETE FROM events",
		"DELETE FROM settings",
		"DELETE FROM results",
	};
	int64_t number = 0;
	int64_t newest = 0;
	int64_t derived = 0;
	int ret = sql_begin(sql);

	for (size_t i = 0; ret >= 0 && i < ARRAY_SIZE(empty); i++) {
		ret = sql_run(sql, empty[i], "");
	}
	if (ret >= 0) {
		ret = rebuild_compacted(store, sql);
	}
	if (ret == 0) {
		ret = rebuild_units(store, sql);
	}
	if (ret == 0) {
		ret = derive_some(store, sql, &number, INT64_MAX, INT32_MAX, NULL);
	}
	ret = ret < 0 ? ret : read_progress(sql, &derived);
	if (ret == 0) {
		ret = sql_one(sql, &newest, 0, "SELECT MAX(number) FROM batches WHERE number < $1",
			      "i", end_of_numbers(sql));
	}
	if (ret == 0 && newest > derived) {
		ret = set_progress(sql, newest);
	}
	if (ret == 0) {
		return sql_commit(sql);
	}
	sql_rollback(sql);
	return ret;
}

/* ---- hashes ---- */

/**
 * struct table_hash - sum of the hashes of rows
 */
struct table_hash {
	int64_t rows;
	uint8_t sum[DERIVE_HASH_BYTES];
};

static void hash_value(crypto_generichash_state *state, const struct sql_rows *rows, int column)
{
	size_t n;
	const void *bytes = sql_blob(rows, column, &n);
	uint64_t length = sql_is_null(rows, column) ? UINT64_MAX : n;

	crypto_generichash_update(state, (const void *)&length, sizeof(length));
	crypto_generichash_update(state, bytes, n);
}

static int columns_of(const char *list)
{
	int columns = 1;

	for (const char *at = list; (at = strchr(at, ',')); at++) {
		columns++;
	}
	return columns;
}

/* Adds the rows of a query with these columns; $1 is the site, when @site is not 0. */
static int hash_rows(struct sql *sql, const char *text, const char *list, int64_t site,
		     struct table_hash *hash)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int columns = columns_of(list);
	int ret = sql_query(sql, &rows, text, site ? "i" : "", site);

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		crypto_generichash_state state;
		uint8_t row[DERIVE_HASH_BYTES];

		crypto_generichash_init(&state, NULL, 0, sizeof(row));
		for (int column = 0; column < columns; column++) {
			hash_value(&state, rows, column);
		}
		crypto_generichash_final(&state, row, sizeof(row));
		sodium_add(hash->sum, row, sizeof(row));
		hash->rows++;
		ret = 0;
	}
	return ret;
}

/* Columns: name, all rows, rows of the site $1, columns. */
static const struct {
	const char *name;
	const char *all;
	const char *of_site;
	const char *columns;
} tables[] = {
#define X(name, columns, of_site)                                                                  \
	{ name, "SELECT " columns " FROM " name,                                                   \
	  "SELECT " columns " FROM " name " WHERE " of_site, columns },
	SCHEMA_DERIVED(X)
#undef X
};

int derive_hashes(struct store *store, FILE *out)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(tables); i++) {
		struct table_hash hash = { 0 };
		char hex[2 * DERIVE_HASH_BYTES + 1];

		for (int shard = 0; ret == 0 && shard < store->shards; shard++) {
			struct sql *sql = store_shard(store, shard);

			ret = sql ? hash_rows(sql, tables[i].all, tables[i].columns, 0, &hash)
				  : -ENOTCONN;
		}
		if (ret == 0) {
			sodium_bin2hex(hex, sizeof(hex), hash.sum, sizeof(hash.sum));
			fprintf(out, "%s %" PRId64 " %s\n", tables[i].name, hash.rows, hex);
		}
	}
	return ret;
}

int derive_hash_site(struct sql *sql, int64_t site, uint8_t ret_hash[DERIVE_HASH_BYTES])
{
	static const char log_columns[] = "ecu, epoch, sequence, hash, received_ms, shift_s";
	static const char days_columns[] = "ecu, epoch, first_sequence, last_sequence, hashes";
	struct table_hash hash = { 0 };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < ARRAY_SIZE(tables); i++) {
		ret = hash_rows(sql, tables[i].of_site, tables[i].columns, site, &hash);
	}
	ret = ret < 0 ? ret
		      : hash_rows(sql,
				  "SELECT ecu, epoch, sequence, hash, received_ms, shift_s FROM "
				  "batches WHERE site = $1",
				  log_columns, site, &hash);
	ret = ret < 0 ? ret
		      : hash_rows(sql,
				  "SELECT ecu, epoch, first_sequence, last_sequence, hashes FROM "
				  "log_days WHERE site = $1",
				  days_columns, site, &hash);
	memcpy(ret_hash, hash.sum, sizeof(hash.sum));
	return ret;
}
