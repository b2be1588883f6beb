// SPDX-License-Identifier: GPL-2.0-or-later
/* Energy accounts: resets, wraps, jumps, days. Tests that replay a report of another project name
 * it. */
#include "link_bench.h"

#include <time.h>

#include "account.h"
#include "readings.h"

static const struct account_source lifetime = { .lifetime = true, .rated_w = 1200 };
static const struct account_source from_power_up = { .rated_w = 1200, .wrap_mwh = 41301000000 };

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* 2026-06-01 12:00 in Berlin. */
#define NOON_MS INT64_C(1780308000000)

static void check_total(const struct account *account, uint64_t mwh)
{
	assert_int_equal(account->total_mwh, mwh);
}

static void the_first_reading_counts_nothing_and_later_ones_their_difference(void **state)
{
	struct account account = { 0 };

	(void)state;
	assert_int_equal(account_update(&account, &lifetime, 5000000, false, NAN, NOON_MS),
			 ACCOUNT_FIRST);
	check_total(&account, 0);
	assert_int_equal(account_update(&account, &lifetime, 5000100, false, 5, NOON_MS + 5000),
			 ACCOUNT_COUNTED);
	check_total(&account, 100);
	assert_int_equal(account_update(&account, &lifetime, 5000100, false, 5, NOON_MS + 10000),
			 ACCOUNT_COUNTED);
	check_total(&account, 100);
}

static void a_stock_counter_that_starts_again_loses_nothing(void **state)
{
	struct account account = { 0 };

	(void)state;
	account_update(&account, &from_power_up, 800000, false, NAN, NOON_MS);
	account_update(&account, &from_power_up, 900000, false, 300, NOON_MS);
	assert_int_equal(account_update(&account, &from_power_up, 20000, false, 300, NOON_MS),
			 ACCOUNT_RESET);
	check_total(&account, 120000);
	/* a restart is known by the seconds, although the counter is higher than before */
	assert_int_equal(account_update(&account, &from_power_up, 50000, true, 600, NOON_MS),
			 ACCOUNT_RESET);
	check_total(&account, 170000);
}

/* HA core issue 140602: a counter of 32 bits of J wrapped, and 1.2 MWh were gone. */
static void a_counter_that_wraps_goes_on(void **state)
{
	const struct account_source source = { .lifetime = true,
					       .rated_w = 1200,
					       .wrap_mwh = 1193046471 };
	struct account account = { 0 };

	(void)state;
	account_update(&account, &source, 1193046000, false, NAN, NOON_MS);
	assert_int_equal(account_update(&account, &source, 529, false, 300, NOON_MS),
			 ACCOUNT_WRAPPED);
	check_total(&account, 1000);
	assert_int_equal(account_update(&account, &source, 1529, false, 300, NOON_MS),
			 ACCOUNT_COUNTED);
	check_total(&account, 2000);
}

/* HA core issues 54349, 169978: a lifetime counter that fell made a spike of MWh. */
static void a_lifetime_counter_that_falls_adds_nothing(void **state)
{
	struct account account = { 0 };

	(void)state;
	account_update(&account, &lifetime, 900000000, false, NAN, NOON_MS);
	assert_int_equal(account_update(&account, &lifetime, 0, false, 5, NOON_MS),
			 ACCOUNT_REJECTED);
	assert_int_equal(account_update(&account, &lifetime, 900000000, false, 5, NOON_MS),
			 ACCOUNT_REJECTED);
	check_total(&account, 0);
	account_update(&account, &lifetime, 900001000, false, 5, NOON_MS);
	check_total(&account, 1000);
}

/* pyenphase issue 471: another counter was read, and 1,691 kWh appeared in an hour. */
static void a_step_that_the_unit_cannot_have_made_is_rejected(void **state)
{
	struct account account = { 0 };

	(void)state;
	account_update(&account, &lifetime, 1000000, false, NAN, NOON_MS);
	assert_int_equal(
		account_update(&account, &lifetime, 1000000 + 1691000000ull, false, 3600, NOON_MS),
		ACCOUNT_REJECTED);
	check_total(&account, 0);
	/* 1,200 W for an hour is what it can make */
	assert_int_equal(
		account_update(&account, &lifetime, 1692200000 + 1200000, false, 3600, NOON_MS),
		ACCOUNT_COUNTED);
}

static void an_account_never_falls_whatever_the_counter_does(void **state)
{
	struct account account = { 0 };
	uint64_t random = 1, before = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		account_update(&account, i % 2 ? &lifetime : &from_power_up, random >> 20,
			       random & 1, (double)(random % 1000), NOON_MS + i);
		assert_true(account.total_mwh >= before);
		before = account.total_mwh;
	}
}

/* A kill of the daemon: what it had stored last, and what the counter says now. */
static void nothing_is_lost_or_doubled_over_a_restart_of_the_gateway(void **state)
{
	struct account account = { 0 }, stored;
	uint64_t counter = 7000000;

	(void)state;
	account_update(&account, &lifetime, counter, false, NAN, NOON_MS);
	stored = account;
	for (int second = 1; second <= 1000; second++) {
		counter += 200;
		account_update(&account, &lifetime, counter, false, 1, NOON_MS + second * 1000);
		if (second % 60 == 0) {
			stored = account;
		}
		if (second % 37 == 0) {
			account = stored;
		}
	}
	account_update(&account, &lifetime, counter, false, 60, NOON_MS + 1001000);
	check_total(&account, 200000);
}

static void days_are_cut_in_local_time(void **state)
{
	struct account account = { 0 };
	int64_t midnight_ms;

	(void)state;
	zone("Europe/Berlin");
	midnight_ms = local_day_start(20260602);
	account_update(&account, &lifetime, 0, false, NAN, midnight_ms - 3600000);
	account_update(&account, &lifetime, 500000, false, 3600, midnight_ms - 1);
	assert_int_equal(account_today(&account), 500000);
	account_update(&account, &lifetime, 500700, false, 1, midnight_ms);
	assert_int_equal(account.day, 20260602);
	assert_int_equal(account_today(&account), 700);
	/* the zone decides, not UTC: it is 22:00 there */
	assert_int_equal(midnight_ms % 86400000, 22 * 3600000);
}

/* OpenDTU issues 3025, 2693: the yield of the day was wrong at midnight, and after dusk. */
static void days_when_the_clocks_change_have_23_and_25_hours(void **state)
{
	static const struct {
		int32_t day;
		int hours;
	} row[] = { { 20260328, 24 }, { 20260329, 23 }, { 20261024, 24 }, { 20261025, 25 } };

	(void)state;
	zone("Europe/Berlin");
	for (size_t i = 0; i < COUNT(row); i++) {
		int64_t start = local_day_start(row[i].day);
		int64_t next = local_day_start(local_day(start + 36 * 3600000LL));
		struct account account = { 0 };
		uint64_t counter = 0;

		assert_int_equal((next - start) / 3600000, row[i].hours);
		account_update(&account, &lifetime, 0, false, NAN, start);
		for (int64_t t = start; t < next; t += 60000) {
			counter += 1000;
			account_update(&account, &lifetime, counter, false, 60, t);
			assert_int_equal(account.day, row[i].day);
		}
		/* the first minute began before midnight, and counts to the day of its end */
		assert_int_equal(account_today(&account), (uint64_t)row[i].hours * 60000);
	}
}

static void a_clock_that_is_not_set_or_steps_back_cuts_no_day(void **state)
{
	struct account account = { 0 };

	(void)state;
	zone("Europe/Berlin");
	account_update(&account, &lifetime, 0, false, NAN, NOON_MS);
	account_update(&account, &lifetime, 100000, false, 600, NOON_MS);
	account_update(&account, &lifetime, 101000, false, 5, 5000);
	assert_int_equal(account.day, 20260601);
	account_update(&account, &lifetime, 102000, false, 5, NOON_MS - 5 * 86400000LL);
	assert_int_equal(account.day, 20260601);
	assert_int_equal(account_today(&account), 102000);
}

static void absent_energies_are_not_0(void **state)
{
	int64_t raw[OWN_STATUS_COUNT];
	uint64_t counter[ACCOUNT_CHANNELS];

	(void)state;
	for (int i = 0; i < OWN_STATUS_COUNT; i++) {
		raw[i] = 1000;
	}
	assert_true(readings_counters_of_status(raw, counter));
	raw[OWN_PV3_ENERGY] = FIELD_ABSENT;
	assert_false(readings_counters_of_status(raw, counter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_reading_counts_nothing_and_later_ones_their_difference),
		cmocka_unit_test(a_stock_counter_that_starts_again_loses_nothing),
		cmocka_unit_test(a_counter_that_wraps_goes_on),
		cmocka_unit_test(a_lifetime_counter_that_falls_adds_nothing),
		cmocka_unit_test(a_step_that_the_unit_cannot_have_made_is_rejected),
		cmocka_unit_test(an_account_never_falls_whatever_the_counter_does),
		cmocka_unit_test(nothing_is_lost_or_doubled_over_a_restart_of_the_gateway),
		cmocka_unit_test(days_are_cut_in_local_time),
		cmocka_unit_test(days_when_the_clocks_change_have_23_and_25_hours),
		cmocka_unit_test(a_clock_that_is_not_set_or_steps_back_cuts_no_day),
		cmocka_unit_test(absent_energies_are_not_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
