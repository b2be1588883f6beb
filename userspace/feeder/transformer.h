/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A transformer of one winding pair a phase, as three single-phase ones: leakage, resistance and
 * magnetising inductance, linear. Its voltages are equal on both sides.
 */
#ifndef QS1_FEEDER_TRANSFORMER_H
#define QS1_FEEDER_TRANSFORMER_H

#include "network.h"

/**
 * struct transformer - a winding pair
 * @primary, @secondary: elements, coupled
 * @own: maps of each, @cross: of the other one's voltage
 */
struct transformer {
	int primary, secondary;
	struct network_pair own[2], cross[2];
};

/**
 * transformer_init() - at two pairs of nodes
 * @va: rated power of this phase
 * @volts: rated, of the secondary; @hz
 * @ratio: of the primary's rated voltage to @volts
 */
void transformer_init(struct transformer *transformer, struct network *network,
		      const int primary[2], const int secondary[2], double va, double volts,
		      double hz, double ratio);

/* transformer_connect() - open or close both sides */
void transformer_connect(struct transformer *transformer, struct network *network, bool closed);

#endif /* QS1_FEEDER_TRANSFORMER_H */
