// SPDX-License-Identifier: GPL-2.0-only
/* Energy totals over restarts of the firmware and of the daemon: they never fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "energy.h"

/* Counters that all read the same. */
static const uint64_t *all(uint64_t mj)
{
	static uint64_t counter_mj[ENERGY_COUNTERS];

	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		counter_mj[i] = mj;
	}
	return counter_mj;
}

static void expect_totals(const struct energy *energy, uint64_t mj)
{
	assert_memory_equal(energy->total_mj, all(mj), sizeof(energy->total_mj));
}

static void what_was_counted_is_added(void **state)
{
	struct energy energy = { .epoch = 1 };

	(void)state;
	energy_update(&energy, 1, all(100));
	energy_update(&energy, 1, all(100));
	energy_update(&energy, 1, all(130));
	expect_totals(&energy, 130);
}

static void another_run_of_the_firmware_counts_from_zero(void **state)
{
	struct energy energy = { .epoch = 1 };

	(void)state;
	energy_update(&energy, 1, all(100));
	energy_update(&energy, 2, all(150));
	expect_totals(&energy, 250);
	assert_int_equal(energy.epoch, 2);
}

static void a_counter_that_falls_in_a_run_subtracts_nothing(void **state)
{
	struct energy energy = { .epoch = 1 };

	(void)state;
	energy_update(&energy, 1, all(100));
	energy_update(&energy, 1, all(40));
	expect_totals(&energy, 100);
	energy_update(&energy, 1, all(50));
	expect_totals(&energy, 110);
}

static void a_daemon_that_resumes_adds_what_it_missed(void **state)
{
	struct energy energy = { .epoch = 1 };
	uint64_t counter_mj[ENERGY_COUNTERS];

	(void)state;
	energy_update(&energy, 1, all(100));
	energy_resume(&energy, 7, all(160));
	expect_totals(&energy, 160);
	/* One counter below the kept one: the firmware has restarted. */
	memcpy(counter_mj, all(200), sizeof(counter_mj));
	counter_mj[ENERGY_GRID] = 150;
	energy_resume(&energy, 8, counter_mj);
	assert_int_equal(energy.total_mj[0], 360);
	assert_int_equal(energy.total_mj[ENERGY_GRID], 310);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_counted_is_added),
		cmocka_unit_test(another_run_of_the_firmware_counts_from_zero),
		cmocka_unit_test(a_counter_that_falls_in_a_run_subtracts_nothing),
		cmocka_unit_test(a_daemon_that_resumes_adds_what_it_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
