/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench_core.h"

static void voltage_is_true_to_half_a_volt_from_0_1_to_1_4_pu(void **state)
{
	(void)state;
	for (double pu = 0.1; pu < 1.39; pu += 0.1) {
		struct bench b;
		double v;

		bench_init(&b);
		b.v_pu = pu;
		bench_run(&b, 0.5);
		v = b.core.meter.vrms_mv / 1000.0;
		if (fabs(v - pu * 240) > 0.5)
			fail_msg("%.3f V measured, %.3f V applied", v, pu * 240);
	}
}

static void frequency_is_true_to_2_mhz_from_55_to_65_hz(void **state)
{
	double worst = 0;

	(void)state;
	for (double f = 55; f <= 65; f += 0.37) {
		struct bench b;

		bench_init(&b);
		b.f_hz = f;
		bench_run(&b, 1);
		worst = fmax(worst, fabs(b.core.meter.f_uhz / 1e6 - f));
	}
	print_message("largest frequency error: %.3f mHz\n", worst * 1000);
	assert_true(worst < 0.002);
}

static void a_60_degree_phase_jump_is_not_taken_for_a_frequency(void **state)
{
	struct bench b;
	int32_t worst = 0;

	(void)state;
	bench_init(&b);
	bench_run(&b, 1);
	b.phase += 60.0 / 360;
	for (int n = 0; n < 6000; n++) {
		bench_step(&b);
		worst = qs1_abs(b.core.meter.f_uhz - 60000000) > worst
				? qs1_abs(b.core.meter.f_uhz - 60000000)
				: worst;
	}
	print_message("largest excursion: %.3f Hz\n", worst / 1e6);
	assert_true(worst < 2500000);
}

static void a_lost_grid_reads_no_voltage_and_no_frequency(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	bench_run(&b, 0.5);
	b.v_pu = 0;
	bench_run(&b, 0.2);
	assert_in_range(b.core.meter.vrms_mv, 0, 500);
	assert_int_equal(b.core.meter.f_uhz, 0);
	assert_false(b.core.pll.locked);
}

static void pll_locks_from_any_phase_within_300_ms(void **state)
{
	double worst = 0;

	(void)state;
	for (double phase = 0; phase < 1; phase += 1.0 / 16) {
		struct bench b;
		double t = 0;

		bench_init(&b);
		b.phase = phase;
		while (!b.core.pll.locked && t < 1) {
			bench_step(&b);
			t += 1.0 / QS1_CONTROL_HZ;
		}
		worst = fmax(worst, t);
	}
	print_message("slowest lock: %.0f ms\n", worst * 1000);
	assert_true(worst < 0.3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(voltage_is_true_to_half_a_volt_from_0_1_to_1_4_pu),
		cmocka_unit_test(frequency_is_true_to_2_mhz_from_55_to_65_hz),
		cmocka_unit_test(a_60_degree_phase_jump_is_not_taken_for_a_frequency),
		cmocka_unit_test(a_lost_grid_reads_no_voltage_and_no_frequency),
		cmocka_unit_test(pll_locks_from_any_phase_within_300_ms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
