// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the plant at fixed operating points as JSON, to compare it with a
 * switching simulation of the same netlist, and the component values for that
 * netlist.
 *
 *   averaged input V DUTY VLINK SKIP COUNT
 *       charges of one phase of an input stage that starts from rest, over COUNT
 *       control periods after SKIP
 *   averaged bridge averaged|switching DEAD WATTS CYCLES
 *       waveforms of bridge, filter and grid, from a settled state on; of the
 *       averaged bridge or of the one with its edges, with DEAD seconds of dead time
 *   averaged curve SHADED FRACTION
 *       current of the default module, 1000 W/m2 and 25 C, with the elements of a section
 *   averaged values
 *       component values
 *
 * Losses that are no element of the netlist (clamp, core, drivers, bleeders) are off.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "plant.h"

#define CIN_F (QS1_STAGE_CIN_UF * 1e-6)
#define CLINK_F (QS1_LINK_C_UF * 1e-6)
#define BRIDGE_SETTLE_CYCLES 30
#define CURVE_POINTS 100
#define CURVE_STEP_V 0.5
#define CYCLE_STEPS ((int)(QS1_CONTROL_HZ / QS1_GRID_HZ))

static struct plant_setup setup = { .seed = 1, .ambient_c = 25, .rg = 0.3, .lg = 0.2e-3 };

static void hold_link(struct plant *p, double v)
{
	p->vlink = v;
	p->link_j = CLINK_F / 2 * v * v;
}

static void start(struct plant *p)
{
	struct pv_module none;

	module_open(&none);
	if (plant_init(p, &setup))
		abort();
	for (int n = 0; n < QS1_INPUTS; n++)
		plant_module(p, n, &none);
	p->loss = (struct plant_loss){ .pri_ohm = plant_loss_default.pri_ohm,
				       .sec_ohm = plant_loss_default.sec_ohm };
}

static void values(const struct plant *p)
{
	const struct acnet_param *a = &p->net.par;

	printf("{\"lp\": %g, \"turns\": %g, \"phases\": %d, \"fsw\": %d, \"pri_ohm\": %g, "
	       "\"sec_ohm\": %g, \"rectifier_v\": %g, \"control_hz\": %d, \"dead_s\": %g, "
	       "\"l1\": %g, \"r1\": %g, \"c\": %g, \"cd\": %g, \"rd\": %g, \"rb\": %g, \"l2\": %g, "
	       "\"r2\": %g, \"lg\": %g, \"rg\": %g, \"grid_v\": %d, \"grid_hz\": %d, "
	       "\"saturation_a\": %g, \"leg_f\": %g}\n",
	       QS1_STAGE_LP_NH * 1e-9, QS1_STAGE_TURNS_X100 / 100.0, QS1_STAGE_PHASES,
	       QS1_STAGE_FSW_HZ, p->loss.pri_ohm, p->loss.sec_ohm, PLANT_RECTIFIER_V,
	       (int)QS1_CONTROL_HZ, p->board.dead_s[0], a->l1, a->r1, a->c, a->cd, a->rd, a->rb,
	       a->l2, a->r2, a->lg, a->rg, QS1_GRID_V, QS1_GRID_HZ, p->board.saturation_a,
	       p->board.leg_f[0]);
}

static void input(struct plant *p, double v, double duty, double vlink, int skip, int count)
{
	struct qs1_outputs out = { .inputs = 1,
				   .cmp_input = { (uint16_t)lrint(duty * QS1_PWM_INPUT_PERIOD) } };
	double drawn = 0, gained = 0, half = 0;
	int16_t adc[QS1_ADC_COUNT];

	for (int k = 0; k < skip + count; k++) {
		double before = v + half, link;

		/* The capacitor's voltage falls in the step: v must be its mean. */
		p->in.v[0] = before;
		hold_link(p, vlink);
		link = p->link_j;
		plant_step(p, &out, adc);
		half = (before - p->in.v[0]) / 2;
		if (k < skip)
			continue;
		drawn += 2 * CIN_F * half - v / PLANT_BLEED_IN_OHM * PLANT_H;
		gained += p->link_j - link + vlink * vlink / PLANT_BLEED_LINK_OHM * PLANT_H;
	}
	printf("{\"in_c\": %.9g, \"out_c\": %.9g, \"valley_a\": %.6g, \"duty\": %.6g}\n",
	       drawn / QS1_STAGE_PHASES, gained / vlink / QS1_STAGE_PHASES, p->in.valley[0],
	       (double)out.cmp_input[0] / QS1_PWM_INPUT_PERIOD);
}

static void bridge(struct plant *p, double watts, int cycles)
{
	struct qs1_outputs out = { .bridge = true, .relay = true };
	double peak = watts / QS1_GRID_V * M_SQRT2;
	int settle = BRIDGE_SETTLE_CYCLES * (int)QS1_CONTROL_HZ / QS1_GRID_HZ;
	int16_t adc[QS1_ADC_COUNT];

	p->contact = p->coil = true;
	for (int k = 0; k < settle + cycles * CYCLE_STEPS; k++) {
		double ref = peak * p->emf.sin;
		double u = M_SQRT2 * QS1_GRID_V * p->emf.sin + 10 * (ref - p->net.x[AC_IL1]) +
			   2 * M_PI * QS1_GRID_HZ * 4e-3 * peak * p->emf.cos;

		hold_link(p, QS1_LINK_V);
		out.cmp_bridge =
			(int16_t)lrint(fmin(fmax(u / p->vlink, -1), 1) * QS1_PWM_BRIDGE_HALF);
		if (k == settle) {
			printf("{\"phase\": %.12g, \"il1\": %.9g, \"vc\": %.9g, \"vcd\": %.9g, "
			       "\"i2\": %.9g, \"vlink\": %d, \"m\": [",
			       atan2(p->emf.sin, p->emf.cos), p->net.x[AC_IL1], p->net.x[AC_VC],
			       p->net.x[AC_VCD], p->net.x[AC_I2], QS1_LINK_V);
		}
		plant_step(p, &out, adc);
		if (k >= settle)
			printf("%s[%.6g, %.6g, %.6g]", k > settle ? ", " : "",
			       (double)out.cmp_bridge / QS1_PWM_BRIDGE_HALF, p->net.x[AC_IL1],
			       p->net.x[AC_I2]);
	}
	printf("]}\n");
}

static void curve(int shaded, double fraction)
{
	struct pv_source s;
	double v;

	pv_source_init(&s, module_default());
	s.light = 1000;
	s.cell_c = 25;
	s.shaded = shaded;
	s.fraction = fraction;
	pv_source_update(&s);
	printf("{\"sections\": %d, \"il\": %.12g, \"i0\": %.12g, \"a\": %.12g, \"rs\": %.12g, "
	       "\"gsh\": %.12g, \"bypass_i0\": %.12g, \"bypass_a\": %.12g, \"curve\": [",
	       PV_SECTIONS, s.whole.il, s.whole.i0, s.whole.a, s.whole.rs, s.whole.gsh,
	       PV_BYPASS_I0_A, PV_BYPASS_A_V);
	for (int n = 0; n <= CURVE_POINTS; n++) {
		v = CURVE_STEP_V * n;
		printf("%s[%g, %.12g]", n ? ", " : "", v, pv_source_solve(&s, v).i);
	}
	printf("]}\n");
}

int main(int argc, char **argv)
{
	static struct plant plant;
	bool bridges = argc == 6 && !strcmp(argv[1], "bridge");

	if (bridges) {
		setup.switching = !strcmp(argv[2], "switching");
		setup.dead_s = atof(argv[3]);
	}
	start(&plant);
	if (argc == 7 && !strcmp(argv[1], "input"))
		input(&plant, atof(argv[2]), atof(argv[3]), atof(argv[4]), atoi(argv[5]),
		      atoi(argv[6]));
	else if (bridges)
		bridge(&plant, atof(argv[4]), atoi(argv[5]));
	else if (argc == 4 && !strcmp(argv[1], "curve"))
		curve(atoi(argv[2]), atof(argv[3]));
	else if (argc == 2 && !strcmp(argv[1], "values"))
		values(&plant);
	else
		return EXIT_FAILURE;
	plant_free(&plant);
	return EXIT_SUCCESS;
}
