/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving sites from one shard to another, while the service runs.
 *
 * A site moves alone, with all of its rows, between two transactions: one locks the tables of the
 * old shard against changes, the other copies the rows to the new shard, where the site is marked
 * as arriving, and commits. Then the first one deletes the rows and commits, and the mark goes. So
 * a site that is arriving and still in another shard counts there, and its copy is replaced by the
 * next attempt; one that is arriving and nowhere else has arrived.
 *
 * Changes wait while a site of their shard moves. What comes to a site that has left finds it in
 * the new shard, or is answered with 503.
 */
#ifndef EMAD_MOVE_H
#define EMAD_MOVE_H

#include "store.h"

/**
 * move_site() - move a site
 * @from, @to: shards
 *
 * The copy must have the hash of derive_hash_site(), and as many rows in each table.
 *
 * Return: 1; 0 when the site is not in @from; -EBADMSG for a copy that differs; -EAGAIN when the
 * tables were in use for too long; or another negative errno. With @err.
 */
int move_site(struct store *store, int64_t site, int from, int to, char *err, size_t size);

/**
 * move_finish() - finish or undo moves that were interrupted
 *
 * Return: number of sites, or a negative errno with @err.
 */
int move_finish(struct store *store, char *err, size_t size);

/* Bits of store_hash() that ranges of moves use: its highest ones. */
#define MOVE_HASH_BITS 16

/**
 * move_range() - move all sites of a range of hashes to the shards that store_home() says
 * @first, @last: of the hash
 * @moved: called after each site
 *
 * Return: number of sites that were moved, or a negative errno with @err.
 */
int64_t move_range(struct store *store, uint32_t first, uint32_t last,
		   void (*moved)(int64_t site, int from, int to), char *err, size_t size);

#endif /* EMAD_MOVE_H */
