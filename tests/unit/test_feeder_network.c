// SPDX-License-Identifier: GPL-2.0-only
/* The network of a feeder: against the network of one unit, against phasors, and its energy. */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acnet.h"
#include "board.h"
#include "network.h"
#include "plant.h"
#include "rng.h"

#define RATED_A 5.0

static struct acnet_param unit_par(double rg, double lg)
{
	struct plant_board b;

	board_nominal(&b);
	return (struct acnet_param){ .l1 = b.l1,
				     .r1 = b.r1,
				     .c = b.c,
				     .cd = b.cd,
				     .rd = b.rd,
				     .rb = 330e3,
				     .l2 = b.l2,
				     .r2 = b.r2,
				     .lg = lg,
				     .rg = rg };
}

static struct network_model unit_model(const struct acnet_param *par, unsigned int config)
{
	struct network_model m = { .states = ACNET_UNIT };
	struct acnet_unit u;

	acnet_unit(par, config, &u);
	memcpy(m.a, u.a, sizeof(m.a));
	memcpy(m.held, u.bridge, sizeof(m.held));
	memcpy(m.volts, u.pcc, sizeof(m.volts));
	m.amps[AC_I2] = config & ACNET_RELAY ? -1 : 0;
	return m;
}

static struct network_model line_model(double r, double l)
{
	return (struct network_model){
		.states = 1, .a = { { -r / l } }, .volts = { 1 / l }, .amps = { 1 }
	};
}

static struct network_pair *maps_of(const struct network_model *model)
{
	struct network_pair *pair = malloc(sizeof(*pair));

	assert_non_null(pair);
	network_pair_init(pair, model, PLANT_H);
	return pair;
}

static int connect_element(struct network *net, int a, int b, struct network_pair *pair)
{
	int e = network_add(net, a, b);

	network_use(net, e, pair);
	network_connect(net, e, true);
	return e;
}

static void step(struct network *net)
{
	if (!network_changed(net)) {
		network_step(net);
		return;
	}
	for (int part = 0; part < NETWORK_PARTS; part++)
		network_part(net, part);
}

static void one_unit_agrees_with_the_network_of_one_unit(void **state)
{
	struct acnet_param par = unit_par(0.3, 0.2e-3);
	struct network_model model = unit_model(&par, ACNET_L1 | ACNET_RELAY);
	struct network_model line = line_model(par.rg, par.lg);
	struct network_pair *unit = maps_of(&model), *grid = maps_of(&line);
	struct network *net = network_new(1, 2, PLANT_H);
	int u = connect_element(net, 0, NETWORK_REFERENCE, unit);
	int g = connect_element(net, 0, NETWORK_REFERENCE, grid);
	struct network_element *eu = network_element(net, u), *eg = network_element(net, g);
	double worst = 0, volts = 0, phase = 0;
	struct acnet ac;

	(void)state;
	acnet_init(&ac, &par, PLANT_H);
	eg->emf = true;
	for (int n = 1; n <= 4000; n++) {
		double w = 2 * M_PI * QS1_GRID_HZ * PLANT_H, emf, bridge;

		if (n == 2000)
			phase = M_PI / 3;
		emf = 340 * sin(w * n + phase) + 10 * sin(5 * (w * n + phase)) +
		      5 * sin(23 * (w * n + phase));
		bridge = 340 * sin(w * n + phase + 0.03) + 10 * sin(2 * M_PI * 7000 * PLANT_H * n);
		acnet_step(&ac, ACNET_RELAY | ACNET_UTILITY, bridge, emf);
		eg->emf0 = eg->emf1;
		eg->emf1 = emf;
		eu->held = bridge;
		step(net);
		worst = fmax(worst, fabs(eu->x[AC_I2] - ac.x[AC_I2]));
		volts = fmax(volts, fabs(eu->u[NETWORK_END] - ac.vpcc));
	}
	print_message("# one unit: current within %.2g of rated, voltage within %.3f V\n",
		      worst / RATED_A, volts);
	assert_true(worst / RATED_A < 1e-4);
	assert_true(volts < 0.1);
	network_free(net);
	free(unit);
	free(grid);
	acnet_free(&ac);
}

/* Admittance of the unit at its terminals, bridge short-circuited. */
static double complex unit_admittance(const struct acnet_param *p, double w)
{
	double complex s = I * w;
	double complex shunt =
		s * p->c + 1 / p->rb + 1 / (p->rd + 1 / (s * p->cd)) + 1 / (p->r1 + s * p->l1);

	return 1 / (p->r2 + s * p->l2 + 1 / shunt);
}

/* A tone from the source, through its impedance, at a capacitor and @units units. */
static double resonance(int units, double farad, double hz)
{
	struct acnet_param par = unit_par(0.1, 0.5e-3);
	struct network_model model = unit_model(&par, ACNET_L1 | ACNET_RELAY);
	struct network_model line = line_model(par.rg, par.lg), cap = { .farad = farad };
	struct network_pair *maps[] = { maps_of(&model), maps_of(&line), maps_of(&cap) };
	struct network *net = network_new(1, units + 2, PLANT_H);
	double w = 2 * M_PI * hz;
	double complex y = I * w * farad + units * unit_admittance(&par, w), got = 0, expected;
	int grid, ticks = (int)(QS1_CONTROL_HZ * 0.4), from = ticks / 2;

	expected = 1 / (1 + y * (par.rg + I * w * par.lg));
	for (int k = 0; k < units; k++)
		connect_element(net, 0, NETWORK_REFERENCE, maps[0]);
	grid = connect_element(net, 0, NETWORK_REFERENCE, maps[1]);
	connect_element(net, 0, NETWORK_REFERENCE, maps[2]);
	network_element(net, grid)->emf = true;
	for (int n = 1; n <= ticks; n++) {
		struct network_element *e = network_element(net, grid);

		e->emf0 = e->emf1;
		e->emf1 = sin(w * n * PLANT_H);
		step(net);
		if (n > from)
			got += network_volts(net, 0) * cexp(-I * w * n * PLANT_H) * 2 /
			       (ticks - from);
	}
	network_free(net);
	for (int k = 0; k < 3; k++)
		free(maps[k]);
	/* sin is the imaginary part: a phasor of -i. */
	return cabs(got / -I - expected) / cabs(expected);
}

static void resonances_are_those_of_a_phasor_solution(void **state)
{
	double worst = 0;

	(void)state;
	for (int units = 1; units <= 16; units *= 4)
		for (double hz = 100; hz <= 2000; hz += 50) {
			double error = resonance(units, 20e-6, hz);

			worst = fmax(worst, error);
			/* The source is linear between its samples: (w h)^2 / 12 of a tone. */
			assert_true(error < 1e-3 + pow(2 * M_PI * hz * PLANT_H, 2) / 10);
		}
	print_message("# resonances: largest error %.2g\n", worst);
}

static double uniform(struct rng *rng, double lo, double hi)
{
	return lo * pow(hi / lo, rng_uniform(rng, 0, 1));
}

/* Inductors and capacitors alone, that nothing feeds: their energy may only fall. */
static double energy_grows(uint64_t seed)
{
	enum { NODES = 4, ELEMENTS = 12 };
	struct network *net = network_new(NODES, ELEMENTS, PLANT_H);
	struct network_pair *pair[ELEMENTS];
	double size[ELEMENTS], before = 0, grown = 0;
	bool coil[ELEMENTS];
	struct rng rng;

	rng_seed(&rng, seed);
	for (int k = 0; k < ELEMENTS; k++) {
		struct network_model model = { 0 };
		int a = k < NODES ? k : (int)rng_uniform(&rng, 0, NODES);
		int b = k < NODES ? NETWORK_REFERENCE : (a + 1) % NODES;
		int e;

		coil[k] = k < NODES || rng_uniform(&rng, 0, 1) < 0.5;
		size[k] = coil[k] ? uniform(&rng, 1e-5, 1e-2) : uniform(&rng, 1e-7, 1e-4);
		if (coil[k])
			model = line_model(0, size[k]);
		else
			model.farad = size[k];
		pair[k] = maps_of(&model);
		e = connect_element(net, a, b, pair[k]);
		network_element(net, e)->x[0] = rng_uniform(&rng, -10, 10);
	}
	for (int n = 0; n < 5000; n++) {
		double now = 0;

		step(net);
		for (int k = 0; k < ELEMENTS; k++) {
			double x = network_element(net, k)->x[0];

			now += size[k] / 2 * x * x;
		}
		if (n > 0)
			grown = fmax(grown, now / before - 1);
		before = now;
	}
	network_free(net);
	for (int k = 0; k < ELEMENTS; k++)
		free(pair[k]);
	return grown;
}

static void no_lossless_network_gains_energy(void **state)
{
	double worst = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++)
		worst = fmax(worst, energy_grows(seed));
	print_message("# energy: largest growth in a step %.2g\n", worst);
	assert_true(worst < 1e-9);
}

static void what_elements_take_adds_up_to_nothing(void **state)
{
	struct acnet_param par = unit_par(0.3, 0.2e-3);
	struct network_model model = unit_model(&par, ACNET_L1 | ACNET_RELAY);
	struct network_model line = line_model(0.05, 1e-4), load = { .siemens = 0.05 };
	struct network_pair *maps[] = { maps_of(&model), maps_of(&line), maps_of(&load) };
	struct network *net = network_new(3, 7, PLANT_H);
	double worst = 0, most = 0;
	int e[7] = {
		connect_element(net, 0, NETWORK_REFERENCE, maps[1]),
		connect_element(net, 0, 1, maps[1]),
		connect_element(net, 1, 2, maps[1]),
		connect_element(net, 0, NETWORK_REFERENCE, maps[0]),
		connect_element(net, 1, NETWORK_REFERENCE, maps[0]),
		connect_element(net, 2, NETWORK_REFERENCE, maps[0]),
		connect_element(net, 2, NETWORK_REFERENCE, maps[2]),
	};

	(void)state;
	network_element(net, e[0])->emf = true;
	for (int n = 1; n <= 4000; n++) {
		struct network_element *g = network_element(net, e[0]);
		double w = 2 * M_PI * QS1_GRID_HZ * PLANT_H * n, sum = 0, leaked;

		g->emf0 = g->emf1;
		g->emf1 = 340 * sin(w);
		for (int k = 3; k < 6; k++)
			network_element(net, e[k])->held = 345 * sin(w + 0.01 * k);
		leaked = network_leaked(net);
		step(net);
		for (int k = 0; k < 7; k++) {
			double j = network_taken(net, e[k]);

			sum += j;
			most = fmax(most, fabs(j));
		}
		/* The leak is reckoned at the end of each step, not within it. */
		if (n > 1)
			worst = fmax(worst, fabs(sum) - 2 * (network_leaked(net) - leaked) - 1e-7);
	}
	print_message("# balance: largest %.3g J a step, left over %.2g J\n", most, worst);
	assert_true(worst < 2e-6);
	network_free(net);
	for (int k = 0; k < 3; k++)
		free(maps[k]);
}

/* A contact cuts the only path of two inductors: the divided step ends what is left at once. */
static void a_cut_current_does_not_ring(void **state)
{
	struct network_model line = line_model(0.1, 1e-3), load = { .siemens = 1.0 / 200 };
	struct network_pair *maps[] = { maps_of(&line), maps_of(&load) };
	struct network *net = network_new(1, 3, PLANT_H);
	int grid = connect_element(net, 0, NETWORK_REFERENCE, maps[0]);
	int coil = connect_element(net, 0, NETWORK_REFERENCE, maps[0]);
	double late = 0;

	(void)state;
	connect_element(net, 0, NETWORK_REFERENCE, maps[1]);
	network_element(net, grid)->x[0] = 10;
	network_element(net, coil)->x[0] = -10;
	step(net);
	network_element(net, grid)->x[0] = 0;
	network_connect(net, grid, false);
	for (int n = 0; n < 20; n++) {
		step(net);
		if (n >= 2)
			late = fmax(late, fabs(network_volts(net, 0)));
	}
	print_message("# cut: %.3g V from the third period on\n", late);
	assert_true(late < 1);
	network_free(net);
	free(maps[0]);
	free(maps[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_unit_agrees_with_the_network_of_one_unit),
		cmocka_unit_test(resonances_are_those_of_a_phasor_solution),
		cmocka_unit_test(no_lossless_network_gains_energy),
		cmocka_unit_test(what_elements_take_adds_up_to_nothing),
		cmocka_unit_test(a_cut_current_does_not_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
