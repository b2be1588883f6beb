/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench_core.h"

static void voltage_is_true_to_50_mv_while_the_pll_follows(void **state)
{
	(void)state;
	for (double pu = 0.2; pu < 1.39; pu += 0.1) {
		struct bench b;
		double worst = 0;

		bench_init(&b);
		b.v_pu = pu;
		b.f_hz = 59 + pu;
		bench_run(&b, 0.8);
		for (int n = 0; n < 2000; n++) {
			bench_step(&b);
			worst = fmax(worst, fabs(b.core.meter.vrms_mv / 1000.0 - pu * 240));
		}
		if (worst > 0.05)
			fail_msg("%.3f V off at %.3f V", worst, pu * 240);
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

/*
 * IEEE 1547-2018 Table 3 gives a transient five cycles; the reading is compared
 * with the mean over the three and a half that it takes.
 */
static void frequency_is_true_to_50_mhz_in_transients(void **state)
{
	static const struct {
		double step_hz;
		double slope_hz_s;
	} cases[] = { { 1, 0 }, { -2, 0 }, { 4, 0 }, { 0, 3 }, { 0, -3 } };
	static double phase[QS1_CONTROL_HZ];
	const int window = QS1_CONTROL_HZ * 7 / 2 / 60, settled = QS1_CONTROL_HZ * 6 / 60;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct bench b;
		double worst = 0;

		bench_init(&b);
		bench_run(&b, 1);
		b.f_hz += cases[k].step_hz;
		for (int n = 0; n < (int)QS1_CONTROL_HZ / 2; n++) {
			phase[n] = b.phase;
			bench_step(&b);
			b.f_hz += cases[k].slope_hz_s / QS1_CONTROL_HZ;
			if (n > settled)
				worst = fmax(worst, fabs(b.core.meter.f_uhz / 1e6 -
							 (b.phase - phase[n + 1 - window]) /
								 window * QS1_CONTROL_HZ));
		}
		print_message("%+g Hz, %+g Hz/s: %.1f mHz off\n", cases[k].step_hz,
			      cases[k].slope_hz_s, worst * 1000);
		assert_true(worst < 0.05);
	}
}

/* Six notches a cycle as of a rectifier: half of the voltage gone for 0.4 ms. */
static void notches_change_neither_frequency_nor_lock(void **state)
{
	struct bench b;
	double worst = 0, rms2 = 0;

	(void)state;
	bench_init(&b);
	bench_run(&b, 1);
	for (int n = 0; n < (int)QS1_CONTROL_HZ; n++) {
		double sixth = b.phase * 6 - floor(b.phase * 6);

		b.v_pu = sixth < 6 * 60 * 0.0004 ? 0.5 : 1;
		rms2 += pow(b.v_pu * 240 * sqrt(2) * sin(2 * M_PI * b.phase), 2);
		bench_step(&b);
		worst = fmax(worst, fabs(b.core.meter.f_uhz / 1e6 - 60));
		assert_true(b.core.pll.locked);
	}
	/* their edges fall between samples, elsewhere in each cycle */
	print_message("notches: %.1f mHz off\n", worst * 1000);
	assert_true(worst < 0.05);
	assert_true(fabs(b.core.meter.vrms_mv / 1000.0 - sqrt(rms2 / QS1_CONTROL_HZ)) < 0.5);
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

/* 25 years of full power are 262 MWh; the counter wrapped at 2562 kWh. */
static void energy_counts_on_after_years(void **state)
{
	const uint64_t years_mj = 262000ull * 3600 * 1000000;
	struct qs1_telemetry before, after;
	struct bench b;
	double j, expected = 0;

	(void)state;
	bench_produce(&b);
	b.core.meter.e_mj = years_mj;
	qs1_core_telemetry(&b.core, &before);
	assert_int_equal(before.eac_mj, years_mj);
	for (int n = 0; n < 500; n++) {
		bench_run(&b, 0.01);
		expected += b.core.meter.p_mw * 1e-5;
	}
	qs1_core_telemetry(&b.core, &after);
	j = (double)(after.eac_mj - before.eac_mj) / 1000;
	print_message("%.2f J, expected %.2f J\n", j, expected);
	assert_true(expected > 1000 && fabs(j - expected) < 0.01 * expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(energy_counts_on_after_years),
		cmocka_unit_test(voltage_is_true_to_50_mv_while_the_pll_follows),
		cmocka_unit_test(frequency_is_true_to_2_mhz_from_55_to_65_hz),
		cmocka_unit_test(frequency_is_true_to_50_mhz_in_transients),
		cmocka_unit_test(notches_change_neither_frequency_nor_lock),
		cmocka_unit_test(a_60_degree_phase_jump_is_not_taken_for_a_frequency),
		cmocka_unit_test(a_lost_grid_reads_no_voltage_and_no_frequency),
		cmocka_unit_test(pll_locks_from_any_phase_within_300_ms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
