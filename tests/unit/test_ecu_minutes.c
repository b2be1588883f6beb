// SPDX-License-Identifier: GPL-2.0-or-later
/* When the store writes what, and sums over readings that are in no quarter, on a clock that the
 * test sets. */
#include "store_bench.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "days.h"
#include "db.h"
#include "manual_clock.h"
#include "util.h"

/* 2026-06-01T10:00:00Z */
#define START_MS INT64_C(1780308000000)
#define MINUTE_MS 60000
#define QUARTER_MS (15 * MINUTE_MS)
#define UNITS 2

static int set_up(void **state)
{
	(void)state;
	make_folder();
	clock_set_ms(START_MS);
	assert_int_equal(store_open(&store, folder, model, err, sizeof(err)), 0);
	return 0;
}

/* @w by both units; the counters have gone to @mwh. */
static void put_readings(int64_t time_ms, double w, uint64_t mwh)
{
	static struct model_unit unit;
	struct account account[ACCOUNT_CHANNELS] = { 0 };

	clock_set_ms(time_ms);
	account[ACCOUNT_GRID].total_mwh = mwh;
	for (int i = 0; i < UNITS; i++) {
		unit.serial = serial_of(i);
		model_put(&unit, READING_POWER, 0, w, time_ms);
		store_put_readings(store, &unit, account, time_ms);
	}
}

static int64_t number(const char *sql)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;
	struct store_reader *reader;
	int64_t found;

	assert_int_equal(store_reader_open(&reader, folder, err, sizeof(err)), 0);
	assert_int_equal(db_prepare(store_reader_db(reader), &row, sql, ""), 0);
	assert_int_equal(db_step(row), 1);
	found = sqlite3_column_int64(row, 0);
	db_finalize(&row);
	row = NULL;
	store_reader_close(reader);
	return found;
}

/* The store's thread has some real time for what the clock makes due. */
static void wait_for(const char *sql, int64_t expected)
{
	for (int i = 0; i < 5000 && number(sql) != expected; i++) {
		usleep(1000);
	}
	assert_int_equal(number(sql), expected);
}

static void readings_wait_for_their_minute_and_events_do_not(void **state)
{
	(void)state;
	put_readings(START_MS + 10000, 100, 1);
	store_put_event(store, &(struct model_event){ .number = 1, .time_ms = START_MS });
	clock_set_ms(START_MS + 11500);
	wait_for("SELECT count(*) FROM event", 1);
	assert_int_equal(number("SELECT count(*) FROM minute"), 0);
	put_readings(START_MS + 59000, 100, 2);
	clock_set_ms(START_MS + MINUTE_MS);
	wait_for("SELECT count(*) FROM minute", 1);
	/* with their accounts */
	assert_int_equal(number("SELECT max(total_mwh) FROM account"), 2);
}

static double points_w[20], points_wh[20];
static int points;

static int take_unit(void *ctx, const struct store_point *point)
{
	(void)ctx;
	points_w[points] = point->value[READING_POWER][0];
	points_wh[points++] = point->value[READING_ENERGY][0];
	return 0;
}

static int take_site(void *ctx, const struct store_point *point)
{
	(void)ctx;
	points_w[points] = point->value[READING_SITE_POWER][0];
	points_wh[points++] = point->value[READING_SITE_ENERGY][0];
	return 0;
}

/* 100 W for half an hour, which is summed up, then 400 W for five minutes, which are not. */
static void a_quarter_that_is_not_over_has_the_weight_of_the_others(void **state)
{
	struct serial serial = serial_of(0);
	struct store_reader *reader;
	struct store_unit unit = { 0 };
	int64_t end_ms = START_MS + 2 * QUARTER_MS + 5 * MINUTE_MS;
	uint64_t mwh = 0;

	(void)state;
	for (int i = 0; i < UNITS; i++) {
		unit.unit.serial = serial_of(i);
		store_put_unit(store, &unit);
	}
	for (int64_t time_ms = START_MS; time_ms < end_ms; time_ms += 5000) {
		mwh += 1000;
		put_readings(time_ms, time_ms < START_MS + 2 * QUARTER_MS ? 100 : 400, mwh);
	}
	assert_int_equal(store_flush(store), 0);
	wait_for("SELECT count(*) FROM quarter", 2 * UNITS);
	assert_int_equal(store_reader_open(&reader, folder, err, sizeof(err)), 0);
	points = 0;
	assert_int_equal(store_history(reader, &serial, START_MS, end_ms, 3600, take_unit, NULL),
			 1);
	check_near("power of a unit", points_w[0], 200, 0.01);
	check_near("energy of a unit", points_wh[0], (double)mwh / 1e3, 1e-6);
	points = 0;
	assert_int_equal(store_history(reader, NULL, START_MS, end_ms, 3600, take_site, NULL), 1);
	check_near("power of the site", points_w[0], 400, 0.01);
	check_near("energy of the site", points_wh[0], 2 * (double)mwh / 1e3, 1e-6);
	points = 0;
	assert_int_equal(store_history(reader, NULL, START_MS, end_ms, 900, take_site, NULL), 3);
	check_near("power in the open quarter", points_w[2], 800, 0.01);
	store_reader_close(reader);
}

/* The store as it was when each chunk had a row; 3 steps of the schema. */
static void make_old(const struct report *report)
{
	uint8_t *bytes = NULL;
	sqlite3 *db = NULL;
	char path[200];
	size_t n;

	snprintf(path, sizeof(path), "%s/ecud.db", folder);
	assert_int_equal(db_open(&db, path, DB_WRITE, err, sizeof(err)), 0);
	assert_int_equal(db_exec(db,
				 "DROP TABLE minute; DROP TABLE damaged;"
				 "CREATE TABLE chunk (minute INTEGER, serial INTEGER,"
				 " reports BLOB NOT NULL, e0 INTEGER, e1 INTEGER, e2 INTEGER,"
				 " e3 INTEGER, e4 INTEGER, PRIMARY KEY (minute, serial))"
				 " STRICT, WITHOUT ROWID;"
				 "UPDATE schema_version SET version = 3 WHERE component = 'ecud'"),
			 0);
	for (int i = 0; i < 3 * UNITS; i++) {
		struct report one = *report;

		one.serial += (uint64_t)(i % UNITS);
		one.time_s += i / UNITS * 60;
		assert_int_equal(day_pack(&one, 1, &bytes, &n), 0);
		assert_true(db_run(db, "INSERT INTO chunk VALUES (?, ?, ?, 1, 2, 3, 4, 5000)",
				   "iib", one.time_s / 60, (int64_t)one.serial, (const void *)bytes,
				   n) >= 0);
		free(bytes);
	}
	db_close(db);
}

static void readings_of_an_older_store_are_still_there(void **state)
{
	struct serial serial = serial_of(1);
	struct report report = { .serial = 806000000001, .time_s = START_MS / 1000 };
	struct store_reader *reader;

	(void)state;
	report.value[REPORT_POWER] = 123;
	store_close(store);
	store = NULL;
	make_old(&report);
	assert_int_equal(store_open(&store, folder, model, err, sizeof(err)), 0);
	assert_int_equal(number("SELECT count(*) FROM minute"), 3);
	assert_int_equal(store_reader_open(&reader, folder, err, sizeof(err)), 0);
	points = 0;
	assert_int_equal(store_history(reader, &serial, START_MS, START_MS + 3 * MINUTE_MS, 0,
				       take_unit, NULL),
			 3);
	check_near("power", points_w[2], 123, 0.01);
	check_near("energy", points_wh[2], 5, 1e-6);
	store_reader_close(reader);
}

/* The store goes on: a commit that fails is tried again, with all that came since. */
static void a_damaged_minute_is_replaced(void **state)
{
	struct serial serial = serial_of(1);
	struct store_reader *reader;
	char path[200];
	sqlite3 *db;

	(void)state;
	put_readings(START_MS + 10000, 100, 1);
	store_close(store);
	store = NULL;
	snprintf(path, sizeof(path), "%s/ecud.db", folder);
	assert_int_equal(db_open(&db, path, DB_WRITE, err, sizeof(err)), 0);
	assert_int_equal(db_exec(db, "UPDATE minute SET chunks = x'0102'"), 0);
	db_close(db);
	assert_int_equal(store_open(&store, folder, model, err, sizeof(err)), 0);
	put_readings(START_MS + 20000, 200, 2);
	clock_set_ms(START_MS + MINUTE_MS);
	wait_for("SELECT count(*) FROM minute WHERE length(chunks) > 2", 1);
	assert_int_equal(store_reader_open(&reader, folder, err, sizeof(err)), 0);
	points = 0;
	assert_int_equal(
		store_history(reader, &serial, START_MS, START_MS + MINUTE_MS, 0, take_unit, NULL),
		1);
	check_near("power", points_w[0], 200, 0.01);
	store_reader_close(reader);
}

static void change(const char *sql)
{
	char path[200];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/ecud.db", folder);
	assert_int_equal(db_open(&db, path, DB_WRITE, err, sizeof(err)), 0);
	assert_int_equal(db_exec(db, sql), 0);
	db_close(db);
}

/* The sums of the day are written, chunks go, and the minutes of the damaged row alone are absent.
 */
static void sums_and_histories_do_not_wait_for_a_damaged_minute(void **state)
{
	struct serial serial = serial_of(1);
	struct store_reader *reader;
	struct store_unit unit = { 0 };
	char sql[100];

	(void)state;
	for (int i = 0; i < UNITS; i++) {
		unit.unit.serial = serial_of(i);
		store_put_unit(store, &unit);
	}
	for (int64_t t = 0; t < 10 * MINUTE_MS; t += 10000) {
		put_readings(START_MS + t, 100, (uint64_t)t);
	}
	assert_int_equal(store_flush(store), 0);
	snprintf(sql, sizeof(sql), "UPDATE minute SET chunks = x'0102' WHERE minute = %lld",
		 (long long)(START_MS / MINUTE_MS + 3));
	change(sql);
	assert_int_equal(store_reader_open(&reader, folder, err, sizeof(err)), 0);
	points = 0;
	assert_int_equal(store_history(reader, &serial, START_MS, START_MS + 10 * MINUTE_MS, 60,
				       take_unit, NULL),
			 9);
	clock_set_ms(START_MS + 3 * 86400000LL);
	wait_for("SELECT count(*) FROM quarter", UNITS);
	wait_for("SELECT count(*) FROM damaged WHERE bytes = x'0102' AND what ="
		 " 'readings of minute 29671803'",
		 1);
	wait_for("SELECT count(*) FROM minute", 0);
	points = 0;
	assert_int_equal(store_history(reader, &serial, START_MS, START_MS + 10 * MINUTE_MS, 60,
				       take_unit, NULL),
			 9);
	/* a commit shows it */
	store_set(store, "any", "thing");
	assert_int_equal(store_flush(store), 0);
	assert_int_equal(model->status.store_damaged, 1);
	assert_string_equal(model->status.store_damage, "readings of minute 29671803");
	/* neither does a history wait for a damaged day */
	change("UPDATE day SET reports = x'0102'");
	points = 0;
	assert_int_equal(store_history(reader, &serial, START_MS, START_MS + 10 * MINUTE_MS, 60,
				       take_unit, NULL),
			 0);
	store_reader_close(reader);
	snprintf(sql, sizeof(sql), "%s/export.csv", folder);
	assert_int_equal(store_export(folder, sql, err, sizeof(err)), 0);
}

static int taken;

static int count_unit(void *ctx, const struct store_unit *unit)
{
	(void)ctx;
	(void)unit;
	taken++;
	return 0;
}

static int count_limit(void *ctx, const struct power_limits_entry *entry)
{
	(void)ctx;
	(void)entry;
	taken++;
	return 0;
}

/* The gateway starts, and the day's sums of the other inverters are written. */
static void damaged_rows_of_inverters_and_limits_stop_no_start(void **state)
{
	struct store_unit unit = { 0 };

	(void)state;
	for (int i = 0; i < UNITS; i++) {
		unit.unit.serial = serial_of(i);
		store_put_unit(store, &unit);
	}
	put_readings(START_MS, 100, 1);
	assert_int_equal(store_flush(store), 0);
	change("UPDATE unit SET serial = 'x' WHERE serial = '806000000001';"
	       "UPDATE account SET channel = 9 WHERE channel = 1;"
	       "INSERT INTO power_limit VALUES ('owner', 0, 'y', 1, NULL, 0, 0, '', '')");
	taken = 0;
	assert_int_equal(store_load_units(store, count_unit, NULL), 0);
	assert_int_equal(taken, UNITS - 1);
	taken = 0;
	assert_int_equal(store_load_limits(store, count_limit, NULL), 0);
	assert_int_equal(taken, 0);
	assert_int_equal(number("SELECT count(*) FROM damaged"), 3);
	clock_set_ms(START_MS + 3 * 86400000LL);
	wait_for("SELECT count(*) FROM minute", 0);
	assert_int_equal(number("SELECT count(*) FROM day WHERE serial = 806000000002 AND"
				" e4 = 1 AND day = 20260601"),
			 1);
}

/* Commits come faster than the copy. */
static void a_backup_ends_while_the_store_is_written(void **state)
{
	static const uint8_t bytes[100000];
	char path[200];
	pid_t child;

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		store_put_batch(store, i + 1, bytes, sizeof(bytes));
	}
	assert_int_equal(store_flush(store), 0);
	child = fork();
	if (child == 0) {
		struct sqlite3 *db;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "%s/ecud.db", folder);
		if (db_open(&db, path, DB_WRITE, err, sizeof(err)) < 0) {
			_exit(1);
		}
		for (;;) {
			db_run(db,
			       "INSERT OR REPLACE INTO setting VALUES ('a', hex(randomblob(9)))",
			       "");
			usleep(500);
		}
	}
	alarm(10);
	snprintf(path, sizeof(path), "%s/backup", folder);
	assert_int_equal(store_backup(folder, path, err, sizeof(err)), 0);
	alarm(0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(readings_wait_for_their_minute_and_events_do_not),
		TEST(a_quarter_that_is_not_over_has_the_weight_of_the_others),
		TEST(readings_of_an_older_store_are_still_there),
		TEST(a_damaged_minute_is_replaced),
		TEST(sums_and_histories_do_not_wait_for_a_damaged_minute),
		TEST(damaged_rows_of_inverters_and_limits_stop_no_start),
		TEST(a_backup_ends_while_the_store_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
