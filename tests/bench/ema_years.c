// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ema-years: the store of a home after years, through the functions of the service itself: sealed
 * batches into the log, derived, compacted.
 *
 *   ema-years FOLDER DAYS UNITS END_S    prints the number of reports
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "derive.h"
#include "roof.h"
#include "store.h"

#define SKY "tests/data/day-clouds.csv"
#define SKY_BEGIN_S (5 * 3600)
#define ZONE_MIN (-420)
#define STEP_S 300
#define DAY_S 86400
#define SITE 1
#define ECU UINT64_C(216000000001)
#define UNITS_MAX 12
/* Days in one transaction of the log and one of what is derived. */
#define GROUP 30

static struct {
	struct store store;
	struct sql *sql;
	struct sky sky;
	struct roof_unit unit[UNITS_MAX];
	int units;
	uint64_t sequence;
	int64_t reports;
} home;

static void must(int ret, const char *what)
{
	if (ret < 0) {
		fprintf(stderr, "ema-years: %s: %s %s\n", what, strerror(-ret),
			home.sql ? sql_error(home.sql) : "");
		exit(1);
	}
}

static void begin(const char *folder, int units)
{
	static char data[512];
	char keys[512];
	char err[300];

	home.units = units;
	snprintf(data, sizeof(data), "%s/data.db", folder);
	snprintf(keys, sizeof(keys), "%s/keys.db", folder);
	must(sky_load(&home.sky, SKY, SKY_BEGIN_S, err, sizeof(err)), SKY);
	home.store = (struct store){ .where = { data }, .shards = 1 };
	must(store_open(&home.store, keys, err, sizeof(err)), data);
	home.sql = store_shard(&home.store, 0);
	must(sql_run(home.sql,
		     "INSERT INTO sites (id, customer, name, created_ms) VALUES ($1, 0, 'Home', 0)",
		     "i", (int64_t)SITE),
	     "site");
	must(sql_run(home.sql, "INSERT INTO ecus (ecu, site, key_hash) VALUES ($1, $2, $3)", "iib",
		     ECU, (int64_t)SITE, "key", (size_t)3),
	     "ECU");
	for (int i = 0; i < units; i++) {
		roof_unit_init(&home.unit[i], UINT64_C(806000000001) + (uint64_t)i, (uint64_t)i);
	}
}

/* One batch with all reports of a local day. */
static void put_day(int64_t midnight_s)
{
	int count = (int)(home.sky.n * (size_t)home.sky.step_s / STEP_S);
	struct report *reports = calloc((size_t)(count * home.units), sizeof(*reports));
	struct batch batch = {
		.head = { .ecu = ECU,
			  .epoch = 1,
			  .sequence = ++home.sequence,
			  .wall_ms = (midnight_s + DAY_S) * 1000,
			  .zone_min = ZONE_MIN,
			  .flags = BATCH_CLOCK_SYNCHRONIZED },
		.reports = reports,
	};
	const struct store_ecu ecu = { ECU, SITE, 0 };
	struct batch_head head;
	char err[200];
	uint8_t *bytes;
	size_t n;

	for (int i = 0; i < home.units; i++) {
		for (int j = 1; j <= count; j++) {
			roof_report(&home.unit[i], &home.sky, midnight_s + SKY_BEGIN_S + j * STEP_S,
				    ZONE_MIN, &reports[batch.report_count++]);
		}
	}
	home.reports += (int64_t)batch.report_count;
	must(batch_seal(&batch, &bytes, &n), "seal");
	must(batch_read_head(bytes, n, &head, &n, err, sizeof(err)), "head");
	must(store_batch(&home.store, home.sql, &ecu, &head, bytes, n, 0, head.wall_ms), "store");
	free(bytes);
	free(reports);
}

int main(int argc, char **argv)
{
	int64_t end_s = argc == 5 ? strtoll(argv[4], NULL, 10) : 0;
	int days = argc == 5 ? atoi(argv[2]) : 0;
	int units = argc == 5 ? atoi(argv[3]) : 0;
	const bool stop = false;
	int64_t first_s;

	if (days < 1 || units < 1 || units > UNITS_MAX || sodium_init() < 0) {
		fprintf(stderr, "usage: ema-years FOLDER DAYS UNITS END_S, 1 to %d units\n",
			UNITS_MAX);
		return 2;
	}
	begin(argv[1], units);
	/* The last day is the one before that of the end. */
	first_s = end_s - (end_s + ZONE_MIN * 60) % DAY_S - (int64_t)days * DAY_S;
	for (int day = 0; day < days;) {
		must(sql_begin(home.sql), "begin");
		for (int i = 0; i < GROUP && day < days; i++) {
			put_day(first_s + (int64_t)day++ * DAY_S);
		}
		must((int)store_advance(home.sql, ECU, 1), "advance");
		must(sql_commit(home.sql), "commit");
		must(derive_next(&home.store, home.sql, GROUP, NULL, NULL), "derive");
		/* As the service does: free pages are used again. */
		must(derive_compact(&home.store, home.sql, (first_s + (int64_t)day * DAY_S) * 1000,
				    &stop),
		     "compact");
	}
	printf("%" PRId64 "\n", home.reports);
	store_close(&home.store);
	sky_free(&home.sky);
	return 0;
}
