// SPDX-License-Identifier: GPL-2.0-or-later
/* Partitions of the large tables, see partitions.h. */
#include "partitions.h"
#include "store.h"

#define DAY_MS INT64_C(86400000)
#define BLOCK_DAYS 32

static const char add[] = "SELECT partition_add($1, $2, $3)";
static const char drop_empty[] = "SELECT partition_drop($1, $2, false)";
static const char drop_old[] = "SELECT partition_drop($1, $2, true)";

/**
 * struct kind - a table with partitions
 * @step: of its key in one partition
 * @before, @ahead: partitions that are made before and after the present one
 * @day: of the key
 * @drop: statement for partitions that are over
 */
static const struct kind {
	const char *name;
	int64_t step;
	int64_t day;
	int before;
	int ahead;
	const char *drop;
} kinds[] = {
	{ "batches", DAY_MS, DAY_MS, 0, 3, drop_empty },
	{ "unit_days", BLOCK_DAYS, 1, 1, 1, drop_old },
};

static int add_partitions(struct sql *sql, const struct kind *kind, int64_t today)
{
	int64_t present = today * kind->day / kind->step;
	int64_t made;
	int ret = 0;

	for (int64_t i = present - kind->before; i <= present + kind->ahead && ret == 0; i++) {
		ret = sql_one(sql, &made, 0, add, "sii", kind->name, i * kind->step,
			      (i + 1) * kind->step);
	}
	return ret;
}

/* The log has its own retention, for which compaction empties it. */
static int64_t days_kept(const struct kind *kind, int64_t keep_days)
{
	return kind->drop == drop_empty ? STORE_HOT_DAYS : keep_days;
}

int partitions_keep(struct sql *sql, int64_t now_ms, int64_t keep_days)
{
	int64_t today = now_ms / DAY_MS;
	int64_t dropped;
	int ret = 0;

	for (size_t i = 0; sql_is_partitioned(sql) && i < ARRAY_SIZE(kinds) && ret == 0; i++) {
		const struct kind *kind = &kinds[i];
		int64_t days = days_kept(kind, keep_days);

		ret = add_partitions(sql, kind, today);
		if (ret == 0 && days > 0) {
			ret = sql_one(sql, &dropped, 0, kind->drop, "si", kind->name,
				      (today - days) * kind->day);
		}
	}
	if (ret == 0 && keep_days > 0) {
		ret = sql_run(sql, "DELETE FROM unit_days WHERE day < $1", "i", today - keep_days);
	}
	return ret < 0 ? ret : 0;
}
