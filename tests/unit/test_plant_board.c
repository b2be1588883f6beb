// SPDX-License-Identifier: GPL-2.0-only
/* Drawn boards, and the source behind which they stand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plant_bench.h"
#include "sensor.h"

#define SEEDS 200

/* Least and largest of a component over its nominal value. */
struct range {
	double least, most;
};

static const struct range nothing = { INFINITY, -INFINITY };

static void widen(struct range *r, double x)
{
	r->least = fmin(r->least, x);
	r->most = fmax(r->most, x);
}

static void drawn_components_fill_their_tolerance_and_no_more(void **state)
{
	struct range l1 = nothing, link = nothing, clock = nothing, dead = nothing;
	struct plant_board nominal, b;

	(void)state;
	board_nominal(&nominal);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		board_draw(&b, seed);
		widen(&l1, b.l1 / nominal.l1);
		widen(&link, b.clink / nominal.clink);
		widen(&clock, (b.clock - 1) * 1e6 / 50);
		widen(&dead, b.dead_s[1] * 1e9);
		assert_in_range(b.bounces, 0, 3);
		assert_true(b.noise_counts >= 0.4 && b.noise_counts <= 15);
	}
	print_message(
		"# L1 %.3f to %.3f, link %.3f to %.3f of nominal; dead time %.0f to %.0f ns\n",
		l1.least, l1.most, link.least, link.most, dead.least, dead.most);
	assert_true(l1.least > 0.8 && l1.least < 0.81 && l1.most < 1.2 && l1.most > 1.19);
	/* 20 % short and aged by 20 % */
	assert_true(link.least > 0.64 && link.least < 0.7 && link.most < 1.2);
	assert_true(clock.least > -1 && clock.least < -0.9 && clock.most < 1 && clock.most > 0.9);
	assert_true(dead.least > 140 && dead.most < 310 && dead.most > 290);
}

static void the_clock_of_a_drawn_board_is_not_the_worlds(void **state)
{
	struct plant_setup setup = quiet;
	const struct qs1_outputs off = { 0 };

	(void)state;
	setup.drawn = true;
	for (setup.seed = 1; setup.seed <= 4; setup.seed++) {
		struct plant *p = new_plant(&setup);
		double before = 0, phase = 0, hz;
		const int steps = 20000;

		for (int k = 0; k < steps; k++) {
			double now;

			step(p, &off);
			now = atan2(p->emf.sin, p->emf.cos);
			phase += remainder(now - before, 2 * M_PI);
			before = now;
		}
		/* as the board counts seconds */
		hz = phase / (2 * M_PI) * QS1_CONTROL_HZ / steps;
		assert_true(fabs(hz / 60 - p->board.clock) < 1e-9);
		assert_true(fabs(p->board.clock - 1) > 1e-6);
		drop(p);
	}
}

/* Mean reading of 0.8 of 655.36 V over its true value, in a case of c degrees. */
static double reading(struct plant_sensor *s, double c)
{
	float x[QS1_ADC_COUNT] = { [QS1_ADC_VGRID] = 339.4f };
	int16_t adc[QS1_ADC_COUNT];
	double sum = 0;

	sensor_warm(s, c);
	for (int k = 0; k < 2000; k++) {
		sensor_convert(s, x, adc);
		sum += adc[QS1_ADC_VGRID];
	}
	return sum / 2000 * 0.02 / 339.4;
}

static void drawn_sensors_keep_the_accuracy_of_their_parts(void **state)
{
	double worst = 0, cold = 0;
	struct plant_board board;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct plant_sensor s;

		board_draw(&board, seed);
		assert_int_equal(sensor_init(&s, seed, true, &board), 0);
		worst = fmax(worst, fabs(reading(&s, 25) - 1));
		cold = fmax(cold, fabs(reading(&s, -40) - 1));
		sensor_free(&s);
	}
	print_message("# grid voltage: %.3f %% at 25 C, %.3f %% at -40 C\n", 100 * worst,
		      100 * cold);
	/* calibration and nonlinearity; with 102 ppm/K over 65 K */
	assert_true(worst > 0.0004 && worst < 0.0005 + 6e-4);
	assert_true(cold > 0.004 && cold < 0.0005 + 6e-4 + 65 * 102e-6 + 1e-3);
}

static void a_filter_delays_a_ramp_by_its_time_constant(void **state)
{
	struct plant_board board;
	struct plant_sensor s;
	double late = 0;
	const int n = 20000;

	(void)state;
	board_draw(&board, 1);
	board.jitter_s = 100e-9;
	assert_int_equal(sensor_init(&s, 1, true, &board), 0);
	for (int k = 0; k < n; k++) {
		/* 10 V a period, again and again through 400 V */
		float x[QS1_ADC_COUNT] = { [QS1_ADC_VGRID] = 10.0f * (float)(k % 40) };
		int16_t adc[QS1_ADC_COUNT];

		sensor_convert(&s, x, adc);
		if (k % 40 > 1)
			late += (double)x[QS1_ADC_VGRID] - (adc[QS1_ADC_VGRID] + 0.5) * 0.02;
	}
	late = late / (n / 40 * 38) / 10 * PLANT_H;
	print_message("# late by %.2f us, filter %.2f us\n", late * 1e6, board.filter_s * 1e6);
	assert_true(fabs(late - board.filter_s) < 2e-6);
	sensor_free(&s);
}

static void a_closing_contact_bounces(void **state)
{
	struct plant_setup setup = quiet;
	const struct qs1_outputs on = { .relay = true };
	int most = 0, least = 9;

	(void)state;
	setup.drawn = true;
	for (setup.seed = 1; setup.seed <= 20; setup.seed++) {
		struct plant *p = new_plant(&setup);
		int closed = 0;
		bool was = false;

		/* an open source: no current, so no arc bridges a bounce */
		plant_utility(p, false);
		for (int k = 0; k < 600; k++) {
			step(p, &on);
			closed += p->contact && !was;
			was = p->contact;
		}
		assert_true(p->contact);
		assert_int_equal(closed, 1 + p->board.bounces);
		most = closed > most ? closed : most;
		least = closed < least ? closed : least;
		drop(p);
	}
	assert_int_equal(least, 1);
	assert_int_equal(most, 4);
}

static void a_step_of_the_voltage_takes_its_rise_time(void **state)
{
	struct plant *p = new_plant(&quiet);
	const struct qs1_outputs off = { 0 };
	int steps = 0;

	(void)state;
	p->emf.rise_s = 2e-3;
	step(p, &off);
	source_step(&p->emf, 120);
	while (p->emf.rms != 120 && steps < 1000) {
		double before = p->emf.rms;

		step(p, &off);
		assert_true(p->emf.rms < before);
		steps++;
	}
	assert_in_range(steps, 40, 41);
	p->emf.rise_s = 0;
	source_step(&p->emf, 240);
	assert_true(p->emf.rms == 240);
	drop(p);
}

/* Amplitude at the PCC for a source tone of 1 % at a frequency, relay open. */
static double answer(struct plant *p, double hz)
{
	const struct qs1_outputs off = { 0 };
	double re = 0, im = 0;
	const int settle = 4000, n = 20000;

	source_at(&p->emf, 240);
	source_tone(&p->emf, hz, 0.01);
	for (int k = 0; k < settle + n; k++) {
		step(p, &off);
		if (k < settle)
			continue;
		re += p->net.vpcc * cos(2 * M_PI * hz * k * PLANT_H) * 2 / n;
		im += p->net.vpcc * sin(2 * M_PI * hz * k * PLANT_H) * 2 / n;
	}
	return hypot(re, im) / (0.01 * 240 * M_SQRT2);
}

static void a_capacitor_at_the_pcc_resonates_with_the_source(void **state)
{
	struct plant_setup setup = quiet;
	const struct plant_load cap = plant_load_cap(1000);
	/* 46 uF with 4 mH: 371 Hz; the house's 1 uF moves it by 1 % */
	double f;
	struct plant *p;

	(void)state;
	setup.rg = 0.3;
	setup.lg = 4e-3;
	p = new_plant(&setup);
	assert_true(fabs(answer(p, 380) - 1) < 1e-3);
	plant_load_change(p, 0, &cap);
	f = 1 / (2 * M_PI * sqrt(4e-3 * (cap.c + ACNET_CX_F)));
	print_message("# %.0f Hz: %.1f times at it, %.2f at a fifth, %.2f at thrice\n", round(f),
		      answer(p, round(f)), answer(p, 75), answer(p, 1110));
	assert_true(answer(p, round(f)) > 0.8 * 2 * M_PI * f * 4e-3 / 0.3);
	assert_true(fabs(answer(p, 75) - 1 / (1 - 75 * 75 / f / f)) < 0.02);
	assert_true(answer(p, 1110) < 0.15);
	drop(p);
}

static void a_resonance_of_the_source_lies_where_it_is_put(void **state)
{
	struct plant_setup setup = quiet;
	struct plant *p;
	double at, beside;

	(void)state;
	setup.lg = 2e-3;
	setup.resonance_hz = 1200;
	setup.resonance_q = 8;
	p = new_plant(&setup);
	/* Without current the second half of the source and the capacitor are a series circuit. */
	at = answer(p, 1200);
	beside = answer(p, 600);
	print_message("# at the resonance %.2f, at half of it %.2f\n", at, beside);
	assert_true(at > 5 && at < 9);
	assert_true(fabs(beside - 1 / (1 - 0.25)) < 0.05);
	drop(p);
}

static void loads_change_while_running_without_a_jump_of_voltage(void **state)
{
	struct plant *p = new_plant(&quiet);
	const struct qs1_outputs off = { 0 };
	const struct plant_load none = { 0 };
	double p_load = 0, peak = 0;

	(void)state;
	for (int k = 0; k < 1000; k++)
		step(p, &off);
	for (int n = 0; n < 40; n++) {
		const struct plant_load rl = plant_load_rl(1, 0.9), rlc = plant_load_rlc(0.5, 2, 0);

		plant_load_change(p, n % 3, n % 2 ? &none : n % 4 ? &rl : &rlc);
		for (int k = 0; k < 137; k++) {
			step(p, &off);
			peak = fmax(peak, fabs(p->net.vpcc));
			p_load = p->net.vpcc * p->net.x[AC_IG];
		}
	}
	print_message("# peak %.1f V\n", peak);
	assert_true(isfinite(p_load));
	/* each change rings with the house's capacitors: 340 V and a third */
	assert_true(peak > 330 && peak < 460);
	drop(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn_components_fill_their_tolerance_and_no_more),
		cmocka_unit_test(the_clock_of_a_drawn_board_is_not_the_worlds),
		cmocka_unit_test(drawn_sensors_keep_the_accuracy_of_their_parts),
		cmocka_unit_test(a_filter_delays_a_ramp_by_its_time_constant),
		cmocka_unit_test(a_closing_contact_bounces),
		cmocka_unit_test(a_step_of_the_voltage_takes_its_rise_time),
		cmocka_unit_test(a_capacitor_at_the_pcc_resonates_with_the_source),
		cmocka_unit_test(a_resonance_of_the_source_lies_where_it_is_put),
		cmocka_unit_test(loads_change_while_running_without_a_jump_of_voltage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
