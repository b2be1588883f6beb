// SPDX-License-Identifier: GPL-2.0-only
/* The measurement on waveforms whose every figure is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "measure.h"

/**
 * struct wave - a voltage and a current to be measured
 * @shift: angle by which the current lags, rad
 * @h: orders of harmonics and interharmonics, 0 for none
 * @share: their share of the fundamental
 */
struct wave {
	double f, v, i, shift, dc;
	double h[2];
	double share[2];
};

struct bench {
	struct plant *plant;
	struct measure measure;
};

static void bench_init(struct bench *b)
{
	b->plant = calloc(1, sizeof(*b->plant));
	assert_non_null(b->plant);
	b->plant->h = PLANT_H;
	measure_init(&b->measure);
}

static void bench_free(struct bench *b)
{
	measure_free(&b->measure);
	free(b->plant);
}

static void play(struct bench *b, const struct wave *w, double seconds)
{
	struct plant *p = b->plant;
	long steps = lround(seconds * QS1_CONTROL_HZ);

	for (long k = 0; k < steps; k++) {
		double a = 2 * M_PI * w->f * (double)p->ticks * PLANT_H;
		double i = sin(a - w->shift);

		for (int n = 0; n < 2; n++)
			i += w->share[n] * sin(w->h[n] * (a - w->shift));
		p->emf.sin = sin(a);
		p->emf.cos = cos(a);
		p->net.vpcc = M_SQRT2 * w->v * sin(a);
		p->net.x[AC_I2] = M_SQRT2 * w->i * i + w->dc;
		for (int n = 0; n < QS1_INPUTS; n++) {
			p->in.v_mean[n] = 30 + n;
			p->in.i_mean[n] = 5;
			p->ppv_j[n] += 5 * (30 + n) * PLANT_H;
			p->avail_j[n] += 200 * PLANT_H;
		}
		p->ticks++;
		measure_step(&b->measure, p);
	}
}

static double figure(struct json_object *o, const char *group, const char *name, int index)
{
	struct json_object *member;

	assert_true(json_object_object_get_ex(o, group, &member));
	assert_true(json_object_object_get_ex(member, name, &member));
	if (index >= 0)
		member = json_object_array_get_idx(member, (size_t)index);
	assert_non_null(member);
	return json_object_get_double(member);
}

static struct json_object *summary(const struct bench *b)
{
	struct json_object *o = json_object_new_object();

	measure_json(&b->measure, b->plant, o);
	return o;
}

static bool near(double x, double want, double relative)
{
	if (fabs(x - want) <= relative * fabs(want))
		return true;
	print_message("# %.9g is not %.9g\n", x, want);
	return false;
}

static void sine_power_and_reactive_power_are_exact(void **state)
{
	static const double hz[] = { 55, 59.97, 60, 60.03, 64.9 };

	(void)state;
	for (int k = 0; k < 5; k++) {
		const struct wave w = { .f = hz[k], .v = 240, .i = 5, .shift = 0.3, .dc = 0.02 };
		struct json_object *o;
		struct bench b;

		bench_init(&b);
		play(&b, &w, 3);
		o = summary(&b);
		assert_true(near(figure(o, "ac", "f_hz", -1), hz[k], 1e-6));
		assert_true(near(figure(o, "ac", "v_rms", -1), 240, 2e-5));
		assert_true(near(figure(o, "ac", "i_rms", -1), sqrt(25 + 0.0004), 2e-5));
		assert_true(near(figure(o, "ac", "p_w", -1), 1200 * cos(0.3), 2e-5));
		/* A lagging current delivers reactive power: it raises the voltage. */
		assert_true(near(figure(o, "ac", "q_var", -1), 1200 * sin(0.3), 1e-4));
		assert_true(near(figure(o, "ac", "dc_ma", -1), 20, 2e-3));
		assert_true(figure(o, "ac", "thd_pct", -1) < 0.01);
		json_object_put(o);
		bench_free(&b);
	}
}

static void harmonics_are_found_at_their_orders(void **state)
{
	const struct wave w = {
		.f = 60.03, .v = 240, .i = 2.5, .h = { 3, 11 }, .share = { 0.04, 0.03 }
	};
	struct json_object *o;
	struct bench b;

	(void)state;
	bench_init(&b);
	play(&b, &w, 5);
	o = summary(&b);
	print_message("# THD %.4f %%\n", figure(o, "ac", "thd_pct", -1));
	assert_true(near(figure(o, "ac", "thd_pct", -1), 5, 1e-3));
	assert_true(near(figure(o, "ac", "trd_pct", -1), 2.5, 1e-3));
	assert_true(near(figure(o, "ac", "harmonics_pct", 3), 4, 1e-3));
	assert_true(near(figure(o, "ac", "harmonics_pct", 11), 3, 2e-3));
	assert_true(figure(o, "ac", "harmonics_pct", 5) < 0.01);
	json_object_put(o);
	bench_free(&b);
}

static void distortion_holds_all_that_is_not_the_fundamental(void **state)
{
	/* 2.5 f and 4 f, and direct current */
	const struct wave w = {
		.f = 60.03, .v = 240, .i = 2.5, .dc = 0.06, .h = { 2.5, 4 }, .share = { 0.04, 0.03 }
	};
	struct json_object *o;
	struct bench b;

	(void)state;
	bench_init(&b);
	b.plant->ripple2 = 0.05 * 0.05;
	play(&b, &w, 5);
	o = summary(&b);
	print_message("# TRD %.4f %%\n", figure(o, "ac", "trd_pct", -1));
	/* 0.1 A, 0.075 A, 0.06 A and 0.05 A of ripple, of 5 A */
	assert_true(near(figure(o, "ac", "trd_pct", -1),
			 20 * sqrt(0.01 + 0.005625 + 0.0036 + 0.0025), 2e-3));
	assert_true(near(figure(o, "ac", "thd_pct", -1), 3, 2e-3));
	assert_true(near(figure(o, "ac", "ripple_ma", -1), 50, 1e-6));
	json_object_put(o);
	bench_free(&b);
}

static void only_the_marked_interval_counts(void **state)
{
	struct wave w = { .f = 60, .v = 240, .i = 1 };
	struct json_object *o;
	struct bench b;

	(void)state;
	bench_init(&b);
	play(&b, &w, 1);
	measure_mark(&b.measure, b.plant, true);
	w.i = 4;
	play(&b, &w, 2);
	measure_mark(&b.measure, b.plant, false);
	w.i = 2;
	play(&b, &w, 1);
	o = summary(&b);
	assert_true(near(figure(o, "interval", "start_s", -1), 1, 1e-9));
	assert_true(near(figure(o, "interval", "stop_s", -1), 3, 1e-9));
	assert_true(near(figure(o, "ac", "energy_j", -1), 1920, 1e-4));
	assert_true(near(figure(o, "ac", "i_rms", -1), 4, 1e-3));
	assert_true(near(figure(o, "mppt", "efficiency", 1), 5 * 31 / 200.0, 1e-6));
	assert_true(near(figure(o, "mppt", "available_j", 0), 400, 1e-6));
	assert_true(near(figure(o, "dc", "v", 2), 32, 1e-6));
	assert_true(near(figure(o, "dc", "p", 3), 165, 1e-6));
	json_object_put(o);
	bench_free(&b);
}

static double trip_figure(const struct bench *b, size_t n, const char *name)
{
	struct json_object *o = summary(b), *trips, *member;
	double x = NAN;

	assert_true(json_object_object_get_ex(o, "trips", &trips));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(trips, n), name, &member));
	if (member)
		x = json_object_get_double(member);
	json_object_put(o);
	return x;
}

static void trip_times_are_onset_trip_and_the_end_of_current(void **state)
{
	const struct qs1_event uv2 = { .kind = QS1_EVENT_TRIP,
				       .cause = QS1_CAUSE_FAULT_BASE + QS1_FAULT_UV2 };
	struct wave w = { .f = 60, .v = 240, .i = 5 };
	struct bench b;

	(void)state;
	bench_init(&b);
	play(&b, &w, 1);
	measure_disturb(&b.measure, DISTURB_GRID);
	w.v = 100;
	play(&b, &w, 0.1);
	measure_disturb(&b.measure, DISTURB_PV);
	measure_event(&b.measure, &uv2);
	assert_true(isnan(trip_figure(&b, 0, "t_cease_s")));
	play(&b, &w, 0.01);
	w.i = 0;
	play(&b, &w, 0.5);
	/* not the later change of the sun, which trips no grid function */
	assert_true(near(trip_figure(&b, 0, "t_onset_s"), 1, 1e-9));
	assert_true(near(trip_figure(&b, 0, "t_trip_s"), 1.1, 1e-9));
	assert_true(near(trip_figure(&b, 0, "t_cease_s"), 1.11, 1e-4));
	/* A later current does not rewrite the past. */
	w.i = 5;
	play(&b, &w, 0.5);
	assert_true(near(trip_figure(&b, 0, "t_cease_s"), 1.11, 1e-4));
	bench_free(&b);
}

static void a_dead_grid_has_no_frequency(void **state)
{
	struct wave w = { .f = 60, .v = 240, .i = 5 };
	struct bench b;

	(void)state;
	bench_init(&b);
	play(&b, &w, 1);
	assert_true(near(b.measure.f_hz, 60, 1e-6));
	w.v = w.i = 0;
	play(&b, &w, 0.2);
	assert_true(b.measure.f_hz == 0 && b.measure.v_rms == 0);
	w.v = 240;
	play(&b, &w, 0.2);
	assert_true(near(b.measure.v_rms, 240, 1e-4));
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sine_power_and_reactive_power_are_exact),
		cmocka_unit_test(harmonics_are_found_at_their_orders),
		cmocka_unit_test(distortion_holds_all_that_is_not_the_fundamental),
		cmocka_unit_test(only_the_marked_interval_counts),
		cmocka_unit_test(trip_times_are_onset_trip_and_the_end_of_current),
		cmocka_unit_test(a_dead_grid_has_no_frequency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
