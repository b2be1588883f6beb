// SPDX-License-Identifier: GPL-2.0-only
/* The switching bridge: energy, dead time by the current's direction, saturation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plant.h"

#define LINK_V 400.0

static const struct acnet_param filter = { .l1 = 3e-3,
					   .r1 = 0.48,
					   .c = 680e-9,
					   .cd = 680e-9,
					   .rd = 47,
					   .rb = 330e3,
					   .l2 = 0.6e-3,
					   .r2 = 0.12,
					   .lg = 0.2e-3,
					   .rg = 0.3 };

static struct acnet *new_net(double r1)
{
	struct acnet_param par = filter;
	struct acnet *net = malloc(sizeof(*net));

	assert_non_null(net);
	par.r1 = r1;
	acnet_init(net, &par, PLANT_H);
	assert_int_equal(acnet_divisible(net), 0);
	return net;
}

static void drop(struct acnet *net)
{
	acnet_free(net);
	free(net);
}

/* Mean voltage of the bridge in one period that begins with a current, relay open. */
static double mean_voltage(const struct plant_board *board, double m, double current)
{
	struct acnet *net = new_net(0);
	struct bridge_step step = { .m = m, .vlink = LINK_V };
	struct bridge_filtered filtered;
	double v;

	/* A large inductor holds the current, a large capacitor its voltage. */
	net->par.l1 = 1000;
	net->par.c = 1000;
	net->x[AC_IL1] = current;
	bridge_switch(net, board, &step, &filtered);
	v = (net->x[AC_IL1] - current) * net->par.l1 / PLANT_H;
	drop(net);
	return v;
}

static void dead_time_takes_voltage_against_the_current(void **state)
{
	struct plant_board b;
	double lost;

	(void)state;
	board_nominal(&b);
	b.saturation_a = 1e6;
	b.leg_f[0] = b.leg_f[1] = 1e-15;
	lost = 2 * LINK_V * b.dead_s[0] * QS1_CONTROL_HZ;
	for (double m = -0.9; m < 0.95; m += 0.3) {
		double ideal = m * LINK_V, with = mean_voltage(&b, m, 5),
		       against = mean_voltage(&b, m, -5);

		/* and 2.4 V more in the dead times, by the diodes */
		assert_true(fabs(ideal - with - lost) < 0.02 * lost);
		assert_true(fabs(against - ideal - lost) < 0.02 * lost);
	}
	/* 100 pF take 0.8 us of 50 mA, so that the switch ends the swing: less is lost. */
	b.leg_f[0] = b.leg_f[1] = 100e-12;
	print_message("# lost: %.3f V at 5 A, %.3f V at 50 mA, of %.3f V\n",
		      -mean_voltage(&b, 0, 5), -mean_voltage(&b, 0, 0.05), lost);
	assert_true(fabs(-mean_voltage(&b, 0, 0.05) - lost * 150.0 / 800 / 2) < 0.03 * lost);
	assert_true(fabs(-mean_voltage(&b, 0, 5) - lost * (1 - 8.0 / 300)) < 0.02 * lost);
}

static void unequal_legs_make_direct_voltage(void **state)
{
	struct plant_board b;

	(void)state;
	board_nominal(&b);
	b.saturation_a = 1e6;
	b.late_s[0][1] += 10e-9;
	/* leg A turns on 10 ns late in each period: 400 V x 10 ns x 20 kHz, both ways */
	assert_true(fabs(mean_voltage(&b, 0.3, 5) + mean_voltage(&b, -0.3, -5) + 0.16) < 0.01);
}

static void the_link_delivers_the_stored_energy_and_the_losses(void **state)
{
	struct acnet *net = new_net(0.48);
	struct plant_board b;
	struct bridge_filtered filtered;
	double given = 0, heat = 0, sent = 0;

	(void)state;
	board_nominal(&b);
	b.saturation_a = 1e6;
	for (int k = 0; k < 4000; k++) {
		double a = 2 * M_PI * 60 * k * PLANT_H, emf0 = net->emf, i0 = net->x[AC_IL1];
		double d0 = net->x[AC_VC] - net->x[AC_VCD], g0 = net->x[AC_I2], d1, g1, i1;
		struct bridge_step step = { .m = 345 / LINK_V * sin(a + 0.03),
					    .vlink = LINK_V,
					    .config = ACNET_RELAY | ACNET_UTILITY,
					    .emf = 339 * sin(a + 0.01885) };

		bridge_switch(net, &b, &step, &filtered);
		given += step.link_c * LINK_V;
		i1 = net->x[AC_IL1];
		d1 = net->x[AC_VC] - net->x[AC_VCD];
		g1 = net->x[AC_I2];
		heat += PLANT_H / 3 *
			(0.48 * (i0 * i0 + i0 * i1 + i1 * i1) +
			 0.42 * (g0 * g0 + g0 * g1 + g1 * g1) + (d0 * d0 + d0 * d1 + d1 * d1) / 47);
		sent += PLANT_H / 6 * (emf0 * (2 * g0 + g1) + step.emf * (g0 + 2 * g1));
	}
	print_message("# given %.2f J, sent %.2f J, heat %.2f J, stored %.4f J\n", given, sent,
		      heat, acnet_energy(net));
	assert_true(sent > 50);
	/* The ripple heats too: 0.24 A RMS in 0.48 ohm, and in Rd. */
	assert_true(fabs(given - sent - heat - acnet_energy(net)) < 0.003 * given);
	drop(net);
}

static void l1_saturates(void **state)
{
	struct plant_board b;

	(void)state;
	board_nominal(&b);
	for (int k = 0; k < 2; k++) {
		struct acnet *net = new_net(0.48);
		struct bridge_filtered filtered;
		struct bridge_step step = { .m = 0.9, .vlink = LINK_V };
		double charge = 0, peak;

		b.saturation_a = k ? 1e6 : 13;
		net->par.c = 1;
		net->x[AC_IL1] = 10;
		bridge_switch(net, &b, &step, &filtered);
		charge = step.link_c;
		peak = net->x[AC_IL1];
		print_message("# %s: flux current %.2f A, charge %.2f uC\n",
			      k ? "linear" : "saturating", peak, charge * 1e6);
		if (k)
			assert_true(charge < 0.9 * 13 * PLANT_H);
		else
			assert_true(charge > 1.2 * 12.8 * PLANT_H * 0.9);
		drop(net);
	}
}

static void ripple_of_the_grid_current_is_below_30_ma(void **state)
{
	struct plant_setup setup = { .seed = 1, .switching = true, .rg = 0.3, .lg = 0.2e-3 };
	struct plant *p = malloc(sizeof(*p));
	struct qs1_outputs out = { .bridge = true, .relay = true };
	double mean = 0;
	int16_t adc[QS1_ADC_COUNT];

	(void)state;
	assert_non_null(p);
	assert_int_equal(plant_init(p, &setup), 0);
	for (int k = 0; k < 1000; k++) {
		p->link_j = QS1_LINK_C_UF * 1e-6 / 2 * LINK_V * LINK_V;
		p->vlink = LINK_V;
		out.cmp_bridge = (int16_t)lrint(2500 * 0.85 * sin(2 * M_PI * 60 * k * PLANT_H));
		plant_step(p, &out, adc);
		if (k >= 667)
			mean += p->ripple2 / 333;
	}
	/* 40 kHz behind C and 0.8 mH: Documentation/power-stage.md has below 0.03 A */
	print_message("# ripple of the grid current %.1f mA RMS\n", sqrt(mean) * 1e3);
	assert_true(sqrt(mean) > 0.002 && sqrt(mean) < 0.03);
	plant_free(p);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dead_time_takes_voltage_against_the_current),
		cmocka_unit_test(unequal_legs_make_direct_voltage),
		cmocka_unit_test(the_link_delivers_the_stored_energy_and_the_losses),
		cmocka_unit_test(l1_saturates),
		cmocka_unit_test(ripple_of_the_grid_current_is_below_30_ma),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
