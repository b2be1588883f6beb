// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cuts of power: the store on a disk that loses, at a random write or fsync, what no fsync has made
 * durable. QS1_CUTS is their number.
 */
#include "store_bench.h"

#include <time.h>

#include "db.h"
#include "manual_clock.h"
#include "power_vfs.h"
#include "util.h"

#define CUTS 150
/* Writes and fsyncs between the start and the cut; the first start alone has about 60. */
#define OPERATIONS 250
#define UNITS 3
#define STEP_MS 5000
/* Between two commits the clock goes on so far: quarters and days are summed up, too. */
#define COMMIT_MS 300000
/* 2026-06-01T00:00:00Z */
#define START_MS INT64_C(1780272000000)
#define BATCH "a batch of the outbox"

/* What the gateway has handed over, and what a successful flush has promised to keep. */
struct progress {
	bool any;
	int64_t time_ms; /* of the last reading */
	uint64_t counter_mwh;
	uint64_t batch;
	uint64_t event;
};

static struct progress put, promised;
/* Reading at which the accounts begin: the counter of a unit that has produced before. */
#define FIRST_MWH 1000000

static struct store_unit found[UNITS];
static int founds;

static int take_unit(void *ctx, const struct store_unit *unit)
{
	(void)ctx;
	assert_true(founds < UNITS);
	found[founds++] = *unit;
	return 0;
}

/* The accounts are those of one instant between the promise and the cut, and whole. */
static void check_accounts(void)
{
	founds = 0;
	assert_int_equal(store_load_units(store, take_unit, NULL), 0);
	assert_true(founds == UNITS || !promised.any);
	for (int i = 0; i < founds; i++) {
		for (int channel = 0; channel < ACCOUNT_CHANNELS; channel++) {
			const struct account *account = &found[i].account[channel];

			if (!account->counted && !promised.any) {
				continue;
			}
			assert_int_equal(account->total_mwh, account->counter_mwh - FIRST_MWH);
			assert_in_range(account->counter_mwh, promised.counter_mwh,
					put.counter_mwh);
		}
	}
}

static int64_t last_ms;
static int points;

static int take_point(void *ctx, const struct store_point *point)
{
	(void)ctx;
	points++;
	last_ms = point->time_ms;
	return 0;
}

/* All readings that were promised are there, once; of later ones some. */
static void check_readings(struct store_reader *reader)
{
	int64_t from_ms = promised.time_ms - COMMIT_MS + STEP_MS;

	for (int i = 0; i < UNITS && promised.any; i++) {
		struct serial serial = serial_of(i);

		points = 0;
		assert_int_equal(store_history(reader, &serial, from_ms, promised.time_ms + 1, 0,
					       take_point, NULL),
				 COMMIT_MS / STEP_MS);
		store_history(reader, &serial, promised.time_ms, put.time_ms + COMMIT_MS, 0,
			      take_point, NULL);
		assert_true(last_ms <= put.time_ms);
	}
}

static uint64_t events_found;

static int take_event(void *ctx, const struct model_event *event)
{
	(void)ctx;
	events_found++;
	assert_int_equal(event->number, events_found);
	return 0;
}

static void check_lists(struct store_reader *reader)
{
	uint64_t sequence = 0;

	events_found = 0;
	store_events(reader, 0, 1 << 30, take_event, NULL);
	assert_in_range(events_found, promised.event, put.event);
	for (uint64_t wanted = promised.batch; wanted > 0 && wanted + 5 > promised.batch;
	     wanted--) {
		uint8_t *bytes;
		size_t n;

		assert_int_equal(store_batch(reader, wanted, &sequence, &bytes, &n), 1);
		assert_int_equal(sequence, wanted);
		assert_int_equal(n, sizeof(BATCH));
		assert_memory_equal(bytes, BATCH, n);
		free(bytes);
	}
}

static void check_file(struct store_reader *reader)
{
	sqlite3_stmt *row __cleanup(db_finalize) = NULL;

	assert_int_equal(db_prepare(store_reader_db(reader), &row, "PRAGMA integrity_check", ""),
			 0);
	assert_int_equal(db_step(row), 1);
	assert_string_equal(db_text(row, 0), "ok");
}

static void check(void)
{
	struct store_reader *reader;

	check_accounts();
	assert_int_equal(store_reader_open(&reader, folder, err, sizeof(err)), 0);
	check_readings(reader);
	check_lists(reader);
	check_file(reader);
	store_reader_close(reader);
}

static void put_unit(int i)
{
	static struct model_unit unit;
	struct store_unit kept = { .has_key = true };

	unit.serial = serial_of(i);
	unit.make = MAKE_OURS;
	for (int id = 0; id < READING_COUNT; id++) {
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			unit.reading[id][channel].value = 100 + (double)power_draw(50);
		}
	}
	for (int channel = 0; channel < ACCOUNT_CHANNELS; channel++) {
		kept.account[channel] = (struct account){
			.total_mwh = put.counter_mwh - FIRST_MWH,
			.counter_mwh = put.counter_mwh,
			.counted = true,
			.day = local_day(put.time_ms),
			.time_ms = put.time_ms,
		};
	}
	kept.unit = unit;
	if (power_draw(40) == 0 || !promised.any) {
		store_put_unit(store, &kept);
	}
	store_put_readings(store, &unit, kept.account, put.time_ms);
}

/* Work until the power fails. */
static void produce(void)
{
	while (!power.dead) {
		for (int64_t end_ms = put.time_ms + COMMIT_MS; put.time_ms < end_ms;) {
			put.time_ms += STEP_MS;
			put.counter_mwh += 500;
			clock_set_ms(put.time_ms);
			for (int i = 0; i < UNITS; i++) {
				put_unit(i);
			}
		}
		put.event++;
		store_put_event(store, &(struct model_event){ .number = put.event,
							      .time_ms = put.time_ms,
							      .kind = EVENT_STATE });
		put.batch++;
		store_put_batch(store, put.batch, (const uint8_t *)BATCH, sizeof(BATCH));
		if (put.batch > 20) {
			store_drop_batches(store, put.batch - 20);
		}
		if (store_flush(store) == 0) {
			promised = put;
			promised.any = true;
		}
	}
}

/* The gateway starts after a cut: it goes on from what it finds. */
static void go_on(void)
{
	promised.any = promised.any && founds == UNITS;
	put.event = events_found;
	put.batch = promised.batch;
	put.counter_mwh = promised.counter_mwh;
	for (int i = 0; i < founds; i++) {
		uint64_t counter_mwh = found[i].account[0].counter_mwh;

		put.counter_mwh = counter_mwh > put.counter_mwh ? counter_mwh : put.counter_mwh;
	}
}

static void cuts_lose_nothing_that_was_promised_and_double_nothing(void **state)
{
	const char *text = getenv("QS1_CUTS");
	int cuts = text ? atoi(text) : CUTS;

	(void)state;
	put.counter_mwh = promised.counter_mwh = FIRST_MWH;
	put.time_ms = START_MS;
	clock_set_ms(put.time_ms);
	for (int cut = 0; cut < cuts; cut++) {
		power_cut(1 + power_draw(OPERATIONS));
		if (store_open(&store, folder, model, err, sizeof(err)) == 0) {
			produce();
			store_close(store);
		}
		power_restore();
		if (store_open(&store, folder, model, err, sizeof(err)) < 0) {
			fail_msg("after cut %d: %s", cut + 1, err);
		}
		check();
		go_on();
		store_close(store);
		store = NULL;
	}
	print_message("%d cuts, %llu events, %.1f kWh kept\n", cuts,
		      (unsigned long long)promised.event,
		      (double)(promised.counter_mwh - FIRST_MWH) / 1e6);
	assert_true(promised.any);
}

static int set_up(void **state)
{
	(void)state;
	make_folder();
	power_install(true);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			cuts_lose_nothing_that_was_promised_and_double_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
