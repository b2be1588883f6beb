/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the log to the tables that are derived from it. */
#ifndef EMAD_DERIVE_H
#define EMAD_DERIVE_H

#include <stdio.h>

#include "store.h"

/* Reports older than this do not count for the power of a site, s. */
#define DERIVE_FRESH_S 1800

/**
 * derive_next() - derive up to @max batches that have not been derived, in one transaction
 * @changed: called for each site that has changed, after the commit; NULL for none
 *
 * Return: number of batches; 0 when all are; or a negative errno.
 */
int derive_next(struct store *store, struct sql *sql, int max,
		void (*changed)(void *ctx, int64_t site), void *ctx);

/**
 * derive_rebuild() - empty the derived tables and fill them from the log
 *
 * Return: 0 or a negative errno.
 */
int derive_rebuild(struct store *store, struct sql *sql);

/* Bytes of a hash of a table. */
#define DERIVE_HASH_BYTES 32

/**
 * derive_hashes() - hash of each derived table over all shards, one line each: name, rows, hash
 *
 * The hash of a table is the sum of the BLAKE2b of its rows, modulo 2^256 and from the lowest byte.
 * Equal rows give equal hashes on both engines, in any order, and in any shard.
 *
 * Return: 0; -ENOTCONN when a shard does not answer; or another negative errno.
 */
int derive_hashes(struct store *store, FILE *out);

/* The sum of the hashes of all rows of a site: of its derived tables and of its log. */
int derive_hash_site(struct sql *sql, int64_t site, uint8_t ret_hash[DERIVE_HASH_BYTES]);

/* Batches of a site, or of all with 0, that are in the log of a shard and not derived; or an errno.
 */
int64_t derive_waiting(struct sql *sql, int64_t site);

/**
 * derive_compact() - move batches that are older than STORE_HOT_DAYS into day blobs
 * @stop: set by another thread: it ends after the run of batches at hand
 *
 * Return: batches that were compacted, or a negative errno.
 */
int derive_compact(struct store *store, struct sql *sql, int64_t now_ms, const bool *stop);

/**
 * derive_reports() - all reports of an inverter in a local day
 * @ret_reports: to be freed; NULL for none
 *
 * Return: their number; -ENODATA when they are not kept any more; or another negative errno.
 */
int64_t derive_reports(struct store *store, struct sql *sql, int64_t site, uint64_t serial,
		       int64_t day, struct report **ret_reports);

#endif /* EMAD_DERIVE_H */
