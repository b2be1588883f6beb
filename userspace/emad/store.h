/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: the log of batches, which is the truth, and what is derived from it.
 *
 * A batch is stored once: its key is (ECU, epoch, sequence). The same key with another hash is a
 * conflict, which is recorded and refused. Everything in the tables of SCHEMA_DERIVED() follows
 * from the log, in the order of its numbers, and can be built again.
 *
 * Shards: a large fleet is on several PostgreSQL servers, each with all rows of some sites, the
 * tenants of these sites, and all rules and notifications. Shard 0 has all tenants, and gives the
 * numbers of tenants and sites. A site is in the shard that store_home() computes from its number,
 * or, before it was moved there, in another one: where its row in sites is, not marked as arriving.
 */
#ifndef EMAD_STORE_H
#define EMAD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "sql.h"
#include "vault.h"

/* A difference of clocks that is corrected and shown, s. */
#define STORE_CLOCK_TOLERANCE_S 120
/* Batches stay whole for this long, then their days are compacted. */
#define STORE_HOT_DAYS 8

#define STORE_SHARDS_MAX 16

/**
 * struct store - one in the process; threads share it
 * @where: of each shard, for sql_open(); each thread has its own connections
 * @prepared: bits of the shards whose tables have the newest version
 */
struct store {
	const char *where[STORE_SHARDS_MAX];
	int shards;
	unsigned int prepared;
	struct vault *vault;
};

/**
 * store_open() - connect, and bring the tables to the newest version
 * @store: with @where and @shards
 * @keys: path of the file of customers' keys
 *
 * A shard whose server does not answer is prepared later, by the first store_shard() that reaches
 * it.
 *
 * Return: 0 or a negative errno with @err; -ENOTCONN when no shard answers.
 */
int store_open(struct store *store, const char *keys, char *err, size_t size);
void store_close(struct store *store);

/**
 * store_shard() - the connection of this thread to a shard, opened when it is first needed
 *
 * Return: NULL when that failed, now or within the last SQL_RETRY_MS, which is logged.
 */
struct sql *store_shard(struct store *store, int shard);

/**
 * store_home() - the shard of a site by its number; pure
 *
 * Jump consistent hash (Lamping and Veach, 2014, arXiv:1406.2294) of store_hash(): with one shard
 * more, only the sites of the new one change.
 */
int store_home(int64_t site, int shards);

/* Hash of a site, by which emactl moves ranges; SplitMix64 (Steele, Lea and Flood, 2014). */
uint64_t store_hash(int64_t site);

/**
 * store_find() - where a row is that belongs to a site
 * @first: shard to look at first
 * @text: query with one column, an integer above 0, or no row
 * @ret_shard: where it found one
 *
 * Return: the integer; 0 when no shard has a row; -ENOTCONN when those that answer have none; or
 * another negative errno.
 */
int64_t store_find(struct store *store, int first, int *ret_shard, const char *text,
		   const char *types, ...);

/* Where a site is. Return: 0, -ENOENT, or as store_find(). */
int store_find_site(struct store *store, int64_t site, int *ret_shard);

/* Is a site in this shard, and not arriving? Return: 1, 0, or a negative errno. */
int store_has_site(struct sql *sql, int64_t site);

/**
 * store_copy_rules() - bring rules and notifications of a shard to those of shard 0
 *
 * A change is written to all shards; this is for a shard that is new, or a change that ended
 * between two of them.
 *
 * Return: 0 or a negative errno.
 */
int store_copy_rules(struct sql *from, struct sql *to);

/* Copy the tenants of a site, which are in shard 0, to its shard. Return: 0 or an errno. */
int store_copy_tenant(struct sql *from, struct sql *to, int64_t tenant);

/* A job is handed over again within this time, or its first hand-over has ended. */
#define STORE_JOB_MS INT64_C(86400000)

/**
 * store_job_site() - the site of a job, the same for all who hand it over at once
 * @first: shard 0, whose unique key decides
 * @site: its site unless another process has named one
 *
 * One site is in one shard, where the key of jobs makes the job one.
 *
 * Return: its site; -EEXIST for a job of another tenant; or another negative errno.
 */
int64_t store_job_site(struct sql *first, const char *id, int64_t tenant, int64_t site,
		       int64_t now_ms);

/* Delete what store_job_site() keeps for more than STORE_JOB_MS. Return: 0 or a negative errno. */
int store_forget_jobs(struct sql *sql, int64_t now_ms);

/* Tenants for sql_scope(): one that sees all, as store_shard() has it, and one that sees nothing.
 */
#define STORE_ALL (-1)
#define STORE_NOBODY (-2)

/**
 * struct store_ecu - an enrolled ECU
 */
struct store_ecu {
	uint64_t ecu;
	int64_t site;
	int64_t customer;
};

/**
 * struct store_clocks - of an ECU, at the time of its request
 * @known: whether the request named them
 */
struct store_clocks {
	bool known;
	int64_t wall_ms;
	uint64_t monotonic_ms;
	uint32_t boot;
};

/**
 * store_shift() - what has to be added to the times of a batch; pure
 * @now_ms: this service's time at the request
 *
 * Within one boot of the ECU, its monotonic clock says how long ago the batch was sealed. For a
 * batch of an earlier boot the wall clock counts if it was synchronized and is not in the future;
 * otherwise the time of arrival does.
 *
 * Return: s; 0 within STORE_CLOCK_TOLERANCE_S.
 */
int64_t store_shift(const struct batch_head *head, const struct store_clocks *clocks,
		    int64_t now_ms);

enum store_result {
	STORE_NEW,
	STORE_DUPLICATE,
	STORE_CONFLICT,
};

/**
 * store_batch() - append a batch to the log, within a transaction of the caller
 * @head: as batch_read_head() gave it for @bytes; its ECU is @ecu
 * @shift_s: of store_shift()
 *
 * The table batch_keys makes it one: its key is unique over all partitions of the log, and a
 * compacted batch is in log_days.
 *
 * Return: enum store_result or a negative errno.
 */
int store_batch(struct store *store, struct sql *sql, const struct store_ecu *ecu,
		const struct batch_head *head, const uint8_t *bytes, size_t n, int64_t shift_s,
		int64_t now_ms);

/**
 * store_advance() - after the last of some batches of one epoch: move store_through()
 *
 * Batches may come out of order.
 *
 * Return: the new store_through(), or a negative errno.
 */
int64_t store_advance(struct sql *sql, uint64_t ecu, uint64_t epoch);

/* Highest sequence of an epoch up to which all are stored, 0 for none; or a negative errno. */
int64_t store_through(struct sql *sql, uint64_t ecu, uint64_t epoch);

#endif /* EMAD_STORE_H */
