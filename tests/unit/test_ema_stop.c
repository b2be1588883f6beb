// SPDX-License-Identifier: GPL-2.0-or-later
/* Long work of the watching thread ends early when the service stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "alarms.h"
#include "store.h"

#define NOW_MS INT64_C(1780340400000)
#define DAY_MS INT64_C(86400000)
#define SITES 5
#define STOP_AFTER 2

struct home {
	char folder[32];
	char data[64];
	char keys[64];
	struct store store;
	struct sql *sql;
	bool stop;
	int seen;
};

/* A store with sites that have been silent for two days: each gets an alarm. */
static int set_up(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	char err[300];

	*state = home;
	strcpy(home->folder, "/tmp/ema-stop-XXXXXX");
	if (sodium_init() < 0 || !mkdtemp(home->folder)) {
		return -1;
	}
	snprintf(home->data, sizeof(home->data), "%s/data.db", home->folder);
	snprintf(home->keys, sizeof(home->keys), "%s/keys.db", home->folder);
	home->store = (struct store){ .where = { home->data }, .shards = 1 };
	if (store_open(&home->store, home->keys, err, sizeof(err)) < 0) {
		return -1;
	}
	home->sql = store_shard(&home->store, 0);
	for (int64_t id = 1; id <= SITES; id++) {
		if (sql_run(home->sql,
			    "INSERT INTO sites (id, customer, name, created_ms, last_ms) VALUES "
			    "($1, 0, 'Home', 0, $2)",
			    "ii", id, NOW_MS - 2 * DAY_MS) < 0) {
			return -1;
		}
	}
	return 0;
}

static int tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	struct home *home = *state;
	char path[96];

	store_close(&home->store);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(path, sizeof(path), "%s%s", home->data, ends[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s%s", home->keys, ends[i]);
		unlink(path);
	}
	rmdir(home->folder);
	free(home);
	return 0;
}

static int64_t looked_at(struct home *home)
{
	int64_t n = -1;

	assert_int_equal(sql_one(home->sql, &n, 0, "SELECT COUNT(*) FROM progress", ""), 0);
	return n;
}

static void on_changed(void *ctx, int64_t site)
{
	struct home *home = ctx;

	(void)site;
	home->stop = ++home->seen == STOP_AFTER;
}

static void a_stop_ends_the_look_at_sites_after_the_one_at_hand(void **state)
{
	struct home *home = *state;
	int64_t after = 0;

	assert_int_equal(alarms_run_some(&home->store, home->sql, NOW_MS, &after, &home->stop,
					 on_changed, home),
			 0);
	assert_int_equal(home->seen, STOP_AFTER);
	assert_int_equal(looked_at(home), STOP_AFTER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stop_ends_the_look_at_sites_after_the_one_at_hand,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
