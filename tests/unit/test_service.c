/* SPDX-License-Identifier: GPL-2.0-only */
/* When the unit enters service: criteria, random delay, what differs after a trip. */
#include "bench_core.h"

static void set(struct bench *b, enum qs1_param id, int32_t value)
{
	assert_int_equal(bench_command(b, QS1_OP_SET_PARAM, id, value), QS1_OK);
}

/* Time from the return of the grid to the first production, with sensor noise @noise. */
static double delay_s(int32_t random_s, int noise)
{
	struct bench b;
	double t = 0;

	bench_init(&b);
	set(&b, QS1_PARAM_ES_DELAY_S, 1);
	set(&b, QS1_PARAM_ES_RANDOM_S, random_s);
	assert_int_equal(bench_command(&b, QS1_OP_ARM, 0, 0), QS1_OK);
	b.f_hz = 60 + noise * 1e-4;
	bench_run(&b, 1);
	while (b.core.fsm.state != QS1_STATE_CONNECTING) {
		bench_run(&b, 0.01);
		t += 0.01;
		assert_true(t < 20);
	}
	return t;
}

static void a_random_time_is_added_to_the_delay(void **state)
{
	double least = 100, most = 0, sum = 0;

	(void)state;
	for (int n = 0; n < 40; n++) {
		double extra = delay_s(10, n) - delay_s(0, n);

		assert_true(extra > -0.02 && extra < 10.02);
		least = fmin(least, extra);
		most = fmax(most, extra);
		sum += extra;
	}
	print_message("%.1f to %.1f s, %.1f on average\n", least, most, sum / 40);
	assert_true(least < 1 && most > 9 && fabs(sum / 40 - 5) < 1.5);
}

static void trip(struct bench *b)
{
	b->v_pu = 0.3;
	bench_until(b, QS1_STATE_WAITING, 1);
	b->v_pu = 1;
}

static void after_a_trip_the_unit_waits_and_ramps_by_its_own_values(void **state)
{
	struct bench b;
	double t;

	(void)state;
	bench_produce(&b);
	set(&b, QS1_PARAM_ES_TRIP_DELAY_S, 3);
	set(&b, QS1_PARAM_ES_TRIP_RAMP_S, 600);
	set(&b, QS1_PARAM_ES_TRIP_F_MAX_HZ, 6010);
	bench_run(&b, 5);
	trip(&b);
	b.f_hz = 60.2;
	bench_run(&b, 5);
	assert_int_equal(b.core.fsm.state, QS1_STATE_WAITING);
	b.f_hz = 60.05;
	t = bench_until(&b, QS1_STATE_CONNECTING, 5);
	assert_true(fabs(t - 3) < 0.2);
	bench_until(&b, QS1_STATE_PRODUCING, 2);
	bench_run(&b, 6);
	/* 10 % a minute */
	assert_in_range(b.core.dclink.p_ramp_mw, 11500, 12500);
}

static void a_night_between_makes_the_start_a_normal_one(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	set(&b, QS1_PARAM_ES_TRIP_DELAY_S, 600);
	trip(&b);
	bench_run(&b, 1);
	assert_true(b.core.service.after_trip);
	b.pv_v = 5;
	bench_until(&b, QS1_STATE_NIGHT, 10);
	bench_run(&b, 1);
	b.pv_v = 40;
	bench_until(&b, QS1_STATE_PRODUCING, 70);
	assert_false(b.core.service.after_trip);
}

static void without_values_of_its_own_a_trip_changes_nothing(void **state)
{
	struct bench b;
	double t;

	(void)state;
	bench_produce(&b);
	set(&b, QS1_PARAM_ES_DELAY_S, 2);
	bench_run(&b, 4);
	trip(&b);
	t = bench_until(&b, QS1_STATE_CONNECTING, 5);
	assert_true(fabs(t - 2) < 0.2);
	bench_until(&b, QS1_STATE_PRODUCING, 2);
	bench_run(&b, 2.5);
	assert_int_equal(b.core.dclink.p_ramp_mw, 1200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_time_is_added_to_the_delay),
		cmocka_unit_test(after_a_trip_the_unit_waits_and_ramps_by_its_own_values),
		cmocka_unit_test(a_night_between_makes_the_start_a_normal_one),
		cmocka_unit_test(without_values_of_its_own_a_trip_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
