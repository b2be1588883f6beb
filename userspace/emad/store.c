// SPDX-License-Identifier: GPL-2.0-or-later
/* The log of batches, see store.h. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "schema.h"
#include "store.h"

/* Of a compacted batch's hash: enough to tell two batches of one key apart. */
#define SHORT_HASH_BYTES 16

/**
 * struct connections - of one thread
 * @failed_ms: when the last attempt failed, monotonic clock; 0 when it did not
 */
struct connections {
	struct sql *sql[STORE_SHARDS_MAX];
	int64_t failed_ms[STORE_SHARDS_MAX];
};

static pthread_key_t connections_key;
static pthread_once_t connections_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t prepare_lock = PTHREAD_MUTEX_INITIALIZER;

static void close_connections(void *ctx)
{
	struct connections *own = ctx;

	for (int i = 0; i < STORE_SHARDS_MAX; i++) {
		sql_close(own->sql[i]);
	}
	free(own);
}

static void make_key(void)
{
	pthread_key_create(&connections_key, close_connections);
}

/* Of this thread; NULL without memory. */
static struct connections *own_connections(void)
{
	struct connections *own;

	pthread_once(&connections_once, make_key);
	own = pthread_getspecific(connections_key);
	if (!own) {
		own = calloc(1, sizeof(*own));
		pthread_setspecific(connections_key, own);
	}
	return own;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Tables of the newest version in the right shard, once in a process. */
static int prepare(struct store *store, struct sql *sql, int shard, char *err, size_t size)
{
	int ret = 0;

	pthread_mutex_lock(&prepare_lock);
	if (!(store->prepared & 1u << shard)) {
		ret = schema_migrate(sql, err, size);
		ret = ret < 0 ? ret : schema_claim(sql, shard, err, size);
		store->prepared |= ret < 0 ? 0 : 1u << shard;
	}
	pthread_mutex_unlock(&prepare_lock);
	return ret;
}

static int connect_shard(struct store *store, int shard, struct sql **ret_sql, char *err,
			 size_t size)
{
	struct sql *sql;
	int ret = sql_open(&sql, store->where[shard], err, size);

	if (ret < 0) {
		return ret;
	}
	sql_set_shard(sql, shard);
	ret = sql_scope(sql, STORE_ALL);
	if (ret < 0) {
		snprintf(err, size, "database: %s", sql_error(sql));
	} else {
		ret = prepare(store, sql, shard, err, size);
	}
	if (ret < 0) {
		sql_close(sql);
		return ret;
	}
	*ret_sql = sql;
	return 0;
}

int store_open(struct store *store, const char *keys, char *err, size_t size)
{
	struct connections *own = own_connections();
	int ret = own ? vault_open(&store->vault, keys, err, size) : -ENOMEM;
	int reached = 0;

	store->prepared = 0;
	for (int i = 0; i < store->shards && ret == 0; i++) {
		ret = connect_shard(store, i, &own->sql[i], err, size);
		reached += ret == 0;
		if (ret == -ENOTCONN && store->shards > 1) {
			own->failed_ms[i] = monotonic_ms();
			log_err("shard %d: %s", i, err);
			ret = 0;
		}
	}
	if (ret == 0 && reached == 0) {
		ret = -ENOTCONN;
	}
	if (ret < 0) {
		store_close(store);
	}
	return ret;
}

void store_close(struct store *store)
{
	struct connections *own = own_connections();

	pthread_setspecific(connections_key, NULL);
	if (own) {
		close_connections(own);
	}
	vault_close(store->vault);
	store->vault = NULL;
}

struct sql *store_shard(struct store *store, int shard)
{
	struct connections *own = own_connections();
	char err[256];

	if (!own || own->sql[shard]) {
		return own ? own->sql[shard] : NULL;
	}
	if (own->failed_ms[shard] && monotonic_ms() - own->failed_ms[shard] < SQL_RETRY_MS) {
		return NULL;
	}
	if (connect_shard(store, shard, &own->sql[shard], err, sizeof(err)) < 0) {
		if (!own->failed_ms[shard]) {
			log_err("shard %d: %s", shard, err);
		}
		own->failed_ms[shard] = monotonic_ms();
		return NULL;
	}
	own->failed_ms[shard] = 0;
	return own->sql[shard];
}

/* ---- shards ---- */

uint64_t store_hash(int64_t site)
{
	uint64_t z = (uint64_t)site + 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int store_home(int64_t site, int shards)
{
	uint64_t key = store_hash(site);
	int64_t shard = 0;
	int64_t next = 0;

	while (next < shards) {
		shard = next;
		key = key * 2862933555777941757 + 1;
		next = (int64_t)((double)(shard + 1) *
				 ((double)(INT64_C(1) << 31) / (double)((key >> 33) + 1)));
	}
	return (int)shard;
}

int64_t store_find(struct store *store, int first, int *ret_shard, const char *text,
		   const char *types, ...)
{
	int ret = 0;

	for (int i = 0; i < store->shards; i++) {
		int shard = (first + i) % store->shards;
		struct sql *sql = store_shard(store, shard);
		struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
		va_list arguments;
		int found = -ENOTCONN;

		if (sql) {
			va_start(arguments, types);
			found = sql_query_list(sql, &rows, text, types, arguments);
			va_end(arguments);
			found = found < 0 ? found : sql_next(rows);
		}
		if (found > 0) {
			*ret_shard = shard;
			return sql_int(rows, 0);
		}
		ret = found < 0 ? found : ret;
	}
	return ret;
}

int store_find_site(struct store *store, int64_t site, int *ret_shard)
{
	int64_t found = store_find(store, store_home(site, store->shards), ret_shard,
				   "SELECT id FROM sites WHERE id = $1 AND arriving = 0", "i",
				   site);

	return found < 0 ? (int)found : found == 0 ? -ENOENT : 0;
}

int store_has_site(struct sql *sql, int64_t site)
{
	int64_t found;
	int ret = sql_one(sql, &found, 0, "SELECT 1 FROM sites WHERE id = $1 AND arriving = 0", "i",
			  site);

	return ret < 0 ? ret : (int)found;
}

static int copy_rules(struct sql *from, struct sql *to)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(from, &rows,
			    "SELECT tenant, name, enabled, threshold, delay_min FROM rules", "");

	ret = ret < 0 ? ret : sql_run(to, "DELETE FROM rules", "");
	while (ret >= 0 && (ret = sql_next(rows)) > 0) {
		ret = sql_run(to, "INSERT INTO rules VALUES ($1, $2, $3, $4, $5)", "isidi",
			      sql_int(rows, 0), sql_text(rows, 1), sql_int(rows, 2),
			      sql_real(rows, 3), sql_int(rows, 4));
	}
	return ret;
}

static int copy_notifications(struct sql *from, struct sql *to)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(from, &rows,
			    "SELECT tenant, emails, webhook, quiet_from_min, quiet_to_min, "
			    "min_severity FROM notifications",
			    "");

	ret = ret < 0 ? ret : sql_run(to, "DELETE FROM notifications", "");
	while (ret >= 0 && (ret = sql_next(rows)) > 0) {
		ret = sql_run(to, "INSERT INTO notifications VALUES ($1, $2, $3, $4, $5, $6)",
			      "issnni", sql_int(rows, 0), sql_text(rows, 1),
			      sql_is_null(rows, 2) ? NULL : sql_text(rows, 2),
			      sql_int_or_null(rows, 3), sql_int_or_null(rows, 4), sql_int(rows, 5));
	}
	return ret;
}

int store_copy_rules(struct sql *from, struct sql *to)
{
	int ret = sql_begin(to);

	ret = ret < 0 ? ret : copy_rules(from, to);
	ret = ret < 0 ? ret : copy_notifications(from, to);
	if (ret >= 0) {
		return sql_commit(to);
	}
	sql_rollback(to);
	return ret;
}

int store_copy_tenant(struct sql *from, struct sql *to, int64_t tenant)
{
	struct sql_rows *rows __cleanup(sql_done_ptr) = NULL;
	int ret = sql_query(from, &rows, "SELECT id, name, kind FROM tenants WHERE id = $1", "i",
			    tenant);

	ret = ret < 0 ? ret : sql_next(rows);
	if (ret > 0) {
		ret = sql_run(to, "INSERT INTO tenants VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			      "iss", sql_int(rows, 0), sql_text(rows, 1), sql_text(rows, 2));
	}
	return ret < 0 ? ret : 0;
}

int64_t store_job_site(struct sql *first, const char *id, int64_t tenant, int64_t site,
		       int64_t now_ms)
{
	int64_t found = 0;
	int ret = sql_run(first,
			  "INSERT INTO job_sites (id, site, tenant, time_ms) VALUES ($1, $2, $3, "
			  "$4) ON CONFLICT DO NOTHING",
			  "siii", id, site, tenant, now_ms);

	ret = ret < 0 ? ret
		      : sql_one(first, &found, 0,
				"SELECT site FROM job_sites WHERE id = $1 AND tenant = $2", "si",
				id, tenant);
	return ret < 0 ? ret : found ? found : -EEXIST;
}

int store_forget_jobs(struct sql *sql, int64_t now_ms)
{
	int ret = sql_has_scope(sql) ? sql_run(sql, "DELETE FROM job_sites WHERE time_ms < $1", "i",
					       now_ms - STORE_JOB_MS)
				     : 0;

	return ret < 0 ? ret : 0;
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
