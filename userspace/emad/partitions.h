/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partitions of the large tables on PostgreSQL: the log by the day in which a batch came, day blobs
 * by blocks of 32 local days, so that ten years are about a hundred partitions. They are created in
 * advance, and dropped when all their data have expired. A row outside of all of them is in the
 * default partition and moves when its partition is made. SQLite has none.
 *
 * Only the tables are granted to other roles, and only they have policies. Partitions are in a
 * schema that nobody but the owner may use, with row-level security and without a policy.
 */
#ifndef EMAD_PARTITIONS_H
#define EMAD_PARTITIONS_H

#include "sql.h"

/**
 * partitions_keep() - make partitions ahead, and drop those that are over
 * @keep_days: day blobs older than this are dropped, on SQLite deleted; 0 keeps them for ever
 *
 * A partition of the log is dropped when compaction has emptied it.
 *
 * Return: 0 or a negative errno.
 */
int partitions_keep(struct sql *sql, int64_t now_ms, int64_t keep_days);

#endif /* EMAD_PARTITIONS_H */
