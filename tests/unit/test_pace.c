// SPDX-License-Identifier: GPL-2.0-only
/* Simulated time against wall time, with a clock of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Included, because it is part of no library. */
#include "pace.c"

#define MS 1000000ll

/* Runs all that is due. */
static unsigned int run(struct pace *pace, int64_t now_ns)
{
	unsigned int due = pace_due(pace, now_ns);

	pace->periods += due;
	return due;
}

static void real_time_is_a_period_each_50_us(void **state)
{
	struct pace pace = { 0 };
	unsigned int done = 0;

	(void)state;
	pace_set(&pace, 1, 1000 * MS);
	assert_int_equal(run(&pace, 1000 * MS), 0);
	for (int i = 1; i <= 2000; i++)
		done += run(&pace, 1000 * MS + i * 5 * MS);
	assert_int_equal(done, 10 * QS1_CONTROL_HZ);
	assert_int_equal(pace.slip_ns, 0);
	assert_int_equal(pace.lag_max_ns, 5 * MS);
}

static void irregular_wake_ups_lose_nothing(void **state)
{
	struct pace pace = { 0 };
	int64_t now = 0;
	uint64_t done = 0;

	(void)state;
	pace_set(&pace, 1, 0);
	for (int i = 0; i < 10000; i++) {
		now += 12345 + i * 7919 % 20000000;
		done += run(&pace, now);
	}
	while (run(&pace, now))
		done = pace.periods;
	assert_int_equal(pace.slip_ns, 0);
	assert_int_equal(done, now / 50000);
}

static void arrears_up_to_the_bound_are_caught_up(void **state)
{
	struct pace pace = { 0 };
	unsigned int done = 0, due;

	(void)state;
	pace_set(&pace, 1, 0);
	while ((due = run(&pace, PACE_CATCH_UP_NS)))
		done += due;
	assert_int_equal(done, PACE_CATCH_UP_NS / 50000);
	assert_int_equal(pace.slip_ns, 0);
}

static void arrears_beyond_the_bound_are_given_up_and_counted(void **state)
{
	struct pace pace = { 0 };
	unsigned int done = 0, due;

	(void)state;
	pace_set(&pace, 1, 0);
	while ((due = run(&pace, 3000 * MS)))
		done += due;
	assert_int_equal(done, PACE_CATCH_UP_NS / 50000);
	assert_int_equal(pace.slip_ns, 3000 * MS - PACE_CATCH_UP_NS);
	assert_int_equal(pace.lag_max_ns, 3000 * MS);
	/* From there on it runs in real time again. */
	assert_int_equal(run(&pace, 3005 * MS), 100);
	assert_int_equal(pace.slip_ns, 3000 * MS - PACE_CATCH_UP_NS);
}

static void speed_scales_time_and_a_change_keeps_the_slip(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	pace_set(&pace, 4, 0);
	assert_int_equal(run(&pace, 5 * MS), 400);
	assert_int_equal(run(&pace, 500 * MS), PACE_BATCH_MAX);
	assert_int_equal(pace.slip_ns, 495 * MS - PACE_CATCH_UP_NS);
	pace_set(&pace, 0.5, 500 * MS);
	assert_int_equal(run(&pace, 510 * MS), 100);
	assert_int_equal(pace.slip_ns, 495 * MS - PACE_CATCH_UP_NS);
}

static void at_maximum_speed_each_run_is_a_full_batch(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	pace_set(&pace, 0, 0);
	assert_int_equal(run(&pace, 0), PACE_BATCH_MAX);
	assert_int_equal(run(&pace, 1), PACE_BATCH_MAX);
	assert_int_equal(pace.slip_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_time_is_a_period_each_50_us),
		cmocka_unit_test(irregular_wake_ups_lose_nothing),
		cmocka_unit_test(arrears_up_to_the_bound_are_caught_up),
		cmocka_unit_test(arrears_beyond_the_bound_are_given_up_and_counted),
		cmocka_unit_test(speed_scales_time_and_a_change_keeps_the_slip),
		cmocka_unit_test(at_maximum_speed_each_run_is_a_full_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
