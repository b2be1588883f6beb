// SPDX-License-Identifier: GPL-2.0-only
#include "board.h"

#include <math.h>

#include <qs1/stage.h>

#include "rng.h"

#define DEAD_TIME_S 150e-9 /* of the bridge's legs */
#define SATURATION_A 13.0  /* see Documentation/power-stage.md */
#define LEG_F 100e-12	   /* output capacitance of a leg's two switches */
#define SWITCH_OHM 0.08	   /* part of r1 */
#define NOISE_COUNTS 1.5   /* RMS, of the nominal board */
#define RELAY_LEAST 0.6	   /* of the longest time */

/* Tolerances, each side. */
#define L_PART 0.2 /* gapped cores and their windings */
#define C_PART 0.2 /* electrolytic and X2 film capacitors: 20 % parts */
#define R_PART 0.05
#define WINDING_PART 0.1 /* resistance of windings and switches, cold to warm */
#define AGEING 0.2	 /* an electrolytic capacitor's end of life: 20 % less */
#define DEAD_MAX_S 300e-9
#define UNEQUAL_S 10e-9 /* gate drivers: 10 ns between two parts */
#define SWITCH_PART 0.1
#define CLOCK_PPM 50.0	    /* a crystal with its ageing, -40 to 85 C */
#define JITTER_MAX_S 100e-9 /* start of a conversion by a timer, to that by a program */
#define NOISE_MIN_COUNTS 0.4
#define NOISE_MAX_COUNTS 15.0
#define BOUNCES_MAX 3

/* One pole at 30 kHz: Documentation/boards/bring-up.md. */
#define FILTER_S (1 / (2 * M_PI * 30e3))
#define FILTER_PART 0.06 /* 5 % capacitor, 1 % resistor */

void board_nominal(struct plant_board *b)
{
	*b = (struct plant_board){
		.clink = QS1_LINK_C_UF * 1e-6,
		.l1 = QS1_FILTER_L1_UH * 1e-6,
		.r1 = 0.48,
		.c = QS1_FILTER_C_NF * 1e-9,
		.cd = QS1_FILTER_CD_NF * 1e-9,
		.rd = QS1_FILTER_RD_OHM,
		.l2 = QS1_FILTER_L2_UH * 1e-6,
		.r2 = 0.12,
		.saturation_a = SATURATION_A,
		.clock = 1,
		.noise_counts = NOISE_COUNTS,
		.relay_open_ms = QS1_RELAY_OPEN_MS,
		.relay_close_ms = QS1_RELAY_CLOSE_MS,
		.relay_least = RELAY_LEAST,
	};
	for (int n = 0; n < QS1_INPUTS; n++) {
		b->lp[n] = QS1_STAGE_LP_NH * 1e-9;
		b->cin[n] = QS1_STAGE_CIN_UF * 1e-6;
	}
	for (int leg = 0; leg < BOARD_LEGS; leg++) {
		b->dead_s[leg] = DEAD_TIME_S;
		b->leg_f[leg] = LEG_F;
	}
}

static void vary(struct rng *rng, double *value, double part)
{
	*value *= rng_uniform(rng, 1 - part, 1 + part);
}

void board_draw(struct plant_board *b, uint64_t seed)
{
	double dead;
	struct rng rng;

	board_nominal(b);
	rng_seed(&rng, seed ^ 0x424f415244u);
	b->drawn = true;
	for (int n = 0; n < QS1_INPUTS; n++) {
		vary(&rng, &b->lp[n], L_PART);
		vary(&rng, &b->cin[n], C_PART);
	}
	vary(&rng, &b->clink, C_PART);
	b->clink *= rng_uniform(&rng, 1 - AGEING, 1);
	vary(&rng, &b->l1, L_PART);
	vary(&rng, &b->r1, WINDING_PART);
	vary(&rng, &b->c, C_PART);
	vary(&rng, &b->cd, C_PART);
	vary(&rng, &b->rd, R_PART);
	vary(&rng, &b->l2, L_PART);
	vary(&rng, &b->r2, WINDING_PART);
	vary(&rng, &b->saturation_a, WINDING_PART);
	dead = rng_uniform(&rng, DEAD_TIME_S, DEAD_MAX_S);
	for (int leg = 0; leg < BOARD_LEGS; leg++) {
		b->dead_s[leg] = dead + rng_uniform(&rng, -UNEQUAL_S, UNEQUAL_S);
		vary(&rng, &b->leg_f[leg], C_PART);
		for (int k = 0; k < 2; k++) {
			b->late_s[leg][k] = rng_uniform(&rng, 0, UNEQUAL_S);
			b->switch_ohm[leg][k] =
				SWITCH_OHM * rng_uniform(&rng, -SWITCH_PART, SWITCH_PART);
		}
	}
	b->clock = 1 + 1e-6 * rng_uniform(&rng, -CLOCK_PPM, CLOCK_PPM);
	b->jitter_s = rng_uniform(&rng, 0, JITTER_MAX_S);
	b->filter_s = FILTER_S;
	vary(&rng, &b->filter_s, FILTER_PART);
	/* Quiet boards and noisy ones are equally likely: uniform in the logarithm. */
	b->noise_counts = NOISE_MIN_COUNTS *
			  pow(NOISE_MAX_COUNTS / NOISE_MIN_COUNTS, rng_uniform(&rng, 0, 1));
	vary(&rng, &b->relay_open_ms, 0.2);
	vary(&rng, &b->relay_close_ms, 0.2);
	b->relay_open_ms = fmin(b->relay_open_ms, QS1_RELAY_OPEN_MS);
	b->relay_close_ms = fmin(b->relay_close_ms, QS1_RELAY_CLOSE_MS);
	b->relay_least = rng_uniform(&rng, 0.4, 1);
	b->bounces = (int)rng_uniform(&rng, 0, BOUNCES_MAX + 1);
}
