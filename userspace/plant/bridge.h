/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The full bridge with each of its edges: unipolar modulation of two legs
 * around the middle of the control period.
 *
 * Between two edges the network is linear and is stepped exactly, over any
 * 65536th of a period (0.76 ns). The time of an edge is the one that gives the
 * leg's true volt-seconds; it depends on direction and size of the current. A switch
 * turns on late by the dead time. A current in the helping direction charges the
 * leg's capacitance earlier; diodes then conduct, beyond the rail, for the rest of
 * the dead time. L1 saturates.
 * Derivation: Documentation/power-stage.md.
 */
#ifndef QS1_PLANT_BRIDGE_H
#define QS1_PLANT_BRIDGE_H

#include "acnet.h"
#include "board.h"

/**
 * struct bridge_filtered - anti-alias filters of the three channels that see the ripple
 * @igrid: and the others: the filters' outputs
 */
struct bridge_filtered {
	double igrid, vgrid, vinv;
};

/**
 * struct bridge_step - one period
 * @m: modulation, -1 to 1
 * @vlink: V, held over the period
 * @emf: source voltage at the end of the period, V
 * @config: ACNET_RELAY and ACNET_UTILITY bits
 * @link_c: out: charge taken from the link, As
 * @ripple2: out: mean square of the grid current's deviation from the line between
 *           its samples, A2
 */
struct bridge_step {
	double m;
	double vlink;
	double emf;
	unsigned int config;
	double link_c;
	double ripple2;
};

/**
 * bridge_switch() - one period with the bridge switching
 * @filtered: updated; its time constant is the board's, and without one the
 *            outputs are the values at the period's end
 */
void bridge_switch(struct acnet *net, const struct plant_board *board, struct bridge_step *step,
		   struct bridge_filtered *filtered);

#endif /* QS1_PLANT_BRIDGE_H */
