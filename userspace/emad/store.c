// SPDX-License-Identifier: GPL-2.0-or-later
/* The log of batches, see store.h. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "schema.h"
#include "store.h"

/* Of a compacted batch's hash: enough to tell two batches of one key apart. */
#define SHORT_HASH_BYTES 16

static pthread_key_t connection;
static pthread_once_t connection_once = PTHREAD_ONCE_INIT;

static void close_connection(void *sql)
{
	sql_close(sql);
}

static void make_key(void)
{
	pthread_key_create(&connection, close_connection);
}

int store_open(struct store *store, const char *where, const char *keys, char *err, size_t size)
{
	struct sql *sql;
	int ret = vault_open(&store->vault, keys, err, size);

	store->where = where;
	pthread_once(&connection_once, make_key);
	if (ret == 0) {
		ret = sql_open(&sql, where, err, size);
	}
	if (ret < 0) {
		vault_close(store->vault);
		return ret;
	}
	pthread_setspecific(connection, sql);
	ret = sql_scope(sql, STORE_ALL);
	if (ret == 0) {
		ret = schema_migrate(sql, err, size);
	}
	if (ret < 0) {
		store_close(store);
	}
	return ret;
}

void store_close(struct store *store)
{
	sql_close(pthread_getspecific(connection));
	pthread_setspecific(connection, NULL);
	vault_close(store->vault);
	store->vault = NULL;
}

struct sql *store_sql(struct store *store)
{
	struct sql *sql = pthread_getspecific(connection);
	char err[256];

	if (sql) {
		return sql;
	}
	if (sql_open(&sql, store->where, err, sizeof(err)) < 0) {
		log_err("%s", err);
		return NULL;
	}
	if (sql_scope(sql, STORE_ALL) < 0) {
		log_err("%s", sql_error(sql));
		sql_close(sql);
		return NULL;
	}
	pthread_setspecific(connection, sql);
	return sql;
}

static int64_t to_seconds(int64_t ms)
{
	return (ms + (ms < 0 ? -500 : 500)) / 1000;
}

int64_t store_shift(const struct batch_head *head, const struct store_clocks *clocks,
		    int64_t now_ms)
{
	int64_t shift_s;

	if (clocks->known && clocks->boot == head->boot &&
	    clocks->monotonic_ms >= head->monotonic_ms) {
		int64_t age_ms = (int64_t)(clocks->monotonic_ms - head->monotonic_ms);

		shift_s = to_seconds(now_ms - age_ms - head->wall_ms);
	} else if ((head->flags & BATCH_CLOCK_SYNCHRONIZED) &&
		   head->wall_ms <= now_ms + STORE_CLOCK_TOLERANCE_S * 1000) {
		return 0;
	} else {
		shift_s = to_seconds(now_ms - head->wall_ms);
	}
	return llabs(shift_s) <= STORE_CLOCK_TOLERANCE_S ? 0 : shift_s;
}

/* Compares with a batch of this key whose content is compacted. Return: as store_batch(), or
 * -ENOENT when there is none. */
static int compare_compacted(struct sql *sql, const struct batch_head *head)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	const uint8_t *hashes;
	int64_t first;
	size_t n;
	int ret = sql_query(
		sql, &rows,
		"SELECT first_sequence, hashes FROM log_days WHERE ecu = $1 AND epoch = $2 "
		"AND first_sequence <= $3 AND last_sequence >= $3",
		"iii", head->ecu, head->epoch, head->sequence);

	if (ret < 0) {
		return ret;
	}
	ret = sql_next(rows);
	if (ret <= 0) {
		return ret < 0 ? ret : -ENOENT;
	}
	first = sql_int(rows, 0);
	hashes = sql_blob(rows, 1, &n);
	if (((uint64_t)(head->sequence - (uint64_t)first) + 1) * SHORT_HASH_BYTES > n) {
		return -EBADMSG;
	}
	return memcmp(hashes + (head->sequence - (uint64_t)first) * SHORT_HASH_BYTES, head->hash,
		      SHORT_HASH_BYTES) == 0
		       ? STORE_DUPLICATE
		       : STORE_CONFLICT;
}

static int compare_stored(struct sql *sql, const struct batch_head *head)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	const uint8_t *hash;
	size_t n;
	int ret = sql_query(
		sql, &rows,
		"SELECT hash FROM batches WHERE ecu = $1 AND epoch = $2 AND sequence = $3", "iii",
		head->ecu, head->epoch, head->sequence);

	if (ret < 0) {
		return ret;
	}
	ret = sql_next(rows);
	if (ret <= 0) {
		return ret < 0 ? ret : -ENOENT;
	}
	hash = sql_blob(rows, 0, &n);
	return n == BATCH_HASH_BYTES && memcmp(hash, head->hash, n) == 0 ? STORE_DUPLICATE
									 : STORE_CONFLICT;
}

/* Takes the key of a batch. Return: 1; 0 when it is taken; or a negative errno. */
static int take_key(struct sql *sql, const struct store_ecu *ecu, const struct batch_head *head)
{
	return sql_run(
		sql,
		"INSERT INTO batch_keys (ecu, epoch, sequence, site) SELECT CAST($1 AS "
		"BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT) WHERE NOT "
		"EXISTS (SELECT 1 FROM log_days WHERE ecu = $1 AND epoch = $2 AND "
		"first_sequence <= $3 AND last_sequence >= $3) ON CONFLICT DO NOTHING",
		"iiii", head->ecu, head->epoch, head->sequence, ecu->site);
}

/* Is a batch whose key is taken the same one? Return: as store_batch(). */
static int compare_batch(struct sql *sql, const struct batch_head *head, int64_t now_ms)
{
	int ret = compare_stored(sql, head);

	if (ret == -ENOENT) {
		ret = compare_compacted(sql, head);
	}
	if (ret == STORE_CONFLICT) {
		int done =
			sql_run(sql,
				"INSERT INTO conflicts VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO "
				"NOTHING",
				"iiibi", head->ecu, head->epoch, head->sequence, head->hash,
				(size_t)BATCH_HASH_BYTES, now_ms);

		return done < 0 ? done : ret;
	}
	return ret;
}

int store_batch(struct store *store, struct sql *sql, const struct store_ecu *ecu,
		const struct batch_head *head, const uint8_t *bytes, size_t n, int64_t shift_s,
		int64_t now_ms)
{
	uint8_t *sealed __cleanup(free_ptr) = NULL;
	size_t sealed_n;
	int ret = take_key(sql, ecu, head);

	if (ret <= 0) {
		return ret < 0 ? ret : compare_batch(sql, head, now_ms);
	}
	ret = vault_seal(store->vault, ecu->customer, bytes, n, &sealed, &sealed_n);
	if (ret == 0) {
		ret = sql_run(sql,
			      "INSERT INTO batches (ecu, epoch, sequence, hash, site, received_ms, "
			      "shift_s, payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			      "iiibiiib", head->ecu, head->epoch, head->sequence, head->hash,
			      (size_t)BATCH_HASH_BYTES, ecu->site, now_ms, shift_s, sealed,
			      sealed_n);
	}
	return ret < 0 ? ret : STORE_NEW;
}

int64_t store_advance(struct sql *sql, uint64_t ecu, uint64_t epoch)
{
	int64_t through = store_through(sql, ecu, epoch);
	int64_t first, last;
	int ret;

	if (through < 0) {
		return through;
	}
	/* The last batch before the first gap; none when there is a gap at once. */
	ret = sql_one(sql, &first, 0,
		      "SELECT 1 FROM batch_keys WHERE ecu = $1 AND epoch = $2 AND sequence = $3",
		      "iii", ecu, epoch, through + 1);
	if (ret < 0 || first == 0) {
		return ret < 0 ? ret : through;
	}
	ret = sql_one(
		sql, &last, 0,
		"SELECT sequence FROM batch_keys k WHERE ecu = $1 AND epoch = $2 AND sequence > $3 AND "
		"NOT EXISTS (SELECT 1 FROM batch_keys n WHERE n.ecu = $1 AND n.epoch = $2 AND "
		"n.sequence = k.sequence + 1) ORDER BY sequence LIMIT 1",
		"iii", ecu, epoch, through);
	if (ret == 0) {
		ret = sql_run(sql,
			      "INSERT INTO epochs VALUES ($1, $2, $3) ON CONFLICT (ecu, epoch) DO "
			      "UPDATE SET through = excluded.through",
			      "iii", ecu, epoch, last);
	}
	return ret < 0 ? ret : last;
}

int64_t store_through(struct sql *sql, uint64_t ecu, uint64_t epoch)
{
	int64_t through;
	int ret = sql_one(sql, &through, 0,
			  "SELECT through FROM epochs WHERE ecu = $1 AND epoch = $2", "ii", ecu,
			  epoch);

	return ret < 0 ? ret : through;
}
