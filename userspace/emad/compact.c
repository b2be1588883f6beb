// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compaction: batches that are old enough become day blobs, which have all of their reports, and
 * one row for each run of batches of an ECU: their hashes, and what they had beside reports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "days.h"
#include "derive.h"
#include "schema.h"

#define SHORT_HASH_BYTES 16
/* Batches that become one row. */
#define RUN_MAX 512
#define DAY_MS INT64_C(86400000)

/**
 * struct run - batches of one ECU and epoch, without a gap
 * @hashes: SHORT_HASH_BYTES of each
 * @rows: of those that have events, settings or results: number, shift, length, batch without
 *        reports
 */
struct run {
	uint64_t ecu;
	uint64_t epoch;
	int64_t first;
	int64_t last;
	int64_t site;
	int64_t customer;
	int64_t number;
	struct packer hashes;
	struct packer rows;
};

static int compact_day(struct store *store, struct sql *sql, const struct run *run, uint64_t serial,
		       int64_t day)
{
	struct report *reports __cleanup(free_ptr) = NULL;
	uint8_t *plain __cleanup(free_ptr) = NULL;
	uint8_t *sealed __cleanup(free_ptr) = NULL;
	size_t plain_n, sealed_n;
	int64_t compacted;
	int64_t n;
	int ret =
		sql_one(sql, &compacted, 1,
			"SELECT compacted FROM unit_days WHERE site = $1 AND serial = $2 AND day = "
			"$3",
			"iii", run->site, serial, day);

	if (ret < 0 || compacted) {
		return ret;
	}
	n = derive_reports(store, sql, run->site, serial, day, &reports);
	ret = n < 0 ? (int)n : day_pack(reports, (size_t)n, &plain, &plain_n);
	if (ret == 0) {
		ret = vault_seal(store->vault, run->customer, plain, plain_n, &sealed, &sealed_n);
	}
	if (ret == 0) {
		ret = sql_run(
			sql,
			"UPDATE unit_days SET compacted = 1, content = $4 WHERE site = $1 AND "
			"serial = $2 AND day = $3",
			"iiib", run->site, serial, day, sealed, sealed_n);
	}
	return ret < 0 ? ret : 0;
}

static int compact_reports(struct store *store, struct sql *sql, const struct run *run,
			   const struct batch *batch, int64_t shift_s)
{
	int64_t before = INT64_MIN;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < batch->report_count; i++) {
		const struct report *report = &batch->reports[i];
		int64_t day = day_of(report->time_s + shift_s, batch->head.zone_min);

		if (i == 0 || report->serial != report[-1].serial || day != before) {
			ret = compact_day(store, sql, run, report->serial, day);
		}
		before = day;
	}
	return ret;
}

static int keep_rows(struct run *run, struct batch *batch, int64_t number, int64_t shift_s)
{
	size_t reports = batch->report_count;
	uint8_t *bytes;
	size_t n;
	int ret;

	if (batch->event_count + batch->setting_count + batch->result_count == 0 && shift_s == 0) {
		return 0;
	}
	batch->report_count = 0;
	ret = batch_seal(batch, &bytes, &n);
	batch->report_count = reports;
	if (ret < 0) {
		return ret;
	}
	pack_unsigned(&run->rows, (uint64_t)number);
	pack_signed(&run->rows, shift_s);
	pack_unsigned(&run->rows, n);
	pack_bytes(&run->rows, bytes, n);
	free(bytes);
	return run->rows.failed ? -ENOMEM : 0;
}

static int add_batch(struct store *store, struct sql *sql, struct run *run, struct sql_rows *rows)
{
	uint8_t *bytes __cleanup(free_ptr) = NULL;
	struct batch batch;
	const void *sealed;
	size_t n, hash_n;
	const uint8_t *hash = sql_blob(rows, 3, &hash_n);
	char err[200];
	int ret;

	pack_bytes(&run->hashes, hash, SHORT_HASH_BYTES);
	sealed = sql_blob(rows, 8, &n);
	ret = vault_open_bytes(store->vault, run->customer, sealed, n, &bytes, &n);
	if (ret == 0) {
		ret = batch_open(bytes, n, &batch, err, sizeof(err));
	}
	if (ret < 0) {
		return ret;
	}
	ret = compact_reports(store, sql, run, &batch, sql_int(rows, 7));
	if (ret == 0) {
		ret = keep_rows(run, &batch, sql_int(rows, 4), sql_int(rows, 7));
	}
	batch_clear(&batch);
	return ret;
}

static int write_run(struct store *store, struct sql *sql, const struct run *run)
{
	uint8_t *sealed __cleanup(free_ptr) = NULL;
	size_t n;
	int ret = run->hashes.failed ? -ENOMEM
				     : vault_seal(store->vault, run->customer, run->rows.bytes,
						  run->rows.n, &sealed, &n);

	if (ret == 0) {
		ret = sql_run(
			sql,
			"INSERT INTO log_days (ecu, epoch, first_sequence, last_sequence, site, "
			"number, hashes, rows) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			"iiiiiibb", run->ecu, run->epoch, run->first, run->last, run->site,
			run->number, run->hashes.bytes, run->hashes.n, sealed, n);
	}
	if (ret >= 0) {
		ret = sql_run(
			sql,
			"DELETE FROM batches WHERE ecu = $1 AND epoch = $2 AND sequence BETWEEN $3 "
			"AND $4",
			"iiii", run->ecu, run->epoch, run->first, run->last);
	}
	if (ret >= 0) {
		ret = sql_run(
			sql,
			"DELETE FROM batch_keys WHERE ecu = $1 AND epoch = $2 AND sequence BETWEEN "
			"$3 AND $4",
			"iiii", run->ecu, run->epoch, run->first, run->last);
	}
	return ret < 0 ? ret : 0;
}

/* Gathers the first run that is old enough. Return: its length, 0 for none, or an errno. */
static int gather_run(struct store *store, struct sql *sql, int64_t before_ms, struct run *run)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int count = 0;
	int ret = sql_query(
		sql, &rows,
		"SELECT ecu, epoch, sequence, hash, number, batches.site, customer, shift_s, payload "
		"FROM batches JOIN sites ON sites.id = batches.site WHERE received_ms < $1 AND "
		"(number >= $3 OR number <= (SELECT number FROM progress WHERE name = 'derived')) ORDER BY "
		"ecu, epoch, sequence LIMIT $2",
		"iii", before_ms, (int64_t)RUN_MAX, schema_first_number(sql_shard(sql) + 1));

	while (ret == 0 && (ret = sql_next(rows)) > 0) {
		int64_t sequence = sql_int(rows, 2);

		if (count == 0) {
			run->ecu = (uint64_t)sql_int(rows, 0);
			run->epoch = (uint64_t)sql_int(rows, 1);
			run->first = sequence;
			run->site = sql_int(rows, 5);
			run->customer = sql_int(rows, 6);
			run->number = sql_int(rows, 4);
		} else if (run->ecu != (uint64_t)sql_int(rows, 0) ||
			   run->epoch != (uint64_t)sql_int(rows, 1) || run->last + 1 != sequence ||
			   run->site != sql_int(rows, 5)) {
			break;
		}
		run->last = sequence;
		if (sql_int(rows, 4) < run->number) {
			run->number = sql_int(rows, 4);
		}
		ret = add_batch(store, sql, run, rows);
		count++;
	}
	return ret < 0 ? ret : count;
}

int derive_compact(struct store *store, struct sql *sql, int64_t now_ms, const bool *stop)
{
	int64_t before_ms = now_ms - STORE_HOT_DAYS * DAY_MS;
	int total = 0;
	int count;

	do {
		struct run run = { 0 };
		int ret = sql_begin(sql);

		count = ret < 0 ? ret : gather_run(store, sql, before_ms, &run);
		if (count > 0) {
			ret = write_run(store, sql, &run);
			count = ret < 0 ? ret : count;
		}
		free(run.hashes.bytes);
		free(run.rows.bytes);
		if (count < 0 || (ret = sql_commit(sql)) < 0) {
			sql_rollback(sql);
			return count < 0 ? count : ret;
		}
		total += count;
	} while (count > 0 && !*stop);
	return total;
}
