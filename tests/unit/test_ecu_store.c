// SPDX-License-Identifier: GPL-2.0-or-later
/* The store: what comes back, what a full disk and a clock that is not set do, sums, backup, CSV.
 */
#include "store_bench.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "days.h"
#include "db.h"
#include "service_clock.h"
#include "store_history.h"
#include "store_schema.h"

static void open_store(void)
{
	if (store_open(&store, folder, model, err, sizeof(err)) < 0) {
		fail_msg("%s", err);
	}
}

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	make_folder();
	open_store();
	return 0;
}

static struct store_unit unit_of(int i)
{
	struct store_unit unit = { .has_key = true, .event_last = 1234 };

	unit.unit.serial = serial_of(i);
	snprintf(unit.unit.name, sizeof(unit.unit.name), "east %d", i);
	unit.unit.address = (uint16_t)(0x1001 + i);
	unit.unit.modbus_unit = (uint8_t)(2 + i);
	unit.unit.phase = PHASE_L2;
	unit.unit.phase_named = i == 0;
	unit.unit.phase_group = 2 + i;
	unit.unit.paired = true;
	unit.unit.place[2] = (struct model_place){ true, 1.5F, 2, 90 };
	memset(unit.key.byte, 7 + i, sizeof(unit.key.byte));
	for (int channel = 0; channel < ACCOUNT_CHANNELS; channel++) {
		unit.account[channel] =
			(struct account){ .total_mwh = 1000u + (unsigned int)channel,
					  .day = 20260601,
					  .day_mwh = 900,
					  .counter_mwh = 5000,
					  .counted = true,
					  .time_ms = 1780308000000 };
	}
	return unit;
}

static struct store_unit found[8];
static int founds;

static int take_unit(void *ctx, const struct store_unit *unit)
{
	(void)ctx;
	found[founds++] = *unit;
	return 0;
}

static void units_keys_and_accounts_come_back(void **state)
{
	struct store_unit unit = unit_of(0), other = unit_of(1);

	(void)state;
	store_put_unit(store, &other);
	store_put_unit(store, &unit);
	store_set(store, "epoch", "42");
	store_close(store);
	open_store();
	founds = 0;
	assert_int_equal(store_load_units(store, take_unit, NULL), 0);
	assert_int_equal(founds, 2);
	assert_true(serial_equal(&found[0].unit.serial, &unit.unit.serial));
	assert_string_equal(found[0].unit.name, "east 0");
	assert_int_equal(found[0].unit.address, 0x1001);
	assert_int_equal(found[0].event_last, 1234);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(found[i].unit.phase, PHASE_L2);
		assert_int_equal(found[i].unit.phase_named, i == 0);
		assert_int_equal(found[i].unit.phase_group, 2 + i);
	}
	assert_memory_equal(found[0].key.byte, unit.key.byte, sizeof(unit.key.byte));
	assert_memory_equal(found[0].unit.place, unit.unit.place, sizeof(unit.unit.place));
	for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
		assert_int_equal(found[0].account[i].total_mwh, unit.account[i].total_mwh);
		assert_int_equal(found[0].account[i].counter_mwh, 5000);
	}
	assert_int_equal(store_get(store, "epoch", err, sizeof(err)), 0);
	assert_string_equal(err, "42");
}

/* A store of before phases could be found: all phases in it are names of a person. */
static void phases_of_an_older_store_are_names(void **state)
{
	char path[128];
	sqlite3 *db;

	(void)state;
	store_close(store);
	store = NULL;
	snprintf(path, sizeof(path), "%s/" STORE_FILE, folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(db_open(&db, path, DB_WRITE, err, sizeof(err)), 0);
	assert_int_equal(db_migrate(db, STORE_COMPONENT, store_schema, 2, err, sizeof(err)), 0);
	assert_int_equal(db_exec(db, "INSERT INTO unit VALUES ('806000000001',0,'',0,1,4097,2,4,"
				     "x'','','','','','',NULL,0),('806000000002',0,'',0,1,4098,3,0,"
				     "x'','','','','','',NULL,0)"),
			 0);
	db_close(db);
	open_store();
	founds = 0;
	assert_int_equal(store_load_units(store, take_unit, NULL), 0);
	assert_int_equal(founds, 2);
	assert_int_equal(found[0].unit.phase, PHASE_L1_L2);
	assert_true(found[0].unit.phase_named);
	assert_false(found[1].unit.phase_named);
	assert_int_equal(found[0].unit.phase_group, 0);
}

static int limits_found;
static struct power_limits_entry limit_found;

static int take_limit(void *ctx, const struct power_limits_entry *entry)
{
	(void)ctx;
	limits_found++;
	limit_found = *entry;
	return 0;
}

static void limits_outlive_the_gateway_but_not_those_of_its_controls(void **state)
{
	static struct power_limits limits;
	int64_t now_ms = clock_wall_ms();

	(void)state;
	limits.count = 2;
	limits.entry[0] = (struct power_limits_entry){ .until_us = POWER_LIMITS_FOREVER };
	strcpy(limits.entry[0].shown.owner, "owner");
	limits.entry[0].shown.site = true;
	limits.entry[0].shown.w = 700;
	limits.entry[0].shown.then_w = (double)NAN;
	limits.entry[0].shown.since_ms = now_ms;
	limits.entry[1] = limits.entry[0];
	strcpy(limits.entry[1].shown.owner, "export");
	limits.entry[1].shown.until_ms = now_ms + 60000;
	store_put_limits(store, &limits);
	store_close(store);
	open_store();
	limits_found = 0;
	assert_int_equal(store_load_limits(store, take_limit, NULL), 0);
	assert_int_equal(limits_found, 1);
	check_near("limit", limit_found.shown.w, 700, 0);
	assert_true(isnan(limit_found.shown.then_w));
	assert_true(limit_found.until_us == POWER_LIMITS_FOREVER);
}

/* ---- history ---- */

static struct model_unit shown;
static struct account accounts[ACCOUNT_CHANNELS];

static void put_reading(int i, double w, double wh, int64_t time_ms)
{
	shown.serial = serial_of(i);
	for (int id = 0; id < READING_COUNT; id++) {
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			shown.reading[id][channel].value = (double)NAN;
		}
	}
	shown.state = QS1_STATE_PRODUCING;
	model_put(&shown, READING_POWER, 0, w, time_ms);
	model_put(&shown, READING_GRID_V, 0, 240.1, time_ms);
	for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
		model_put(&shown, READING_DC_V, channel, 34, time_ms);
		model_put(&shown, READING_DC_I, channel, w / 4 / 34, time_ms);
		accounts[channel].total_mwh = (uint64_t)(wh * 250);
	}
	accounts[ACCOUNT_GRID].total_mwh = (uint64_t)(wh * 1000);
	store_put_readings(store, &shown, accounts, time_ms);
}

static double points_w[5000], points_wh[5000];
static int points;

static int take_point(void *ctx, const struct store_point *point)
{
	(void)ctx;
	points_w[points] = point->value[READING_POWER][0];
	points_wh[points++] = point->value[READING_ENERGY][0];
	return 0;
}

static struct store_reader *reader(void)
{
	struct store_reader *reader;

	if (store_reader_open(&reader, folder, err, sizeof(err)) < 0) {
		fail_msg("%s", err);
	}
	return reader;
}

static void readings_come_back_at_full_rate_and_as_minutes(void **state)
{
	int64_t start_ms = (clock_wall_ms() / 60000 - 10) * 60000;
	struct serial serial = serial_of(0);
	struct store_reader *read;

	(void)state;
	for (int i = 0; i < 120; i++) {
		put_reading(0, 100 + i, 10 + i, start_ms + i * 5000);
		put_reading(1, 500, 10, start_ms + i * 5000);
	}
	assert_int_equal(store_flush(store), 0);
	read = reader();
	points = 0;
	assert_int_equal(
		store_history(read, &serial, start_ms, start_ms + 600000, 0, take_point, NULL),
		120);
	for (int i = 0; i < 120; i++) {
		check_near("power", points_w[i], 100 + i, 0.51);
	}
	points = 0;
	assert_int_equal(
		store_history(read, &serial, start_ms, start_ms + 600000, 60, take_point, NULL),
		10);
	check_near("mean of the first minute", points_w[0], 105.5, 0.51);
	check_near("energy at its end", points_wh[0], 21, 1e-9);
	store_reader_close(read);
}

static void nothing_is_recorded_twice_or_lost_when_the_clock_steps_back(void **state)
{
	int64_t start_ms = (clock_wall_ms() / 60000 - 10) * 60000;
	struct serial serial = serial_of(0);
	struct store_reader *read;

	(void)state;
	for (int i = 0; i < 12; i++) {
		put_reading(0, 100, 10, start_ms + i * 5000);
	}
	assert_int_equal(store_flush(store), 0);
	/* the same minute comes again */
	for (int i = 0; i < 12; i++) {
		put_reading(0, 200, 20, start_ms + i * 5000 + 1000);
	}
	assert_int_equal(store_flush(store), 0);
	read = reader();
	points = 0;
	assert_int_equal(
		store_history(read, &serial, start_ms, start_ms + 60000, 0, take_point, NULL), 24);
	store_reader_close(read);
}

/* openaps' powerhistory.go: a point of the year 2000 ruined the chart. */
static void readings_of_an_unset_clock_get_their_time_when_it_is_set(void **state)
{
	struct serial serial = serial_of(0);
	struct store_reader *read;
	int64_t now_ms = clock_wall_ms();

	(void)state;
	put_reading(0, 123, 1, 5000);
	assert_int_equal(store_flush(store), 0);
	read = reader();
	points = 0;
	assert_int_equal(
		store_history(read, &serial, now_ms - 60000, now_ms + 60000, 0, take_point, NULL),
		1);
	check_near("power", points_w[0], 123, 0.51);
	points = 0;
	assert_int_equal(store_history(read, &serial, 0, 60000, 0, take_point, NULL), 0);
	store_reader_close(read);
}

/* ---- sums of a day ---- */

static sqlite3 *writer(void)
{
	char path[200];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/ecud.db", folder);
	assert_int_equal(db_open(&db, path, DB_WRITE, err, sizeof(err)), 0);
	return db;
}

static double energy_wh[40];
static int32_t energy_date[40];
static int energies;

static int take_energy(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS])
{
	(void)ctx;
	energy_date[energies] = date;
	energy_wh[energies++] = wh[ACCOUNT_GRID];
	return 0;
}

/* Three days at a reading a minute, the day of 23 hours among them. */
static void days_and_quarters_are_summed_and_chunks_go(void **state)
{
	static const int32_t day[] = { 20260328, 20260329, 20260330 };
	int64_t start_ms = local_day_start(day[0]);
	int64_t end_ms = local_day_start(20260331);
	struct serial serial = serial_of(0);
	struct store_unit unit = unit_of(0);
	struct store_reader *read;
	sqlite3_stmt *row = NULL;
	double wh = 0;
	sqlite3 *db;
	int bytes = 0;

	(void)state;
	memset(unit.account, 0, sizeof(unit.account));
	store_put_unit(store, &unit);
	for (int64_t t = start_ms; t < end_ms; t += 60000) {
		/* 600 W for ten hours of each day */
		int hour = (int)((t - start_ms) / 3600000 % 24);
		double w = hour >= 8 && hour < 18 ? 600 : 0;

		wh += w / 60;
		put_reading(0, w, wh, t);
		if ((t - start_ms) % (100 * 60000) == 0) {
			assert_int_equal(store_flush(store), 0);
		}
	}
	assert_int_equal(store_flush(store), 0);
	store_close(store);
	store = NULL;
	db = writer();
	for (int i = 0; i < 3000; i++) {
		history_maintain(db, end_ms / 1000 + 3 * 86400, 120, 26 * 3600);
	}
	assert_int_equal(history_day_done(db), 20260401);
	assert_int_equal(db_prepare(db, &row,
				    "SELECT (SELECT count(*) FROM minute),"
				    " (SELECT count(*) FROM quarter),"
				    " (SELECT sum(length(reports)) FROM day)",
				    ""),
			 0);
	assert_int_equal(db_step(row), 1);
	assert_int_equal(sqlite3_column_int(row, 0), 0);
	assert_int_equal(sqlite3_column_int(row, 1), 71 * 4);
	bytes = sqlite3_column_int(row, 2);
	db_finalize(&row);
	db_close(db);
	open_store();
	read = reader();
	energies = 0;
	assert_int_equal(store_energy(read, &serial, day[0], day[2], 'd', take_energy, NULL), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(energy_date[i], day[i]);
		check_near("energy of a day", energy_wh[i], 6000, 11);
	}
	energies = 0;
	assert_int_equal(store_energy(read, NULL, 20260301, 20260331, 'm', take_energy, NULL), 1);
	assert_int_equal(energy_date[0], 20260300);
	check_near("energy of the month", energy_wh[0], wh, 0.01);
	points = 0;
	assert_int_equal(store_history(read, &serial, start_ms, end_ms, 900, take_point, NULL),
			 71 * 4);
	check_near("a quarter at noon", points_w[12 * 4], 600, 0.01);
	points = 0;
	assert_int_equal(store_history(read, &serial, start_ms, end_ms, 60, take_point, NULL),
			 71 * 60);
	check_near("a minute at noon", points_w[12 * 60 + 5], 600, 0.51);
	store_reader_close(read);
	print_message("3 day blobs: %d bytes\n", bytes);
}

/* ---- what can go wrong ---- */

static void a_disk_that_is_full_loses_nothing_that_waits(void **state)
{
	int64_t start_ms = (clock_wall_ms() / 60000 - 10) * 60000;
	struct store_unit unit = unit_of(0);
	struct serial serial = serial_of(0);
	struct store_reader *read;
	sqlite3 *blocker;

	(void)state;
	store_put_unit(store, &unit);
	assert_int_equal(store_flush(store), 0);
	/* another program holds the file: each commit fails, as on a full disk */
	blocker = writer();
	assert_int_equal(db_exec(blocker, "BEGIN EXCLUSIVE"), 0);
	for (int i = 0; i < 60; i++) {
		put_reading(0, 100 + i, 10, start_ms + i * 5000);
	}
	assert_true(store_flush(store) < 0);
	assert_false(model->status.store_ok);
	assert_true(strlen(model->status.store_error) > 0);
	assert_int_equal(db_exec(blocker, "ROLLBACK"), 0);
	db_close(blocker);
	assert_int_equal(store_flush(store), 0);
	assert_true(model->status.store_ok);
	read = reader();
	points = 0;
	assert_int_equal(
		store_history(read, &serial, start_ms, start_ms + 300000, 0, take_point, NULL), 60);
	store_reader_close(read);
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
	char path[200], text[32] = "";
	struct store *other = NULL;
	FILE *file;

	(void)state;
	store_close(store);
	store = NULL;
	snprintf(path, sizeof(path), "%s/ecud.db", folder);
	file = fopen(path, "w");
	fputs("this is no database, but a text of some length ................................."
	      "...............................................................................",
	      file);
	fclose(file);
	snprintf(path, sizeof(path), "%s/ecud.db-wal", folder);
	unlink(path);
	assert_int_equal(store_open(&other, folder, model, err, sizeof(err)), -EUCLEAN);
	snprintf(path, sizeof(path), "%s/ecud.db", folder);
	file = fopen(path, "r");
	assert_non_null(fgets(text, 8, file));
	fclose(file);
	assert_string_equal(text, "this is");
}

/* Kill a process that counts and stores, at any moment: its accounts go on where the counter is. */
static void a_kill_loses_and_doubles_no_energy(void **state)
{
	static const struct account_source source = { .lifetime = true, .rated_w = 1200 };
	uint64_t counter = 1000000;

	struct store_unit first = unit_of(0);

	(void)state;
	memset(first.account, 0, sizeof(first.account));
	account_update(&first.account[ACCOUNT_GRID], &source, counter, false, NAN, clock_wall_ms());
	store_put_unit(store, &first);
	store_close(store);
	store = NULL;
	for (int round = 0; round < 12; round++) {
		struct store_unit unit;
		pid_t child;
		int status;

		open_store();
		founds = 0;
		store_load_units(store, take_unit, NULL);
		assert_int_equal(founds, 1);
		unit = found[0];
		store_close(store);
		store = NULL;
		/* a second store of the child, whose thread the kill ends too */
		child = fork();
		if (child == 0) {
			struct store *own = NULL;

			if (store_open(&own, folder, model, err, sizeof(err)) < 0) {
				_exit(1);
			}
			for (uint64_t i = 0;; i++) {
				account_update(&unit.account[ACCOUNT_GRID], &source,
					       counter + i * 10, false, NAN, clock_wall_ms());
				store_put_unit(own, &unit);
				store_flush(own);
			}
		}
		usleep(30000 + 7919 * (unsigned int)round % 40000);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		counter += 1000000;
	}
	open_store();
	founds = 0;
	store_load_units(store, take_unit, NULL);
	assert_int_equal(founds, 1);
	account_update(&found[0].account[ACCOUNT_GRID], &source, counter, false, NAN,
		       clock_wall_ms());
	assert_int_equal(found[0].account[ACCOUNT_GRID].total_mwh, counter - 1000000);
}

/* ---- backup, restore, CSV ---- */

static void a_backup_can_be_restored_and_has_a_new_epoch(void **state)
{
	struct store_unit unit = unit_of(0), later = unit_of(1);
	char path[200], text[64] = "x";

	(void)state;
	store_put_unit(store, &unit);
	store_set(store, "epoch", "42");
	store_put_batch(store, 1, (const uint8_t *)"batch", 5);
	assert_int_equal(store_flush(store), 0);
	snprintf(path, sizeof(path), "%s/backup", folder);
	assert_int_equal(store_backup(folder, path, err, sizeof(err)), 0);
	assert_int_equal(store_backup(folder, path, err, sizeof(err)), -EEXIST);
	store_put_unit(store, &later);
	store_close(store);
	store = NULL;
	assert_int_equal(store_restore(folder, path, err, sizeof(err)), 0);
	open_store();
	founds = 0;
	store_load_units(store, take_unit, NULL);
	assert_int_equal(founds, 1);
	assert_true(found[0].has_key);
	assert_int_equal(store_get(store, "epoch", text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void what_is_no_backup_is_refused(void **state)
{
	char path[200];
	FILE *file;

	(void)state;
	store_close(store);
	store = NULL;
	snprintf(path, sizeof(path), "%s/nonsense", folder);
	file = fopen(path, "w");
	fputs("nonsense", file);
	fclose(file);
	assert_true(store_restore(folder, path, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, path));
	open_store();
}

static void readings_are_exported_as_csv(void **state)
{
	int64_t start_ms = (clock_wall_ms() / 60000 - 10) * 60000;
	struct store_unit unit = unit_of(0);
	char path[200], head[2000], line[2000];
	FILE *file;

	(void)state;
	store_put_unit(store, &unit);
	put_reading(0, 100, 10, start_ms);
	assert_int_equal(store_flush(store), 0);
	snprintf(path, sizeof(path), "%s/export.csv", folder);
	assert_int_equal(store_export(folder, path, err, sizeof(err)), 0);
	file = fopen(path, "r");
	assert_non_null(fgets(head, sizeof(head), file));
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	assert_int_equal(strncmp(head, "time,serial,power,reactive_power,", 33), 0);
	assert_non_null(strstr(head, ",dc_voltage_1,dc_voltage_2,"));
	assert_non_null(strstr(line, ",806000000001,100.0,,240.10,"));
}

static void the_outbox_keeps_batches_until_they_are_stored(void **state)
{
	struct store_reader *read;
	uint64_t sequence;
	uint8_t *bytes;
	size_t n;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		store_put_batch(store, i, (const uint8_t *)"batch", 5);
	}
	assert_int_equal(store_flush(store), 0);
	store_drop_batches(store, 3);
	assert_int_equal(store_flush(store), 0);
	read = reader();
	assert_int_equal(store_batch(read, 0, &sequence, &bytes, &n), 1);
	assert_int_equal(sequence, 4);
	assert_memory_equal(bytes, "batch", 5);
	free(bytes);
	assert_int_equal(store_batch(read, 6, &sequence, &bytes, &n), 0);
	store_reader_close(read);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(units_keys_and_accounts_come_back),
		TEST(phases_of_an_older_store_are_names),
		TEST(limits_outlive_the_gateway_but_not_those_of_its_controls),
		TEST(readings_come_back_at_full_rate_and_as_minutes),
		TEST(nothing_is_recorded_twice_or_lost_when_the_clock_steps_back),
		TEST(readings_of_an_unset_clock_get_their_time_when_it_is_set),
		TEST(days_and_quarters_are_summed_and_chunks_go),
		TEST(a_disk_that_is_full_loses_nothing_that_waits),
		TEST(a_file_that_is_no_database_is_left_alone),
		TEST(a_kill_loses_and_doubles_no_energy),
		TEST(a_backup_can_be_restored_and_has_a_new_epoch),
		TEST(what_is_no_backup_is_refused),
		TEST(readings_are_exported_as_csv),
		TEST(the_outbox_keeps_batches_until_they_are_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
