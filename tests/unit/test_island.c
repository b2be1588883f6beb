// SPDX-License-Identifier: GPL-2.0-only
/*
 * Islands that one simulated unit alone can not show: without the active
 * method, which proves the rig (IEEE 1547.1-2020 5.10.2), and with two units
 * that share the point of common coupling, each with a core, a power stage and
 * a seed of its own. Also what the active method costs on the grid.
 */
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
#include "module.h"
#include "plant.h"
#include "state.h"

#define HEARTBEAT_TICKS (QS1_CONTROL_HZ / 10)
#define OPEN_S 4.0
#define GONE_S 2.0 /* IEEE 1547-2018 8.1.1 */

/**
 * struct unit - a core and its power stage
 * @passive: the active method is taken out after each step
 */
struct unit {
	struct plant plant;
	struct qs1_core core;
	struct qs1_samples in;
	struct qs1_outputs out;
	bool passive;
};

static void command(struct unit *u, enum qs1_op op, uint32_t arg, int32_t value)
{
	int32_t ret;

	assert_int_equal(qs1_core_command(&u->core, op, arg, value, &ret), QS1_OK);
}

/* A unit in full sun, limited to a power, waiting for the grid. */
static struct unit *unit_new(const struct plant_setup *setup, double power_pu)
{
	struct unit *u = calloc(1, sizeof(*u));
	struct pv_module module;

	assert_non_null(u);
	assert_int_equal(plant_init(&u->plant, setup), 0);
	module_en50530(340, 37, false, &module);
	for (int n = 0; n < QS1_INPUTS; n++) {
		plant_module(&u->plant, n, &module);
		plant_cell(&u->plant, n, 25);
		plant_sun(&u->plant, n, 1000);
	}
	plant_settle(&u->plant);
	qs1_core_init(&u->core);
	u->in.estop_n = true;
	u->in.host_heartbeat = 1;
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_ES_DELAY_S, 0);
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_ES_RAMP_S, 1);
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_POWER_LIMIT_W,
		(int32_t)lround(power_pu * QS1_RATED_W));
	command(u, QS1_OP_ARM, 0, 0);
	return u;
}

static void unit_free(struct unit *u)
{
	plant_free(&u->plant);
	free(u);
}

/* Trips of frequency as wide as IEEE 1547.1-2020 5.10.2 wants them for this test. */
static void widen(struct unit *u)
{
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_OF2_F_HZ, 6600);
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_OF1_F_HZ, 6600);
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_UF2_F_HZ, 5000);
	command(u, QS1_OP_SET_PARAM, QS1_PARAM_UF1_F_HZ, 5000);
}

static void unit_step(struct unit *u)
{
	if (u->plant.ticks % PLANT_ENV_TICKS == 0)
		plant_env(&u->plant);
	plant_step(&u->plant, &u->out, u->in.adc);
	if (u->plant.ticks % HEARTBEAT_TICKS == 0)
		u->in.host_heartbeat++;
	qs1_core_step(&u->core, &u->in, &u->out);
	if (u->passive) {
		u->core.island.quad_q30 = 0;
		u->core.island.suspect = 0;
	}
}

static bool feeds(const struct unit *u)
{
	return u->out.bridge && u->plant.contact;
}

static double seconds(const struct unit *u)
{
	return (double)u->plant.ticks * PLANT_H;
}

static void without_the_active_method_a_matched_island_lives_ten_seconds(void **state)
{
	const struct plant_setup setup = {
		.seed = 1,
		.noise = true,
		.ambient_c = 25,
		.rg = 0.3,
		.lg = 0.2e-3,
		.load_p = 1,
		.load_qf = 1,
	};
	struct unit *u = unit_new(&setup, 1);

	(void)state;
	u->passive = true;
	widen(u);
	while (seconds(u) < OPEN_S)
		unit_step(u);
	assert_true(feeds(u));
	plant_utility(&u->plant, false);
	while (feeds(u) && seconds(u) < OPEN_S + 12)
		unit_step(u);
	print_message("# rig: without the active method the island lives %.2f s\n",
		      seconds(u) - OPEN_S);
	assert_true(seconds(u) - OPEN_S >= 10);
	unit_free(u);
}

/*
 * Two units at one PCC. The first one's network carries the load and the
 * breaker; the second one sees the PCC as its source, and its current charges
 * the load's capacitor. Within a step that current moves by half a percent, so it
 * enters as a mean, extrapolated from the last two samples.
 */
struct pair {
	struct unit *first, *second;
	double i_before;
};

static void pair_step(struct pair *pair)
{
	struct plant *a = &pair->first->plant, *b = &pair->second->plant;
	double i = plant_i2(b),
	       kick = (1.5 * i - 0.5 * pair->i_before) * PLANT_H / a->net.par.load_c;

	pair->i_before = i;
	a->net.x[AC_VP] += kick / 2;
	unit_step(pair->first);
	a->net.x[AC_VP] += kick / 2;
	b->emf_dc = a->net.x[AC_VP];
	unit_step(pair->second);
}

/* Seconds until both have let go. */
static double time_of_pair(double power_pu, double qf, double mismatch, uint64_t seed, bool wide)
{
	struct plant_setup setup = {
		.seed = seed,
		.noise = true,
		.ambient_c = 25,
		.rg = 0.3,
		.lg = 0.2e-3,
		.load_p = 2 * power_pu,
		.load_qf = qf,
		.load_mismatch = mismatch,
	};
	struct pair pair = { 0 };
	double t;

	pair.first = unit_new(&setup, power_pu);
	setup = (struct plant_setup){ .seed = seed + 100, .noise = true, .ambient_c = 25 };
	pair.second = unit_new(&setup, power_pu);
	pair.second->plant.emf_rms = 0;
	if (wide) {
		widen(pair.first);
		widen(pair.second);
	}
	while (seconds(pair.first) < OPEN_S)
		pair_step(&pair);
	assert_true(feeds(pair.first) && feeds(pair.second));
	assert_true(pair.first->plant.net.x[AC_VP] == pair.second->plant.net.vpcc);
	plant_utility(&pair.first->plant, false);
	while ((feeds(pair.first) || feeds(pair.second)) && seconds(pair.first) < OPEN_S + 3)
		pair_step(&pair);
	t = seconds(pair.first) - OPEN_S;
	unit_free(pair.first);
	unit_free(pair.second);
	return t;
}

static void two_units_in_one_island_both_let_go(void **state)
{
	static const double level[] = { 0.33, 0.66, 1 };

	(void)state;
	for (unsigned int k = 0; k < 12; k++) {
		double qf = k & 1 ? 2.5 : 1;
		bool wide = k & 2;
		double t = time_of_pair(level[k / 4], qf, 0, k + 1, wide);

		print_message("# two units: %.2f pu each, Qf %.1f, %s trips: gone in %.3f s\n",
			      level[k / 4], qf, wide ? "wide" : "note1", t);
		assert_true(t <= GONE_S);
	}
}

static double figure(struct json_object *o, const char *name)
{
	struct json_object *ac, *member;

	assert_true(json_object_object_get_ex(o, "ac", &ac));
	assert_true(json_object_object_get_ex(ac, name, &member));
	return json_object_get_double(member);
}

static void the_active_method_costs_little(void **state)
{
	static const struct plant_setup setup = {
		.seed = 1, .noise = true, .ambient_c = 25, .rg = 0.3, .lg = 0.2e-3
	};
	double thd[2], pf[2];

	(void)state;
	for (int passive = 0; passive < 2; passive++) {
		struct json_object *o = json_object_new_object();
		struct unit *u = unit_new(&setup, 1);
		struct measure m;

		measure_init(&m);
		u->passive = passive;
		while (seconds(u) < OPEN_S)
			unit_step(u);
		while (seconds(u) < OPEN_S + 5) {
			unit_step(u);
			measure_step(&m, &u->plant);
		}
		measure_json(&m, &u->plant, o);
		thd[passive] = figure(o, "thd_pct");
		pf[passive] = figure(o, "pf");
		json_object_put(o);
		measure_free(&m);
		unit_free(u);
	}
	print_message("# cost at rated power: THD %.4f %% with, %.4f %% without; power factor %.6f "
		      "with, %.6f without\n",
		      thd[0], thd[1], pf[0], pf[1]);
	assert_true(thd[0] - thd[1] < 0.1);
	assert_true(pf[1] - pf[0] < 0.0005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_active_method_a_matched_island_lives_ten_seconds),
		cmocka_unit_test(two_units_in_one_island_both_let_go),
		cmocka_unit_test(the_active_method_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
