/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mean of ten minutes and its trip: the test of VDE V 0124-100 with steps from
 * a settled voltage, against the arithmetic of a window of 600 s.
 */
#include "bench_core.h"

/* A voltage for a time, without the rest of the core. */
static void hold(struct bench *b, double v_pu, double seconds)
{
	for (long n = lround(seconds * 1000 / QS1_MEAN_MS); n > 0; n--) {
		b->core.meter.vrms_mv = (int32_t)lrint(v_pu * 240000);
		b->core.frame += QS1_MEAN_MS;
		qs1_mean_step(&b->core);
	}
}

static void begin(struct bench *b, double v_pu)
{
	bench_init(b);
	b->core.pll.locked = true;
	hold(b, v_pu, 2000);
}

static double mean_pu(const struct bench *b)
{
	return b->core.mean.v_mv / 240000.0;
}

static void the_mean_covers_600_s(void **state)
{
	static const double steps[][2] = { { 1.00, 1.12 }, { 1.08, 1.13 }, { 1.12, 0.90 } };

	(void)state;
	for (int k = 0; k < 3; k++) {
		double worst = 0;
		struct bench b;

		begin(&b, steps[k][0]);
		for (double t = 7; t < 700; t += 7) {
			double share = fmin(t / 600, 1), v0 = steps[k][0], v1 = steps[k][1];
			double mean = sqrt(v0 * v0 * (1 - share) + v1 * v1 * share);

			hold(&b, v1, 7);
			worst = fmax(worst, fabs(mean_pu(&b) - mean));
		}
		print_message("largest error %.1e pu\n", worst);
		/* 0.3 s of the step within the last second, and 8 mV */
		assert_true(worst < 0.0005);
	}
}

static void the_mean_starts_at_the_first_voltage(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	hold(&b, 0, 100);
	b.core.pll.locked = true;
	hold(&b, 1.05, 2);
	assert_true(fabs(mean_pu(&b) - 1.05) < 0.0002);
}

/* Trips when the mean passes the limit, does not come back before, and not at all without a limit.
 */
static void the_mean_trips_and_keeps_the_unit_waiting(void **state)
{
	struct bench b;

	(void)state;
	bench_produce(&b);
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_OV_MEAN_V_PU, 1080), QS1_OK);
	b.v_pu = 1.09;
	bench_run(&b, 3);
	assert_int_equal(b.core.fsm.state, QS1_STATE_PRODUCING);
	/* nine minutes and a half at this voltage */
	hold(&b, 1.09, 570);
	bench_until(&b, QS1_STATE_WAITING, 3);
	assert_int_equal(b.core.fault_count[QS1_FAULT_OV_MEAN], 1);
	b.v_pu = 1.06;
	bench_run(&b, 5);
	assert_int_equal(b.core.fsm.state, QS1_STATE_WAITING);
	hold(&b, 1.06, 400);
	bench_until(&b, QS1_STATE_PRODUCING, 5);
	assert_int_equal(bench_command(&b, QS1_OP_SET_PARAM, QS1_PARAM_OV_MEAN_V_PU, 1300), QS1_OK);
	b.v_pu = 1.09;
	hold(&b, 1.09, 700);
	bench_run(&b, 3);
	assert_int_equal(b.core.fsm.state, QS1_STATE_PRODUCING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mean_covers_600_s),
		cmocka_unit_test(the_mean_starts_at_the_first_voltage),
		cmocka_unit_test(the_mean_trips_and_keeps_the_unit_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
