/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board as it was built: component values, clock, relay. Nominal, or drawn
 * from a seed within the tolerances of the parts.
 */
#ifndef QS1_PLANT_BOARD_H
#define QS1_PLANT_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#define BOARD_LEGS 2

/**
 * struct plant_board - the values that differ from board to board, SI units
 * @lp: magnetising inductance of a phase, each input
 * @cin: input capacitor, each input
 * @l1: and the others: filter, see struct acnet_param
 * @saturation_a: current of a linear inductor for which L1, saturating, takes twice as much
 * @dead_s: dead time of each leg
 * @late_s: delay of each leg's edge, [leg][rising]
 * @switch_ohm: on-resistance above nominal, [leg][high side]
 * @leg_f: capacitance of each leg's output
 * @clock: seconds of the world in a second of the board's clock
 * @jitter_s: RMS, of the sampling instant
 * @filter_s: time constant before the converters
 * @noise_counts: RMS, of each sample
 * @relay_open_ms: longest opening time
 * @relay_close_ms: longest closing time
 * @relay_least: shortest time over the longest
 * @bounces: how often a closing contact opens again
 */
struct plant_board {
	bool drawn;
	double lp[QS1_INPUTS], cin[QS1_INPUTS];
	double clink;
	double l1, r1, c, cd, rd, l2, r2;
	double saturation_a;
	double dead_s[BOARD_LEGS];
	double late_s[BOARD_LEGS][2];
	double switch_ohm[BOARD_LEGS][2];
	double leg_f[BOARD_LEGS];
	double clock;
	double jitter_s;
	double filter_s;
	double noise_counts;
	double relay_open_ms, relay_close_ms, relay_least;
	int bounces;
};

/* board_nominal() - each part has its nominal value */
void board_nominal(struct plant_board *board);

/* board_draw() - each part somewhere within its tolerance */
void board_draw(struct plant_board *board, uint64_t seed);

#endif /* QS1_PLANT_BOARD_H */
