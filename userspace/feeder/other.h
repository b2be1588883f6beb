/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An inverter of another make, as a model: a current in phase with a PLL's angle, of constant
 * power, with a standard's limits, and an active method against islands or none.
 *
 * Sandia frequency shift: the current leads by pi/2 (cf0 + K df). Slip-mode shift: it leads by
 * theta_m sin(pi/2 df / df_m). Both after Ropp, Begovic and Rohatgi, Prog. Photovolt. 7 (1999).
 */
#ifndef QS1_FEEDER_OTHER_H
#define QS1_FEEDER_OTHER_H

#include <stdbool.h>

#include "network.h"

enum other_kind { OTHER_PASSIVE, OTHER_SFS, OTHER_SMS, OTHER_KINDS };

#define OTHER_LIMITS 6

/**
 * struct other - one of them
 * @wide: the limits of IEEE 1547-2018 category III instead of IEEE 1547-2003
 * @watts: its power
 * @volts: nominal, and @hz
 * @element: in the network
 * @angle: of the PLL; @omega: its frequency, @integral of its controller
 * @alpha: and @beta: the voltage and its quadrature, from a second-order generalised integrator
 * @amps: amplitude of the current
 * @slow_hz: frequency for method and limits
 * @beyond_s: time beyond each limit
 * @left: it has disconnected, at @left_s
 */
struct other {
	enum other_kind kind;
	bool wide;
	double watts;
	double volts, hz;
	int element;
	struct network_pair pair;
	double angle, omega, integral;
	double alpha, beta;
	double amps, slow_hz;
	double beyond_s[OTHER_LIMITS];
	bool left;
	double left_s;
};

/* other_init() - at two nodes; @volts between them, nominal, and @hz */
void other_init(struct other *other, struct network *network, int a, int b, double volts,
		double hz);
/* other_before() - before a step of the network: the current that it shall have */
void other_before(struct other *other, struct network *network);
/* other_after() - after it: control, and limits; @t: its end, s */
void other_after(struct other *other, struct network *network, double t);
const char *other_name(enum other_kind kind);

#endif /* QS1_FEEDER_OTHER_H */
